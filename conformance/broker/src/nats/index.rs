//! What a queue holds, as this process knows it: no bodies, but which messages there are, who holds
//! them, and what is next. Plain values and functions that are told the time.
//!
//! It is made of the queue's stream and of the stream of claims, record by record. It decides nothing:
//! whoever wants to take a step that it suggests asks the server, which compares with what really is.

mod looking;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use super::record::{Record, State};
use crate::clock::Millis;

#[derive(Debug, Default)]
pub(super) struct Index {
    entries: HashMap<u64, Entry>,
    /// The last number under each subject.
    current: HashMap<String, u64>,
    ids: HashMap<Uuid, Vec<u64>>,
    ready: BTreeSet<Place>,
    letters: BTreeSet<u64>,
    expired: BTreeSet<u64>,
    /// Whose lease has ended, and who is not back yet.
    ended: BTreeSet<u64>,
    timers: BTreeSet<(Millis, u64)>,
    delayed: usize,
    held: usize,
    claims: HashMap<u64, Claim>,
    /// Messages of which a claim told before their stream did.
    early: BTreeSet<u64>,
    /// What this process is about to take or to move.
    busy: HashSet<u64>,
    /// Subjects whose message ended here before the stream told of it.
    ended_here: HashMap<String, u64>,
    /// Up to where the stream has told.
    pub(super) told: u64,
    /// The same for the stream of claims.
    pub(super) claims_told: u64,
    /// How often something became ready.
    pub(super) arrivals: u64,
}

/// A record, its number, and how long its body is.
pub(super) type Written = (Record, u64, usize);

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) record: Record,
    pub(super) seq: u64,
    pub(super) bytes: usize,
    slot: Slot,
    timer: Option<Millis>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Ready,
    Delayed,
    Held,
    Ended,
    Expired,
    Dead,
}

/// Where a message stands in the order: behind what is more urgent, and behind what is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    urgency: Reverse<i64>,
    order: u64,
    seq: u64,
}

/// Who holds a message, as the stream of claims says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) kind: Hold,
    /// The claim's own number.
    pub(super) seq: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    Until(Millis),
    /// Given back.
    Free,
    /// Its lease has ended; whoever comes moves the message on.
    Ending,
}

/// A message that was chosen.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) seq: u64,
    pub(super) bytes: usize,
    pub(super) record: Record,
    /// The number that its claim has to follow.
    pub(super) claim: u64,
}

impl Entry {
    fn place(&self) -> Place {
        let order = self.record.place.unwrap_or(self.seq);
        Place { urgency: Reverse(self.record.priority), order, seq: self.seq }
    }
}

impl Index {
    /// A record of the stream. What is older than what is known changes nothing.
    pub(super) fn apply(&mut self, now: Millis, record: Record, seq: u64, bytes: usize) {
        let last = self.current.get(&record.subject).or_else(|| self.ended_here.get(&record.subject));
        if last.is_some_and(|last| *last >= seq) {
            return;
        }
        if let Some(old) = self.current.remove(&record.subject) {
            self.remove(old);
        }
        if record.state == State::Gone {
            if seq > self.told {
                self.ended_here.insert(record.subject, seq);
            }
            return;
        }
        self.current.insert(record.subject.clone(), seq);
        self.ids.entry(record.id).or_default().push(seq);
        self.entries.insert(seq, Entry { record, seq, bytes, slot: Slot::Dead, timer: None });
        self.put(seq, now);
    }

    /// Records that this process wrote while the stream was read: what it was read up to tells of those before.
    pub(super) fn go_on_with(&mut self, now: Millis, written: impl Iterator<Item = Written>) {
        let read = self.told;
        for (record, seq, bytes) in written.filter(|(_, seq, _)| *seq > read) {
            self.apply(now, record, seq, bytes);
        }
    }

    /// The stream has told up to here.
    pub(super) fn told_to(&mut self, seq: u64) {
        self.told = self.told.max(seq);
        if !self.ended_here.is_empty() {
            let told = self.told;
            self.ended_here.retain(|_, ended| *ended > told);
        }
        while let Some(seq) = self.early.first().copied().filter(|seq| *seq <= self.told) {
            self.early.remove(&seq);
            if !self.entries.contains_key(&seq) {
                self.claims.remove(&seq);
            }
        }
    }

    /// A message that is not there any more, whatever the stream had told.
    pub(super) fn forget(&mut self, seq: u64) {
        if let Some(entry) = self.entries.get(&seq) {
            self.current.remove(&entry.record.subject);
        }
        self.remove(seq);
    }

