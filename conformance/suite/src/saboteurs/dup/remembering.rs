//! Brokers that remember ids themselves, and get it wrong. The broker beneath them remembers none.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::time::Instant;
use uuid::Uuid;
use workwire_broker::{
    Answer, Broker, BrokerError, Delivery, Fetch, Message, Policy, Queue, RestartMode, Stored, Tag, Verdict,
};

use crate::saboteurs::stash::{Copies, Taken, locked, millis};
use crate::saboteurs::{Defect, Inner};

/// How ids are remembered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    TooLate,
    Silent,
    InTwoSteps,
    ForEver,
    Prolonged,
    Halved,
    WhileItLives,
    UntilItDies,
    AThousand,
    OfAllQueues,
    OfAllTenants,
    First,
    AfterFull,
    WithTheBytes,
    Overwritten,
    Conflicting,
    NeverOff,
    BatchAtOnce,
    UntilARestart,
    UntilAKill,
}

/// What stands for a message: where, which, and what is in it, as far as that counts.
type Key = (Option<Arc<str>>, Arc<str>, Uuid, Bytes);

#[derive(Default)]
struct Seen {
    until: HashMap<Key, Instant>,
    order: VecDeque<Key>,
}

pub(super) struct Remembering {
    memory: Memory,
    windows: Mutex<HashMap<Queue, i64>>,
    lengths: Mutex<HashMap<Queue, i64>>,
    seen: Mutex<Seen>,
    bodies: Mutex<HashMap<(Queue, Uuid), Bytes>>,
    copies: Copies,
    taken: Taken,
}

impl Remembering {
    pub(super) fn new(memory: Memory) -> Self {
        Remembering {
            memory,
            windows: Mutex::default(),
            lengths: Mutex::default(),
            seen: Mutex::default(),
            bodies: Mutex::default(),
            copies: Copies::default(),
            taken: Taken::default(),
        }
    }

    fn key(&self, queue: &Queue, id: Uuid, body: &Bytes) -> Key {
        let tenant = if self.memory == Memory::OfAllTenants { None } else { queue.tenant().map(Arc::from) };
        let body = if self.memory == Memory::WithTheBytes { body.clone() } else { Bytes::new() };
        match self.memory {
            Memory::OfAllQueues => (None, Arc::from(""), id, body),
            _ => (tenant, Arc::from(queue.name()), id, body),
        }
    }

    fn window(&self, queue: &Queue) -> i64 {
        let window = locked(&self.windows).get(queue).copied().unwrap_or(300_000);
        match self.memory {
            Memory::ForEver if window > 0 => 3_600_000_000,
            Memory::Halved => window / 2,
            Memory::NeverOff if window == 0 => 300_000,
            _ => window,
        }
    }

    fn has(&self, key: &Key) -> bool {
        locked(&self.seen).until.get(key).is_some_and(|until| Instant::now() < *until)
    }

    fn remember(&self, queue: &Queue, key: Key) {
        let window = self.window(queue);
        if window == 0 {
            return;
        }
        let mut seen = locked(&self.seen);
        seen.until.insert(key.clone(), Instant::now() + millis(window));
        seen.order.push_back(key);
        let is_full = self.memory == Memory::AThousand && seen.order.len() > 1_000;
        if let Some(oldest) = is_full.then(|| seen.order.pop_front()).flatten() {
            seen.until.remove(&oldest);
        }
    }

