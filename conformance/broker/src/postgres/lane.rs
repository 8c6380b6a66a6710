//! What waits at the same moment goes to the server together: one statement, one commit.
//!
//! While a lane's statement is under way, the next ones gather. Whoever comes to a lane that is idle
//! goes at once.

use std::collections::hash_map::DefaultHasher;
use std::future::Future;
use std::hash::{Hash as _, Hasher as _};

use tokio::sync::mpsc;

use crate::error::BrokerError;
use crate::queue::Queue;

/// How many callers one statement serves at most.
const MAX_ITEMS: usize = 1_024;

/// How many callers wait in a lane before the next one waits outside.
const WAITING: usize = 2_048;

/// How many bytes of bodies one statement carries: one that is larger goes alone.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// Something that goes by a lane.
pub(super) trait Item: Send + 'static {
    /// Whose lane it takes.
    fn queue(&self) -> &Queue;

    /// How many bytes of bodies it brings.
    fn bytes(&self) -> usize {
        0
    }
}

/// Lanes side by side. All of one queue goes by one lane, so that its order is kept.
#[derive(Debug)]
pub(super) struct Lanes<T>(Vec<mpsc::Sender<T>>);

/// How many lanes each kind of operation has.
const LANES: usize = 2;

impl<T: Item> Lanes<T> {
    /// Begins to run what comes, each lane's batches one after the other, until the lanes are dropped.
    pub(super) fn begin<F, R>(run: R) -> Self
    where
        R: Fn(Vec<T>) -> F + Clone + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let lane = |_| {
            let (sender, receiver) = mpsc::channel(WAITING);
            tokio::spawn(serve(receiver, run.clone()));
            sender
        };
        Lanes((0..LANES).map(lane).collect())
    }

    /// Puts something into its lane.
    pub(super) async fn send(&self, item: T) -> Result<(), BrokerError> {
        let mut hasher = DefaultHasher::new();
        item.queue().hash(&mut hasher);
        let lane = usize::try_from(hasher.finish() % LANES as u64).unwrap_or(0);
        self.0[lane].send(item).await.map_err(|_| BrokerError::unavailable("the broker has stopped; nothing was sent"))
    }
}

async fn serve<T: Item, F: Future<Output = ()> + Send>(mut receiver: mpsc::Receiver<T>, run: impl Fn(Vec<T>) -> F) {
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(first) => first,
            None => match receiver.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        let mut bytes = first.bytes();
        let mut batch = vec![first];
        while batch.len() < MAX_ITEMS {
            let Ok(item) = receiver.try_recv() else { break };
            bytes += item.bytes();
            if bytes > MAX_BYTES {
                next = Some(item);
                break;
            }
            batch.push(item);
        }
        run(batch).await;
    }
}

/// The queues of a batch, each named once, and which of them each of its items is for (from 1).
pub(super) struct Queues<'a> {
    pub(super) tenants: Vec<&'a str>,
    pub(super) names: Vec<&'a str>,
    each: Vec<&'a Queue>,
}

impl<'a> Queues<'a> {
    pub(super) fn of(queues: impl Iterator<Item = &'a Queue>) -> Self {
        let mut each: Vec<&Queue> = queues.collect();
        // In one order for everybody, so that two who want several do not wait for each other.
        each.sort_unstable();
        each.dedup();
        let tenants = each.iter().map(|queue| queue.tenant().unwrap_or("")).collect();
        Queues { tenants, names: each.iter().map(|queue| queue.name()).collect(), each }
    }

    pub(super) fn which(&self, queue: &Queue) -> i32 {
        let at = self.each.binary_search(&queue).map_or(0, |at| at + 1);
        i32::try_from(at).unwrap_or(0)
    }
}