    fn remove(&mut self, seq: u64) {
        self.lift(seq);
        self.busy.remove(&seq);
        self.claims.remove(&seq);
        let Some(entry) = self.entries.remove(&seq) else { return };
        if let Some(seqs) = self.ids.get_mut(&entry.record.id) {
            seqs.retain(|other| *other != seq);
            if seqs.is_empty() {
                self.ids.remove(&entry.record.id);
            }
        }
    }

    /// What is said of who holds a message.
    pub(super) fn claim(&mut self, now: Millis, seq: u64, claim: Claim) {
        let is_over = seq <= self.told && !self.entries.contains_key(&seq);
        let is_old = self.claims.get(&seq).is_some_and(|known| known.seq > claim.seq);
        if !is_over && !is_old {
            self.claims.insert(seq, claim);
            if !self.entries.contains_key(&seq) {
                self.early.insert(seq);
            }
            self.put(seq, now);
        }
    }

    /// Nothing is said of who holds it.
    pub(super) fn unclaim(&mut self, now: Millis, seq: u64) {
        self.claims.remove(&seq);
        self.put(seq, now);
    }

    /// This process is about to do something with it, or no more.
    pub(super) fn set_busy(&mut self, now: Millis, seq: u64, busy: bool) {
        if busy {
            self.busy.insert(seq);
        } else {
            self.busy.remove(&seq);
        }
        self.put(seq, now);
    }

    /// The number that a claim on it has to follow.
    pub(super) fn last_claim(&self, seq: u64) -> u64 {
        self.claims.get(&seq).map_or(0, |claim| claim.seq)
    }

    pub(super) fn claim_of(&self, seq: u64) -> Option<Claim> {
        self.claims.get(&seq).copied()
    }

    /// The least claim that somebody may still need; none where there is none.
    pub(super) fn oldest_claim(&self) -> Option<u64> {
        self.claims.values().map(|claim| claim.seq).filter(|seq| *seq > 0).min()
    }

    // Where each one stands.

    fn put(&mut self, seq: u64, now: Millis) {
        self.lift(seq);
        let Some(entry) = self.entries.get(&seq) else { return };
        let (slot, timer) = self.slot_of(entry, now);
        let place = entry.place();
        match slot {
            Slot::Ready => {
                self.arrivals += 1;
                self.ready.insert(place);
            }
            Slot::Delayed => self.delayed += 1,
            Slot::Held => self.held += 1,
            Slot::Ended => drop(self.ended.insert(seq)),
            Slot::Expired => drop(self.expired.insert(seq)),
            Slot::Dead => drop(self.letters.insert(seq)),
        }
        if let Some(at) = timer {
            self.timers.insert((at, seq));
        }
        if let Some(entry) = self.entries.get_mut(&seq) {
            (entry.slot, entry.timer) = (slot, timer);
        }
    }

    fn lift(&mut self, seq: u64) {
        let Some(entry) = self.entries.get(&seq) else { return };
        if let Some(at) = entry.timer {
            self.timers.remove(&(at, seq));
        }
        let was_there = match entry.slot {
            Slot::Ready => self.ready.remove(&entry.place()),
            Slot::Delayed => {
                self.delayed -= 1;
                true
            }
            Slot::Held => {
                self.held -= 1;
                true
            }
            Slot::Ended => self.ended.remove(&seq),
            Slot::Expired => self.expired.remove(&seq),
            Slot::Dead => self.letters.remove(&seq),
        };
        debug_assert!(was_there || entry.slot == Slot::Dead, "message {seq} stood where it was said to stand");
    }

    fn slot_of(&self, entry: &Entry, now: Millis) -> (Slot, Option<Millis>) {
        let record = &entry.record;
        if record.state == State::Dead {
            return (Slot::Dead, None);
        }
        if self.busy.contains(&entry.seq) {
            return (Slot::Held, None);
        }
        match self.claims.get(&entry.seq).map(|claim| claim.kind) {
            Some(Hold::Until(until)) if now < until => return (Slot::Held, Some(until)),
            Some(Hold::Until(_) | Hold::Ending) => return (Slot::Ended, None),
            Some(Hold::Free) | None => {}
        }
        if record.is_expired(now) {
            return (Slot::Expired, None);
        }
        if now < record.due_at {
            let first = record.expires_at.map_or(record.due_at, |expires_at| expires_at.min(record.due_at));
            return (Slot::Delayed, Some(first));
        }
        (Slot::Ready, record.expires_at)
    }

    /// Lets time do its work.
    pub(super) fn pass_to(&mut self, now: Millis) {
        while let Some((at, seq)) = self.timers.first().copied() {
            if at > now {
                break;
            }
            self.put(seq, now);
        }
    }

    /// When time next has work to do.
    pub(super) fn next_moment(&self) -> Option<Millis> {
        self.timers.first().map(|(at, _)| *at)
    }
}