    /// What is answered to an id that is known.
    async fn duplicate(&self, inner: &Inner, queue: &Queue, key: Key, message: Message) -> Result<Stored, BrokerError> {
        let known = locked(&self.bodies).get(&(queue.clone(), message.id)).cloned();
        let is_other = known.is_some_and(|body| body != message.body);
        match self.memory {
            Memory::TooLate => {
                let Message { id, body, priority, .. } = message;
                let copy = Delivery { tag: Tag(String::new()), id, body, priority: priority.unwrap_or(3), attempt: 1 };
                self.copies.add(queue, 0, copy);
            }
            Memory::Silent => return Ok(Stored::Stored),
            Memory::Prolonged => self.remember(queue, key),
            Memory::Overwritten if is_other => {
                locked(&self.bodies).insert((queue.clone(), message.id), message.body);
            }
            Memory::Conflicting if is_other => return Err(BrokerError::conflict("the id has another body")),
            Memory::AfterFull => {
                let length = locked(&self.lengths).get(queue).copied();
                let ready = inner.client.depth(queue, None).await?.ready;
                if length.is_some_and(|length| u64::try_from(length).is_ok_and(|length| ready >= length)) {
                    return Err(BrokerError::full("the queue is full"));
                }
            }
            _ => {}
        }
        Ok(Stored::Duplicate)
    }

    async fn store(&self, inner: &Inner, queue: &Queue, key: Key, message: Message) -> Result<Stored, BrokerError> {
        if self.memory == Memory::First {
            self.remember(queue, key.clone());
        }
        let (id, body) = (message.id, message.body.clone());
        let stored = inner.client.publish(queue, message).await?;
        self.remember(queue, key);
        locked(&self.bodies).insert((queue.clone(), id), body);
        Ok(stored)
    }
}

impl Defect for Remembering {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            inner.client.declare(queue, &Policy { dedupe_ms: 0, ..policy.clone() }).await?;
            locked(&self.windows).insert(queue.clone(), policy.dedupe_ms);
            if let Some(length) = policy.max_length {
                locked(&self.lengths).insert(queue.clone(), length);
            }
            Ok(())
        })
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let key = self.key(queue, message.id, &message.body);
            let is_known = self.has(&key);
            if self.memory == Memory::InTwoSteps {
                tokio::task::yield_now().await;
            }
            if is_known {
                return self.duplicate(inner, queue, key, message).await;
            }
            self.store(inner, queue, key, message).await
        })
    }

    fn publish_batch<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async move {
            let known: Vec<bool> = messages.iter().map(|one| self.has(&self.key(queue, one.id, &one.body))).collect();
            let mut answers = Vec::with_capacity(messages.len());
            for (message, is_known) in messages.into_iter().zip(known) {
                let key = self.key(queue, message.id, &message.body);
                answers.push(match self.memory {
                    Memory::BatchAtOnce if !is_known => self.store(inner, queue, key, message).await,
                    _ => self.publish(inner, queue, message).await,
                });
            }
            Ok(answers)
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut deliveries = inner.client.fetch(queue, fetch.clone()).await?;
            self.taken.remember(&deliveries);
            self.copies.join(queue, &fetch, &mut deliveries);
            if self.memory == Memory::Overwritten {
                let bodies = locked(&self.bodies);
                for delivery in &mut deliveries {
                    if let Some(body) = bodies.get(&(queue.clone(), delivery.id)) {
                        delivery.body = body.clone();
                    }
                }
            }
            Ok(deliveries)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            if Copies::is_of(tag) {
                return Ok(());
            }
            let is_forgotten = match verdict {
                Verdict::Done => self.memory == Memory::WhileItLives,
                Verdict::Dead { .. } => self.memory == Memory::UntilItDies,
                Verdict::Retry { .. } => false,
            };
            inner.client.settle(queue, tag, verdict).await?;
            if let (true, Some(delivery)) = (is_forgotten, self.taken.of(tag)) {
                locked(&self.seen).until.remove(&self.key(queue, delivery.id, &delivery.body));
            }
            Ok(())
        })
    }

    fn delete<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, ()> {
        Box::pin(async move {
            inner.client.delete(queue).await?;
            let of_queue = |key: &Key| key.0.as_deref() == queue.tenant() && &*key.1 == queue.name();
            locked(&self.seen).until.retain(|key, _| !of_queue(key));
            Ok(())
        })
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        match (self.memory, mode) {
            (Memory::UntilARestart, _) | (Memory::UntilAKill, RestartMode::Kill) => locked(&self.seen).until.clear(),
            _ => {}
        }
        broker.restart(mode)
    }
}
