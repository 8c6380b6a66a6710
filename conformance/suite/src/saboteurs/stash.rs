//! What defects remember: deliveries that were made, and deliveries that should never be.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use workwire_broker::{Delivery, Fetch, Queue, Tag};

/// Locks what each step leaves whole.
pub(super) fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A time as runtimes take it.
pub(super) fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// What was delivered, by its tag.
#[derive(Default)]
pub(super) struct Taken(Mutex<HashMap<Tag, Delivery>>);

impl Taken {
    pub(super) fn remember(&self, deliveries: &[Delivery]) {
        locked(&self.0).extend(deliveries.iter().map(|delivery| (delivery.tag.clone(), delivery.clone())));
    }

    pub(super) fn of(&self, tag: &Tag) -> Option<Delivery> {
        locked(&self.0).get(tag).cloned()
    }
}

/// Copies of messages, delivered behind what there really is.
#[derive(Default)]
pub(super) struct Copies(Mutex<Vec<(Queue, Instant, Delivery)>>);

impl Copies {
    /// Delivers this once more, when so much time has passed.
    pub(super) fn add(&self, queue: &Queue, after_ms: i64, copy: Delivery) {
        let mut copies = locked(&self.0);
        let tag = Tag(format!("copy-{}-{}", copies.len(), copy.id));
        copies.push((queue.clone(), Instant::now() + millis(after_ms), Delivery { tag, ..copy }));
    }

    /// Adds a copy that is due to what was fetched, where there is room for it.
    pub(super) fn join(&self, queue: &Queue, fetch: &Fetch, deliveries: &mut Vec<Delivery>) {
        let mut copies = locked(&self.0);
        let is_due = |(of, due, copy): &(Queue, Instant, Delivery)| {
            of == queue && Instant::now() >= *due && fetch.id.is_none_or(|id| id == copy.id)
        };
        while deliveries.len() < usize::try_from(fetch.max).unwrap_or(usize::MAX) {
            let Some(place) = copies.iter().position(is_due) else { return };
            deliveries.push(copies.remove(place).2);
        }
    }

    /// Whether a tag is that of a copy.
    pub(super) fn is_of(tag: &Tag) -> bool {
        tag.0.starts_with("copy-")
    }
}
