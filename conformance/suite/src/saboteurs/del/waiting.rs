//! Saboteurs of delivery: of fetches that wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;
use workwire_broker::{
    Answer, Broker, Client, CloseMode, Delivery, Fetch, Message, Queue, RestartMode, Stored, Tag, Verdict,
};

use crate::saboteurs::{Defect, Inner, Saboteur};

pub(in crate::saboteurs) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "waits_in_whole_seconds",
        breaks: &["DEL-15"],
        about: "counts waits in seconds, and what is less is none",
        make: || Arc::new(ReckonsWaits(|wait| wait / 1_000 * 1_000)),
    },
    Saboteur {
        name: "waits_for_half_a_minute",
        breaks: &["DEL-16"],
        about: "waits at least as long as its own default says",
        make: || Arc::new(ReckonsWaits(|wait| if wait == 0 { 0 } else { wait.max(30_000) })),
    },
    Saboteur {
        name: "waits_and_sees_nothing",
        breaks: &["DEL-17", "DEL-20", "DEL-21"],
        about: "looks when a wait begins, and answers with nothing when it ends",
        make: || Arc::new(WaitsAndSleeps { looks_at_the_end: false }),
    },
    Saboteur {
        name: "looks_when_the_wait_is_over",
        breaks: &["DEL-18"],
        about: "looks when a wait begins and when it ends, and not between",
        make: || Arc::new(WaitsAndSleeps { looks_at_the_end: true }),
    },
    Saboteur {
        name: "waits_until_it_has_all",
        breaks: &["DEL-19"],
        about: "waits until there are as many as a fetch may take, or its time is over",
        make: || Arc::new(WaitsUntilItHasAll),
    },
    Saboteur {
        name: "keeps_one_waiter",
        breaks: &["DEL-20"],
        about: "remembers one waiting fetch for each queue, and lets the others sleep to the end of their time",
        make: || Arc::new(KeepsOneWaiter::default()),
    },
    Saboteur {
        name: "looks_before_it_listens",
        breaks: &["DEL-21"],
        about: "looks first and listens for news after, so that a publish in between wakes nobody",
        make: || Arc::new(LooksBeforeItListens::default()),
    },
    Saboteur {
        name: "forgets_who_waits_at_a_restart",
        breaks: &["DEL-22"],
        about: "never answers a fetch that waited when it was restarted",
        make: || Arc::new(ForgetsAtARestart::default()),
    },
    Saboteur {
        name: "waits_for_who_has_left",
        breaks: &["DEL-23", "DEL-24"],
        about: "lets a fetch wait on whose client was closed, and gives it what comes",
        make: || Arc::new(WaitsForWhoHasLeft::default()),
    },
    Saboteur {
        name: "does_one_thing_at_a_time",
        breaks: &["DEL-25"],
        about: "answers the operations of a client one after the other, a waiting fetch among them",
        make: || Arc::new(DoesOneThing::default()),
    },
];

/// The same fetch without its wait, and the wait.
fn parted(fetch: Fetch) -> (Fetch, Duration) {
    let wait = Duration::from_millis(u64::try_from(fetch.wait_ms).unwrap_or(0));
    (Fetch { wait_ms: 0, ..fetch }, wait)
}

/// Reckons how long it waits.
struct ReckonsWaits(fn(i64) -> i64);

impl Defect for ReckonsWaits {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let wait_ms = (self.0)(fetch.wait_ms);
        inner.client.fetch(queue, Fetch { wait_ms, ..fetch })
    }
}

struct WaitsAndSleeps {
    looks_at_the_end: bool,
}

impl Defect for WaitsAndSleeps {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let (now, wait) = parted(fetch);
            let all = inner.client.fetch(queue, now.clone()).await?;
            if !all.is_empty() || wait.is_zero() {
                return Ok(all);
            }
            tokio::time::sleep(wait).await;
            if self.looks_at_the_end { inner.client.fetch(queue, now).await } else { Ok(Vec::new()) }
        })
    }
}

