//! What must be true of a store after what its users said: kept while they work, and compared with
//! the tables when they are gone.

mod compared;
mod core;
mod fault;
mod life;

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use workwire_broker::Stored;

pub(crate) use core::Core;
pub(crate) use fault::{Fault, Kind, Sums};

use super::desk::{Desk, Note};
use super::said::{Answer, Ask, Delivered, End, Line};
use core::Change;
use life::Life;

#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    lives: BTreeMap<(Uuid, Desk), Life>,
    /// What was published, and when that was begun first.
    notes: BTreeMap<Uuid, (Note, i64)>,
    /// What was asked and not answered.
    open: BTreeMap<u64, (i64, Ask)>,
    /// What open fetches may have taken: a later delivery of it has been heard of first.
    late: BTreeMap<u64, Vec<(Uuid, Desk)>>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) sums: Sums,
}

impl Ledger {
    pub(crate) fn hear(&mut self, line: Line) {
        match line {
            Line::Ready => {}
            Line::Asks { call, at, what } => self.asked(call, at, what),
            Line::Hears { call, at, answer } => {
                let (asked_at, what) = self.open.remove(&call).expect("an answer to what was asked");
                self.answered(call, asked_at, at, what, answer);
            }
        }
    }

    fn asked(&mut self, call: u64, at: i64, what: Ask) {
        match &what {
            Ask::Publish(notes) => {
                for note in notes {
                    self.notes.entry(note.id).or_insert_with(|| (note.clone(), at));
                    for desk in note.desk.groups() {
                        let life = self.lives.entry((note.id, *desk)).or_insert_with(|| Life::at(Core::Absent));
                        life.asked(call, Change::Publish { not_before: at + note.delay_ms });
                    }
                }
            }
            Ask::Fetch { .. } => {}
            Ask::Settle { desk, each } => {
                for (id, attempt, end) in each {
                    let not_before = at + rest(*desk, *attempt, end);
                    let change = Change::Settle { attempt: *attempt, end: end.clone(), not_before };
                    self.life(*id, *desk).asked(call, change);
                }
            }
            Ask::Replay { desk, id } => self.life(*id, *desk).asked(call, Change::Replay),
            Ask::Close { desk, graceful, held } => {
                for (id, attempt) in held {
                    let change = Change::Return { attempt: *attempt, graceful: *graceful };
                    self.life(*id, *desk).asked(call, change);
                }
            }
        }
        self.open.insert(call, (at, what));
    }

    fn answered(&mut self, call: u64, asked_at: i64, at: i64, what: Ask, answer: Answer) {
        match (what, answer) {
            (Ask::Publish(notes), Answer::Published(all)) => {
                for (note, stored) in notes.into_iter().zip(all) {
                    self.published(call, at, &note, stored);
                }
            }
            (Ask::Fetch { desk, max }, Answer::Delivered(deliveries)) => {
                if deliveries.len() > max as usize {
                    self.fault(Kind::Wrong, format!("a fetch of {max} got {}", deliveries.len()));
                }
                for delivered in deliveries {
                    self.delivered(call, desk, asked_at, at, &delivered);
                }
                for (id, desk) in self.late.remove(&call).unwrap_or_default() {
                    // Where it was among the deliveries, there is nothing left to say.
                    if !self.life(id, desk).answered(call, at, |state| !state.has(call)) {
                        self.wrong(id, desk, "a fetch that took it did not get it");
                    }
                }
            }
            (Ask::Settle { desk, each }, Answer::Settled(answers)) => {
                for ((id, attempt, end), done) in each.into_iter().zip(answers) {
                    self.sums.settled += u64::from(done);
                    let agrees = self.life(id, desk).answered(call, at, |state| {
                        let held = matches!(&state.core, Core::Held { attempt: held, .. } if *held == attempt);
                        if done { state.has(call) } else { !state.has(call) && !held }
                    });
                    if !agrees {
                        let answer = if done { "ok" } else { "stale" };
                        self.wrong(id, desk, &format!("{end:?} of delivery {attempt} was answered {answer}"));
                    }
                }
            }
            (Ask::Replay { desk, id }, Answer::Replayed(done)) => {
                let agrees = self.life(id, desk).answered(call, at, |state| {
                    let letter = matches!(state.core, Core::Letter { .. });
                    if done { state.has(call) } else { !state.has(call) && !letter }
                });
                if !agrees {
                    self.wrong(id, desk, &format!("a replay was answered {done}"));
                }
            }
            (Ask::Close { desk, held, .. }, Answer::Closed) => {
                let all: BTreeSet<Uuid> = held.iter().map(|(id, _)| *id).collect();
                for id in all {
                    let agrees = self.life(id, desk).answered(call, at, |state| {
                        // Given back, it may have been taken again under the same number.
                        let Core::Held { attempt, .. } = &state.core else { return true };
                        state.has(call) || !held.contains(&(id, *attempt))
                    });
                    if !agrees {
                        self.wrong(id, desk, "it is still held after its client was closed");
                    }
                }
            }
            (what, Answer::Failed(error)) => self.fault(Kind::Refused, format!("{what:?}: {error}")),
            (what, answer) => self.fault(Kind::Wrong, format!("{what:?} was answered {answer:?}")),
        }
    }

