//! `workwire replay`: sends dead letters back.

use std::collections::HashSet;
use std::io::Write;

use serde_json::json;
use uuid::Uuid;
use workwire_broker::Code;

use super::{Desk, Makes};
use crate::arguments::Replay;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// How many letters are looked at in one go.
const AT_ONCE: u32 = 1_000;

pub(crate) fn run(arguments: &Replay, out: &mut Output) -> Result<Exit, Failure> {
    super::at(&arguments.place, Makes::Nothing, out, async |desk| replay(desk, arguments).await)
}

async fn replay(desk: &mut Desk<'_>, arguments: &Replay) -> Result<Exit, Failure> {
    let mut replayed = Vec::new();
    let result = match arguments.id {
        Some(id) => one(desk, id, arguments.group.as_deref(), &mut replayed).await,
        None => all(desk, arguments.group.as_deref(), &mut replayed).await,
    };
    // What was done is told, also where something went wrong then.
    if desk.json {
        let ids: Vec<String> = replayed.iter().map(Uuid::to_string).collect();
        desk.out.json(&json!({"format": 1, "replayed": ids}))?;
    } else {
        for id in &replayed {
            writeln!(desk.out, "replayed {id}")?;
        }
        if replayed.is_empty() && result.is_ok() {
            writeln!(desk.out, "no dead letters")?;
        }
    }
    desk.out.flush()?;
    result.map(|()| Exit::Holds)
}

async fn one(desk: &Desk<'_>, id: Uuid, group: Option<&str>, replayed: &mut Vec<Uuid>) -> Result<(), Failure> {
    desk.client.replay(&desk.queue, id, group).await?;
    replayed.push(id);
    Ok(())
}

/// Those that are there now: a message that dies again meanwhile is not sent back once more. An
/// answer holds as many letters as it has room for, so it is asked for until nothing new comes.
async fn all(desk: &Desk<'_>, group: Option<&str>, replayed: &mut Vec<Uuid>) -> Result<(), Failure> {
    let mut known = HashSet::new();
    loop {
        let letters = desk.client.dead_letters(&desk.queue, AT_ONCE, group).await?;
        let new: Vec<_> = letters.into_iter().filter(|letter| !known.contains(&letter.id)).collect();
        if new.is_empty() {
            return Ok(());
        }
        for letter in new {
            // Of one id there may be several letters at once, and each is sent back.
            known.insert(letter.id);
            match desk.client.replay(&desk.queue, letter.id, letter.group.as_deref().or(group)).await {
                Ok(()) => replayed.push(letter.id),
                // Somebody else has sent it back.
                Err(error) if error.code() == Code::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
