//! The ids that a queue has seen, for as long as its policy says.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use uuid::Uuid;

use crate::clock::Millis;

#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    known: HashMap<Uuid, Known>,
    oldest_first: VecDeque<(Millis, Uuid)>,
}

#[derive(Debug, Clone)]
struct Known {
    until: Millis,
    /// Its bytes, where they matter.
    body: Option<Bytes>,
}

/// What an id is to a queue.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seeing {
    New,
    Known,
    /// Known, with another body.
    Other,
}

impl Seen {
    /// Whether it was stored within the window; the window's last moment is free again. Bodies are
    /// compared where one is given.
    pub(crate) fn has(&self, id: &Uuid, body: Option<&Bytes>, now: Millis) -> Seeing {
        match self.known.get(id).filter(|known| now < known.until) {
            None => Seeing::New,
            Some(known) if body.is_none() || known.body.as_ref() == body => Seeing::Known,
            Some(_) => Seeing::Other,
        }
    }

    /// Remembers an id that was stored just now; a window of 0 remembers nothing.
    pub(crate) fn remember(&mut self, id: Uuid, body: Option<Bytes>, now: Millis, window_ms: i64) {
        self.forget_old(now);
        if window_ms > 0 {
            let until = now + window_ms;
            self.known.insert(id, Known { until, body });
            self.oldest_first.push_back((until, id));
        }
    }

    fn forget_old(&mut self, now: Millis) {
        while let Some((until, id)) = self.oldest_first.front().copied() {
            if now < until {
                break;
            }
            self.oldest_first.pop_front();
            if self.known.get(&id).is_some_and(|known| known.until == until) {
                self.known.remove(&id);
            }
        }
    }
}
