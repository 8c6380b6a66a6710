//! The ids that a queue has seen, for as long as its policy says.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

use crate::clock::Millis;

#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    until: HashMap<Uuid, Millis>,
    oldest_first: VecDeque<(Millis, Uuid)>,
}

impl Seen {
    /// Whether it was stored within the window; the window's last moment is free again.
    pub(crate) fn has(&self, id: &Uuid, now: Millis) -> bool {
        self.until.get(id).is_some_and(|until| now < *until)
    }

    /// Remembers an id that was stored just now; a window of 0 remembers nothing.
    pub(crate) fn remember(&mut self, id: Uuid, now: Millis, window_ms: i64) {
        self.forget_old(now);
        if window_ms > 0 {
            self.until.insert(id, now + window_ms);
            self.oldest_first.push_back((now + window_ms, id));
        }
    }

    fn forget_old(&mut self, now: Millis) {
        while let Some((until, id)) = self.oldest_first.front().copied() {
            if now < until {
                break;
            }
            self.oldest_first.pop_front();
            if self.until.get(&id) == Some(&until) {
                self.until.remove(&id);
            }
        }
    }
}
