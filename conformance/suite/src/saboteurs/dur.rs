//! Saboteurs of what has to outlive a kill: the memory broker keeps everything, so each of these
//! keeps a part of it as if it were not yet on the disk, and loses it when the broker is killed.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;
use workwire_broker::{
    Answer, Broker, BrokerError, Client, CloseMode, Delivery, Depth, Fetch, Message, Peek, Peeked, Purge, Queue,
    RestartMode, Stored, Tag, Verdict,
};

use super::{Defect, Inner, Saboteur};

pub(super) mod late;

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "loses_what_is_not_synced",
        breaks: &["DUR-1", "DUR-9"],
        about: "confirms a message before the disk has it: only every fourth, or a fetch, syncs",
        make: || Arc::new(LosesUnsynced::default()),
    },
    Saboteur {
        name: "stores_a_half",
        breaks: &["DUR-2"],
        about: "killed in the midst of a publish, keeps the part of the body that was written",
        make: || Arc::new(StoresAHalf::default()),
    },
    Saboteur {
        name: "forgets_done",
        breaks: &["DUR-3", "DUR-9"],
        about: "writes `done` down with the next operation, and not before",
        make: || Arc::new(ForgetsDone::default()),
    },
    Saboteur {
        name: "keeps_timers_in_memory",
        breaks: &["DUR-4"],
        about: "loses what was resting when it was killed",
        make: || Arc::new(LosesDelayed::default()),
    },
    Saboteur {
        name: "keeps_letters_in_memory",
        breaks: &["DUR-5"],
        about: "loses the dead letters when it is killed",
        make: || Arc::new(LosesLetters::default()),
    },
    Saboteur {
        name: "keeps_ids_in_memory",
        breaks: &["DUR-6"],
        about: "has forgotten, once killed, which ids it has seen",
        make: || Arc::new(ForgetsIds::default()),
    },
    Saboteur {
        name: "loses_what_is_held",
        breaks: &["DUR-7", "DUR-9"],
        about: "takes what was delivered for done when it is killed",
        make: || Arc::new(LosesHeld::default()),
    },
    Saboteur {
        name: "keeps_attempts_in_memory",
        breaks: &["DUR-8"],
        about: "counts attempts from 1 again once it was killed",
        make: || Arc::new(ForgetsAttempts::default()),
    },
];

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client of the disk's own.
async fn disk(broker: &Arc<dyn Broker>) -> Result<Box<dyn Client>, BrokerError> {
    broker.open(&format!("disk-{:x}", fastrand::u64(..))).await
}

/// Takes a message out of the store, as soon as it can be taken, as if it had never been there.
async fn erase(client: &dyn Client, queue: &Queue, id: Uuid, within_ms: i64) {
    let fetch = Fetch::up_to(1).only(id).waiting(within_ms);
    for delivery in client.fetch(queue, fetch).await.unwrap_or_default() {
        let _ = client.settle(queue, &delivery.tag, Verdict::Done).await;
    }
}

/// Stops the broker; if by a kill, these were not on the disk.
async fn restart(broker: &Arc<dyn Broker>, mode: RestartMode, gone: Vec<(Queue, Uuid)>) -> Result<(), BrokerError> {
    broker.restart(mode).await?;
    if mode == RestartMode::Kill && !gone.is_empty() {
        let client = disk(broker).await?;
        for (queue, id) in gone {
            erase(&*client, &queue, id, 0).await;
        }
        client.close(CloseMode::Graceful).await?;
    }
    Ok(())
}

#[derive(Default)]
struct LosesUnsynced(Mutex<Vec<(Queue, Uuid)>>);

impl Defect for LosesUnsynced {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let id = message.id;
            let stored = inner.client.publish(queue, message).await?;
            let mut unsynced = lock(&self.0);
            if stored == Stored::Stored {
                unsynced.push((queue.clone(), id));
            }
            if unsynced.len() >= 4 {
                unsynced.clear();
            }
            Ok(stored)
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let taken = inner.client.fetch(queue, fetch).await?;
            if !taken.is_empty() {
                lock(&self.0).clear();
            }
            Ok(taken)
        })
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        let gone = std::mem::take(&mut *lock(&self.0));
        Box::pin(restart(broker, mode, gone))
    }
}

