//! Brokers whose messages rest as they should, and that get something around it wrong.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use tokio::time::{Instant, sleep_until};
use uuid::Uuid;
use workwire_broker::{Answer, Delivery, Depth, Fetch, Message, Policy, Queue, Stored, Tag, Verdict};

use crate::saboteurs::stash::{Copies, Taken, locked, millis};
use crate::saboteurs::{Defect, Inner};

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Twice,
    Ready,
    Asleep,
    First,
    PolicyWins,
    LossesRest,
}

/// What comes back from whom it was taken by, and when it may go on.
type Back = (Queue, Instant, Delivery);

pub(super) struct Told {
    what: What,
    policies: Mutex<HashMap<Queue, Policy>>,
    delayed: Mutex<HashMap<(Queue, Uuid), i64>>,
    copies: Copies,
    taken: Taken,
    /// What is held by a client, as far as nobody said otherwise.
    held: Mutex<HashSet<(Queue, Uuid)>>,
    back: Mutex<Vec<Back>>,
}

impl Told {
    pub(super) fn new(what: What) -> Self {
        Told {
            what,
            policies: Mutex::default(),
            delayed: Mutex::default(),
            copies: Copies::default(),
            taken: Taken::default(),
            held: Mutex::default(),
            back: Mutex::default(),
        }
    }

    fn policy(&self, queue: &Queue) -> Policy {
        locked(&self.policies).get(queue).cloned().unwrap_or_default()
    }

    /// Keeps what comes back from a loss until its rest is over, and gives out what has rested.
    fn rest(&self, queue: &Queue, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        let rest = self.policy(queue);
        let mut back = locked(&self.back);
        let mut rested = Vec::new();
        for delivery in deliveries {
            let is_lost = !locked(&self.held).insert((queue.clone(), delivery.id));
            let ms = if is_lost { rest.backoff(delivery.attempt - 1) } else { 0 };
            if ms == 0 {
                rested.push(delivery);
            } else {
                back.push((queue.clone(), Instant::now() + millis(ms), delivery));
            }
        }
        while let Some(place) = back.iter().position(|(of, due, _)| of == queue && Instant::now() >= *due) {
            rested.push(back.remove(place).2);
        }
        rested
    }
}

impl Defect for Told {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        locked(&self.policies).insert(queue.clone(), policy.clone());
        inner.client.declare(queue, policy)
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        if let Some(delay) = message.delay_ms.filter(|delay| *delay > 0) {
            locked(&self.delayed).insert((queue.clone(), message.id), delay);
        }
        inner.client.publish(queue, message)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut deliveries = Vec::new();
            if self.what == What::First && fetch.id.is_none() {
                let ids: Vec<Uuid> =
                    locked(&self.delayed).keys().filter(|(of, _)| of == queue).map(|(_, id)| *id).collect();
                for id in ids {
                    let only = Fetch { max: 1, wait_ms: 0, ..fetch.clone() }.only(id);
                    deliveries.extend(inner.client.fetch(queue, only).await?);
                    if !deliveries.is_empty() {
                        return Ok(deliveries);
                    }
                }
            }
            if self.what == What::Asleep && fetch.wait_ms > 0 {
                deliveries = inner.client.fetch(queue, Fetch { wait_ms: 0, ..fetch.clone() }).await?;
                let resting = inner.client.depth(queue, None).await?.delayed.unwrap_or(0);
                if deliveries.is_empty() && resting > 0 {
                    sleep_until(Instant::now() + millis(fetch.wait_ms)).await;
                    return Ok(deliveries);
                }
            }
            if deliveries.is_empty() {
                deliveries = inner.client.fetch(queue, fetch.clone()).await?;
            }
            self.taken.remember(&deliveries);
            match self.what {
                What::LossesRest => deliveries = self.rest(queue, deliveries),
                What::Twice => self.copies.join(queue, &fetch, &mut deliveries),
                _ => {}
            }
            Ok(deliveries)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            if Copies::is_of(tag) {
                return Ok(());
            }
            let policy = self.policy(queue);
            let verdict = match verdict {
                Verdict::Retry { reason, .. } if self.what == What::PolicyWins && !policy.backoff_ms.is_empty() => {
                    Verdict::Retry { delay_ms: None, reason }
                }
                other => other,
            };
            inner.client.settle(queue, tag, verdict).await?;
            if let Some(delivery) = self.taken.of(tag) {
                let key = (queue.clone(), delivery.id);
                locked(&self.held).remove(&key);
                let delay = locked(&self.delayed).remove(&key);
                if self.what == What::Twice && delay.is_some_and(|delay| delay > policy.lease_ms) {
                    self.copies.add(queue, policy.lease_ms, Delivery { attempt: 2, ..delivery });
                }
            }
            Ok(())
        })
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            let depth = inner.client.depth(queue, group).await?;
            let resting = depth.delayed.unwrap_or(0);
            let is_ready = self.what == What::Ready;
            Ok(if is_ready { Depth { ready: depth.ready + resting, delayed: Some(0), ..depth } } else { depth })
        })
    }
}
