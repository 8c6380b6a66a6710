//! `workwire dead-letters`: shows them.

use std::io::Write;

use serde_json::json;

use super::shown::ShownLetter;
use super::{Desk, Makes};
use crate::arguments::DeadLetters;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(crate) fn run(arguments: &DeadLetters, out: &mut Output) -> Result<Exit, Failure> {
    super::at(&arguments.place, Makes::Nothing, out, async |desk| show(desk, arguments).await)
}

async fn show(desk: &mut Desk<'_>, arguments: &DeadLetters) -> Result<Exit, Failure> {
    let letters = desk.client.dead_letters(&desk.queue, arguments.max, arguments.group.as_deref()).await?;
    let shown: Vec<ShownLetter> = letters.iter().map(ShownLetter::from).collect();
    if desk.json {
        desk.out.json(&json!({"format": 1, "letters": shown}))?;
        return Ok(Exit::Holds);
    }
    for letter in &shown {
        letter.print(desk.out)?;
    }
    match shown.len() {
        0 => writeln!(desk.out, "no dead letters")?,
        1 => writeln!(desk.out, "1 dead letter")?,
        count => writeln!(desk.out, "{count} dead letters")?,
    }
    Ok(Exit::Holds)
}