/// How long writing takes.
const WRITING: Duration = Duration::from_millis(1);

#[derive(Default)]
struct StoresAHalf(Mutex<HashMap<u64, (Inner, Queue, Message)>>);

impl Defect for StoresAHalf {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        // Small ones are written at once.
        if message.body.len() < 16_384 {
            return inner.client.publish(queue, message);
        }
        Box::pin(async move {
            let number = fastrand::u64(..);
            lock(&self.0).insert(number, (inner.clone(), queue.clone(), message));
            tokio::time::sleep(WRITING).await;
            let written = lock(&self.0).remove(&number);
            match written {
                Some((inner, queue, message)) => inner.client.publish(&queue, message).await,
                None => Err(BrokerError::unavailable("the connection was lost")),
            }
        })
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        let written = std::mem::take(&mut *lock(&self.0));
        Box::pin(async move {
            for (inner, queue, mut message) in written.into_values() {
                if mode == RestartMode::Kill {
                    message.body.truncate(message.body.len() / 2);
                }
                let _ = inner.client.publish(&queue, message).await;
            }
            broker.restart(mode).await
        })
    }
}

#[derive(Default)]
struct ForgetsDone(Mutex<Vec<(Inner, Queue, Tag)>>);

impl ForgetsDone {
    async fn sync(&self) {
        let done = std::mem::take(&mut *lock(&self.0));
        for (inner, queue, tag) in done {
            let _ = inner.client.settle(&queue, &tag, Verdict::Done).await;
        }
    }
}

impl Defect for ForgetsDone {
    fn open<'a>(&'a self, broker: &'a Arc<dyn Broker>, name: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async move {
            self.sync().await;
            broker.open(name).await
        })
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            self.sync().await;
            inner.client.publish(queue, message).await
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            self.sync().await;
            inner.client.fetch(queue, fetch).await
        })
    }

    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            self.sync().await;
            inner.client.peek(queue, peek).await
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            self.sync().await;
            if verdict != Verdict::Done {
                return inner.client.settle(queue, tag, verdict).await;
            }
            // Whether it is good shows now; that it is done is written later.
            inner.client.extend(queue, tag, 3_600_000).await?;
            lock(&self.0).push((inner.clone(), queue.clone(), tag.clone()));
            Ok(())
        })
    }

    fn extend<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        Box::pin(async move {
            self.sync().await;
            inner.client.extend(queue, tag, lease_ms).await
        })
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            self.sync().await;
            inner.client.depth(queue, group).await
        })
    }

    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            self.sync().await;
            inner.client.purge(queue, what).await
        })
    }

    fn delete<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, ()> {
        Box::pin(async move {
            self.sync().await;
            inner.client.delete(queue).await
        })
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        Box::pin(async move {
            self.sync().await;
            inner.client.close(mode).await
        })
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        Box::pin(async move {
            if mode == RestartMode::Graceful {
                self.sync().await;
            }
            lock(&self.0).clear();
            broker.restart(mode).await
        })
    }
}

#[derive(Default)]
struct LosesDelayed(Mutex<Vec<(Queue, Uuid, Instant)>>);

impl Defect for LosesDelayed {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let (id, delay) = (message.id, message.delay_ms.unwrap_or(0));
            let stored = inner.client.publish(queue, message).await?;
            if let Some(delay) = u64::try_from(delay).ok().filter(|delay| *delay > 0 && stored == Stored::Stored) {
                let due = Instant::now() + Duration::from_millis(delay);
                lock(&self.0).push((queue.clone(), id, due));
            }
            Ok(stored)
        })
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        let resting = std::mem::take(&mut *lock(&self.0));
        Box::pin(async move {
            broker.restart(mode).await?;
            let resting = resting.into_iter().filter(|(_, _, due)| mode == RestartMode::Kill && *due > Instant::now());
            for (queue, id, due) in resting {
                let client = disk(broker).await?;
                let within = i64::try_from(due.duration_since(Instant::now()).as_millis()).unwrap_or(0) + 100;
                tokio::spawn(async move { erase(&*client, &queue, id, within).await });
            }
            // So that the disk waits before anybody else does.
            tokio::task::yield_now().await;
            Ok(())
        })
    }
}

