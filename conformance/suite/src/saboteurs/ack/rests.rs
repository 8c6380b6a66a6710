//! Saboteurs of settling: of how long a message rests.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;
use uuid::Uuid;
use workwire_broker::{Answer, Code, Delivery, Fetch, Policy, Queue, Tag, Verdict};

use crate::saboteurs::{Defect, Inner, Saboteur};

pub(in crate::saboteurs) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "forgets_the_rest_of_a_retry",
        breaks: &["ACK-4"],
        about: "gives back at once what was to rest",
        make: || {
            Arc::new(Reads(|verdict| match verdict {
                Verdict::Retry { delay_ms: Some(1..), reason } => Verdict::Retry { delay_ms: Some(0), reason },
                other => other,
            }))
        },
    },
    Saboteur {
        name: "loses_what_rests",
        breaks: &["ACK-5"],
        about: "takes away what was to rest, and forgets to bring it back",
        make: || {
            Arc::new(Reads(|verdict| match verdict {
                Verdict::Retry { delay_ms: Some(1..), .. } => Verdict::Done,
                other => other,
            }))
        },
    },
    Saboteur {
        name: "takes_less_than_nothing_for_nothing",
        breaks: &["ACK-23"],
        about: "takes a delay below 0 for none",
        make: || {
            Arc::new(Reads(|verdict| match verdict {
                Verdict::Retry { delay_ms: Some(..0), reason } => Verdict::Retry { delay_ms: Some(0), reason },
                other => other,
            }))
        },
    },
    Saboteur {
        name: "lets_go_of_what_it_refuses",
        breaks: &["ACK-24"],
        about: "gives a delivery back whose settling it refuses",
        make: || Arc::new(LetsGo),
    },
    Saboteur {
        name: "takes_one_rest_for_all",
        breaks: &["ACK-25"],
        about: "knows no other rest than the first",
        make: || Arc::new(Lists(|rests| rests.truncate(1))),
    },
    Saboteur {
        name: "rests_as_often_as_it_is_told",
        breaks: &["ACK-26"],
        about: "rests as often as there are entries, and then no more",
        make: || {
            Arc::new(Lists(|rests| {
                if !rests.is_empty() {
                    rests.push(0);
                }
            }))
        },
    },
    Saboteur {
        name: "rests_by_the_policy_alone",
        breaks: &["ACK-27"],
        about: "takes the policy's rest where there is one, whatever a retry says",
        make: || Arc::new(RestsByThePolicy::default()),
    },
    Saboteur {
        name: "rests_after_every_end",
        breaks: &["ACK-28"],
        about: "has a message rest whose lease ended, as if it had been retried",
        make: || Arc::new(RestsAfterEveryEnd::default()),
    },
];

/// Reads a verdict otherwise than it was said.
struct Reads(fn(Verdict) -> Verdict);

impl Defect for Reads {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        inner.client.settle(queue, tag, (self.0)(verdict))
    }
}

struct LetsGo;

impl Defect for LetsGo {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let answer = inner.client.settle(queue, tag, verdict).await;
            if answer.as_ref().is_err_and(|error| error.code() == Code::Invalid) {
                inner.client.settle(queue, tag, Verdict::retry()).await?;
            }
            answer
        })
    }
}

/// Keeps the rests of a policy otherwise than they are.
struct Lists(fn(&mut Vec<i64>));

impl Defect for Lists {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut policy = policy.clone();
            (self.0)(&mut policy.backoff_ms);
            inner.client.declare(queue, &policy).await
        })
    }
}

#[derive(Default)]
struct RestsByThePolicy(Mutex<Vec<Queue>>);

impl Defect for RestsByThePolicy {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            if !policy.backoff_ms.is_empty() {
                self.0.lock().await.push(queue.clone());
            }
            inner.client.declare(queue, policy).await
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let verdict = match verdict {
                Verdict::Retry { reason, .. } if self.0.lock().await.contains(queue) => {
                    Verdict::Retry { delay_ms: None, reason }
                }
                other => other,
            };
            inner.client.settle(queue, tag, verdict).await
        })
    }
}

#[derive(Default)]
struct RestsAfterEveryEnd {
    rests: Mutex<HashMap<Queue, i64>>,
    held: Mutex<HashMap<Uuid, Tag>>,
}

impl Defect for RestsAfterEveryEnd {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            if let Some(rest) = policy.backoff_ms.first() {
                self.rests.lock().await.insert(queue.clone(), *rest);
            }
            inner.client.declare(queue, policy).await
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let all = inner.client.fetch(queue, fetch).await?;
            let Some(rest) = self.rests.lock().await.get(queue).copied() else { return Ok(all) };
            let (mut kept, mut held) = (Vec::new(), self.held.lock().await);
            for delivery in all {
                // Whoever held it has not settled it: its lease has ended.
                if held.remove(&delivery.id).is_some() {
                    let verdict = Verdict::Retry { delay_ms: Some(rest), reason: None };
                    inner.client.settle(queue, &delivery.tag, verdict).await?;
                } else {
                    held.insert(delivery.id, delivery.tag.clone());
                    kept.push(delivery);
                }
            }
            Ok(kept)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            self.held.lock().await.retain(|_, held| held != tag);
            inner.client.settle(queue, tag, verdict).await
        })
    }
}
