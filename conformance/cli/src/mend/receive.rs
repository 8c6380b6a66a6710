//! `workwire receive`: takes messages, prints them, and gives them back or settles them.

use std::io::Write;

use serde_json::json;
use workwire_broker::{Capability, Fetch, Peek, Verdict};

use super::shown::Shown;
use super::{Desk, Makes, millis};
use crate::arguments::{As, Receive};
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(crate) fn run(arguments: &Receive, out: &mut Output) -> Result<Exit, Failure> {
    let verdict = if arguments.done { Some(As::Done) } else { arguments.verdict };
    if arguments.reason.is_some() && !matches!(verdict, Some(As::Retry | As::Dead)) {
        return Err(Failure::new("--reason is given with --as retry and --as dead alone"));
    }
    super::at(&arguments.place, Makes::Nothing, out, async |desk| match verdict {
        Some(As::Peek) => peek(desk, arguments).await,
        verdict => take(desk, arguments, verdict).await,
    })
}

async fn peek(desk: &mut Desk<'_>, arguments: &Receive) -> Result<Exit, Failure> {
    if arguments.id.is_some() || arguments.wait.is_some() {
        return Err(Failure::new("--as peek looks at what is next; it takes no --id and no --wait"));
    }
    let peek = Peek {
        max: arguments.max,
        group: arguments.group.clone(),
        recipient: arguments.recipient.clone(),
        after: None,
    };
    let peeked = desk.client.peek(&desk.queue, peek).await?;
    print(desk, &peeked.iter().map(Shown::from).collect::<Vec<_>>(), "looked at")?;
    Ok(Exit::Holds)
}

async fn take(desk: &mut Desk<'_>, arguments: &Receive, verdict: Option<As>) -> Result<Exit, Failure> {
    let claimed = desk.broker.about().capabilities;
    let wait = arguments.wait.map_or(0, millis);
    for (is_asked, capability) in [(wait > 0, Capability::Wait), (arguments.id.is_some(), Capability::Browse)] {
        if is_asked && !claimed.has(capability) {
            return Err(Failure::new(format!("this broker does not claim {capability}: {}", capability.what())));
        }
    }
    let fetch = Fetch {
        group: arguments.group.clone(),
        recipient: arguments.recipient.clone(),
        id: arguments.id,
        ..Fetch::up_to(arguments.max).waiting(wait)
    };
    let taken = desk.client.fetch(&desk.queue, fetch).await?;
    let becomes = match verdict {
        Some(As::Done) => "done",
        Some(As::Retry) => "sent back",
        Some(As::Dead) => "sent to the dead letters",
        Some(As::Peek) | None => "given back",
    };
    print(desk, &taken.iter().map(Shown::from).collect::<Vec<_>>(), becomes)?;
    // What nobody has seen is not settled: it goes back.
    desk.out.flush()?;
    if desk.out.is_closed() {
        return Ok(Exit::Holds);
    }
    let reason = arguments.reason.clone();
    let verdict = match verdict {
        Some(As::Done) => Verdict::Done,
        Some(As::Retry) => Verdict::Retry { delay_ms: None, reason },
        Some(As::Dead) => Verdict::Dead { reason },
        Some(As::Peek) | None => return Ok(Exit::Holds),
    };
    for delivery in &taken {
        desk.client.settle(&desk.queue, &delivery.tag, verdict.clone()).await?;
    }
    Ok(Exit::Holds)
}

fn print(desk: &mut Desk<'_>, messages: &[Shown], becomes: &str) -> Result<(), Failure> {
    if desk.json {
        desk.out.json(&json!({"format": 1, "messages": messages}))?;
        return Ok(());
    }
    for message in messages {
        message.print(desk.out)?;
    }
    match messages.len() {
        0 => writeln!(desk.out, "nothing there")?,
        1 => writeln!(desk.out, "1 message, {becomes}")?,
        count => writeln!(desk.out, "{count} messages, {becomes}")?,
    }
    Ok(())
}
