//! What is looked for in the index, in which order, and what is counted.

use uuid::Uuid;

use super::{Chosen, Entry, Index, Slot};
use crate::clock::Millis;
use crate::contract::{Depth, Fetch, Peek};

/// The most bytes of bodies in one answer.
const MOST_BYTES: usize = 8 * 1_048_576;

impl Index {
    pub(in crate::nats) fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Chooses what a fetch takes, and counts it as held.
    pub(in crate::nats) fn choose(&mut self, now: Millis, fetch: &Fetch) -> Vec<Chosen> {
        let recipient = fetch.recipient.as_deref();
        let chosen = match fetch.id {
            Some(id) => {
                let ready = self.ids.get(&id).into_iter().flatten().filter_map(|seq| self.entries.get(seq));
                let ready = ready.filter(|entry| entry.slot == Slot::Ready && entry.record.may_be_seen_by(recipient));
                // Of several with this id, the oldest.
                ready.min_by_key(|entry| entry.place().order).map(|entry| entry.seq).into_iter().collect()
            }
            None => self.in_order(recipient, fetch.max, None),
        };
        self.take(now, chosen)
    }

    fn take(&mut self, now: Millis, seqs: Vec<u64>) -> Vec<Chosen> {
        let mut taken = Vec::with_capacity(seqs.len());
        for seq in seqs {
            taken.extend(self.chosen(seq));
            self.set_busy(now, seq, true);
        }
        taken
    }

    fn chosen(&self, seq: u64) -> Option<Chosen> {
        let entry = self.entries.get(&seq)?;
        Some(Chosen { seq, bytes: entry.bytes, record: entry.record.clone(), claim: self.last_claim(seq) })
    }

    fn in_order(&self, recipient: Option<&str>, max: u32, after: Option<Uuid>) -> Vec<u64> {
        let entries = self.ready.iter().filter_map(|place| self.entries.get(&place.seq));
        let mut seen: Vec<&Entry> = Vec::new();
        let seen_by = entries.filter(|entry| entry.record.may_be_seen_by(recipient));
        if let Some(after) = after {
            seen.extend(seen_by);
            // Behind the last with that id, so that who turns page after page comes to an end.
            let last = seen.iter().rposition(|entry| entry.record.id == after);
            seen.drain(..last.map_or(seen.len(), |last| last + 1));
            return fitting(seen.into_iter(), max);
        }
        fitting(seen_by, max)
    }

    /// What a look shows, in its order.
    pub(in crate::nats) fn look(&self, peek: &Peek) -> Vec<Chosen> {
        let seqs = self.in_order(peek.recipient.as_deref(), peek.max, peek.after);
        seqs.into_iter().filter_map(|seq| self.chosen(seq)).collect()
    }

    /// The letters, the oldest first.
    pub(in crate::nats) fn letters(&self, max: u32) -> Vec<Chosen> {
        let letters = self.letters.iter().filter_map(|seq| self.entries.get(seq));
        fitting(letters, max).into_iter().filter_map(|seq| self.chosen(seq)).collect()
    }

    /// The oldest letter of an id.
    pub(in crate::nats) fn letter(&self, id: Uuid) -> Option<Chosen> {
        let seqs = self.ids.get(&id)?.iter().filter(|seq| self.letters.contains(seq));
        seqs.min().and_then(|seq| self.chosen(*seq))
    }

    /// What is ready, all of it, and counts as held from now on.
    pub(in crate::nats) fn take_ready(&mut self, now: Millis) -> Vec<Chosen> {
        let seqs = self.ready.iter().map(|place| place.seq).collect();
        self.take(now, seqs)
    }

    pub(in crate::nats) fn take_expired(&mut self, now: Millis) -> Vec<Chosen> {
        let seqs = self.expired.iter().copied().collect();
        self.take(now, seqs)
    }

    /// What came to its lease's end, to be moved on.
    pub(in crate::nats) fn take_ended(&mut self, now: Millis) -> Vec<Chosen> {
        let seqs = self.ended.iter().copied().collect();
        self.take(now, seqs)
    }

    /// The oldest that nobody holds.
    pub(in crate::nats) fn take_oldest_free(&mut self, now: Millis) -> Option<Chosen> {
        let free = self.entries.values().filter(|entry| matches!(entry.slot, Slot::Ready | Slot::Delayed));
        let oldest = free.min_by_key(|entry| (entry.record.place.unwrap_or(entry.seq), entry.seq))?.seq;
        self.take(now, vec![oldest]).pop()
    }

    /// How many messages count for the queue's length.
    pub(in crate::nats) fn length(&self) -> usize {
        self.ready.len() + self.delayed + self.held + self.ended.len()
    }

    pub(in crate::nats) fn depth(&self) -> Depth {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Depth {
            ready: count(self.ready.len() + self.ended.len()),
            leased: Some(count(self.held)),
            delayed: Some(count(self.delayed)),
            dead: Some(count(self.letters.len())),
        }
    }
}

/// Up to `max` of them, as many as fit into an answer, and always one.
fn fitting<'a>(entries: impl Iterator<Item = &'a Entry>, max: u32) -> Vec<u64> {
    let mut sum = 0_usize;
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let fits = |(index, entry): (usize, &'a Entry)| {
        sum = sum.saturating_add(entry.bytes);
        (index == 0 || sum <= MOST_BYTES).then_some(entry.seq)
    };
    entries.take(max).enumerate().map_while(fits).collect()
}
