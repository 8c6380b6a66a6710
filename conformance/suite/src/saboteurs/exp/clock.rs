//! Brokers that get the moment of expiry wrong. They keep it themselves, and the broker beneath them
//! knows of none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::time::Instant;
use uuid::Uuid;
use workwire_broker::{
    Answer, Broker, BrokerError, Delivery, Depth, Fetch, Message, Peek, Peeked, Policy, Queue, RestartMode, Stored,
    Tag, Verdict,
};

use crate::saboteurs::stash::{Taken, locked, millis};
use crate::saboteurs::{Defect, Inner};

/// By what a message's expiry is reckoned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    TheMessageSays,
    TheQueueSays,
    TheOneBefore,
    FromTheRetry,
    NeverAgain,
    FromTheRestart,
}

/// A ttl, and when it ends.
struct End {
    ttl: i64,
    at: Instant,
}

pub(super) struct Mistimed {
    when: When,
    of_queues: Mutex<HashMap<Queue, i64>>,
    ends: Mutex<HashMap<(Queue, Uuid), End>>,
    taken: Taken,
    dropped: Mutex<u64>,
}

impl Mistimed {
    pub(super) fn new(when: When) -> Self {
        Mistimed {
            when,
            of_queues: Mutex::default(),
            ends: Mutex::default(),
            taken: Taken::default(),
            dropped: Mutex::default(),
        }
    }

    fn ttl(&self, queue: &Queue, message: &Message) -> Option<i64> {
        let of_queue = locked(&self.of_queues).get(queue).copied();
        match self.when {
            When::TheMessageSays => message.ttl_ms.or(of_queue),
            When::TheQueueSays => of_queue.or(message.ttl_ms),
            _ => [message.ttl_ms, of_queue].into_iter().flatten().min(),
        }
    }

    /// Drops what is expired by this clock, as a fetch finds it.
    async fn drop_expired(&self, inner: &Inner, queue: &Queue) -> Result<(), BrokerError> {
        let now = Instant::now();
        let expired: Vec<Uuid> = {
            let ends = locked(&self.ends);
            ends.iter().filter(|((of, _), end)| of == queue && now >= end.at).map(|((_, id), _)| *id).collect()
        };
        for id in expired {
            for delivery in inner.client.fetch(queue, Fetch::up_to(1).only(id)).await? {
                inner.client.settle(queue, &delivery.tag, Verdict::Done).await?;
                *locked(&self.dropped) += 1;
            }
        }
        Ok(())
    }

    /// Whether this clock is wrong about this message, so that the broker beneath must not know it.
    fn keeps(&self, queue: &Queue, message: &Message) -> bool {
        match self.when {
            When::TheMessageSays | When::TheQueueSays => {
                message.ttl_ms.is_some() && locked(&self.of_queues).contains_key(queue)
            }
            When::TheOneBefore => locked(&self.ends).keys().any(|(of, _)| of == queue),
            When::FromTheRetry | When::NeverAgain | When::FromTheRestart => message.delay_ms.is_none(),
        }
    }
}

impl Defect for Mistimed {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            inner.client.declare(queue, &Policy { ttl_ms: None, ..policy.clone() }).await?;
            if let Some(ttl) = policy.ttl_ms {
                locked(&self.of_queues).insert(queue.clone(), ttl);
            }
            Ok(())
        })
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let Some(ttl) = self.ttl(queue, &message).filter(|ttl| *ttl > 0) else {
                return inner.client.publish(queue, message).await;
            };
            let id = message.id;
            let keeps = self.keeps(queue, &message);
            let stored = inner
                .client
                .publish(queue, Message { ttl_ms: if keeps { None } else { Some(ttl) }, ..message })
                .await?;
            let mut ends = locked(&self.ends);
            let mut at = Instant::now() + millis(ttl);
            if self.when == When::TheOneBefore {
                at = ends.iter().filter(|((of, _), _)| of == queue).map(|(_, end)| end.at).max().unwrap_or(at).max(at);
            }
            ends.insert((queue.clone(), id), End { ttl, at });
            Ok(stored)
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            self.drop_expired(inner, queue).await?;
            let deliveries = inner.client.fetch(queue, fetch).await?;
            self.taken.remember(&deliveries);
            Ok(deliveries)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        if let (Verdict::Retry { .. }, Some(delivery)) = (&verdict, self.taken.of(tag)) {
            let mut ends = locked(&self.ends);
            match (self.when, ends.get_mut(&(queue.clone(), delivery.id))) {
                (When::FromTheRetry, Some(end)) if Instant::now() < end.at => end.at = Instant::now() + millis(end.ttl),
                (When::NeverAgain, Some(end)) if Instant::now() >= end.at => end.at += millis(60_000),
                _ => {}
            }
        }
        inner.client.settle(queue, tag, verdict)
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            self.drop_expired(inner, queue).await?;
            inner.client.depth(queue, group).await
        })
    }

    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            self.drop_expired(inner, queue).await?;
            inner.client.peek(queue, peek).await
        })
    }

    fn sweep<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, u64> {
        Box::pin(async move {
            self.drop_expired(inner, queue).await?;
            Ok(inner.client.sweep(queue).await? + std::mem::take(&mut *locked(&self.dropped)))
        })
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        if self.when == When::FromTheRestart {
            for end in locked(&self.ends).values_mut() {
                end.at = Instant::now() + millis(end.ttl);
            }
        }
        broker.restart(mode)
    }
}
