//! What has rested may be there twice: its mover was broken off between the copy and the end of the original.
//! Both say which rest it was, and a process that has settled one of them drops the other.

use std::collections::{HashSet, VecDeque};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

/// How many are remembered. The second copy is there as soon as there is a connection again, behind what is
/// in the queue by then.
const REMEMBERED: usize = 20_000;

/// A rest, and the group in which it was settled: each group has a copy of its own.
type Key = (Uuid, Option<String>);

/// What was settled of all that has rested.
#[derive(Default)]
pub(super) struct Settled {
    keys: HashSet<Key>,
    /// The oldest first.
    order: VecDeque<Key>,
}

/// What this process has settled, also with another connection or by a broker that it opened before.
pub(super) fn settled() -> MutexGuard<'static, Settled> {
    static SETTLED: LazyLock<Mutex<Settled>> = LazyLock::new(Mutex::default);
    SETTLED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Settled {
    /// Remembers that the copy of this rest was settled, for sure.
    pub(super) fn remember(&mut self, rest: Uuid, group: Option<&str>) {
        let key = (rest, group.map(str::to_owned));
        if self.keys.insert(key.clone()) {
            self.order.push_back(key);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
    }

    pub(super) fn has(&self, rest: Uuid, group: Option<&str>) -> bool {
        self.keys.contains(&(rest, group.map(str::to_owned)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_known_of_its_group_until_many_others_were_settled() {
        let (mut settled, rest) = (Settled::default(), Uuid::new_v4());
        settled.remember(rest, None);
        settled.remember(rest, None);
        assert!(settled.has(rest, None) && !settled.has(rest, Some("audit")));
        (1..REMEMBERED).for_each(|_| settled.remember(Uuid::new_v4(), None));
        assert!(settled.has(rest, None));
        settled.remember(rest, Some("audit"));
        assert!(!settled.has(rest, None) && settled.has(rest, Some("audit")));
    }
}
