//! A layer that chooses itself what a fetch takes: it looks at what is ready, brings that into an order
//! of its own, and takes the first by their ids. Saboteurs of order and priority are made of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::time::{Duration, Instant};
use uuid::Uuid;
use workwire_broker::{
    Answer, Broker, CloseMode, Delivery, Fetch, Message, Peek, Queue, RestartMode, Stored, Tag, Verdict,
};

use super::{Defect, Inner};

/// What was seen of a message.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each was seen by itself")]
pub(super) struct Known {
    /// Which of its queue it is, from 1.
    pub(super) number: u64,
    /// How urgent it was said to be.
    pub(super) priority: Option<i64>,
    /// Who published it.
    pub(super) publisher: Arc<str>,
    /// How many bytes it has.
    pub(super) bytes: usize,
    /// When it was published.
    pub(super) at: Instant,
    /// Whether somebody held something of its queue then.
    pub(super) while_held: bool,
    /// Whether the broker was restarted since.
    pub(super) restarted: bool,
    /// Whether somebody gave it back.
    pub(super) retried: bool,
    /// Whether it was delivered before.
    pub(super) delivered: bool,
    /// Whether it was sent back from the dead letters.
    pub(super) replayed: bool,
    /// Until when it rests.
    pub(super) rests_until: Instant,
}

/// A message that is ready.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) id: Uuid,
    pub(super) priority: i64,
    pub(super) attempt: u32,
    pub(super) known: Known,
}

/// What is known of a queue when somebody fetches from it.
pub(super) struct About {
    /// Everything that was published to it.
    pub(super) all: Vec<Known>,
    /// How many may be taken.
    pub(super) max: u32,
    /// How many messages the one who fetches holds.
    pub(super) holds: usize,
    /// Whether a client is gone that held something of it.
    pub(super) was_left: bool,
}

/// Brings what is ready into the order in which it is taken.
type How = fn(&About, Vec<Seen>) -> Vec<Seen>;

#[derive(Default)]
struct Ledger {
    messages: HashMap<Queue, HashMap<Uuid, Known>>,
    held: HashMap<Tag, (Arc<str>, Queue, Uuid)>,
    left: HashSet<Queue>,
}

impl Ledger {
    fn known(&mut self, queue: &Queue, id: Uuid) -> Option<&mut Known> {
        self.messages.get_mut(queue)?.get_mut(&id)
    }
}

/// The layer.
pub(super) struct Chooses {
    how: How,
    ledger: Mutex<Ledger>,
}

impl Chooses {
    pub(super) fn by(how: How) -> Self {
        Chooses { how, ledger: Mutex::default() }
    }

    async fn wanted(&self, inner: &Inner, queue: &Queue, max: u32) -> Option<Vec<Uuid>> {
        let ready = inner.client.peek(queue, Peek { max: 1_000, ..Peek::default() }).await.ok()?;
        let mut ledger = self.ledger.lock().await;
        let holds = ledger.held.values().filter(|(name, of, _)| *name == inner.name && of == queue).count();
        let was_left = ledger.left.contains(queue);
        let messages = ledger.messages.entry(queue.clone()).or_default();
        let about = About { all: messages.values().cloned().collect(), max, holds, was_left };
        let seen = |one: workwire_broker::Peeked| {
            let known = messages.get(&one.id)?.clone();
            Some(Seen { id: one.id, priority: one.priority, attempt: one.attempt, known })
        };
        let seen = ready.into_iter().filter_map(seen).collect();
        Some((self.how)(&about, seen).into_iter().map(|seen| seen.id).collect())
    }
}

impl Defect for Chooses {
    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut ledger = self.ledger.lock().await;
            ledger.messages.values_mut().flat_map(HashMap::values_mut).for_each(|known| known.restarted = true);
            ledger.held.clear();
            broker.restart(mode).await
        })
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let (id, bytes, priority) = (message.id, message.body.len(), message.priority);
            let delay = message.delay_ms.unwrap_or(0);
            let stored = inner.client.publish(queue, message).await?;
            let mut ledger = self.ledger.lock().await;
            let while_held = ledger.held.values().any(|(_, of, _)| of == queue);
            let messages = ledger.messages.entry(queue.clone()).or_default();
            let at = Instant::now();
            let known = Known {
                number: u64::try_from(messages.len()).unwrap_or(u64::MAX) + 1,
                priority,
                publisher: Arc::clone(&inner.name),
                bytes,
                at,
                while_held,
                restarted: false,
                retried: false,
                delivered: false,
                replayed: false,
                rests_until: at + milliseconds(delay),
            };
            messages.entry(id).or_insert(known);
            Ok(stored)
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let is_plain = fetch.wait_ms == 0
                && fetch.max > 0
                && fetch.group.is_none()
                && fetch.recipient.is_none()
                && fetch.id.is_none();
            let wanted = if is_plain { self.wanted(inner, queue, fetch.max).await } else { None };
            let mut taken = Vec::new();
            match wanted {
                None => taken = inner.client.fetch(queue, fetch).await?,
                Some(ids) => {
                    for id in ids.into_iter().take(usize::try_from(fetch.max).unwrap_or(usize::MAX)) {
                        taken.extend(inner.client.fetch(queue, Fetch::up_to(1).only(id)).await?);
                    }
                }
            }
            let mut ledger = self.ledger.lock().await;
            for delivery in &taken {
                let holder = (Arc::clone(&inner.name), queue.clone(), delivery.id);
                ledger.held.insert(delivery.tag.clone(), holder);
                if let Some(known) = ledger.known(queue, delivery.id) {
                    known.delivered = true;
                }
            }
            Ok(taken)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            inner.client.settle(queue, tag, verdict.clone()).await?;
            let mut ledger = self.ledger.lock().await;
            if let (Some((_, queue, id)), Verdict::Retry { delay_ms, .. }) = (ledger.held.remove(tag), verdict)
                && let Some(known) = ledger.known(&queue, id)
            {
                known.retried = true;
                known.rests_until = Instant::now() + milliseconds(delay_ms.unwrap_or(0));
            }
            Ok(())
        })
    }

    fn replay<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            inner.client.replay(queue, id, group).await?;
            if let Some(known) = self.ledger.lock().await.known(queue, id) {
                known.replayed = true;
            }
            Ok(())
        })
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut ledger = self.ledger.lock().await;
            let of_client = |(name, queue, _): &(Arc<str>, Queue, Uuid)| (*name == inner.name).then(|| queue.clone());
            let left: Vec<Queue> = ledger.held.values().filter_map(of_client).collect();
            ledger.left.extend(left);
            ledger.held.retain(|_, (name, ..)| *name != inner.name);
            inner.client.close(mode).await
        })
    }
}

fn milliseconds(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
