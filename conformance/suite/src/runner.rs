//! Runs a plan: cases side by side in namespaces of their own, each judged from its history, and
//! tells what happens as typed events.

mod clean;
mod one;
mod stall;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use workwire_broker::{OpenError, clock};

use crate::case::{Alone, Case, Scale};
use crate::event::{Beginning, Ended, Event, Judged, Limits, Suite};
use crate::plan::{self, Filter, Planned};
use crate::subject::{Reached, Subject};
use crate::verdict::Verdict;
use one::Place;
pub(crate) use one::on_paused_time;

/// How a run is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which cases.
    pub filter: Filter,
    /// With the same seed, cases do the same.
    pub seed: u64,
    /// How many cases run side by side.
    pub jobs: usize,
    /// How long one case may take.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options { filter: Filter::default(), seed: fastrand::u64(..), jobs: 16, timeout: Duration::from_secs(60) }
    }
}

/// The suite's name and version.
#[must_use]
pub fn suite() -> Suite {
    Suite { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// Runs cases against a subject, and tells what happens. Whoever stops listening breaks it off.
///
/// # Errors
/// Where the subject cannot be reached at all.
pub async fn run(
    cases: &[&'static Case],
    subject: &Subject,
    options: &Options,
    events: mpsc::UnboundedSender<Event>,
) -> Result<(), OpenError> {
    let start = Instant::now();
    let reached = Arc::new(subject.reach().await?);
    let about = reached.broker.about().clone();
    let planned = plan::plan(cases, &options.filter, about.capabilities);
    let _ = events.send(Event::Began(Beginning {
        suite: suite(),
        target: Judged {
            address: subject.address().to_owned(),
            name: about.name.clone(),
            version: about.version.clone(),
            language: about.language.clone(),
            capabilities: about.capabilities.iter().map(|capability| capability.as_str().to_owned()).collect(),
            limits: Limits {
                max_priority: about.limits.max_priority,
                max_message_bytes: about.limits.max_message_bytes,
            },
        },
        seed: options.seed,
        started_at: clock::timestamp(clock::Clock::now(&clock::SystemClock)).to_string(),
        cases: planned.len(),
    }));
    let run = Run { subject: subject.clone(), reached, options: options.clone(), events };
    let broken_off = run.all(planned).await;
    run.end(start, broken_off).await;
    Ok(())
}

struct Run {
    subject: Subject,
    reached: Arc<Reached>,
    options: Options,
    events: mpsc::UnboundedSender<Event>,
}

impl Run {
    /// Those that can run beside others first, then the others one by one. Says whether it was broken off.
    async fn all(&self, planned: Vec<Planned>) -> bool {
        let scale = if self.subject.has_own_time() { Scale::ONE } else { self.measured().await };
        let (skipped, wanted): (Vec<_>, Vec<_>) = planned.into_iter().partition(|planned| planned.skipped.is_some());
        for planned in skipped {
            self.tell(Event::CaseEnded(Box::new(skipped_case(&planned))));
        }
        let (alone, beside): (Vec<_>, Vec<_>) =
            wanted.into_iter().map(|planned| planned.case).partition(|case| case.alone == Alone::Yes);
        let again = self.side_by_side(beside, scale).await;
        for case in alone {
            if self.events.is_closed() {
                return true;
            }
            let ended = self.place(case, scale).run().await;
            self.finish(case, ended, scale).await;
        }
        for (case, ended) in again {
            if self.events.is_closed() {
                return true;
            }
            self.finish(case, (ended, true), scale).await;
        }
        self.events.is_closed()
    }

    /// Runs them side by side. Those that need more time are left for later.
    async fn side_by_side(&self, cases: Vec<&'static Case>, scale: Scale) -> Vec<(&'static Case, Ended)> {
        let slots = Arc::new(Semaphore::new(self.options.jobs.max(1)));
        let mut running = JoinSet::new();
        for case in cases {
            let (slots, place, events) = (Arc::clone(&slots), self.place(case, scale), self.events.clone());
            running.spawn(async move {
                let Ok(_slot) = slots.acquire_owned().await else { return None };
                if events.is_closed() {
                    return None;
                }
                Some((case, place.run().await))
            });
        }
        let mut again = Vec::new();
        while let Some(ended) = running.join_next().await {
            match ended {
                Ok(Some((_, (ended, false)))) => self.tell(Event::CaseEnded(Box::new(ended))),
                Ok(Some((case, (ended, true)))) => again.push((case, ended)),
                // Broken off, or a case that panicked, which is a defect of the suite and ends the run.
                Ok(None) | Err(_) => {}
            }
        }
        again
    }

    /// A case that was judged by time alone, or could not be for want of it, runs again, alone and
    /// with four times the time, twice.
    async fn finish(&self, case: &'static Case, first: (Ended, bool), scale: Scale) {
        let (mut ended, mut more_time) = first;
        for factor in [4.0, 16.0] {
            if !more_time || self.subject.has_own_time() || self.events.is_closed() {
                break;
            }
            self.tell(Event::CaseAgain { id: case.id });
            let again = self.place(case, scale.times(factor)).run().await;
            (ended, more_time) = again;
        }
        self.tell(Event::CaseEnded(Box::new(ended)));
    }

    fn place(&self, case: &'static Case, scale: Scale) -> Place {
        Place {
            case,
            subject: self.subject.clone(),
            reached: Arc::clone(&self.reached),
            seed: self.options.seed,
            scale,
            timeout: self.options.timeout,
            events: self.events.clone(),
        }
    }

    /// How long this broker takes to open and close a client: the median of some.
    async fn measured(&self) -> Scale {
        const TIMES: u32 = 9;
        let mut times = Vec::new();
        for number in 0..TIMES {
            let start = Instant::now();
            if let Ok(client) = self.reached.broker.open(&format!("probe-{:x}-{number}", self.options.seed)).await {
                let _ = client.close(workwire_broker::CloseMode::Graceful).await;
            }
            times.push(start.elapsed());
        }
        times.sort_unstable();
        times.get(times.len() / 2).map_or(Scale::ONE, |median| Scale::for_round_trip(*median))
    }

    async fn end(&self, start: Instant, broken_off: bool) {
        if let Err(error) = self.reached.broker.shutdown().await {
            self.tell(Event::LeftBehind { what: format!("the broker did not end as it must: {error}") });
        }
        let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.tell(Event::Ended { duration_ms, broken_off });
    }

    fn tell(&self, event: Event) {
        // Who does not listen any more has broken the run off.
        let _ = self.events.send(event);
    }
}

fn skipped_case(planned: &Planned) -> Ended {
    Ended {
        id: planned.case.id,
        clauses: planned.case.clauses,
        must: plan::is_must(planned.case),
        verdict: Verdict::Skipped,
        reason: planned.skipped.clone().unwrap_or_default(),
        broken: Vec::new(),
        duration_ms: 0,
        history: None,
        log: String::new(),
    }
}
