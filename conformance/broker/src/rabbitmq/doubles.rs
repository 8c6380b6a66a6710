//! What has rested may be there twice: its mover was broken off between the copy and the end of the original.
//! Both say which rest it was, and a process that has settled one of them, or has it in hand, drops the other.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::clock::{Clock as _, Millis, SystemClock};

/// How many settled ones are remembered. The second copy is there as soon as there is a connection again,
/// behind what is in the queue by then.
const REMEMBERED: usize = 20_000;

/// After this, a copy is surely on the server's disk: another one need not stand for it.
const WRITTEN_MS: Millis = 2_000;

/// A rest, and the group that has its copy: each group has one of its own.
type Key = (Uuid, Option<String>);

/// Which copy of what has rested it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rested {
    pub(super) rest: Uuid,
    /// When it was moved, which no two copies of one rest were at the same time.
    pub(super) moved: Millis,
}

/// A copy in the hands of a client.
pub(super) struct InHand {
    key: Key,
    moved: Millis,
}

impl InHand {
    /// Takes a copy into a client's hands. Nothing where it is a second one.
    pub(super) fn take(rested: Rested, group: Option<&str>) -> Option<Self> {
        let key = (rested.rest, group.map(str::to_owned));
        let is_first = known().take(&key, rested.moved, SystemClock.now());
        // Not made where it is not the first one: its end would let go of it, and wait for what is known.
        is_first.then(|| InHand { key, moved: rested.moved })
    }

    /// Remembers that it was settled, for sure.
    pub(super) fn settled(&self) {
        known().settle(&self.key);
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        known().let_go(&self.key, self.moved);
    }
}

/// What this process knows of what has rested.
#[derive(Default)]
struct Known {
    settled: HashSet<Key>,
    /// The oldest first.
    order: VecDeque<Key>,
    in_hand: HashMap<Key, Millis>,
}

/// What it knows also of other connections, and of brokers that it opened before.
fn known() -> MutexGuard<'static, Known> {
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Known {
    /// Whether it is the first one. The same copy comes again where its holder has lost it.
    fn take(&mut self, key: &Key, moved: Millis, now: Millis) -> bool {
        let other = self.in_hand.get(key).filter(|other| **other != moved);
        let is_second = other.is_some_and(|other| now.saturating_sub(*other) > WRITTEN_MS);
        if is_second || self.settled.contains(key) {
            return false;
        }
        self.in_hand.insert(key.clone(), moved);
        true
    }

    fn settle(&mut self, key: &Key) {
        if self.settled.insert(key.clone()) {
            self.order.push_back(key.clone());
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.settled.remove(&oldest);
        }
    }

    fn let_go(&mut self, key: &Key, moved: Millis) {
        if self.in_hand.get(key) == Some(&moved) {
            self.in_hand.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: Millis = 2 * WRITTEN_MS;

    fn key() -> Key {
        (Uuid::new_v4(), None)
    }

    #[test]
    fn a_second_copy_is_known_while_the_first_is_in_hand_and_when_it_is_settled() {
        let (mut known, key) = (Known::default(), key());
        assert!(known.take(&key, 100, LATER) && !known.take(&key, 200, LATER));
        assert!(known.take(&(key.0, Some("audit".to_owned())), 200, LATER), "another group's");
        assert!(known.take(&key, 100, LATER), "the same once more, whose holder has lost it");
        known.settle(&key);
        known.let_go(&key, 100);
        assert!(!known.take(&key, 200, LATER) && !known.take(&key, 100, LATER));
    }

    #[test]
    fn one_that_was_let_go_or_may_not_be_on_disk_stands_for_no_other() {
        let (mut known, key) = (Known::default(), key());
        assert!(known.take(&key, 100, 150) && known.take(&key, 200, 250));
        known.let_go(&key, 100);
        assert!(!known.take(&key, 300, LATER), "the second is in hand");
        known.let_go(&key, 200);
        assert!(known.take(&key, 300, LATER));
    }

    #[test]
    fn who_settles_the_first_one_lets_go_of_it_and_gets_no_second() {
        let rested = |moved| Rested { rest: Uuid::from_u128(7), moved };
        let first = InHand::take(rested(100), None).unwrap();
        assert!(InHand::take(rested(200), None).is_none());
        first.settled();
        drop(first);
        assert!(InHand::take(rested(300), None).is_none() && InHand::take(rested(300), Some("audit")).is_some());
    }

    #[test]
    fn so_many_are_remembered() {
        let (mut known, first) = (Known::default(), key());
        known.settle(&first);
        (1..REMEMBERED).for_each(|_| known.settle(&key()));
        assert!(!known.take(&first, 100, LATER));
        known.settle(&key());
        assert!(known.take(&first, 100, LATER));
    }
}
