//! Defects of how messages die.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use workwire_broker::clock::{Clock, RuntimeClock, timestamp};
use workwire_broker::{Answer, CloseMode, Delivery, Fetch, Letter, Policy, Queue, Tag, Verdict};

use crate::saboteurs::stash::{Copies, Taken, locked};
use crate::saboteurs::{Defect, Inner};

/// The policy of each queue, and what was delivered.
#[derive(Default)]
struct Known {
    policies: Mutex<HashMap<Queue, Policy>>,
    taken: Taken,
}

impl Known {
    fn policy(&self, queue: &Queue) -> Policy {
        locked(&self.policies).get(queue).cloned().unwrap_or_default()
    }

    fn declared(&self, queue: &Queue, policy: &Policy) {
        locked(&self.policies).insert(queue.clone(), policy.clone());
    }

    fn attempt(&self, tag: &Tag) -> i64 {
        self.taken.of(tag).map_or(1, |delivery| i64::from(delivery.attempt))
    }

    async fn fetch(
        &self,
        inner: &Inner,
        queue: &Queue,
        fetch: Fetch,
    ) -> Result<Vec<Delivery>, workwire_broker::BrokerError> {
        let deliveries = inner.client.fetch(queue, fetch).await?;
        self.taken.remember(&deliveries);
        Ok(deliveries)
    }
}

/// `dead` is a retry while more than three attempts are left.
#[derive(Default)]
pub(super) struct HopesOn(Known);

impl Defect for HopesOn {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.0.declared(queue, policy);
        inner.client.declare(queue, policy)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(self.0.fetch(inner, queue, fetch))
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        let left = self.0.policy(queue).max_attempts - self.0.attempt(tag);
        let verdict = match verdict {
            Verdict::Dead { reason } if left > 3 => Verdict::Retry { delay_ms: None, reason },
            other => other,
        };
        inner.client.settle(queue, tag, verdict)
    }
}

/// What is dead comes again when its lease would have ended.
#[derive(Default)]
pub(super) struct LeavesTheLease {
    known: Known,
    copies: Copies,
}

impl Defect for LeavesTheLease {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.known.declared(queue, policy);
        inner.client.declare(queue, policy)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut deliveries = self.known.fetch(inner, queue, fetch.clone()).await?;
            self.copies.join(queue, &fetch, &mut deliveries);
            Ok(deliveries)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            if Copies::is_of(tag) {
                return Ok(());
            }
            let is_dead = matches!(verdict, Verdict::Dead { .. });
            inner.client.settle(queue, tag, verdict).await?;
            if let (true, Some(delivery)) = (is_dead, self.known.taken.of(tag)) {
                let copy = Delivery { attempt: delivery.attempt + 1, ..delivery };
                self.copies.add(queue, self.known.policy(queue).lease_ms, copy);
            }
            Ok(())
        })
    }
}

/// Expired leases and lost connections use up attempts, and kill nobody.
#[derive(Default)]
pub(super) struct CountsNoLosses(Known);

impl Defect for CountsNoLosses {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            let endless = Policy { max_attempts: i64::from(u32::MAX >> 1), ..policy.clone() };
            inner.client.declare(queue, &endless).await?;
            self.0.declared(queue, policy);
            Ok(())
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(self.0.fetch(inner, queue, fetch))
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        let is_last = self.0.attempt(tag) >= self.0.policy(queue).max_attempts;
        let verdict = match verdict {
            Verdict::Retry { reason, .. } if is_last => Verdict::Dead { reason },
            other => other,
        };
        inner.client.settle(queue, tag, verdict)
    }
}

/// Connections end in one way only.
pub(super) struct Closes(pub(super) CloseMode);

impl Defect for Closes {
    fn close<'a>(&'a self, inner: &'a Inner, _mode: CloseMode) -> Answer<'a, ()> {
        inner.client.close(self.0)
    }
}

/// Who gave up a message while others waited gets nothing more from that queue.
#[derive(Default)]
pub(super) struct StopsAtPoison(Mutex<HashSet<(Queue, String)>>);

impl Defect for StopsAtPoison {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let is_stuck = locked(&self.0).contains(&(queue.clone(), inner.name.to_string()));
        Box::pin(async move { if is_stuck { Ok(Vec::new()) } else { inner.client.fetch(queue, fetch).await } })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let is_dead = matches!(verdict, Verdict::Dead { .. });
            inner.client.settle(queue, tag, verdict).await?;
            if is_dead && inner.client.depth(queue, None).await?.ready > 0 {
                locked(&self.0).insert((queue.clone(), inner.name.to_string()));
            }
            Ok(())
        })
    }
}

/// Letters die when somebody looks.
pub(super) struct DiesWhenLookedAt(pub(super) RuntimeClock);

impl Defect for DiesWhenLookedAt {
    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let letters = inner.client.dead_letters(queue, max, group).await?;
            let now = timestamp(self.0.now());
            Ok(letters.into_iter().map(|letter| Letter { died_at: Some(now), ..letter }).collect())
        })
    }
}
