//! Runs the cases of a codec as the runner runs those of a broker: an adapter is started and ended,
//! what it did wrong is told, and the brake breaks it off.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use workwire_broker::{Broker as _, OpenError};
use workwire_conformance::codec::{self, Codec, CodecCase, OwnCodec};
use workwire_conformance::event::{Event, Judged};
use workwire_conformance::runner::{Options, judged, suite};
use workwire_conformance::subject::Subject;

/// The codec of this project.
pub(super) async fn own(options: &Options, events: UnboundedSender<Event>) -> Result<(), OpenError> {
    let target = Judged {
        address: "workwire".to_owned(),
        name: "workwire".to_owned(),
        version: suite().version,
        language: Some("Rust".to_owned()),
        capabilities: Vec::new(),
        limits: None,
        choices: None,
    };
    let end = run(Arc::new(OwnCodec), target, options, &events).await?;
    let _ = events.send(end);
    Ok(())
}

/// The codec behind an adapter.
pub(super) async fn adapter(
    subject: &Subject,
    options: &Options,
    events: UnboundedSender<Event>,
) -> Result<(), OpenError> {
    let reached = tokio::select! {
        reached = subject.reach() => reached?,
        () = options.brake.pulled() => {
            let _ = events.send(broken_off());
            return Ok(());
        }
    };
    let Some(adapter) = reached.adapter.clone() else {
        return Err(OpenError::wrong_use(format!("{}: expected an adapter", subject.address())));
    };
    let target = judged(subject.address(), reached.broker.about());
    let ran = run(Arc::clone(&adapter) as Arc<dyn Codec>, target, options, &events).await;
    if let Err(error) = adapter.shutdown().await {
        let _ = events.send(Event::LeftBehind { what: format!("the adapter did not end as it must: {error}") });
    }
    let end = ran?;
    for finding in adapter.findings() {
        let _ = events.send(Event::Misbehaved(finding));
    }
    let _ = events.send(end);
    Ok(())
}

/// Passes on what happens, but the end.
async fn run(
    codec: Arc<dyn Codec>,
    target: Judged,
    options: &Options,
    events: &UnboundedSender<Event>,
) -> Result<Event, OpenError> {
    let (sender, told) = unbounded_channel();
    let filter = options.filter.clone();
    let wanted = move |case: &CodecCase| filter.takes_named(&case.id, &case.clauses);
    let running = codec::run(codec, target, wanted, sender);
    let (ran, end) = tokio::join!(running, pass_on(told, options, events));
    ran?;
    Ok(end)
}

/// Ends when the run does, or when the brake is pulled: the receiver is dropped then, and the run
/// begins no more cases.
async fn pass_on(mut told: UnboundedReceiver<Event>, options: &Options, events: &UnboundedSender<Event>) -> Event {
    loop {
        let event = tokio::select! {
            event = told.recv() => event,
            () = options.brake.pulled() => None,
        };
        match event {
            Some(end @ Event::Ended { .. }) => return end,
            Some(event) => drop(events.send(event)),
            None => return broken_off(),
        }
    }
}

fn broken_off() -> Event {
    Event::Ended { duration_ms: 0, broken_off: true }
}
