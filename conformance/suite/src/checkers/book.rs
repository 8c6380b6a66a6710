//! A history as checkers read it: message after message, each in one queue.

use std::sync::Arc;

use workwire_broker::Capability;

use super::story::{Settled, Story, Taken, settled};
use crate::anomaly::{Anomaly, Kind};
use crate::history::{Call, History, Lives, MessageId, Micros, Operation, Outcome, Parting, Place, Word};

/// Brokers may count time in whole milliseconds.
pub(super) const GRAIN: Micros = 1_000;

/// A history as checkers read it.
pub(super) struct Book<'a> {
    pub(super) history: &'a History,
    pub(super) lives: Arc<Lives>,
}

impl<'a> Book<'a> {
    pub(super) fn of(history: &'a History) -> Self {
        Book { history, lives: history.lives() }
    }

    /// Whether the broker claims it.
    pub(super) fn claims(&self, capability: Capability) -> bool {
        self.history.about.capabilities.iter().any(|claimed| claimed == capability.as_str())
    }

    pub(super) fn at(&self, place: Place) -> &'a Operation {
        &self.history.operations()[place as usize]
    }

    pub(super) fn text(&self, word: Word) -> &'a str {
        self.history.words().text(word)
    }

    /// A message's id and its queue, in words.
    pub(super) fn name(&self, story: &Story<'_>) -> String {
        format!("message {} of queue {}", self.history.words().uuid(story.id), self.text(story.queue))
    }

    pub(super) fn anomaly(
        &self,
        kind: Kind,
        places: impl IntoIterator<Item = Place>,
        expected: String,
        found: String,
    ) -> Anomaly {
        let mut operations: Vec<_> = places.into_iter().map(|place| self.history.number(place as usize)).collect();
        operations.sort_unstable();
        operations.dedup();
        Anomaly { kind, operations, expected, found, timing: false }
    }

    /// Reads the story of each message in each queue that has to do with it.
    pub(super) fn read(&self, mut tell: impl FnMut(&Story<'a>)) {
        let claims_dedupe = self.claims(Capability::Dedupe);
        let mut story = Story::default();
        let mut by_queue = Vec::new();
        for id in self.history.words().all_ids() {
            let traces = self.lives.of(id);
            let Some(queue) = traces.first().and_then(|trace| self.at(trace.operation).queue()) else { continue };
            if traces.iter().all(|trace| self.at(trace.operation).queue() == Some(queue)) {
                story.read(self, id, queue, traces, claims_dedupe);
                tell(&story);
                continue;
            }
            by_queue.clear();
            by_queue.extend_from_slice(traces);
            by_queue.sort_by_key(|trace| self.at(trace.operation).queue());
            for traces in by_queue.chunk_by(|a, b| self.at(a.operation).queue() == self.at(b.operation).queue()) {
                if let Some(queue) = self.at(traces[0].operation).queue() {
                    story.read(self, id, queue, traces, claims_dedupe);
                    tell(&story);
                }
            }
        }
    }

    /// A publish of the message to another queue that may have happened.
    pub(super) fn published_elsewhere(&self, id: MessageId, queue: Word) -> Option<Place> {
        let elsewhere = |place: &Place| {
            let operation = self.at(*place);
            matches!(operation.call, Call::Publish(_))
                && operation.queue() != Some(queue)
                && !matches!(operation.outcome, Outcome::Refused(..))
        };
        self.lives.of(id).iter().map(|trace| trace.operation).find(elsewhere)
    }

    /// The settles of a delivery that have no answer, the earliest first.
    pub(super) fn maybes(&self, taken: &Taken<'_>) -> impl Iterator<Item = Settled> {
        let further = taken.maybe.and_then(|_| self.lives.further.get(&taken.delivery));
        let further = further.into_iter().flatten().filter_map(|place| settled(self, *place));
        taken.maybe.into_iter().chain(further)
    }

    /// The settle of a delivery that was accepted; without one, those of which nobody knows.
    pub(super) fn endings(&self, taken: &Taken<'_>) -> impl Iterator<Item = Settled> {
        let is_sure = taken.settled.is_some();
        taken.settled.into_iter().chain(self.maybes(taken).filter(move |_| !is_sure))
    }

    // What may have ended a delivery besides its settle.

    /// The earliest moment at which its lease may have ended.
    pub(super) fn lease_end(&self, taken: &Taken<'_>) -> Micros {
        let Some(policy) = self.lives.policy(taken.fetch.queue) else { return taken.began };
        let mut end = after(taken.began, policy.lease_ms);
        let mut last = 0;
        for place in self.lives.extends.get(&taken.delivery).into_iter().flatten() {
            let operation = self.at(*place);
            let Call::Extend(_, _, lease_ms) = operation.call else { continue };
            let until = after(operation.began, lease_ms);
            let is_sure = matches!(operation.outcome, Outcome::Ok(_)) && operation.began > last;
            end = if is_sure { until } else { end.min(until) };
            last = last.max(latest(operation));
        }
        end.saturating_sub(GRAIN).max(taken.began)
    }

    /// The earliest moment, after it was asked for, at which its client may have gone so.
    pub(super) fn parting(&self, taken: &Taken<'_>, how: Parting) -> Option<Micros> {
        let partings = self.lives.partings.get(&taken.client)?;
        let from = partings.partition_point(|(began, _)| *began < taken.began);
        partings[from..].iter().find(|(_, other)| *other == how).map(|(began, _)| *began)
    }

    /// The earliest moment after this one at which the broker may have been stopped.
    pub(super) fn restart(&self, since: Micros) -> Option<Micros> {
        // One that had not ended may still have been under way, and so may one that ended in that very moment.
        let is_after = |operation: &&Operation| latest(operation) >= since;
        let mut restarts = self.lives.restarts.iter().map(|place| self.at(*place));
        restarts.find(is_after).map(|operation| operation.began.max(since))
    }

    /// The earliest moment after this one at which the broker may have lost what it does not promise
    /// to keep.
    pub(super) fn forgets_after(&self, since: Micros) -> Option<Micros> {
        if self.lives.restarts.is_empty() || self.claims(Capability::Durable) {
            return None;
        }
        self.restart(since)
    }

    /// The earliest moment at which the broker may have taken the delivery back by itself.
    pub(super) fn let_go(&self, taken: &Taken<'_>) -> Micros {
        let mut earliest = self.lease_end(taken);
        for how in [Parting::Graceful, Parting::Abort, Parting::Unclear] {
            earliest = earliest.min(self.parting(taken, how).unwrap_or(Micros::MAX));
        }
        earliest.min(self.restart(taken.began).unwrap_or(Micros::MAX))
    }

    /// The earliest moment at which nobody may hold the delivery any more.
    pub(super) fn released(&self, taken: &Taken<'_>) -> Micros {
        let settles = [taken.settled, taken.maybe].into_iter().flatten();
        settles.map(|settle| settle.began).fold(self.let_go(taken), Micros::min)
    }

    /// How many fetches from the queue had begun by then that got no answer: each may have taken
    /// what nobody saw.
    pub(super) fn unanswered(&self, queue: Word, by: Micros) -> u32 {
        let fetches = self.lives.unanswered.get(&queue).map_or(0, |all| all.partition_point(|began| *began <= by));
        u32::try_from(fetches).unwrap_or(u32::MAX)
    }
}

/// So many milliseconds later.
pub(super) fn after(moment: Micros, ms: i64) -> Micros {
    moment.saturating_add(Micros::try_from(ms).unwrap_or(0).saturating_mul(1_000))
}

/// The last moment at which an operation may have done what it did. Without an answer it may do it yet.
pub(super) fn latest(operation: &Operation) -> Micros {
    match operation.outcome {
        Outcome::Indefinite(_) => Micros::MAX,
        _ => operation.ended.unwrap_or(Micros::MAX),
    }
}
