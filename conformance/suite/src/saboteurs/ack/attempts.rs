//! Saboteurs of settling: of what is counted, and of what a message is when it comes again.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Mutex;
use uuid::Uuid;
use workwire_broker::{Answer, CloseMode, Delivery, Fetch, Policy, Queue, Tag, Verdict};

use crate::saboteurs::{Defect, Inner, Saboteur};

pub(in crate::saboteurs) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "forgets_the_attempts",
        breaks: &["ACK-17"],
        about: "calls the third delivery and all that follow the second",
        make: || Arc::new(Retells(|one| one.attempt = one.attempt.min(2))),
    },
    Saboteur {
        name: "marks_what_comes_again",
        breaks: &["ACK-21"],
        about: "writes into the bytes of a message that they were delivered before",
        make: || Arc::new(Retells(mark)),
    },
    Saboteur {
        name: "counts_retries_alone",
        breaks: &["ACK-18", "ACK-19"],
        about: "counts what was retried, and not what was lost",
        make: || Arc::new(CountsRetriesAlone::default()),
    },
    Saboteur {
        name: "takes_every_close_for_a_loss",
        breaks: &["ACK-20"],
        about: "counts an attempt for what a client held that said goodbye",
        make: || Arc::new(TakesEveryCloseForALoss),
    },
    Saboteur {
        name: "gives_up_one_attempt_late",
        breaks: &["ACK-22"],
        about: "delivers a message once more than its attempts allow",
        make: || Arc::new(GivesUpLate),
    },
];

/// Tells a delivery otherwise than it is.
struct Retells(fn(&mut Delivery));

fn mark(delivery: &mut Delivery) {
    if delivery.attempt > 1 {
        delivery.body = Bytes::from([&delivery.body[..], b"\nredelivered: true"].concat());
    }
}

impl Defect for Retells {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut all = inner.client.fetch(queue, fetch).await?;
            all.iter_mut().for_each(self.0);
            Ok(all)
        })
    }
}

#[derive(Default)]
struct CountsRetriesAlone {
    ids: Mutex<HashMap<Tag, Uuid>>,
    retries: Mutex<HashMap<Uuid, u32>>,
}

impl Defect for CountsRetriesAlone {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut all = inner.client.fetch(queue, fetch).await?;
            let (mut ids, retries) = (self.ids.lock().await, self.retries.lock().await);
            for delivery in &mut all {
                ids.insert(delivery.tag.clone(), delivery.id);
                delivery.attempt = delivery.attempt.min(1 + retries.get(&delivery.id).copied().unwrap_or(0));
            }
            Ok(all)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let is_retry = matches!(verdict, Verdict::Retry { .. });
            inner.client.settle(queue, tag, verdict).await?;
            if let (true, Some(id)) = (is_retry, self.ids.lock().await.get(tag)) {
                *self.retries.lock().await.entry(*id).or_default() += 1;
            }
            Ok(())
        })
    }
}

struct TakesEveryCloseForALoss;

impl Defect for TakesEveryCloseForALoss {
    fn close<'a>(&'a self, inner: &'a Inner, _mode: CloseMode) -> Answer<'a, ()> {
        inner.client.close(CloseMode::Abort)
    }
}

struct GivesUpLate;

impl Defect for GivesUpLate {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            let more = i64::from(policy.max_attempts > 0);
            let policy = Policy { max_attempts: policy.max_attempts + more, ..policy.clone() };
            inner.client.declare(queue, &policy).await
        })
    }
}