    fn published(&mut self, call: u64, at: i64, note: &Note, stored: Stored) {
        self.sums.published += u64::from(stored == Stored::Stored);
        for desk in note.desk.groups() {
            let agrees = self.life(note.id, *desk).answered(call, at, |state| match stored {
                Stored::Stored => state.has(call),
                Stored::Duplicate => !state.has(call) && state.core != Core::Absent,
            });
            if !agrees {
                self.wrong(note.id, *desk, &format!("a publish was answered {stored:?}"));
            }
        }
    }

    fn delivered(&mut self, call: u64, desk: Desk, asked_at: i64, at: i64, delivered: &Delivered) {
        let Delivered { id, attempt, size, whole } = *delivered;
        self.sums.delivered += 1;
        let Some((note, _)) = self.notes.get(&id) else {
            return self.fault(Kind::Wrong, format!("{id} was delivered, which nobody published"));
        };
        if !whole || size != note.size {
            self.fault(Kind::Wrong, format!("{id} was delivered with other bytes"));
        }
        self.may_have_been_taken(id, desk);
        let until = asked_at + desk.policy().lease_ms;
        let life = self.life(id, desk);
        let before = life.states.clone();
        life.asked(call, Change::Take { until });
        if life.answered(call, at, |state| state.applied.get(&call) == Some(&Some(attempt))) {
            return;
        }
        // It goes on as if this had been right, so that one fault is one.
        *life = Life::at(Core::Held { attempt, reason: None, until });
        let twice = before.iter().all(|state| matches!(state.core, Core::Gone | Core::Held { .. }));
        let kind = if twice { Kind::Twice } else { Kind::Wrong };
        self.fault(kind, format!("{id} at {desk:?} was delivered at {at} as {attempt}, which was {before:?}"));
    }

    /// Where leases end soon, another fetch may have taken it before, whose answer is still to be heard:
    /// a process that is kept waiting hears two answers in any order.
    fn may_have_been_taken(&mut self, id: Uuid, desk: Desk) {
        if desk != Desk::Hurried {
            return;
        }
        let others: Vec<(u64, i64)> = self
            .open
            .iter()
            .filter(|(_, (_, what))| matches!(what, Ask::Fetch { desk: Desk::Hurried, .. }))
            .map(|(call, (asked_at, _))| (*call, asked_at + desk.policy().lease_ms))
            .collect();
        for (call, until) in others {
            self.life(id, desk).asked(call, Change::Take { until });
            self.late.entry(call).or_default().push((id, desk));
        }
    }

    fn life(&mut self, id: Uuid, desk: Desk) -> &mut Life {
        self.lives.entry((id, desk)).or_insert_with(|| Life::at(Core::Absent))
    }

    fn wrong(&mut self, id: Uuid, desk: Desk, what: &str) {
        let states = self.life(id, desk).states.clone();
        self.fault(Kind::Wrong, format!("{id} at {desk:?}: {what}, and it was {states:?}"));
    }

    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.faults.iter().filter(|fault| fault.kind == kind).count()
    }

    /// What was looked at, and what was found.
    pub(crate) fn in_words(&self) -> String {
        let Sums { published, settled, delivered, unanswered } = self.sums;
        let [lost, twice, wrong, refused, counts] = Kind::ALL.map(|kind| self.count(kind));
        format!(
            "{published} publishes and {settled} settlements acknowledged, {delivered} deliveries, \
             {unanswered} operations without an answer; \
             {lost} lost, {twice} twice, {wrong} wrong, {refused} refused, {counts} counts that do not agree"
        )
    }

    /// The first of the faults.
    pub(crate) fn listed(&self) -> String {
        let all: Vec<String> = self.faults.iter().take(8).map(ToString::to_string).collect();
        format!("{} faults, of which the first are\n{}", self.faults.len(), all.join("\n"))
    }

    pub(crate) fn fault(&mut self, kind: Kind, what: String) {
        self.faults.push(Fault { kind, what });
    }
}

/// How long a retried message rests.
fn rest(desk: Desk, attempt: u32, end: &End) -> i64 {
    match end {
        End::Retry { delay_ms, .. } => delay_ms.unwrap_or_else(|| desk.policy().backoff(attempt)),
        _ => 0,
    }
}
