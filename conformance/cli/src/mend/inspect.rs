//! `workwire inspect`: counts, and shows what is next.

use std::io::Write;

use serde_json::json;
use workwire_broker::{Capability, Depth, Peek};

use super::shown::Shown;
use super::{Desk, Makes};
use crate::arguments::Inspect;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::text::plain;

pub(crate) fn run(arguments: &Inspect, out: &mut Output) -> Result<Exit, Failure> {
    super::at(&arguments.place, Makes::Nothing, out, async |desk| inspect(desk, arguments).await)
}

async fn inspect(desk: &mut Desk<'_>, arguments: &Inspect) -> Result<Exit, Failure> {
    let about = desk.broker.about().clone();
    let depth = desk.client.depth(&desk.queue, arguments.group.as_deref()).await?;
    let browses = about.capabilities.has(Capability::Browse);
    let peek = Peek {
        max: arguments.max,
        group: arguments.group.clone(),
        recipient: arguments.recipient.clone(),
        after: None,
    };
    let shows = browses && arguments.max > 0;
    let next = if shows { desk.client.peek(&desk.queue, peek).await? } else { Vec::new() };
    let next: Vec<Shown> = next.iter().map(Shown::from).collect();
    if desk.json {
        let broker = json!({"name": about.name, "version": about.version});
        let queue = desk.queue.to_string();
        let next = browses.then_some(next);
        desk.out.json(&json!({"format": 1, "broker": broker, "queue": queue, "depth": depth, "next": next}))?;
        return Ok(Exit::Holds);
    }
    writeln!(desk.out, "queue {} at {} {}", desk.queue, plain(&about.name), plain(&about.version))?;
    writeln!(desk.out, "{}", counts(&depth))?;
    if !browses && arguments.max > 0 {
        writeln!(desk.out, "this broker cannot show messages without taking them: it does not claim browse")?;
    }
    for message in &next {
        message.print(desk.out)?;
    }
    Ok(Exit::Holds)
}

/// An engine may not know all.
fn counts(depth: &Depth) -> String {
    let known = |count: Option<u64>| count.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
    format!(
        "ready {}, leased {}, delayed {}, dead {}",
        depth.ready,
        known(depth.leased),
        known(depth.delayed),
        known(depth.dead)
    )
}
