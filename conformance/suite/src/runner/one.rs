//! One case: its stage, its time limit, its cleaning up, its verdict.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::clean::clean;
use super::stall::Stall;
use crate::case::{Case, Scale, Stage};
use crate::event::{Ended, Event};
use crate::history::History;
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
}

impl Place {
    /// Runs it. Says also whether more time may tell more.
    pub(super) async fn run(self) -> (Ended, bool) {
        let _ = self.events.send(Event::CaseBegan { id: self.case.id });
        let start = Instant::now();
        let (case, log) = (self.case, Arc::clone(&self.reached));
        let (history, judgement) = if self.subject.has_own_time() {
            let run = move || on_paused_time(self.case, &self.subject, self.seed, self.timeout);
            match tokio::task::spawn_blocking(run).await {
                Ok(ran) => ran,
                Err(_) => panicked(),
            }
        } else {
            let Place { case, reached, seed, scale, timeout, .. } = self;
            let run = async move { run_case(case, &reached, seed, scale, timeout, Some(Stall::begin())).await };
            match tokio::spawn(run).await {
                Ok((history, judgement, left)) => {
                    for what in left {
                        let _ = self.events.send(Event::LeftBehind { what });
                    }
                    (history, judgement)
                }
                Err(_) => panicked(),
            }
        };
        let more_time = judgement.more_time;
        let failed = judgement.verdict != Verdict::Pass;
        let ended = Ended {
            id: case.id,
            clauses: case.clauses,
            must: plan::is_must(case),
            verdict: judgement.verdict,
            reason: judgement.reason,
            broken: judgement.broken,
            duration_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            history: Some(history),
            log: if failed { log.log() } else { String::new() },
        };
        (ended, more_time)
    }
}

fn panicked() -> (History, Judgement) {
    (History::default(), Judgement::unknown("the case panicked: a defect of the suite"))
}

/// Runs a case on a broker of its own, in a runtime whose time jumps when nothing is left to do.
pub(crate) fn on_paused_time(
    case: &'static Case,
    subject: &Subject,
    seed: u64,
    timeout: Duration,
) -> (History, Judgement) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return (History::default(), not_run(Verdict::SetupFailed, format!("no runtime: {error}"))),
    };
    runtime.block_on(async {
        match subject.reach().await {
            Ok(reached) => {
                if let Some(reason) = plan::skipped(case, &reached) {
                    return (History::default(), not_run(Verdict::Skipped, reason));
                }
                // An hour of paused time is no time at all; the timeout is for a world that has one.
                let timeout = timeout.max(Duration::from_hours(1));
                let (history, judgement, _) = run_case(case, &reached, seed, subject.scale(), timeout, None).await;
                (history, judgement)
            }
            Err(error) => (History::default(), not_run(Verdict::SetupFailed, error.to_string())),
        }
    })
}

fn not_run(verdict: Verdict, reason: String) -> Judgement {
    Judgement { verdict, reason, broken: Vec::new(), more_time: false }
}

/// Runs a case on a broker that was reached; says what happened, how it is judged, what was left.
pub(super) async fn run_case(
    case: &'static Case,
    reached: &Reached,
    seed: u64,
    scale: Scale,
    timeout: Duration,
    // Time that is paused does not stand still while the runner does.
    stall: Option<Stall>,
) -> (History, Judgement, Vec<String>) {
    let prefix = format!("wk{:06x}-", fastrand::u32(..) & 0x00ff_ffff);
    let mut stage = Stage::new(Arc::clone(&reached.broker), case.id, seed, prefix, scale);
    let ran = tokio::time::timeout(timeout, (case.run)(&mut stage)).await;
    if plan::is_of_adapters(case) {
        stage.misbehaved(&reached.findings());
    }
    let history = stage.history(ran.is_ok(), stall.map_or(Duration::ZERO, |stall| stall.worst()));
    let judgement = match ran {
        Ok(_) => judge(&history, case.checks),
        Err(_) => Judgement::unknown(format!("the case was not through after {} s", timeout.as_secs())),
    };
    let (broker, queues, name) = stage.left();
    let left = clean(broker, queues, name).await;
    (history, judgement, left)
}
