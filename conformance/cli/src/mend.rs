//! A queue, looked into and mended by hand.

pub(crate) mod dead_letters;
pub(crate) mod inspect;
pub(crate) mod receive;
pub(crate) mod replay;
pub(crate) mod send;
mod shown;

use std::sync::Arc;

use workwire_broker::{Broker, Client, CloseMode, Queue, Target};

use crate::arguments::Place;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::runtime::block_on;
use crate::signals::Signals;

/// A queue of a broker, and a client that may use it.
struct Desk<'a> {
    broker: Arc<dyn Broker>,
    client: Box<dyn Client>,
    queue: Queue,
    json: bool,
    out: &'a mut Output,
}

/// What may be made that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Makes {
    Nothing,
    /// The queue, and the file that it is kept in.
    Queue,
}

/// Opens the broker, has the work done, and closes what was opened: what was taken and not settled
/// goes back, also where a signal ends the work.
fn at(
    place: &Place,
    makes: Makes,
    out: &mut Output,
    work: impl AsyncFnOnce(&mut Desk<'_>) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let target: Target = place.target.parse()?;
    if target.is_temporary() {
        let why = format!("{target} is gone with the command that opens it; name one that stays, such as sqlite:PATH");
        return Err(Failure::new(why));
    }
    // A name that is misspelt must not leave an empty file behind.
    if let Some(file) = target.file().filter(|file| makes == Makes::Nothing && !file.exists()) {
        return Err(Failure::file("open", file, "there is no such file"));
    }
    let queue = match &place.tenant {
        Some(tenant) => Queue::of_tenant(&**tenant, &*place.queue),
        None => Queue::new(&*place.queue),
    };
    queue.check()?;
    block_on(async move {
        let mut signals =
            Signals::listen().map_err(|error| Failure::new(format!("cannot listen to signals: {error}")))?;
        let opened = async {
            let broker = target.open().await?;
            let name = format!("by-hand-{:016x}", fastrand::u64(..));
            let client = broker.open(&name).await?;
            Ok::<_, Failure>((broker, client))
        };
        let (broker, client) = tokio::select! {
            opened = opened => opened?,
            signal = signals.next() => return Ok(Exit::BrokenOff(signal)),
        };
        let mut desk = Desk { broker, client, queue, json: place.json, out };
        let worked = tokio::select! {
            worked = work(&mut desk) => worked,
            signal = signals.next() => Ok(Exit::BrokenOff(signal)),
        };
        let closed = desk.client.close(CloseMode::Graceful).await;
        let ended = desk.broker.shutdown().await;
        let exit = worked?;
        closed?;
        ended?;
        Ok(exit)
    })
}

/// Milliseconds, as brokers count time.
fn millis(time: std::time::Duration) -> i64 {
    // What was typed is at most a hundred years.
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
