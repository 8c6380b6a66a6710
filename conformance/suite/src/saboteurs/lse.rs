//! Saboteurs of leases: of when they end, and of what comes back from whom.

pub(super) mod extending;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;
use uuid::Uuid;
use workwire_broker::{
    Answer, BrokerError, Client, CloseMode, Delivery, Fetch, Message, Policy, Queue, Stored, Tag, Verdict,
};

use super::{Defect, Inner, Saboteur};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "ends_one_lease_of_a_fetch",
        breaks: &["LSE-1"],
        about: "keeps a lease for the first message of a fetch, and none for those that came with it",
        make: || Arc::new(EndsOneLeaseOfAFetch),
    },
    Saboteur {
        name: "ends_leases_early",
        breaks: &["LSE-2", "LSE-5"],
        about: "ends a lease when nine tenths of it are over",
        make: || Arc::new(EndsLeasesEarly),
    },
    Saboteur {
        name: "wakes_nobody_when_a_lease_ends",
        breaks: &["LSE-3"],
        about: "wakes who waits when something is published or settled, and not when a lease ends",
        make: || Arc::new(WakesNobody::default()),
    },
    Saboteur {
        name: "counts_a_lease_from_the_asking",
        breaks: &["LSE-4"],
        about: "counts the time that a fetch waited for a part of its lease",
        make: || Arc::new(CutsLeases { how: |lease, waited, _| lease - waited, ..CutsLeases::new() }),
    },
    Saboteur {
        name: "halves_the_lease_of_who_comes_next",
        breaks: &["LSE-5"],
        about: "gives a shorter lease to a message that comes again",
        make: || {
            Arc::new(CutsLeases {
                how: |lease, _, attempt| if attempt > 1 { lease / 2 } else { lease },
                ..CutsLeases::new()
            })
        },
    },
    Saboteur {
        name: "forgets_what_the_lost_held",
        breaks: &["LSE-13"],
        about: "takes what it has sent to a client for done when the client is lost",
        make: || Arc::new(ForgetsTheLost::default()),
    },
    Saboteur {
        name: "lets_the_leases_of_who_left_run_on",
        breaks: &["LSE-14"],
        about: "gives back what a client held only when its lease would have ended, though it said goodbye",
        make: || Arc::new(LetsLeasesRunOn::default()),
    },
    Saboteur {
        name: "settles_whole_fetches",
        breaks: &["LSE-15"],
        about: "writes down what is done when the whole of a fetch is done",
        make: || Arc::new(SettlesWholeFetches::default()),
    },
    Saboteur {
        name: "waits_for_the_slowest",
        breaks: &["LSE-16"],
        about: "delivers nothing to others while a client holds five messages of a queue",
        make: || Arc::new(WaitsForTheSlowest::default()),
    },
];

struct EndsOneLeaseOfAFetch;

impl Defect for EndsOneLeaseOfAFetch {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let all = inner.client.fetch(queue, fetch).await?;
            for delivery in all.iter().skip(1) {
                inner.client.extend(queue, &delivery.tag, 3_600_000).await?;
            }
            Ok(all)
        })
    }
}

struct EndsLeasesEarly;

impl Defect for EndsLeasesEarly {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            let lease_ms = if policy.lease_ms > 9 { policy.lease_ms * 9 / 10 } else { policy.lease_ms };
            inner.client.declare(queue, &Policy { lease_ms, ..policy.clone() }).await
        })
    }
}

#[derive(Default)]
struct WakesNobody(Notify);

impl Defect for WakesNobody {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let answer = inner.client.publish(queue, message).await;
            self.0.notify_waiters();
            answer
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let answer = inner.client.settle(queue, tag, verdict).await;
            self.0.notify_waiters();
            answer
        })
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        Box::pin(async move {
            let answer = inner.client.close(mode).await;
            self.0.notify_waiters();
            answer
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let end = Instant::now() + Duration::from_millis(u64::try_from(fetch.wait_ms).unwrap_or(0));
            loop {
                let news = self.0.notified();
                let all = inner.client.fetch(queue, Fetch { wait_ms: 0, ..fetch.clone() }).await?;
                if !all.is_empty() || tokio::time::timeout_at(end, news).await.is_err() {
                    return Ok(all);
                }
            }
        })
    }
}

/// Cuts a lease by how long was waited for it, and which attempt it is.
struct CutsLeases {
    how: fn(i64, i64, u32) -> i64,
    leases: Mutex<HashMap<Queue, i64>>,
}

impl CutsLeases {
    fn new() -> Self {
        CutsLeases { how: |lease, _, _| lease, leases: Mutex::default() }
    }
}

impl Defect for CutsLeases {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            self.leases.lock().await.insert(queue.clone(), policy.lease_ms);
            inner.client.declare(queue, policy).await
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let asked = Instant::now();
            let all = inner.client.fetch(queue, fetch).await?;
            let waited = i64::try_from(asked.elapsed().as_millis()).unwrap_or(i64::MAX);
            let Some(lease) = self.leases.lock().await.get(queue).copied() else { return Ok(all) };
            for delivery in &all {
                let cut = (self.how)(lease, waited, delivery.attempt).max(1);
                if cut != lease {
                    inner.client.extend(queue, &delivery.tag, cut).await?;
                }
            }
            Ok(all)
        })
    }
}

