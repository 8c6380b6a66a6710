//! `workwire run`: judges a broker.

mod codec;
mod histories;
mod known;
mod lines;
pub(crate) mod order;
mod reports;
mod tally;

use std::io::Write;
use std::path::PathBuf;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use workwire_broker::OpenError;
use workwire_conformance::event::Event;
use workwire_conformance::reports::Collector;
use workwire_conformance::{cases, runner};

use crate::arguments::Run;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::runtime::block_on;
use crate::signals::Signals;
use histories::Histories;
use lines::Lines;
use order::{Judged, Order};
use tally::Tally;

pub(crate) fn run(arguments: &Run, out: &mut Output) -> Result<Exit, Failure> {
    // Everything that can be wrong with what was typed is found before anything runs.
    let order = Order::of(arguments)?;
    block_on(judge(order, out))
}

async fn judge(order: Order, out: &mut Output) -> Result<Exit, Failure> {
    let mut signals = Signals::listen().map_err(|error| Failure::new(format!("cannot listen to signals: {error}")))?;
    let Order { judged, folder: _folder, options, known, strict, reports, histories, settings, proof } = order;
    let brake = options.brake.clone();
    let (sender, mut events) = mpsc::unbounded_channel();
    let suite =
        if matches!(judged, Judged::Broker(..)) { cases::all() } else { workwire_conformance::codec::for_reports() };
    let mut heard = Heard {
        tally: Tally::new(known, strict),
        lines: Lines::new(),
        collector: Collector::of(suite).told(settings).proven(proof),
        histories,
        reports,
    };
    let running = tokio::spawn(async move {
        match judged {
            Judged::Broker(cases, subject) => runner::run(&cases, &subject, &options, sender).await,
            Judged::Codec(subject) => codec::adapter(&subject, &options, sender).await,
            Judged::OwnCodec => codec::own(&options, sender).await,
        }
    });
    let (mut signal, mut trouble) = (None, None);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) if trouble.is_none() => if let Err(failure) = heard.hear(&event, out) {
                    // What nobody can be told of is not gone on with, and cleaned away all the same.
                    trouble = Some(failure);
                    brake.pull();
                },
                Some(_) => {}
                None => break,
            },
            number = signals.next() => {
                if signal.is_some() {
                    // Asked twice: what runs is dropped, and adapters are killed with the runtime.
                    running.abort();
                    return Ok(Exit::BrokenOff(number));
                }
                signal = Some(number);
                brake.pull();
                // Where nobody listens, it is broken off all the same.
                let _ = writeln!(std::io::stderr(), "breaking off: cleaning up what runs; once more ends it at once");
            }
        }
    }
    finished(running).await?;
    if let Some(failure) = trouble {
        return Err(failure);
    }
    heard.end(signal, out)
}

/// Whether the broker could be reached. A panic of the runner is one of the command.
async fn finished(running: JoinHandle<Result<(), OpenError>>) -> Result<(), Failure> {
    match running.await {
        Ok(result) => Ok(result?),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(Failure::new(error.to_string())),
        },
    }
}

/// All who hear what a run tells.
struct Heard {
    tally: Tally,
    lines: Lines,
    collector: Collector,
    histories: Histories,
    reports: Vec<PathBuf>,
}

impl Heard {
    fn hear(&mut self, event: &Event, out: &mut Output) -> Result<(), Failure> {
        let saved = match event {
            Event::CaseEnded(ended) => self.histories.hear(ended)?,
            _ => None,
        };
        let counted = self.tally.hear(event);
        self.lines.hear(event, counted, saved.as_deref(), out)?;
        self.collector.take(event);
        Ok(())
    }

    fn end(self, signal: Option<u8>, out: &mut Output) -> Result<Exit, Failure> {
        let Heard { tally, lines, collector, reports, .. } = self;
        let report = collector.report();
        lines.end(report.as_ref(), &tally, out)?;
        // What was broken off is told by the exit code, whatever it would have come to.
        if let Some(signal) = signal {
            return Ok(Exit::BrokenOff(signal));
        }
        reports::written(&reports, report.as_ref())?;
        Ok(tally.exit())
    }
}
