//! The dead letters of a queue, and the way back from there.

use uuid::Uuid;

use crate::clock::{Millis, timestamp};
use crate::contract::Letter;
use crate::demand::{End, kept_reason};
use crate::error::BrokerError;
use crate::memory::entry::{Kept, Place};
use crate::memory::store::{GroupName, Store};
use crate::memory::taking::fitting;

#[derive(Debug, Clone)]
pub(crate) struct Dead {
    pub(crate) group: GroupName,
    pub(crate) message: Kept,
    pub(crate) reason: String,
    /// The number of its last delivery.
    pub(crate) attempts: u32,
    pub(crate) died_at: Millis,
}

impl Dead {
    fn letter(&self) -> Letter {
        Letter {
            id: self.message.id,
            body: self.message.body.clone(),
            reason: self.reason.clone(),
            attempts: self.attempts,
            priority: Some(self.message.priority),
            died_at: Some(timestamp(self.died_at)),
            group: self.group.clone(),
        }
    }
}

impl Store {
    /// Moves a message of a group to the dead letters, with the reason given, else the last that
    /// was, else the broker's own words.
    pub(crate) fn bury(&mut self, group: GroupName, place: Place, at: Millis, end: End, reason: Option<String>) {
        let Some(message) = self.messages.get(&place.seq).cloned() else { return };
        let Some(entry) = self.remove(&group, place) else { return };
        let attempts = entry.attempt();
        let given = reason.map(|reason| kept_reason(&reason)).or(entry.reason);
        let reason = given.unwrap_or_else(|| end.reason(attempts));
        self.letters.push(Dead { group, message, reason, attempts, died_at: at });
    }

    /// The letters of one group, or of all where none is named, the oldest first.
    pub(crate) fn dead_letters(&self, max: u32, group: Option<&str>) -> Vec<Letter> {
        let letters = self.letters.iter().filter(|dead| is_of(dead, group));
        fitting(letters, max, |dead| dead.message.body.len()).map(Dead::letter).collect()
    }

    pub(crate) fn letters_of(&self, group: &GroupName) -> u64 {
        count(self.letters.iter().filter(|dead| dead.group == *group).count())
    }

    /// Sends the oldest letter of this id back to its own group, as new: at the end of its priority,
    /// with all its attempts and all its time. A full queue refuses it, and the letter stays.
    pub(crate) fn replay(&mut self, now: Millis, id: Uuid, group: Option<&str>) -> Result<(), BrokerError> {
        let oldest = self.letters.iter().position(|dead| dead.message.id == id && is_of(dead, group));
        let oldest = oldest.ok_or_else(|| BrokerError::not_found(format!("no dead letter has the id {id}")))?;
        if self.is_full() {
            return Err(self.full());
        }
        let Dead { group, message, .. } = self.letters.remove(oldest);
        let expires_at = message.ttl_ms.map(|ttl| now + ttl);
        let seq = self.add(Kept { due_at: now, expires_at, groups: 0, ..message });
        self.enter(now, &group, seq);
        Ok(())
    }

    /// Removes the letters of one group, or all, and says how many those were.
    pub(crate) fn purge_letters(&mut self, group: Option<&str>) -> u64 {
        let before = self.letters.len();
        self.letters.retain(|dead| !is_of(dead, group));
        count(before - self.letters.len())
    }
}

fn is_of(dead: &Dead, group: Option<&str>) -> bool {
    group.is_none() || dead.group.as_deref() == group
}

pub(crate) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
