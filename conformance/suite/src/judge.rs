//! From a history to a verdict: what is demanded of single operations, then what the checkers of a
//! case find in all of them.

use crate::anomaly::{Anomaly, Kind};
use crate::cases;
use crate::checkers::{self, Checker, Found};
use crate::demand::{Demand, Holding, Role};
use crate::history::History;
use crate::verdict::{Broken, Judgement, Verdict};

/// Which checker, and the clause that is broken by what it finds.
pub type Check = (&'static Checker, &'static str);

/// Judges a history.
#[must_use]
pub fn judge(history: &History, checks: &[Check]) -> Judgement {
    let mut seen = Seen::default();
    for demand in history.demands() {
        seen.demand(demand, history);
    }
    // Where a step failed on which the rest builds, the rest was never done. What an adapter did
    // wrong is wrong all the same, and may be why.
    let can_tell = |(checker, _): &&Check| seen.needed.is_none() || checker.kinds == [Kind::Misbehaviour];
    let (checkers, clauses): (Vec<_>, Vec<_>) = checks.iter().filter(can_tell).copied().unzip();
    for (found, clause) in checkers::look(history, &checkers).into_iter().zip(clauses) {
        seen.found(found, clause);
    }
    seen.judgement(history)
}

/// Judges a history that was saved, or recorded elsewhere: as its case does, and by every checker
/// where it names none that there is.
#[must_use]
pub fn judge_file(history: &History) -> Judgement {
    if let Some(case) = history.about.case.as_deref().and_then(cases::find) {
        return judge(history, case.checks);
    }
    let all: Vec<Check> = checkers::ALL.iter().map(|checker| (*checker, checker.clause)).collect();
    judge(history, &all)
}

#[derive(Default)]
struct Seen {
    looked_at: u64,
    broken: Vec<Broken>,
    needed: Option<Broken>,
    unknown: Option<String>,
    too_slow: Option<String>,
}

impl Seen {
    fn demand(&mut self, demand: &Demand, history: &History) {
        if demand.role == Role::Demanded {
            self.looked_at += 1;
        }
        let (expected, found, timing) = match demand.judge(history) {
            Holding::Yes => return,
            Holding::Unknown(why) => {
                self.unknown.get_or_insert(why);
                return;
            }
            Holding::No { expected, found, timing } => (expected, found, timing),
        };
        let kind = if demand.role == Role::Needed { Kind::Prerequisite } else { Kind::Demand };
        let anomaly = Anomaly { kind, operations: demand.of.clone(), expected, found, timing };
        let broken = Broken { clause: demand.clause.clone(), anomaly };
        match demand.role {
            Role::Demanded => self.broken.push(broken),
            Role::Needed => drop(self.needed.get_or_insert(broken)),
            Role::Premise => {
                let why =
                    format!("no margin: {} was needed, and it was {}", broken.anomaly.expected, broken.anomaly.found);
                self.too_slow.get_or_insert(why);
            }
        }
    }

    fn found(&mut self, found: Found, clause: &str) {
        self.looked_at += found.looked_at;
        self.broken.extend(found.anomalies.into_iter().map(|anomaly| Broken { clause: clause.to_owned(), anomaly }));
        if let Some(why) = found.unknown {
            self.unknown.get_or_insert(why);
        }
    }

    fn judgement(self, history: &History) -> Judgement {
        // What was too slow may have made everything else go wrong.
        if let Some(reason) = self.too_slow {
            return Judgement { more_time: true, ..Judgement::unknown(reason) };
        }
        let broken: Vec<Broken> = if self.broken.is_empty() { self.needed.into_iter().collect() } else { self.broken };
        if let Some(first) = broken.first() {
            let reason = format!("expected {}, found {}", first.anomaly.expected, first.anomaly.found);
            // A step on which the rest builds may have come too late for what it wanted: a lease that had ended, a
            // message that had expired.
            let late = |anomaly: &Anomaly| anomaly.timing || anomaly.kind == Kind::Prerequisite;
            let more_time = broken.iter().all(|broken| late(&broken.anomaly));
            return Judgement { verdict: Verdict::Fail, reason, broken, more_time };
        }
        if let Some(reason) = self.unknown {
            return Judgement { more_time: history.about.stall > 0, ..Judgement::unknown(reason) };
        }
        if !history.about.complete {
            return Judgement::unknown("the history was not recorded to its end");
        }
        if self.looked_at == 0 {
            return Judgement::unknown("nothing in the history could be looked at");
        }
        Judgement { verdict: Verdict::Pass, reason: String::new(), broken: Vec::new(), more_time: false }
    }
}
