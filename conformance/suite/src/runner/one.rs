//! One case: its stage, its time limit, its cleaning up, its verdict.

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::brake::Brake;
use super::clean::clean;
use super::stall::Stall;
use crate::case::{Case, Scale, Stage};
use crate::event::{Ended, Event};
use crate::history::History;
use crate::host::Host;
use crate::judge::judge;
use crate::plan::{self, Figure};
use crate::recorder::Restarts;
use crate::subject::{Reached, Subject};
use crate::verdict::{Judgement, Verdict};

/// A case and where it is run.
pub(super) struct Place {
    pub(super) case: &'static Case,
    pub(super) subject: Subject,
    pub(super) reached: Arc<Reached>,
    pub(super) seed: u64,
    pub(super) scale: Scale,
    pub(super) timeout: Duration,
    /// The time of the protocol that the case's own one is stretched to.
    pub(super) figure: Option<&'static Figure>,
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) brake: Brake,
}

impl Place {
    /// Whether the run is broken off.
    pub(super) fn is_off(&self) -> bool {
        self.events.is_closed() || self.brake.is_pulled()
    }

    /// Runs it. Says also whether more time may tell more; nothing where the run was broken off
    /// meanwhile, since what was cut short cannot be judged.
    pub(super) async fn run(self) -> Option<(Ended, bool)> {
        let _ = self.events.send(Event::CaseBegan { id: self.case.id });
        let start = Instant::now();
        let (case, figure, log) = (self.case, self.figure, Arc::clone(&self.reached));
        let (brake, events) = (self.brake.clone(), self.events.clone());
        let off = async move {
            tokio::select! {
                () = brake.pulled() => {}
                () = events.closed() => {}
            }
        };
        let (history, judgement) = if self.subject.has_own_time() {
            let scale = self.figure.map_or(self.subject.scale(), |figure| figure.scale(self.subject.scale()));
            let run = move || on_paused_time_until(self.case, &self.subject, scale, self.seed, self.timeout, off);
            match tokio::task::spawn_blocking(run).await {
                Ok((history, judgement)) => (history, judgement?),
                Err(_) => return Some((panicked(case), false)),
            }
        } else {
            let setting = Setting {
                host: self.subject.host().cloned(),
                seed: self.seed,
                scale: self.figure.map_or(self.scale, |figure| figure.scale(self.scale)),
                timeout: self.timeout,
                stall: Some(Stall::begin()),
            };
            let (history, judgement, left) = run_case(self.case, &self.reached, setting, off).await;
            for what in left {
                let _ = self.events.send(Event::LeftBehind { what });
            }
            (history, judgement?)
        };
        let more_time = judgement.more_time;
        let failed = judgement.verdict != Verdict::Pass;
        let ended = Ended {
            duration_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            history: Some(history),
            log: if failed { log.log() } else { String::new() },
            figure: figure.map(|figure| figure.words),
            ..judged(case, judgement)
        };
        let reason = match ended.figure {
            Some(words) if failed => format!("with {words}: {}", ended.reason),
            _ => ended.reason,
        };
        Some((Ended { reason, ..ended }, more_time))
    }
}

fn judged(case: &Case, judgement: Judgement) -> Ended {
    Ended {
        id: case.id,
        clauses: case.clauses,
        must: plan::is_must(case),
        verdict: judgement.verdict,
        reason: judgement.reason,
        broken: judgement.broken,
        duration_ms: 0,
        history: None,
        log: String::new(),
        figure: None,
    }
}

/// A case that panicked: a defect of the suite, which says nothing of the broker.
pub(super) fn panicked(case: &Case) -> Ended {
    judged(case, Judgement::unknown("the case panicked: a defect of the suite"))
}

/// Runs a case on a broker of its own, in a runtime whose time jumps when nothing is left to do.
pub(crate) fn on_paused_time(
    case: &'static Case,
    subject: &Subject,
    seed: u64,
    timeout: Duration,
) -> (History, Judgement) {
    let (history, judgement) = on_paused_time_until(case, subject, subject.scale(), seed, timeout, pending());
    (history, judgement.unwrap_or_else(|| Judgement::unknown("the run was broken off")))
}

/// The same, unless it is broken off first; there is no verdict then.
fn on_paused_time_until(
    case: &'static Case,
    subject: &Subject,
    scale: Scale,
    seed: u64,
    timeout: Duration,
    off: impl Future<Output = ()>,
) -> (History, Option<Judgement>) {
    let not_run = |verdict, reason| {
        let judgement = Judgement { verdict, reason, broken: Vec::new(), more_time: false };
        (History::default(), Some(judgement))
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build() {
        Ok(runtime) => runtime,
        Err(error) => return not_run(Verdict::SetupFailed, format!("no runtime: {error}")),
    };
    runtime.block_on(async {
        match subject.reach().await {
            Ok(reached) => {
                if let Some(reason) = plan::skipped(case, &reached, subject.host()) {
                    return not_run(Verdict::Skipped, reason);
                }
                // An hour of paused time is no time at all; the timeout is for a world that has one.
                let setting = Setting {
                    host: subject.host().cloned(),
                    seed,
                    scale,
                    timeout: timeout.max(Duration::from_hours(1)),
                    // Time that is paused does not stand still while the runner does.
                    stall: None,
                };
                let (history, judgement, _) = run_case(case, &reached, setting, off).await;
                (history, judgement)
            }
            Err(error) => not_run(Verdict::SetupFailed, error.to_string()),
        }
    })
}

/// Waits until a case has had its time, besides that of the restarts that it made.
async fn over(timeout: Duration, restarts: &Restarts) {
    let begun = tokio::time::Instant::now();
    let mut end = timeout;
    while begun.elapsed() < end {
        tokio::time::sleep_until(begun + end).await;
        end = timeout + restarts.taken(timeout);
    }
}

/// How a case is run.
struct Setting {
    host: Option<Arc<dyn Host>>,
    seed: u64,
    scale: Scale,
    timeout: Duration,
    stall: Option<Stall>,
}

/// Runs a case on a broker that was reached; says what happened, how it is judged, what was left.
/// Cut short when the run is broken off, it is cleaned away like any other.
async fn run_case(
    case: &'static Case,
    reached: &Reached,
    setting: Setting,
    off: impl Future<Output = ()>,
) -> (History, Option<Judgement>, Vec<String>) {
    let Setting { host, seed, scale, timeout, stall } = setting;
    let prefix = format!("wk{:06x}-", fastrand::u32(..) & 0x00ff_ffff);
    let mut stage = Stage::new(Arc::clone(&reached.broker), case.id, seed, prefix, scale).on_host(host);
    let restarts = stage.restarts();
    let ran = tokio::select! {
        biased;
        ran = (case.run)(&mut stage) => Some(Some(ran)),
        () = over(timeout, &restarts) => Some(None),
        () = off => None,
    };
    if plan::is_of_adapters(case) {
        stage.misbehaved(&reached.findings());
    }
    let stall = stall.map_or(Duration::ZERO, |stall| stall.worst());
    let history = stage.history(matches!(ran, Some(Some(_))), stall);
    let judgement = ran.map(|ran| match ran {
        Some(_) => judge(&history, case.checks),
        None => Judgement::unknown(format!("the case was not through after {} s", timeout.as_secs())),
    });
    let (broker, queues, name) = stage.left();
    let left = clean(broker, queues, name).await;
    (history, judgement, left)
}
