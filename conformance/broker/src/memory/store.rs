//! One queue: its messages, its groups, what is held, its dead letters, and the ids it has seen.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::contract::{About, Message, Stored};
use crate::demand::Terms;
use crate::error::BrokerError;
use crate::memory::entry::{Entry, Kept, Place, Standing};
use crate::memory::letters::Dead;
use crate::memory::seen::Seen;
use crate::policy::{Overflow, Policy};

/// The unnamed group is `None`.
pub(crate) type GroupName = Option<String>;

/// A group's messages in the order in which they are delivered.
pub(crate) type Group = BTreeMap<Place, Entry>;

#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) policy: Policy,
    /// The number of the last publication or replay.
    last_seq: u64,
    /// Each message that some group still has, by the number of its publication.
    pub(crate) messages: BTreeMap<u64, Kept>,
    pub(crate) groups: BTreeMap<GroupName, Group>,
    /// What is held, in the order of delivery.
    pub(crate) held: BTreeMap<u64, (GroupName, Place)>,
    /// In the order of dying.
    pub(crate) letters: Vec<Dead>,
    seen: Seen,
    /// How many were dropped for their expiry since the last sweep.
    pub(crate) expired: u64,
    /// Before this moment nothing changes by itself.
    alarm: Millis,
}

impl Store {
    /// A queue with the unnamed group, which holds messages from the first one on.
    pub(crate) fn new(policy: Policy) -> Self {
        Store {
            policy,
            last_seq: 0,
            messages: BTreeMap::new(),
            groups: BTreeMap::from([(None, Group::new())]),
            held: BTreeMap::new(),
            letters: Vec::new(),
            seen: Seen::default(),
            expired: 0,
            alarm: Millis::MAX,
        }
    }

    /// A duplicate changes nothing and is one also where the queue is full; a refused message
    /// leaves nothing behind, its id neither.
    pub(crate) fn publish(&mut self, now: Millis, message: Message, about: &About) -> Result<Stored, BrokerError> {
        let terms = Terms::of(&message, &self.policy, about, now)?;
        if self.seen.has(&message.id, now) {
            return Ok(Stored::Duplicate);
        }
        self.make_room()?;
        self.seen.remember(message.id, now, self.policy.dedupe_ms);
        let seq = self.add(Kept::of(message, &terms));
        let groups: Vec<GroupName> = self.groups.keys().cloned().collect();
        for group in groups {
            self.enter(now, &group, seq);
        }
        Ok(Stored::Stored)
    }

    /// Whether `max_length` is reached. Ready, resting and held messages count, each once, and
    /// letters do not.
    pub(crate) fn is_full(&self) -> bool {
        self.policy.max_length.is_some_and(|most| i64::try_from(self.messages.len()).is_ok_and(|length| length >= most))
    }

    pub(crate) fn full(&self) -> BrokerError {
        let most = self.policy.max_length.unwrap_or(i64::MAX);
        BrokerError::full(format!("the queue holds {most} messages, as many as its max_length allows"))
    }

    fn make_room(&mut self) -> Result<(), BrokerError> {
        if !self.is_full() {
            return Ok(());
        }
        if self.policy.overflow == Overflow::Reject {
            return Err(self.full());
        }
        let oldest = self.oldest_that_nobody_holds().ok_or_else(|| self.full())?;
        let groups: Vec<GroupName> = self.groups.keys().cloned().collect();
        for group in groups {
            self.remove(&group, oldest);
        }
        Ok(())
    }

    fn oldest_that_nobody_holds(&self) -> Option<Place> {
        let places = self.messages.iter().map(|(seq, kept)| Place::of(kept.priority, *seq));
        let is_free = |place: &Place| self.groups.values().filter_map(|group| group.get(place)).all(Entry::is_free);
        places.into_iter().find(is_free)
    }

    /// Keeps a message; which groups it enters is the caller's matter.
    pub(crate) fn add(&mut self, kept: Kept) -> u64 {
        self.last_seq += 1;
        self.messages.insert(self.last_seq, kept);
        self.last_seq
    }

    /// Puts a kept message into a group.
    pub(crate) fn enter(&mut self, now: Millis, group: &GroupName, seq: u64) {
        let Some(kept) = self.messages.get(&seq) else { return };
        let (place, due_at, expires_at) = (Place::of(kept.priority, seq), kept.due_at, kept.expires_at);
        self.groups.entry(group.clone()).or_default().insert(place, Entry::new(due_at));
        self.wake_at(now, due_at);
        self.wake_at(now, expires_at.unwrap_or(Millis::MAX));
    }

    /// Takes a message out of one group. It is gone when no group has it any more.
    pub(crate) fn remove(&mut self, group: &GroupName, place: Place) -> Option<Entry> {
        let entry = self.groups.get_mut(group)?.remove(&place)?;
        if !self.groups.values().any(|group| group.contains_key(&place)) {
            self.messages.remove(&place.seq);
        }
        Some(entry)
    }

    /// What a group sees that is made now: each message that some group still has. What is
    /// expired in somebody's hands is not seen any more.
    pub(crate) fn as_a_new_group_sees_it(&self, now: Millis) -> Group {
        let living = self.messages.iter().filter(|(_, kept)| !kept.is_expired(now));
        living.map(|(seq, kept)| (Place::of(kept.priority, *seq), Entry::new(kept.due_at))).collect()
    }

    /// Makes the group if it is not there.
    pub(crate) fn join(&mut self, now: Millis, group: &GroupName) {
        if !self.groups.contains_key(group) {
            let entries = self.as_a_new_group_sees_it(now);
            self.groups.insert(group.clone(), entries);
            self.alarm = self.next_change(now);
        }
    }

    /// Lets time do its work: leases end, then what is expired is dropped.
    pub(crate) fn pass_to(&mut self, now: Millis) {
        if now >= self.alarm {
            self.end_leases(now);
            self.drop_expired(now);
            self.alarm = self.next_change(now);
        }
    }

    /// The moment at which [`pass_to`](Store::pass_to) has to be called, at the latest.
    pub(crate) const fn alarm(&self) -> Millis {
        self.alarm
    }

    /// Something changes at this moment. What is not later than now has changed already.
    pub(crate) fn wake_at(&mut self, now: Millis, moment: Millis) {
        if moment > now {
            self.alarm = self.alarm.min(moment);
        }
    }

    fn next_change(&self, now: Millis) -> Millis {
        let changes = |(place, entry): (&Place, &Entry)| match entry.standing {
            Standing::Held(hold) => hold.until,
            Standing::Free { due_at } => {
                let expires_at = self.messages.get(&place.seq).and_then(|kept| kept.expires_at);
                [Some(due_at), expires_at].into_iter().flatten().filter(|at| *at > now).min().unwrap_or(Millis::MAX)
            }
        };
        self.groups.values().flatten().map(changes).min().unwrap_or(Millis::MAX)
    }

    fn drop_expired(&mut self, now: Millis) {
        let is_dead = |place: &Place, entry: &Entry| {
            entry.is_free() && self.messages.get(&place.seq).is_some_and(|kept| kept.is_expired(now))
        };
        let mut dropped = Vec::new();
        for (name, group) in &self.groups {
            let of_group = group.iter().filter(|(place, entry)| is_dead(place, entry));
            dropped.extend(of_group.map(|(place, _)| (name.clone(), *place)));
        }
        for (group, place) in dropped {
            self.drop_one_expired(&group, place);
        }
    }

    pub(crate) fn drop_one_expired(&mut self, group: &GroupName, place: Place) {
        self.remove(group, place);
        self.expired += 1;
    }
}
