//! What a broker does, in words of the model: queues, messages, deliveries under a lease, dead
//! letters. Brokers of this crate and brokers behind an adapter are put to use, and to the test,
//! through these two traits alone.

mod about;
mod words;

use std::future::Future;
use std::pin::Pin;

use uuid::Uuid;

pub use about::{About, Batch, BrokerLimits, Choices, MEBIBYTE, NewGroup, RetryPlace, SameId};
pub use words::{
    CloseMode, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked, Purge, RestartMode, Stored, Tag, Verdict,
};

use crate::error::BrokerError;
use crate::policy::Policy;
use crate::presence::{AgentState, Update};
use crate::queue::Queue;

/// What an operation answers, some time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, BrokerError>> + Send + 'a>>;

/// A broker that can be reached.
pub trait Broker: Send + Sync {
    /// Its name, and what it claims.
    fn about(&self) -> &About;

    /// Opens a connection under a name. One name is open once at a time, else `conflict`.
    fn open<'a>(&'a self, client: &'a str) -> Answer<'a, Box<dyn Client>>;

    /// Stops and starts again; answers once it accepts. Every client is gone then.
    fn restart(&self, _mode: RestartMode) -> Answer<'_, ()> {
        unsupported("restart")
    }

    /// Ends it, and gives back what its clients hold.
    fn shutdown(&self) -> Answer<'_, ()>;
}

/// One connection. What it took and did not settle comes back when it is closed, dropped or lost.
///
/// A queue has to be declared before it is used, by any client: the broker keeps the policy.
/// An unknown queue is `not_found`, a bad name or number `invalid`.
pub trait Client: Send + Sync {
    /// Makes a queue, or finds that it is there with this policy; another policy is `conflict`.
    fn declare<'a>(&'a self, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()>;

    /// Stores a message. After `Ok` it is safe.
    fn publish<'a>(&'a self, queue: &'a Queue, message: Message) -> Answer<'a, Stored>;

    /// Stores many, each with an answer of its own, in their order.
    fn publish_batch<'a>(
        &'a self,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>>;

    /// Takes what is next, under a lease. Empty when nothing came in time.
    fn fetch<'a>(&'a self, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>>;

    /// Deliveries that come without being asked for, where the engine pushes: at most `credit` of
    /// them unsettled at a time. None where fetching is the engine's own way. [`Deliveries`](crate::Deliveries)
    /// takes either.
    fn push<'a>(&'a self, _queue: &'a Queue, _fetch: &Fetch, _credit: u32) -> Option<Answer<'a, Box<dyn Push + 'a>>> {
        None
    }

    /// Looks at what would be fetched, in that order, and takes nothing.
    fn peek<'a>(&'a self, _queue: &'a Queue, _peek: Peek) -> Answer<'a, Vec<Peeked>> {
        unsupported("browse")
    }

    /// Ends a delivery. A tag that is good no more is `stale`, and nothing changes.
    fn settle<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()>;

    /// Ends many, each with an answer of its own, in their order.
    fn settle_many<'a>(
        &'a self,
        queue: &'a Queue,
        settled: Vec<(Tag, Verdict)>,
    ) -> Answer<'a, Vec<Result<(), BrokerError>>> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(settled.len());
            for (tag, verdict) in settled {
                answers.push(self.settle(queue, &tag, verdict).await);
            }
            Ok(answers)
        })
    }

    /// Holds a delivery for this long from now.
    fn extend<'a>(&'a self, _queue: &'a Queue, _tag: &'a Tag, _lease_ms: i64) -> Answer<'a, ()> {
        unsupported("extend")
    }

    /// How many messages are where, for the unnamed group or a named one.
    fn depth<'a>(&'a self, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth>;

    /// Looks at the dead letters, the oldest first; those of all groups where none is named.
    fn dead_letters<'a>(&'a self, _queue: &'a Queue, _max: u32, _group: Option<&'a str>) -> Answer<'a, Vec<Letter>> {
        unsupported("dead-letter")
    }

    /// Sends a dead letter back, to the end of its priority, as new.
    fn replay<'a>(&'a self, _queue: &'a Queue, _id: Uuid, _group: Option<&'a str>) -> Answer<'a, ()> {
        unsupported("replay")
    }

    /// Removes the ready messages, or the dead letters, and says how many.
    fn purge<'a>(&'a self, _queue: &'a Queue, _what: Purge<'a>) -> Answer<'a, u64> {
        unsupported("purge")
    }

    /// Removes the queue and all that is in it. `unsupported` where it cannot; who asked has to
    /// empty it then.
    fn delete<'a>(&'a self, _queue: &'a Queue) -> Answer<'a, ()> {
        unsupported("delete")
    }

    /// Removes what has expired, and says how many that were.
    fn sweep<'a>(&'a self, _queue: &'a Queue) -> Answer<'a, u64> {
        unsupported("ttl")
    }

    /// Says that an agent is there, and how it is. An update older than the last known changes
    /// nothing.
    fn heartbeat<'a>(&'a self, _update: Update, _tenant: Option<&'a str>) -> Answer<'a, ()> {
        unsupported("presence")
    }

    /// Who is there. Who was silent for `offline_after_ms` (180 000) is offline.
    fn agents<'a>(&'a self, _offline_after_ms: Option<i64>, _tenant: Option<&'a str>) -> Answer<'a, Vec<AgentState>> {
        unsupported("presence")
    }

    /// Ends the connection. Graceful gives back what is held at once and counts no attempt; abort is
    /// what a crash looks like. Dropping a client aborts it.
    fn close(&self, mode: CloseMode) -> Answer<'_, ()>;
}

/// Deliveries as an engine pushes them.
pub trait Push: Send {
    /// The next one, when it comes.
    fn next(&mut self) -> Answer<'_, Delivery>;
}

fn unsupported<'a, T>(what: &'static str) -> Answer<'a, T> {
    Box::pin(async move { Err(BrokerError::unsupported(what)) })
}
