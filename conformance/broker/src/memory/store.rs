//! One queue: its messages, its groups, what is held, its dead letters, and the ids it has seen.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::contract::{About, Choices, Message, NewGroup, RetryPlace, SameId, Stored};
use crate::demand::Terms;
use crate::error::BrokerError;
use crate::memory::entry::{Entry, Kept, Place, Standing};
use crate::memory::letters::Dead;
use crate::memory::seen::{Seeing, Seen};
use crate::policy::{Overflow, Policy};

/// The unnamed group is `None`.
pub(crate) type GroupName = Option<String>;

/// A group's messages in the order in which they are delivered.
pub(crate) type Group = BTreeMap<Place, Entry>;

#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) policy: Policy,
    choices: Choices,
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
    pub(crate) fn new(policy: Policy, choices: Choices) -> Self {
        Store {
            policy,
            choices,
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
        let compared = (self.choices.same_id_other_body == SameId::Conflict).then_some(&message.body);
        match self.seen.has(&message.id, compared, now) {
            Seeing::New => {}
            Seeing::Known => return Ok(Stored::Duplicate),
            Seeing::Other => {
                let why = format!("message {} is there with another body", message.id);
                return Err(BrokerError::conflict(why));
            }
        }
        self.make_room()?;
        self.seen.remember(message.id, compared.cloned(), now, self.policy.dedupe_ms);
        let seq = self.add(Kept::of(message, &terms));
        let groups: Vec<GroupName> = self.groups.keys().cloned().collect();
        for group in groups {
            self.enter(now, &group, seq);
        }
        Ok(Stored::Stored)
    }

    /// Stores all of them, or changes nothing and says what is wrong with the first bad one.
    pub(crate) fn publish_all(
        &mut self,
        now: Millis,
        messages: Vec<Message>,
        about: &About,
    ) -> Result<Vec<Stored>, BrokerError> {
        let mut tried = self.clone();
        let stored =
            messages.into_iter().map(|message| tried.publish(now, message, about)).collect::<Result<_, _>>()?;
        *self = tried;
        Ok(stored)
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
            if let Some(place) = self.groups.get(&group).and_then(|entries| self.place_in(entries, oldest)) {
                self.remove(&group, place);
            }
        }
        Ok(())
    }

    fn oldest_that_nobody_holds(&self) -> Option<u64> {
        let entry_in = |group, seq| self.place_in(group, seq).and_then(|place| group.get(&place));
        let is_free = |seq: &u64| self.groups.values().filter_map(|group| entry_in(group, *seq)).all(Entry::is_free);
        self.messages.keys().copied().find(is_free)
    }

    /// Where a message stands in a group that has it.
    fn place_in(&self, group: &Group, seq: u64) -> Option<Place> {
        let published = Place::of(self.messages.get(&seq)?.priority, seq);
        if group.contains_key(&published) || self.choices.retry_place == RetryPlace::Keeps {
            return group.contains_key(&published).then_some(published);
        }
        group.keys().copied().find(|place| place.seq == seq)
    }

    /// Where a message stands that was retried: at its old place, or behind its priority.
    pub(crate) fn place_of_retry(&mut self, place: Place) -> Place {
        match self.choices.retry_place {
            RetryPlace::Keeps => place,
            RetryPlace::Back => {
                self.last_seq += 1;
                place.moved_to(self.last_seq)
            }
        }
    }

    /// Keeps a message; which groups it enters is the caller's matter.
    pub(crate) fn add(&mut self, kept: Kept) -> u64 {
        self.last_seq += 1;
        self.messages.insert(self.last_seq, kept);
        self.last_seq
    }

    /// Puts a kept message into a group.
    pub(crate) fn enter(&mut self, now: Millis, group: &GroupName, seq: u64) {
        let Some(kept) = self.messages.get_mut(&seq) else { return };
        kept.groups += 1;
        let (place, due_at, expires_at) = (Place::of(kept.priority, seq), kept.due_at, kept.expires_at);
        self.groups.entry(group.clone()).or_default().insert(place, Entry::new(due_at));
        self.wake_at(now, due_at);
        self.wake_at(now, expires_at.unwrap_or(Millis::MAX));
    }

    /// Takes a message out of one group. It is gone when no group has it any more.
    pub(crate) fn remove(&mut self, group: &GroupName, place: Place) -> Option<Entry> {
        let entry = self.groups.get_mut(group)?.remove(&place)?;
        if let Some(kept) = self.messages.get_mut(&place.seq) {
            kept.groups -= 1;
            if kept.groups == 0 {
                self.messages.remove(&place.seq);
            }
        }
        Some(entry)
    }

    /// What a group sees that is made now: each message that some group still has, or nothing. What
    /// is expired in somebody's hands is not seen any more.
    pub(crate) fn as_a_new_group_sees_it(&self, now: Millis) -> Group {
        if self.choices.new_group == NewGroup::New {
            return Group::new();
        }
        let living = self.messages.iter().filter(|(_, kept)| !kept.is_expired(now));
        living.map(|(seq, kept)| (Place::of(kept.priority, *seq), Entry::new(kept.due_at))).collect()
    }

    /// Makes the group if it is not there.
    pub(crate) fn join(&mut self, now: Millis, group: &GroupName) {
        if !self.groups.contains_key(group) {
            let entries = self.as_a_new_group_sees_it(now);
            for place in entries.keys() {
                if let Some(kept) = self.messages.get_mut(&place.seq) {
                    kept.groups += 1;
                }
            }
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
