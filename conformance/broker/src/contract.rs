//! What a broker does, in words of the model: queues, messages, deliveries under a lease, dead
//! letters. Brokers of this crate and brokers behind an adapter are put to use, and to the test,
//! through these two traits alone.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use uuid::Uuid;
use workwire::Timestamp;

use crate::capability::Capabilities;
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

/// What a broker says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is written in, where it says.
    pub language: Option<String>,
    /// What it claims to do.
    pub capabilities: Capabilities,
    /// How much it takes.
    pub limits: BrokerLimits,
    /// What it does where there is a choice.
    pub choices: Choices,
}

/// 1 MiB.
pub const MEBIBYTE: u64 = 1_048_576;

/// How much a broker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokerLimits {
    /// The highest `max_priority` of a policy.
    pub max_priority: i64,
    /// The most bytes of a body.
    pub max_message_bytes: u64,
}

impl Default for BrokerLimits {
    fn default() -> Self {
        BrokerLimits { max_priority: 10, max_message_bytes: MEBIBYTE }
    }
}

macro_rules! choice {
    ($(#[doc = $doc:literal])+ $Name:ident $text:literal { $(#[doc = $first_doc:literal])+ $First:ident, $(#[doc = $second_doc:literal])+ $Second:ident }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $Name {
            $(#[doc = $first_doc])+
            #[default]
            $First,
            $(#[doc = $second_doc])+
            $Second,
        }
    };
}

choice! {
    /// What the same id with another body is.
    SameId "same_id_other_body" {
        /// A duplicate like any other.
        Duplicate,
        /// An error.
        Conflict
    }
}

choice! {
    /// What a new group sees.
    NewGroup "new_group" {
        /// All that is still there.
        All,
        /// What is published from then on.
        New
    }
}

choice! {
    /// Where a retried message goes.
    RetryPlace "retry_place" {
        /// It keeps its place.
        Keeps,
        /// It goes behind its priority.
        Back
    }
}

choice! {
    /// What one bad message does to its batch.
    Batch "batch" {
        /// Nothing: each has an answer of its own.
        Each,
        /// None of the batch is stored.
        AllOrNone
    }
}

/// What a broker does where more than one way is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Choices {
    /// What the same id with another body is.
    pub same_id_other_body: SameId,
    /// What a new group sees.
    pub new_group: NewGroup,
    /// Where a retried message goes.
    pub retry_place: RetryPlace,
    /// What one bad message does to its batch.
    pub batch: Batch,
}

/// A message to publish: opaque bytes, and what the broker has to know about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which message it is.
    pub id: Uuid,
    /// Its bytes, which nobody changes.
    pub body: Bytes,
    /// How urgent it is; the middle of the queue's range where none is given.
    pub priority: Option<i64>,
    /// For how long it can be delivered.
    pub ttl_ms: Option<i64>,
    /// How long it has to rest before it is delivered.
    pub delay_ms: Option<i64>,
    /// For whom it is; for whoever comes first where nobody is named.
    pub to: Option<String>,
}

impl Message {
    /// A message that says nothing but what it is.
    #[must_use]
    pub fn new(id: Uuid, body: impl Into<Bytes>) -> Self {
        Message { id, body: body.into(), priority: None, ttl_ms: None, delay_ms: None, to: None }
    }
}

/// What became of a published message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stored {
    /// It is stored, and safe.
    Stored,
    /// The queue has seen its id; nothing has changed.
    Duplicate,
}

/// What to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Who takes, in the broker's logs.
    pub consumer: String,
    /// How many at most.
    pub max: u32,
    /// How long to wait for the first.
    pub wait_ms: i64,
    /// For which group; the unnamed one where none is given.
    pub group: Option<String>,
    /// For whom: its own messages, and those for nobody.
    pub recipient: Option<String>,
    /// This message or nothing.
    pub id: Option<Uuid>,
}

impl Fetch {
    /// Up to `max` of the unnamed group, without waiting.
    #[must_use]
    pub fn up_to(max: u32) -> Self {
        Fetch { consumer: "consumer".to_owned(), max, wait_ms: 0, group: None, recipient: None, id: None }
    }

    /// The same, and waits so long for the first.
    #[must_use]
    pub fn waiting(self, wait_ms: i64) -> Self {
        Fetch { wait_ms, ..self }
    }

    /// The same for a group.
    #[must_use]
    pub fn of_group(self, group: impl Into<String>) -> Self {
        Fetch { group: Some(group.into()), ..self }
    }

    /// The same for a recipient.
    #[must_use]
    pub fn for_recipient(self, recipient: impl Into<String>) -> Self {
        Fetch { recipient: Some(recipient.into()), ..self }
    }

    /// The same for one message alone.
    #[must_use]
    pub fn only(self, id: Uuid) -> Self {
        Fetch { id: Some(id), ..self }
    }
}

/// What names a delivery, and this delivery only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(pub String);

/// A message in the hands of a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What to settle it by.
    pub tag: Tag,
    /// Which message it is.
    pub id: Uuid,
    /// Its bytes.
    pub body: Bytes,
    /// How urgent it is.
    pub priority: i64,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peek {
    /// How many at most.
    pub max: u32,
    /// In which group.
    pub group: Option<String>,
    /// As whom.
    pub recipient: Option<String>,
    /// Begins behind this message, the last of this id where there are several; nothing where it is
    /// not there.
    pub after: Option<Uuid>,
}

/// A message that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peeked {
    /// Which message it is.
    pub id: Uuid,
    /// Its bytes.
    pub body: Bytes,
    /// How urgent it is.
    pub priority: i64,
    /// Which attempt its next delivery will be.
    pub attempt: u32,
}

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The work is done; the message is gone.
    Done,
    /// It did not work; once more, now, after the policy's rest, or after this one.
    Retry {
        /// How long it rests; the policy's backoff where none is given.
        delay_ms: Option<i64>,
        /// What went wrong.
        reason: Option<String>,
    },
    /// It will never work; to the dead letters.
    Dead {
        /// What is wrong with it.
        reason: Option<String>,
    },
}

impl Verdict {
    /// Once more, as the policy says.
    #[must_use]
    pub const fn retry() -> Self {
        Verdict::Retry { delay_ms: None, reason: None }
    }

    /// Never again, with the reason.
    #[must_use]
    pub fn dead(reason: impl Into<String>) -> Self {
        Verdict::Dead { reason: Some(reason.into()) }
    }
}

/// How many messages are where. An engine may not know all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Depth {
    /// Can be fetched now.
    pub ready: u64,
    /// In the hands of consumers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leased: Option<u64>,
    /// Resting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delayed: Option<u64>,
    /// Given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead: Option<u64>,
}

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Which message it was.
    pub id: Uuid,
    /// Its bytes.
    pub body: Bytes,
    /// Why it died.
    pub reason: String,
    /// The number of its last delivery.
    pub attempts: u32,
    /// How urgent it was, where the engine knows.
    pub priority: Option<i64>,
    /// When it died, where the engine knows.
    pub died_at: Option<Timestamp>,
    /// Whose letter it is, where that is a named group.
    pub group: Option<String>,
}

/// What to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purge<'a> {
    /// Of one group; of all where none is named.
    pub group: Option<&'a str>,
    /// The dead letters instead of the ready messages.
    pub dead: bool,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloseMode {
    /// Says goodbye.
    Graceful,
    /// Is gone.
    Abort,
}

/// How a broker is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestartMode {
    /// It is asked to stop.
    Graceful,
    /// It is killed.
    Kill,
}
