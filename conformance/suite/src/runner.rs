//! Runs a plan: cases side by side in namespaces of their own, each judged from its history, and
//! tells what happens as typed events.

mod brake;
mod clean;
mod figures;
mod one;
mod stall;
mod stops;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use workwire_broker::{About, OpenError, clock};

use crate::case::{Alone, Case, Scale};
use crate::event::{Beginning, Ended, Event, Figures, Judged, Limits, Suite};
use crate::plan::{self, Filter, Planned};
use crate::subject::{Reached, Subject};
use crate::verdict::Verdict;
pub use brake::Brake;
pub(crate) use one::on_paused_time;
use one::{Place, panicked};

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
    /// Whether cases run with the protocol's own times too, those of [`plan::FIGURES`].
    pub full: bool,
    /// What breaks the run off, and still has it clean up.
    pub brake: Brake,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            filter: Filter::default(),
            seed: fastrand::u64(..),
            jobs: 16,
            timeout: Duration::from_mins(1),
            full: false,
            brake: Brake::default(),
        }
    }
}

/// The suite's name and version.
#[must_use]
pub fn suite() -> Suite {
    Suite { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// What is judged, by what it says of itself.
#[must_use]
pub fn judged(address: &str, about: &About) -> Judged {
    Judged {
        address: address.to_owned(),
        name: about.name.clone(),
        version: about.version.clone(),
        language: about.language.clone(),
        capabilities: about.capabilities.iter().map(|capability| capability.as_str().to_owned()).collect(),
        limits: Some(Limits {
            max_priority: about.limits.max_priority,
            max_message_bytes: about.limits.max_message_bytes,
        }),
        choices: Some(about.choices),
    }
}

/// Runs cases against a subject, and tells what happens. Whoever stops listening breaks it off, and
/// so does the [`Brake`] of the options: what runs is cut short and cleaned away, and not judged.
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
    let reached = tokio::select! {
        reached = subject.reach() => Arc::new(reached?),
        () = options.brake.pulled() => {
            let _ = events.send(Event::Ended { duration_ms: millis(start.elapsed()), broken_off: true });
            return Ok(());
        }
    };
    let about = reached.broker.about().clone();
    let planned = plan::plan(cases, &options.filter, &reached, subject.host());
    let figures = if options.full { figures::of(&planned, subject, options.jobs) } else { Figures::default() };
    let _ = events.send(Event::Began(Beginning {
        suite: suite(),
        target: judged(subject.address(), &about),
        seed: options.seed,
        started_at: clock::timestamp(clock::Clock::now(&clock::SystemClock)).to_string(),
        cases: planned.len(),
        figures,
    }));
    let passed = Mutex::default();
    let run = Run { subject: subject.clone(), reached, options: options.clone(), events, passed };
    let broken_off = run.all(planned).await;
    run.end(start, broken_off).await;
    Ok(())
}

/// A case that needs more time, and what it came to without.
type Again = (&'static Case, Ended);

struct Run {
    subject: Subject,
    reached: Arc<Reached>,
    options: Options,
    events: mpsc::UnboundedSender<Event>,
    /// What passed, and has to run with a time of the protocol before anything is told of it.
    passed: Mutex<Vec<(&'static Case, Ended)>>,
}

impl Run {
    /// Those that can run beside others first, then the others one by one, those that stop the broker last. Says
    /// whether it was broken off.
    async fn all(&self, planned: Vec<Planned>) -> bool {
        let scale = if self.subject.has_own_time() { Scale::ONE } else { self.measured().await };
        let (skipped, wanted): (Vec<_>, Vec<_>) = planned.into_iter().partition(|planned| planned.skipped.is_some());
        for planned in skipped {
            self.tell(Event::CaseEnded(Box::new(skipped_case(&planned))));
        }
        let (alone, beside): (Vec<&'static Case>, Vec<&'static Case>) =
            wanted.into_iter().map(|planned| planned.case).partition(|case| case.alone != Alone::No);
        let (stops, alone): (Vec<_>, Vec<_>) = alone.into_iter().partition(|case| stops::is_one(case));
        let mut again = self.side_by_side(beside.into_iter().map(|case| self.place(case, scale)).collect()).await;
        for case in alone {
            if let Some(ended) = self.one(self.place(case, scale)).await {
                self.finish(case, ended, scale).await;
            }
        }
        again.extend(self.stops(stops, scale).await);
        for (case, ended) in again {
            self.finish(case, (ended, true), scale).await;
        }
        self.with_figures(scale).await;
        self.is_off()
    }

    /// Whether it was broken off.
    fn is_off(&self) -> bool {
        self.events.is_closed() || self.options.brake.is_pulled()
    }

    /// Runs one by itself; nothing where the run is broken off first.
    async fn one(&self, place: Place) -> Option<(Ended, bool)> {
        if self.is_off() {
            return None;
        }
        let case = place.case;
        // In a task of its own a panic stays its own.
        tokio::spawn(place.run()).await.unwrap_or_else(|_| Some((panicked(case), false)))
    }

    /// Runs them side by side. Those that need more time are left for later.
    async fn side_by_side(&self, places: Vec<Place>) -> Vec<Again> {
        let slots = Arc::new(Semaphore::new(self.options.jobs.max(1)));
        let mut running = JoinSet::new();
        let mut by_task = HashMap::new();
        for place in places {
            let (slots, case) = (Arc::clone(&slots), place.case);
            let task = running.spawn(async move {
                let _slot = slots.acquire_owned().await.ok()?;
                if place.is_off() { None } else { place.run().await }
            });
            by_task.insert(task.id(), case);
        }
        let mut again = Vec::new();
        while let Some(ended) = running.join_next_with_id().await {
            let (task, ended) = match ended {
                Ok((task, ended)) => (task, ended),
                Err(error) => (error.id(), by_task.get(&error.id()).map(|case| (panicked(case), false))),
            };
            match (by_task.get(&task), ended) {
                (Some(case), Some((ended, true))) => again.push((*case, ended)),
                (Some(case), Some((ended, false))) => self.ended(case, ended),
                // Broken off.
                _ => {}
            }
        }
        again
    }

    /// A case that was judged by time alone, or could not be for want of it, runs again, alone and
    /// with four times the time, then with sixteen times.
    async fn finish(&self, case: &'static Case, first: (Ended, bool), scale: Scale) {
        let (mut ended, mut more_time) = first;
        for factor in [4.0, 16.0] {
            if !more_time || self.subject.has_own_time() {
                break;
            }
            // What time alone has judged is not judged where that time is not there any more.
            if self.is_off() {
                return;
            }
            self.tell(Event::CaseAgain { id: case.id });
            let Some(again) = self.one(self.place(case, scale.times(factor))).await else { return };
            (ended, more_time) = again;
        }
        self.ended(case, ended);
    }

    /// Tells what a case came to, unless it has to pass once more first.
    fn ended(&self, case: &'static Case, ended: Ended) {
        if let Some(ended) = self.kept_for_its_figure(case, ended) {
            self.tell(Event::CaseEnded(Box::new(ended)));
        }
    }

    fn place(&self, case: &'static Case, scale: Scale) -> Place {
        self.place_on(Arc::clone(&self.reached), case, scale)
    }

    fn place_on(&self, reached: Arc<Reached>, case: &'static Case, scale: Scale) -> Place {
        Place {
            case,
            subject: self.subject.clone(),
            reached,
            seed: self.options.seed,
            scale,
            timeout: self.options.timeout,
            figure: None,
            events: self.events.clone(),
            brake: self.options.brake.clone(),
        }
    }

    /// How long this broker takes to open and close a client: the median of some, or of fewer where
    /// it takes so long that no more have to be seen.
    async fn measured(&self) -> Scale {
        const TIMES: u32 = 9;
        const ENOUGH: Duration = Duration::from_secs(2);
        let begun = Instant::now();
        let mut times = Vec::new();
        for number in 0..TIMES {
            let start = Instant::now();
            let name = format!("probe-{:x}-{number}", self.options.seed);
            let probe = async {
                if let Ok(client) = self.reached.broker.open(&name).await {
                    let _ = client.close(workwire_broker::CloseMode::Graceful).await;
                }
            };
            tokio::select! {
                () = probe => {}
                () = self.options.brake.pulled() => return Scale::ONE,
            }
            times.push(start.elapsed());
            if begun.elapsed() > ENOUGH {
                break;
            }
        }
        times.sort_unstable();
        times.get(times.len() / 2).map_or(Scale::ONE, |median| Scale::for_round_trip(*median))
    }

    /// Ends what was reached, and tells what it did that it must not.
    async fn leave(&self, reached: &Reached) {
        if let Err(error) = reached.broker.shutdown().await {
            self.tell(Event::LeftBehind { what: format!("the broker did not end as it must: {error}") });
        }
        for finding in reached.findings() {
            self.tell(Event::Misbehaved(finding));
        }
    }

    async fn end(&self, start: Instant, broken_off: bool) {
        self.leave(&self.reached).await;
        self.tell(Event::Ended { duration_ms: millis(start.elapsed()), broken_off });
    }

    fn tell(&self, event: Event) {
        // Who does not listen any more has broken the run off.
        let _ = self.events.send(event);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
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
        figure: None,
    }
}
