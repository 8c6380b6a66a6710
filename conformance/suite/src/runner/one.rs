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
use crate::plan;
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
        let (case, log) = (self.case, Arc::clone(&self.reached));
        let (brake, events) = (self.brake.clone(), self.events.clone());
        let off = async move {
            tokio::select! {
                () = brake.pulled() => {}
                () = events.closed() => {}
            }
        };
        let (history, judgement) = if self.subject.has_own_time() {
            let run = move || on_paused_time_until(self.case, &self.subject, self.seed, self.timeout, off);
            match tokio::task::spawn_blocking(run).await {
                Ok((history, judgement)) => (history, judgement?),
                Err(_) => return Some((panicked(case), false)),
            }
        } else {
            let (history, judgement, left) = run_case(
                self.case,
                &self.reached,
                self.subject.host().cloned(),
                self.seed,
                self.scale,
                self.timeout,
                off,
            )
            .await;
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
            ..judged(case, judgement)
        };
        Some((ended, more_time))
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
    let (history, judgement) = on_paused_time_until(case, subject, seed, timeout, pending());
    (history, judgement.unwrap_or_else(|| Judgement::unknown("the run was broken off")))
}

/// The same, unless it is broken off first; there is no verdict then.
fn on_paused_time_until(
    case: &'static Case,
    subject: &Subject,
    seed: u64,
    timeout: Duration,
    off: impl Future<Output = ()>,
) -> (History, Option<Judgement>) {
    let failed = |why: String| (History::default(), Some(setup_failed(why)));
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(format!("no runtime: {error}")),
    };
    runtime.block_on(async {
        match subject.reach().await {
            Ok(reached) => {
                // An hour of paused time is no time at all; the timeout is for a world that has one.
                let timeout = timeout.max(Duration::from_hours(1));
                let (history, judgement, _) =
                    run_case(case, &reached, subject.host().cloned(), seed, Scale::ONE, timeout, off).await;
                (history, judgement)
            }
            Err(error) => failed(error.to_string()),
        }
    })
}

fn setup_failed(reason: String) -> Judgement {
    Judgement { verdict: Verdict::SetupFailed, reason, broken: Vec::new(), more_time: false }
}

/// Runs a case on a broker that was reached; says what happened, how it is judged, what was left.
/// Cut short when the run is broken off, it is cleaned away like any other.
async fn run_case(
    case: &'static Case,
    reached: &Reached,
    host: Option<Arc<dyn Host>>,
    seed: u64,
    scale: Scale,
    timeout: Duration,
    off: impl Future<Output = ()>,
) -> (History, Option<Judgement>, Vec<String>) {
    let prefix = format!("wk{:06x}-", fastrand::u32(..) & 0x00ff_ffff);
    let mut stage = Stage::new(Arc::clone(&reached.broker), case.id, seed, prefix, scale).on_host(host);
    let stall = Stall::begin();
    let ran = tokio::select! {
        biased;
        ran = tokio::time::timeout(timeout, (case.run)(&mut stage)) => Some(ran),
        () = off => None,
    };
    let history = stage.history(matches!(ran, Some(Ok(_))), stall.worst());
    let judgement = ran.map(|ran| match ran {
        Ok(_) => judge(&history, case.checks),
        Err(_) => Judgement::unknown(format!("the case was not through after {} s", timeout.as_secs())),
    });
    let (broker, queues, name) = stage.left();
    let left = clean(broker, queues, name).await;
    (history, judgement, left)
}
