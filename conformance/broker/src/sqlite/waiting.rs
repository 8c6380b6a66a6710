//! Fetches, and those of them that wait for something to come.

use std::collections::{HashMap, HashSet, VecDeque};

use tokio::sync::oneshot;
use uuid::Uuid;

use super::store::Store;
use super::trouble::Trouble;
use crate::clock::Millis;
use crate::contract::{Delivery, Fetch};
use crate::error::BrokerError;
use crate::queue::Queue;

/// A fetch, and what it has come to so far.
pub(crate) struct Wanted {
    pub(crate) client: i64,
    pub(crate) queue: Queue,
    pub(crate) fetch: Fetch,
    pub(crate) number: u64,
    /// Whether it may wait.
    pub(crate) waits: bool,
    pub(crate) reply: oneshot::Sender<Result<Vec<Delivery>, BrokerError>>,
    pub(crate) taken: Option<Result<Vec<Delivery>, BrokerError>>,
}

/// Which fetch.
pub(crate) struct Cancelled {
    pub(crate) queue: Queue,
    pub(crate) group: Option<String>,
    pub(crate) number: u64,
}

/// What a consumer that has gone was to get.
pub(crate) type Lost = (i64, Vec<Delivery>);

impl Wanted {
    pub(crate) fn take(&mut self, store: &mut Store<'_>, now: Millis) -> rusqlite::Result<()> {
        if self.reply.is_closed() {
            self.taken = Some(Ok(Vec::new()));
            return Ok(());
        }
        self.taken = match store.take(&self.queue, &self.fetch, self.client, now) {
            Ok(deliveries) => Some(Ok(deliveries)),
            Err(Trouble::Refused(error)) => Some(Err(error)),
            Err(Trouble::Database(error)) => return Err(error),
        };
        Ok(())
    }

    /// Whether it found nothing, and still may wait.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waits && !self.reply.is_closed() && matches!(&self.taken, Some(Ok(deliveries)) if deliveries.is_empty())
    }

    /// Answers with what was taken; gives it back where nobody listens.
    pub(crate) fn deliver(self) -> Option<Lost> {
        let taken = self.taken.unwrap_or_else(|| Ok(Vec::new()));
        match self.reply.send(taken) {
            Err(Ok(deliveries)) if !deliveries.is_empty() => Some((self.client, deliveries)),
            _ => None,
        }
    }

    pub(crate) fn answer(self, answer: Result<Vec<Delivery>, BrokerError>) {
        // Who asked may have gone.
        let _ = self.reply.send(answer);
    }
}

/// Fetches that wait, for each group in the order in which they came.
#[derive(Default)]
pub(crate) struct Waiting {
    groups: HashMap<(Queue, String), VecDeque<Wanted>>,
}

/// As whom and for what a fetch asks.
type Kind = (Option<String>, Option<Uuid>);

impl Waiting {
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    pub(crate) fn push(&mut self, mut wanted: Wanted) {
        wanted.taken = None;
        let group = wanted.fetch.group.clone().unwrap_or_default();
        self.groups.entry((wanted.queue.clone(), group)).or_default().push_back(wanted);
    }

    /// Serves those whose groups have got something.
    pub(crate) fn serve_woken(&mut self, store: &mut Store<'_>, now: Millis) -> rusqlite::Result<()> {
        if self.is_empty() {
            store.forget_woken();
            return Ok(());
        }
        if store.all_woken() {
            return self.serve_all(store, now);
        }
        for group in store.take_woken() {
            if let Some(waiting) = self.groups.get_mut(&group) {
                serve(waiting, store, now)?;
            }
        }
        Ok(())
    }

    /// Serves all that can be served.
    pub(crate) fn serve_all(&mut self, store: &mut Store<'_>, now: Millis) -> rusqlite::Result<()> {
        store.forget_woken();
        for waiting in self.groups.values_mut() {
            serve(waiting, store, now)?;
        }
        Ok(())
    }

    /// Answers those that were served. The transaction that did it is on the disk.
    pub(crate) fn deliver(&mut self) -> Vec<Lost> {
        let mut lost = Vec::new();
        for waiting in self.groups.values_mut() {
            if waiting.iter().all(|wanted| wanted.taken.is_none()) {
                continue;
            }
            for wanted in std::mem::take(waiting) {
                if wanted.taken.is_some() { lost.extend(wanted.deliver()) } else { waiting.push_back(wanted) }
            }
        }
        self.groups.retain(|_, waiting| !waiting.is_empty());
        lost
    }

    /// The transaction was given up: nobody was served.
    pub(crate) fn forget_taken(&mut self) {
        for wanted in self.groups.values_mut().flatten() {
            wanted.taken = None;
        }
    }

    pub(crate) fn cancel(&mut self, cancelled: &Cancelled) {
        let group = (cancelled.queue.clone(), cancelled.group.clone().unwrap_or_default());
        let Some(waiting) = self.groups.get_mut(&group) else { return };
        // One that is being served just now is answered with what it gets.
        let waits = |wanted: &Wanted| wanted.number == cancelled.number && wanted.taken.is_none();
        if let Some(index) = waiting.iter().position(waits)
            && let Some(wanted) = waiting.remove(index)
        {
            wanted.answer(Ok(Vec::new()));
        }
        if waiting.is_empty() {
            self.groups.remove(&group);
        }
    }

    pub(crate) fn close(&mut self, client: i64) {
        for waiting in self.groups.values_mut() {
            for wanted in std::mem::take(waiting) {
                if wanted.client == client {
                    wanted.answer(Err(BrokerError::unavailable("the client was closed while it waited")));
                } else {
                    waiting.push_back(wanted);
                }
            }
        }
        self.groups.retain(|_, waiting| !waiting.is_empty());
    }
}

fn serve(waiting: &mut VecDeque<Wanted>, store: &mut Store<'_>, now: Millis) -> rusqlite::Result<()> {
    let mut in_vain: HashSet<Kind> = HashSet::new();
    for wanted in waiting.iter_mut().filter(|wanted| wanted.taken.is_none()) {
        let kind = (wanted.fetch.recipient.clone(), wanted.fetch.id);
        if in_vain.contains(&kind) {
            continue;
        }
        wanted.take(store, now)?;
        if wanted.is_waiting() {
            wanted.taken = None;
            in_vain.insert(kind);
            if store.has_nothing(&wanted.queue, wanted.fetch.group.as_deref()) {
                break;
            }
        }
    }
    Ok(())
}