struct HeldBy {
    client: Weak<dyn Client>,
    name: Arc<str>,
    tag: Tag,
    id: Uuid,
}

#[derive(Default)]
struct ForgetsTheLost {
    held: Mutex<Vec<HeldBy>>,
    lost: Mutex<HashSet<Arc<str>>>,
}

impl Defect for ForgetsTheLost {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let all = inner.client.fetch(queue, fetch).await?;
            let (mut held, lost) = (self.held.lock().await, self.lost.lock().await);
            let mut kept = Vec::new();
            for delivery in all {
                let was_lost = |held: &HeldBy| {
                    held.id == delivery.id && (held.client.strong_count() == 0 || lost.contains(&held.name))
                };
                if held.iter().any(was_lost) {
                    inner.client.settle(queue, &delivery.tag, Verdict::Done).await?;
                    continue;
                }
                let (client, name) = (Arc::downgrade(&inner.client), Arc::clone(&inner.name));
                held.push(HeldBy { client, name, tag: delivery.tag.clone(), id: delivery.id });
                kept.push(delivery);
            }
            Ok(kept)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            self.held.lock().await.retain(|held| held.tag != *tag);
            inner.client.settle(queue, tag, verdict).await
        })
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        Box::pin(async move {
            match mode {
                CloseMode::Graceful => self.held.lock().await.retain(|held| held.name != inner.name),
                CloseMode::Abort => drop(self.lost.lock().await.insert(Arc::clone(&inner.name))),
            }
            inner.client.close(mode).await
        })
    }
}

/// What each client holds, in which queue.
type Holdings = Mutex<HashMap<Arc<str>, Vec<(Queue, Tag)>>>;

async fn fetch_and_hold(
    holdings: &Holdings,
    inner: &Inner,
    queue: &Queue,
    fetch: Fetch,
) -> Result<Vec<Delivery>, BrokerError> {
    let all = inner.client.fetch(queue, fetch).await?;
    let mut holdings = holdings.lock().await;
    let held = holdings.entry(Arc::clone(&inner.name)).or_default();
    held.extend(all.iter().map(|delivery| (queue.clone(), delivery.tag.clone())));
    Ok(all)
}

async fn let_go(holdings: &Holdings, inner: &Inner, tag: &Tag) {
    if let Some(held) = holdings.lock().await.get_mut(&inner.name) {
        held.retain(|(_, held)| held != tag);
    }
}

#[derive(Default)]
struct LetsLeasesRunOn(Holdings);

impl Defect for LetsLeasesRunOn {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(fetch_and_hold(&self.0, inner, queue, fetch))
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let_go(&self.0, inner, tag).await;
            inner.client.settle(queue, tag, verdict).await
        })
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        Box::pin(async move {
            let held = self.0.lock().await.remove(&inner.name).unwrap_or_default();
            for (queue, tag) in held.iter().filter(|_| mode == CloseMode::Graceful) {
                let later = Verdict::Retry { delay_ms: Some(30_000), reason: None };
                // What was settled or ended before is stale.
                let _ = inner.client.settle(queue, tag, later).await;
            }
            inner.client.close(mode).await
        })
    }
}

/// The deliveries that came together, and which of them are done.
type Together = (HashSet<Tag>, HashSet<Tag>);

#[derive(Default)]
struct SettlesWholeFetches(Mutex<Vec<Together>>);

impl Defect for SettlesWholeFetches {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let all = inner.client.fetch(queue, fetch).await?;
            self.0.lock().await.push((all.iter().map(|delivery| delivery.tag.clone()).collect(), HashSet::new()));
            Ok(all)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut all = self.0.lock().await;
            let together = all.iter_mut().find(|(tags, _)| tags.contains(tag));
            let Some((tags, done)) = together.filter(|_| verdict == Verdict::Done) else {
                return inner.client.settle(queue, tag, verdict).await;
            };
            if !done.insert(tag.clone()) {
                return Err(BrokerError::stale());
            }
            if done.len() == tags.len() {
                for tag in done.iter() {
                    inner.client.settle(queue, tag, Verdict::Done).await?;
                }
            }
            Ok(())
        })
    }
}

#[derive(Default)]
struct WaitsForTheSlowest(Holdings);

impl Defect for WaitsForTheSlowest {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let holdings = self.0.lock().await;
            let is_slow = |name: &Arc<str>, held: &Vec<(Queue, Tag)>| {
                *name != inner.name && held.iter().filter(|(of, _)| of == queue).count() >= 5
            };
            let has_none = holdings.get(&inner.name).is_none_or(Vec::is_empty);
            if has_none && holdings.iter().any(|(name, held)| is_slow(name, held)) {
                return Ok(Vec::new());
            }
            drop(holdings);
            fetch_and_hold(&self.0, inner, queue, fetch).await
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let_go(&self.0, inner, tag).await;
            inner.client.settle(queue, tag, verdict).await
        })
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        Box::pin(async move {
            self.0.lock().await.remove(&inner.name);
            inner.client.close(mode).await
        })
    }
}
