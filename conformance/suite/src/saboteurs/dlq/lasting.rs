//! Defects of what becomes of letters.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use tokio::time::Instant;
use uuid::Uuid;
use workwire_broker::{
    Answer, Broker, CloseMode, Letter, Message, Policy, Purge, Queue, RestartMode, Stored, Tag, Verdict,
};

use crate::saboteurs::stash::{locked, millis};
use crate::saboteurs::{Defect, Inner};

/// Lists letters by taking them, three at a time, and gives back only what is less.
pub(super) struct LooksOnce;

impl Defect for LooksOnce {
    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let letters = inner.client.dead_letters(queue, max, group).await?;
            if letters.len() >= 3 {
                inner.client.purge(queue, Purge { group, dead: true }).await?;
            }
            Ok(letters)
        })
    }
}

/// Lists all letters, however few are asked for.
pub(super) struct MoreThanAsked;

impl Defect for MoreThanAsked {
    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        _max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        inner.client.dead_letters(queue, 1_000, group)
    }
}

/// Lists the letters of all queues.
#[derive(Default)]
pub(super) struct ListsAllQueues(Mutex<BTreeSet<Queue>>);

impl Defect for ListsAllQueues {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        locked(&self.0).insert(queue.clone());
        inner.client.declare(queue, policy)
    }

    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let mut letters = inner.client.dead_letters(queue, max, group).await?;
            let queues = locked(&self.0).clone();
            for other in queues.iter().filter(|other| *other != queue && other.tenant() == queue.tenant()) {
                letters.extend(inner.client.dead_letters(other, max, group).await.unwrap_or_default());
            }
            Ok(letters)
        })
    }
}

/// From the ttl of a message and that of its queue to how long its letter is kept.
type Kept = fn(Option<i64>, Option<i64>) -> Option<i64>;

/// Letters go when their messages would have.
pub(super) struct Expires {
    kept: Kept,
    of_queues: Mutex<HashMap<Queue, i64>>,
    ends: Mutex<HashMap<(Queue, Uuid), Instant>>,
}

impl Expires {
    pub(super) fn with(kept: Kept) -> Self {
        Expires { kept, of_queues: Mutex::default(), ends: Mutex::default() }
    }
}

impl Defect for Expires {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        if let Some(ttl) = policy.ttl_ms {
            locked(&self.of_queues).insert(queue.clone(), ttl);
        }
        inner.client.declare(queue, policy)
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let of_queue = locked(&self.of_queues).get(queue).copied();
        if let Some(ttl) = (self.kept)(message.ttl_ms, of_queue) {
            locked(&self.ends).insert((queue.clone(), message.id), Instant::now() + millis(ttl));
        }
        inner.client.publish(queue, message)
    }

    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let letters = inner.client.dead_letters(queue, max, group).await?;
            let ends = locked(&self.ends);
            let lives = |letter: &Letter| ends.get(&(queue.clone(), letter.id)).is_none_or(|end| Instant::now() < *end);
            Ok(letters.into_iter().filter(lives).collect())
        })
    }
}

/// Letters that do not survive the broker.
pub(super) struct Forgets {
    /// Also at a graceful restart.
    always: bool,
    /// Only if one died that shortly before.
    within_ms: Option<i64>,
    queues: Mutex<BTreeSet<Queue>>,
    last: Mutex<Option<Instant>>,
}

impl Forgets {
    fn new(always: bool, within_ms: Option<i64>) -> Self {
        Forgets { always, within_ms, queues: Mutex::default(), last: Mutex::default() }
    }

    /// At every restart.
    pub(super) fn always() -> Self {
        Self::new(true, None)
    }

    /// At a kill.
    pub(super) fn at_a_kill() -> Self {
        Self::new(false, None)
    }

    /// At a kill, if one died in the last half second.
    pub(super) fn when_fresh() -> Self {
        Self::new(false, Some(500))
    }
}

impl Defect for Forgets {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        locked(&self.queues).insert(queue.clone());
        inner.client.declare(queue, policy)
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        if verdict != Verdict::Done {
            *locked(&self.last) = Some(Instant::now());
        }
        inner.client.settle(queue, tag, verdict)
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        Box::pin(async move {
            let last = *locked(&self.last);
            let is_fresh = |within| last.is_some_and(|last| last.elapsed() < millis(within));
            if (self.always || mode == RestartMode::Kill) && self.within_ms.is_none_or(is_fresh) {
                let client = broker.open("restarting").await?;
                let queues = locked(&self.queues).clone();
                for queue in &queues {
                    let _ = client.purge(queue, Purge { group: None, dead: true }).await;
                }
                client.close(CloseMode::Graceful).await?;
            }
            broker.restart(mode).await
        })
    }
}

/// A purge that does not know the living from the dead.
pub(super) struct PurgesBoth {
    /// When it purges the letters, or when it purges the messages.
    pub(super) letters: bool,
}

impl Defect for PurgesBoth {
    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            let removed = inner.client.purge(queue, what).await?;
            if what.dead == self.letters {
                inner.client.purge(queue, Purge { dead: !what.dead, ..what }).await?;
            }
            Ok(removed)
        })
    }
}

/// A purge of the letters that counts messages.
pub(super) struct CountsNoLetters;

impl Defect for CountsNoLetters {
    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            let removed = inner.client.purge(queue, what).await?;
            Ok(if what.dead { 0 } else { removed })
        })
    }
}
