//! Brokers that let messages expire, and tell it wrong.

use std::collections::HashMap;
use std::sync::Mutex;

use tokio::time::Instant;
use uuid::Uuid;
use workwire_broker::{
    Answer, BrokerError, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked, Queue, Stored, Tag, Verdict,
};

use crate::saboteurs::stash::{Copies, locked, millis};
use crate::saboteurs::{Defect, Inner};

/// Where it is told wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    HeldAreStale,
    Letters,
    Ready,
    NoSweep,
    SweepsAll,
    Sums,
    Peeks,
    ById,
}

/// A message with a ttl that nobody has taken.
struct Mortal {
    message: Message,
    end: Instant,
}

pub(super) struct Miscounted {
    what: What,
    mortals: Mutex<HashMap<(Queue, Uuid), Mortal>>,
    held: Mutex<HashMap<Tag, Instant>>,
    swept: Mutex<HashMap<Queue, u64>>,
    copies: Copies,
}

impl Miscounted {
    pub(super) fn new(what: What) -> Self {
        Miscounted {
            what,
            mortals: Mutex::default(),
            held: Mutex::default(),
            swept: Mutex::default(),
            copies: Copies::default(),
        }
    }

    /// What has expired in a queue while nobody held it.
    fn expired(&self, queue: &Queue) -> Vec<Message> {
        let mortals = locked(&self.mortals);
        let expired = mortals.iter().filter(|((of, _), mortal)| of == queue && Instant::now() >= mortal.end);
        expired.map(|(_, mortal)| mortal.message.clone()).collect()
    }

    fn forget(&self, queue: &Queue, id: Uuid) -> Option<Mortal> {
        locked(&self.mortals).remove(&(queue.clone(), id))
    }
}

impl Defect for Miscounted {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let stored = inner.client.publish(queue, message.clone()).await?;
            if let Some(ttl) = message.ttl_ms {
                let end = Instant::now() + millis(ttl);
                locked(&self.mortals).insert((queue.clone(), message.id), Mortal { message, end });
            }
            Ok(stored)
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let asked_for = fetch.id.filter(|_| self.what == What::ById);
            let expired = self.expired(queue).into_iter().find(|message| asked_for == Some(message.id));
            if let Some(Message { id, body, priority, .. }) = expired {
                let priority = priority.unwrap_or(3);
                self.copies.add(queue, 0, Delivery { tag: Tag(String::new()), id, body, priority, attempt: 1 });
                self.forget(queue, id);
            }
            let mut deliveries = inner.client.fetch(queue, fetch.clone()).await?;
            for delivery in &deliveries {
                if let Some(mortal) = self.forget(queue, delivery.id) {
                    locked(&self.held).insert(delivery.tag.clone(), mortal.end);
                }
            }
            self.copies.join(queue, &fetch, &mut deliveries);
            Ok(deliveries)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        let is_over = locked(&self.held).get(tag).is_some_and(|end| Instant::now() >= *end);
        if self.what == What::HeldAreStale && is_over {
            return Box::pin(async { Err(BrokerError::stale()) });
        }
        inner.client.settle(queue, tag, verdict)
    }

    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let mut letters = inner.client.dead_letters(queue, max, group).await?;
            if self.what == What::Letters {
                let letter = |message: Message| Letter {
                    id: message.id,
                    body: message.body,
                    reason: "expired".to_owned(),
                    attempts: 0,
                    priority: message.priority,
                    died_at: None,
                    group: None,
                };
                letters.extend(self.expired(queue).into_iter().map(letter));
            }
            Ok(letters)
        })
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            let depth = inner.client.depth(queue, group).await?;
            let expired = u64::try_from(self.expired(queue).len()).unwrap_or(0);
            Ok(if self.what == What::Ready { Depth { ready: depth.ready + expired, ..depth } } else { depth })
        })
    }

    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            let mut shown = inner.client.peek(queue, peek).await?;
            if self.what == What::Peeks {
                let look = |message: Message| {
                    let priority = message.priority.unwrap_or(3);
                    Peeked { id: message.id, body: message.body, priority, attempt: 1 }
                };
                shown.extend(self.expired(queue).into_iter().map(look));
            }
            Ok(shown)
        })
    }

    fn sweep<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, u64> {
        Box::pin(async move {
            let removed = inner.client.sweep(queue).await?;
            for message in self.expired(queue) {
                self.forget(queue, message.id);
            }
            match self.what {
                What::NoSweep => Ok(0),
                What::Sums => {
                    let mut swept = locked(&self.swept);
                    let sum = swept.entry(queue.clone()).or_default();
                    *sum += removed;
                    Ok(*sum)
                }
                What::SweepsAll => {
                    let mortal: Vec<Uuid> =
                        locked(&self.mortals).keys().filter(|(of, _)| of == queue).map(|(_, id)| *id).collect();
                    for id in mortal {
                        for delivery in inner.client.fetch(queue, Fetch::up_to(1).only(id)).await? {
                            inner.client.settle(queue, &delivery.tag, Verdict::Done).await?;
                        }
                    }
                    Ok(removed)
                }
                _ => Ok(removed),
            }
        })
    }
}
