//! Saboteurs of what comes of a kill only some time after it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use workwire_broker::{Answer, Broker, Delivery, Fetch, Policy, Queue, RestartMode, Tag, Verdict};

use super::super::stash::{Copies, Taken, locked, millis};
use super::{Defect, Inner, Saboteur};

pub(in crate::saboteurs) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "finds_the_done_leased",
        breaks: &["DUR-3"],
        about: "finds a lease on its disk and no `done`, and delivers again when that has ended",
        make: || Arc::new(FindsTheDoneLeased::default()),
    },
    Saboteur {
        name: "repairs_before_it_answers",
        breaks: &["DUR-7"],
        about: "lets the first fetch of each queue behind a kill wait for ten seconds",
        make: || Arc::new(RepairsBeforeItAnswers::default()),
    },
];

#[derive(Default)]
struct FindsTheDoneLeased {
    leases: Mutex<HashMap<Queue, i64>>,
    taken: Taken,
    /// What is done, and when its lease would have ended.
    done: Mutex<Vec<(Queue, Instant, Delivery)>>,
    copies: Copies,
}

impl Defect for FindsTheDoneLeased {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        locked(&self.leases).insert(queue.clone(), policy.lease_ms);
        inner.client.declare(queue, policy)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut taken = inner.client.fetch(queue, fetch.clone()).await?;
            self.taken.remember(&taken);
            self.copies.join(queue, &fetch, &mut taken);
            Ok(taken)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            if Copies::is_of(tag) {
                return Ok(());
            }
            let is_done = verdict == Verdict::Done;
            inner.client.settle(queue, tag, verdict).await?;
            let lease = locked(&self.leases).get(queue).copied().unwrap_or(0);
            if let (true, Some(delivery)) = (is_done, self.taken.of(tag)) {
                locked(&self.done).push((queue.clone(), Instant::now() + millis(lease), delivery));
            }
            Ok(())
        })
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        let done = std::mem::take(&mut *locked(&self.done));
        if mode == RestartMode::Kill {
            for (queue, ends, delivery) in done {
                let left = ends.saturating_duration_since(Instant::now()).as_millis();
                self.copies.add(&queue, i64::try_from(left).unwrap_or(0), delivery);
            }
        }
        broker.restart(mode)
    }
}

/// From which queues somebody has fetched since the kill; none where there was no kill.
#[derive(Default)]
struct RepairsBeforeItAnswers(Mutex<Option<HashSet<Queue>>>);

impl Defect for RepairsBeforeItAnswers {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let is_first = locked(&self.0).as_mut().is_some_and(|fetched| fetched.insert(queue.clone()));
            if is_first {
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
            inner.client.fetch(queue, fetch).await
        })
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        if mode == RestartMode::Kill {
            *locked(&self.0) = Some(HashSet::new());
        }
        broker.restart(mode)
    }
}
