//! How deliveries end: settled by their client, by time, or with their client.

use crate::clock::Millis;
use crate::contract::{CloseMode, Tag, Verdict};
use crate::demand::{End, kept_reason};
use crate::error::BrokerError;
use crate::memory::entry::{Entry, Hold, Place, Standing};
use crate::memory::store::{GroupName, Store};
use crate::memory::taking::delivery_of;

impl Store {
    /// Settles a delivery of this client.
    pub(crate) fn settle(&mut self, now: Millis, client: u64, tag: &Tag, verdict: Verdict) -> Result<(), BrokerError> {
        let (delivery, attempt) = self.own(client, tag)?;
        match verdict {
            Verdict::Done => self.done(delivery),
            Verdict::Retry { delay_ms, reason } => {
                let due_at = now + delay_ms.unwrap_or_else(|| self.policy.backoff(attempt));
                self.failed(delivery, now, due_at, End::Retried, reason);
            }
            Verdict::Dead { reason } => self.given_up(delivery, now, reason),
        }
        Ok(())
    }

    /// Holds a delivery of this client for so long from now, which may be shorter than before.
    pub(crate) fn extend(&mut self, now: Millis, client: u64, tag: &Tag, lease_ms: i64) -> Result<(), BrokerError> {
        let (delivery, _) = self.own(client, tag)?;
        let until = now + lease_ms;
        if let Some(entry) = self.held_entry(delivery) {
            entry.standing = Standing::Held(Hold { delivery, client, until });
        }
        self.wake_at(now, until);
        Ok(())
    }

    /// The delivery that this client's tag names, and the number of its attempt. Ended leases are
    /// not among what is held any more.
    fn own(&mut self, client: u64, tag: &Tag) -> Result<(u64, u32), BrokerError> {
        let delivery = delivery_of(tag).ok_or_else(BrokerError::stale)?;
        let entry = self.held_entry(delivery).ok_or_else(BrokerError::stale)?;
        let is_own = entry.hold().is_some_and(|hold| hold.client == client);
        if is_own { Ok((delivery, entry.attempt())) } else { Err(BrokerError::stale()) }
    }

    fn held_entry(&mut self, delivery: u64) -> Option<&mut Entry> {
        let (group, place) = self.held.get(&delivery)?;
        self.groups.get_mut(group)?.get_mut(place)
    }

    fn done(&mut self, delivery: u64) {
        if let Some((group, place)) = self.held.remove(&delivery) {
            self.remove(&group, place);
        }
    }

    fn given_up(&mut self, delivery: u64, now: Millis, reason: Option<String>) {
        let Some((group, place)) = self.held.remove(&delivery) else { return };
        self.bury(group, place, now, End::GivenUp, reason);
    }

    /// An attempt is used up. The message comes back, or dies if that was the last one; that is
    /// judged before its expiry.
    fn failed(&mut self, delivery: u64, at: Millis, due_at: Millis, end: End, reason: Option<String>) {
        let most = self.policy.max_attempts;
        let Some(entry) = self.held_entry(delivery) else { return };
        if i64::from(entry.attempt()) >= most {
            let Some((group, place)) = self.held.remove(&delivery) else { return };
            return self.bury(group, place, at, end, reason);
        }
        entry.used += 1;
        entry.reason = reason.map(|reason| kept_reason(&reason)).or(entry.reason.take());
        if matches!(end, End::Retried) {
            self.move_back(delivery);
        }
        self.come_back(delivery, at, due_at);
    }

    /// What is held moves to where it will stand after a retry.
    fn move_back(&mut self, delivery: u64) {
        let Some((group, place)) = self.held.get(&delivery).cloned() else { return };
        let moved = self.place_of_retry(place);
        if let Some(entries) = self.groups.get_mut(&group)
            && let Some(entry) = entries.remove(&place)
        {
            entries.insert(moved, entry);
            self.held.insert(delivery, (group, moved));
        }
    }

    /// The message is free again at its place, or dropped if it is expired.
    fn come_back(&mut self, delivery: u64, now: Millis, due_at: Millis) {
        let Some((group, place)) = self.held.remove(&delivery) else { return };
        if self.messages.get(&place.seq).is_some_and(|kept| kept.is_expired(now)) {
            return self.drop_one_expired(&group, place);
        }
        self.set_free(now, &group, place, due_at);
    }

    fn set_free(&mut self, now: Millis, group: &GroupName, place: Place, due_at: Millis) {
        if let Some(entry) = self.groups.get_mut(group).and_then(|group| group.get_mut(&place)) {
            entry.standing = Standing::Free { due_at };
        }
        let expires_at = self.messages.get(&place.seq).and_then(|kept| kept.expires_at);
        self.wake_at(now, due_at);
        self.wake_at(now, expires_at.unwrap_or(Millis::MAX));
    }

    /// Ends the leases that are over, in the order in which they ended. What comes back so is ready
    /// at once, and what dies so died when its lease ended, whenever somebody looks.
    pub(crate) fn end_leases(&mut self, now: Millis) {
        let until = |(delivery, (group, place)): (&u64, &(GroupName, Place))| {
            let hold = self.groups.get(group)?.get(place)?.hold()?;
            (now >= hold.until).then_some((hold.until, *delivery))
        };
        let mut ended: Vec<(Millis, u64)> = self.held.iter().filter_map(until).collect();
        ended.sort_unstable();
        for (until, delivery) in ended {
            self.failed(delivery, until, until, End::LeaseEnded, None);
        }
    }

    /// Takes from their hands what some clients hold: a client that says goodbye uses up no attempt,
    /// a lost one does. What comes back is ready at once.
    pub(crate) fn let_go(&mut self, now: Millis, mode: CloseMode, is_gone: impl Fn(u64) -> bool) {
        let is_let_go = |(_, (group, place)): &(&u64, &(GroupName, Place))| {
            let entry = self.groups.get(group).and_then(|group| group.get(place));
            entry.and_then(Entry::hold).is_some_and(|hold| is_gone(hold.client))
        };
        let let_go: Vec<u64> = self.held.iter().filter(is_let_go).map(|(delivery, _)| *delivery).collect();
        for delivery in let_go {
            match mode {
                CloseMode::Graceful => self.come_back(delivery, now, now),
                CloseMode::Abort => self.failed(delivery, now, now, End::ClientLost, None),
            }
        }
    }

    /// Gives back one delivery that never reached its client.
    pub(crate) fn give_back(&mut self, now: Millis, delivery: u64) {
        self.come_back(delivery, now, now);
    }
}
