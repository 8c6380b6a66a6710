//! One client: what it holds, and whether it is closed. Tags, which name what is held.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::contract::Tag;
use crate::queue::Queue;

/// A delivery, as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Ticket {
    /// The group as the server calls it.
    pub(super) group: String,
    pub(super) level: i64,
    pub(super) entry: String,
    /// The client and the fetch.
    pub(super) holder: String,
}

impl Ticket {
    pub(super) fn tag(&self) -> Tag {
        Tag(format!("{}/{}/{}/{}", self.holder, self.level, self.entry, self.group))
    }

    /// The ticket that a tag names, where it is one of this client's.
    pub(super) fn of(tag: &Tag, client: &str) -> Option<Ticket> {
        let mut parts = tag.0.splitn(4, '/');
        let (holder, level, entry, group) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let ticket = Ticket {
            group: group.to_owned(),
            level: level.parse().ok().filter(|level| (1..=10).contains(level))?,
            entry: entry.to_owned(),
            holder: holder.to_owned(),
        };
        let is_own = holder.split_once('.').is_some_and(|(number, _)| number == client);
        let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        (is_own && is_plain(holder) && is_plain(entry) && is_plain(group) && ticket.tag() == *tag).then_some(ticket)
    }
}

/// What a client holds of a queue, each until its lease ends.
#[derive(Default)]
struct Held {
    tickets: HashMap<Ticket, Instant>,
    /// Beyond so many those are looked for whose leases have ended.
    many: usize,
}

impl Held {
    fn forget_ended(&mut self) {
        if self.tickets.len() > self.many.max(1_000) {
            let now = Instant::now();
            self.tickets.retain(|_, until| now < *until);
            self.many = 2 * self.tickets.len();
        }
    }
}

/// What was asked before and is still changing which queues there are. What is asked after a declare or
/// a delete finds what that has made, also when nobody waited for it.
pub(super) struct Before(Option<watch::Receiver<()>>);

impl Before {
    pub(super) async fn ended(self) {
        if let Some(mut change) = self.0 {
            // It ends with its sender.
            while change.changed().await.is_ok() {}
        }
    }
}

pub(super) struct Own {
    /// Nobody else has it, in no process.
    pub(super) number: String,
    fetches: AtomicU64,
    closed: watch::Sender<bool>,
    held: Mutex<HashMap<Queue, Held>>,
    change: Mutex<Option<watch::Receiver<()>>>,
}

impl Own {
    pub(super) fn new() -> Self {
        Own {
            number: Uuid::new_v4().simple().to_string(),
            fetches: AtomicU64::new(0),
            closed: watch::Sender::new(false),
            held: Mutex::new(HashMap::new()),
            change: Mutex::new(None),
        }
    }

    /// Who holds what the next fetch takes.
    pub(super) fn next_holder(&self) -> String {
        format!("{}.{}", self.number, self.fetches.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn before(&self) -> Before {
        Before(self.change.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// The same, and what is asked from now on waits until the sender is dropped.
    pub(super) fn change(&self) -> (Before, watch::Sender<()>) {
        let (sender, receiver) = watch::channel(());
        let before = self.change.lock().unwrap_or_else(PoisonError::into_inner).replace(receiver);
        (Before(before), sender)
    }

    pub(super) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    pub(super) async fn closing(&self) {
        let mut closed = self.closed.subscribe();
        // The sender lives as long as this.
        let _ = closed.wait_for(|closed| *closed).await;
    }

    /// Remembers what was taken, or held on to, until when; false where the client is closed, and nothing is
    /// to be held.
    pub(super) fn hold(&self, queue: &Queue, tickets: impl Iterator<Item = Ticket>, until: Instant) -> bool {
        let mut held = self.lock();
        if self.is_closed() {
            return false;
        }
        let of_queue = held.entry(queue.clone()).or_default();
        of_queue.tickets.extend(tickets.map(|ticket| (ticket, until)));
        of_queue.forget_ended();
        true
    }

    pub(super) fn let_go<'t>(&self, queue: &Queue, tickets: impl Iterator<Item = &'t Ticket>) {
        let mut held = self.lock();
        if let Some(of_queue) = held.get_mut(queue) {
            for ticket in tickets {
                of_queue.tickets.remove(ticket);
            }
            if of_queue.tickets.is_empty() {
                held.remove(queue);
            }
        }
    }

    /// Closes it, and answers with all that it holds; nothing where it was closed before.
    pub(super) fn close(&self) -> Option<Vec<(Queue, Vec<Ticket>)>> {
        let mut held = self.lock();
        let was_open = !self.closed.send_replace(true);
        let tickets = |(queue, held): (Queue, Held)| (queue, held.tickets.into_keys().collect());
        was_open.then(|| held.drain().map(tickets).collect())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Queue, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