#[derive(Default)]
struct LosesLetters(Mutex<HashSet<Queue>>);

impl Defect for LosesLetters {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        if verdict != Verdict::Done {
            lock(&self.0).insert(queue.clone());
        }
        inner.client.settle(queue, tag, verdict)
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        let queues = std::mem::take(&mut *lock(&self.0));
        Box::pin(async move {
            broker.restart(mode).await?;
            if mode == RestartMode::Kill {
                let client = disk(broker).await?;
                for queue in queues {
                    let _ = client.purge(&queue, Purge { group: None, dead: true }).await;
                }
            }
            Ok(())
        })
    }
}

#[derive(Default)]
struct ForgetsIds(Mutex<Ids>);

#[derive(Default)]
struct Ids {
    seen: HashSet<(Queue, Uuid)>,
    forgotten: HashSet<(Queue, Uuid)>,
    /// The ids under which the store has what it was given a second time.
    second: HashMap<Uuid, Uuid>,
}

impl Defect for ForgetsIds {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let (key, mut again) = ((queue.clone(), message.id), message.clone());
            let stored = inner.client.publish(queue, message).await?;
            {
                let mut ids = lock(&self.0);
                let is_forgotten = ids.forgotten.remove(&key);
                ids.seen.insert(key.clone());
                if stored == Stored::Stored || !is_forgotten {
                    return Ok(stored);
                }
                again.id = Uuid::from_u128(fastrand::u128(..));
                ids.second.insert(again.id, key.1);
            }
            inner.client.publish(queue, again).await
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut taken = inner.client.fetch(queue, fetch).await?;
            let ids = lock(&self.0);
            for delivery in &mut taken {
                delivery.id = ids.second.get(&delivery.id).copied().unwrap_or(delivery.id);
            }
            Ok(taken)
        })
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        if mode == RestartMode::Kill {
            let mut ids = lock(&self.0);
            let seen = ids.seen.clone();
            ids.forgotten.extend(seen);
        }
        broker.restart(mode)
    }
}

#[derive(Default)]
struct LosesHeld(Mutex<HashMap<Tag, Holding>>);

/// Who holds which message of which queue.
type Holding = (Arc<str>, Queue, Uuid);

impl Defect for LosesHeld {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let taken = inner.client.fetch(queue, fetch).await?;
            let mut held = lock(&self.0);
            for delivery in &taken {
                held.insert(delivery.tag.clone(), (Arc::clone(&inner.name), queue.clone(), delivery.id));
            }
            Ok(taken)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        lock(&self.0).remove(tag);
        inner.client.settle(queue, tag, verdict)
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        lock(&self.0).retain(|_, (name, _, _)| *name != inner.name);
        inner.client.close(mode)
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        let held = std::mem::take(&mut *lock(&self.0));
        Box::pin(restart(broker, mode, held.into_values().map(|(_, queue, id)| (queue, id)).collect()))
    }
}

#[derive(Default)]
struct ForgetsAttempts(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    /// The number of the last delivery of each message.
    last: HashMap<(Queue, Uuid), u32>,
    /// How many of its attempts are forgotten.
    forgotten: HashMap<(Queue, Uuid), u32>,
}

impl Defect for ForgetsAttempts {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut taken = inner.client.fetch(queue, fetch).await?;
            let mut counted = lock(&self.0);
            for delivery in &mut taken {
                let key = (queue.clone(), delivery.id);
                counted.last.insert(key.clone(), delivery.attempt);
                let forgotten = counted.forgotten.get(&key).copied().unwrap_or(0);
                delivery.attempt = delivery.attempt.saturating_sub(forgotten).max(1);
            }
            Ok(taken)
        })
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        if mode == RestartMode::Kill {
            let mut counted = lock(&self.0);
            let last = counted.last.clone();
            counted.forgotten.extend(last);
        }
        broker.restart(mode)
    }
}