struct WaitsUntilItHasAll;

impl Defect for WaitsUntilItHasAll {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let asked = usize::try_from(fetch.max).unwrap_or(usize::MAX);
            let (now, wait) = parted(fetch);
            let end = Instant::now() + wait;
            let mut all = inner.client.fetch(queue, now.clone()).await?;
            while all.len() < asked && Instant::now() < end {
                tokio::time::sleep(Duration::from_millis(10)).await;
                let max = u32::try_from(asked - all.len()).unwrap_or(u32::MAX);
                all.extend(inner.client.fetch(queue, Fetch { max, ..now.clone() }).await?);
            }
            Ok(all)
        })
    }
}

#[derive(Default)]
struct KeepsOneWaiter(Mutex<HashMap<Queue, Arc<AtomicBool>>>);

impl Defect for KeepsOneWaiter {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            if fetch.wait_ms == 0 {
                return inner.client.fetch(queue, fetch).await;
            }
            let seat = Arc::clone(self.0.lock().await.entry(queue.clone()).or_default());
            if seat.swap(true, Ordering::Relaxed) {
                let (now, wait) = parted(fetch);
                let all = inner.client.fetch(queue, now).await?;
                if all.is_empty() {
                    tokio::time::sleep(wait).await;
                }
                return Ok(all);
            }
            let answer = inner.client.fetch(queue, fetch).await;
            seat.store(false, Ordering::Relaxed);
            answer
        })
    }
}

#[derive(Default)]
struct LooksBeforeItListens(Notify);

impl Defect for LooksBeforeItListens {
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

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let (now, wait) = parted(fetch);
            let end = Instant::now() + wait;
            loop {
                let all = inner.client.fetch(queue, now.clone()).await?;
                if !all.is_empty() || Instant::now() >= end {
                    return Ok(all);
                }
                tokio::task::yield_now().await;
                if tokio::time::timeout_at(end, self.0.notified()).await.is_err() {
                    return Ok(Vec::new());
                }
            }
        })
    }
}

#[derive(Default)]
struct ForgetsAtARestart(Notify);

impl Defect for ForgetsAtARestart {
    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        self.0.notify_waiters();
        broker.restart(mode)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            tokio::select! {
                biased;
                () = self.0.notified() => std::future::pending().await,
                answer = inner.client.fetch(queue, fetch) => answer,
            }
        })
    }
}

/// Each fetch that waits is made by a client of its own, which lives as long as it waits, and
/// settles what it was given.
#[derive(Default)]
struct WaitsForWhoHasLeft(Mutex<HashMap<Tag, Arc<dyn Client>>>);

impl Defect for WaitsForWhoHasLeft {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            if fetch.wait_ms == 0 {
                return inner.client.fetch(queue, fetch).await;
            }
            let name = format!("ghost-{}", fastrand::u64(..));
            let ghost: Arc<dyn Client> = inner.broker.open(&name).await?.into();
            let all = ghost.fetch(queue, fetch).await?;
            let mut ghosts = self.0.lock().await;
            for delivery in &all {
                ghosts.insert(delivery.tag.clone(), Arc::clone(&ghost));
            }
            Ok(all)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let ghost = self.0.lock().await.remove(tag);
            ghost.as_ref().unwrap_or(&inner.client).settle(queue, tag, verdict).await
        })
    }
}

#[derive(Default)]
struct DoesOneThing(Mutex<HashMap<Arc<str>, Arc<Mutex<()>>>>);

impl DoesOneThing {
    async fn turn(&self, inner: &Inner) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = Arc::clone(self.0.lock().await.entry(Arc::clone(&inner.name)).or_default());
        turn.lock_owned().await
    }
}

impl Defect for DoesOneThing {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let _turn = self.turn(inner).await;
            inner.client.publish(queue, message).await
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let _turn = self.turn(inner).await;
            inner.client.fetch(queue, fetch).await
        })
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        inner.client.close(mode)
    }
}
