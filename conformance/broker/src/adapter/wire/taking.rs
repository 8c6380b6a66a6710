//! Messages in the hands of consumers: taken, looked at, settled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use workwire::MessageId;

use super::body::Encoding;
use super::object::{self, Mismatch};
use super::queues::QueueName;
use crate::contract::{Delivery, Fetch, Peek, Peeked, Tag, Verdict};

/// Takes what is next, under a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FetchMessages {
    /// The connection.
    pub client: String,
    /// The queue.
    #[serde(deserialize_with = "object::object")]
    pub queue: QueueName,
    /// Who takes, for the broker's log.
    pub consumer: String,
    /// How many at most.
    pub max: u32,
    /// How long to wait for the first.
    pub wait_ms: i64,
    /// For which group; the unnamed one where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// For whom: its own messages, and those for nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// This message or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
}

impl FetchMessages {
    /// Writes what to take.
    #[must_use]
    pub fn of(client: String, queue: QueueName, fetch: Fetch) -> Self {
        let Fetch { consumer, max, wait_ms, group, recipient, id } = fetch;
        FetchMessages { client, queue, consumer, max, wait_ms, group, recipient, id: id.map(MessageId::from) }
    }
}

impl From<FetchMessages> for Fetch {
    fn from(asked: FetchMessages) -> Self {
        let FetchMessages { consumer, max, wait_ms, group, recipient, id, .. } = asked;
        Fetch { consumer, max, wait_ms, group, recipient, id: id.map(Into::into) }
    }
}

/// What was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fetched {
    /// What was taken, in its order; nothing when nothing came in time.
    #[serde(deserialize_with = "object::list")]
    pub deliveries: Vec<Taken>,
}

impl Fetched {
    /// Reads the deliveries.
    ///
    /// # Errors
    /// Where a body is not what its `encoding` says.
    pub fn deliveries(self) -> Result<Vec<Delivery>, Mismatch> {
        let read = |(index, taken): (usize, Taken)| {
            let Taken { tag, id, body, encoding, priority, attempt } = taken;
            let body = encoding.read(body, &format!("deliveries[{index}].body"))?;
            Ok(Delivery { tag: Tag(tag), id: id.into(), body, priority, attempt })
        };
        self.deliveries.into_iter().enumerate().map(read).collect()
    }
}

/// A message in the hands of a consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Taken {
    /// What to settle it by; good for this delivery alone.
    pub tag: String,
    /// Which message it is.
    pub id: MessageId,
    /// Its bytes.
    pub body: String,
    /// How they are written.
    #[serde(deserialize_with = "object::word")]
    pub encoding: Encoding,
    /// How urgent it is.
    pub priority: i64,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

impl From<Delivery> for Taken {
    fn from(delivery: Delivery) -> Self {
        let Delivery { tag, id, body, priority, attempt } = delivery;
        let (body, encoding) = Encoding::write(body);
        Taken { tag: tag.0, id: id.into(), body, encoding, priority, attempt }
    }
}

/// Looks at what would be fetched, and takes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeekMessages {
    /// The connection.
    pub client: String,
    /// The queue.
    #[serde(deserialize_with = "object::object")]
    pub queue: QueueName,
    /// How many at most.
    pub max: u32,
    /// In which group; the unnamed one where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// As whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Begins behind this message; nothing where it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<MessageId>,
}

impl PeekMessages {
    /// Writes what to look at.
    #[must_use]
    pub fn of(client: String, queue: QueueName, peek: Peek) -> Self {
        let Peek { max, group, recipient, after } = peek;
        PeekMessages { client, queue, max, group, recipient, after: after.map(MessageId::from) }
    }
}

impl From<PeekMessages> for Peek {
    fn from(asked: PeekMessages) -> Self {
        let PeekMessages { max, group, recipient, after, .. } = asked;
        Peek { max, group, recipient, after: after.map(Into::into) }
    }
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Looked {
    /// The messages, in the order in which they would be fetched.
    #[serde(deserialize_with = "object::list")]
    pub messages: Vec<Seen>,
}

impl Looked {
    /// Reads the messages.
    ///
    /// # Errors
    /// Where a body is not what its `encoding` says.
    pub fn messages(self) -> Result<Vec<Peeked>, Mismatch> {
        let read = |(index, seen): (usize, Seen)| {
            let Seen { id, body, encoding, priority, attempt } = seen;
            let body = encoding.read(body, &format!("messages[{index}].body"))?;
            Ok(Peeked { id: id.into(), body, priority, attempt })
        };
        self.messages.into_iter().enumerate().map(read).collect()
    }
}

/// A message that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// Which message it is.
    pub id: MessageId,
    /// Its bytes.
    pub body: String,
    /// How they are written.
    #[serde(deserialize_with = "object::word")]
    pub encoding: Encoding,
    /// How urgent it is.
    pub priority: i64,
    /// Which attempt its next delivery will be.
    pub attempt: u32,
}

impl From<Peeked> for Seen {
    fn from(peeked: Peeked) -> Self {
        let Peeked { id, body, priority, attempt } = peeked;
        let (body, encoding) = Encoding::write(body);
        Seen { id: id.into(), body, encoding, priority, attempt }
    }
}

/// Ends a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Settle {
    /// The connection.
    pub client: String,
    /// The queue.
    #[serde(deserialize_with = "object::object")]
    pub queue: QueueName,
    /// The delivery's.
    pub tag: String,
    /// How it ended.
    #[serde(deserialize_with = "object::word")]
    pub verdict: Word,
    /// What went wrong; not with `done`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// With `retry`, how long it rests; the policy's backoff where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<i64>,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// The message is gone.
    Done,
    /// Once more.
    Retry,
    /// To the dead letters.
    Dead,
}

impl Settle {
    /// Writes a verdict.
    #[must_use]
    pub fn of(client: String, queue: QueueName, tag: &Tag, verdict: Verdict) -> Self {
        let (verdict, reason, delay_ms) = match verdict {
            Verdict::Done => (Word::Done, None, None),
            Verdict::Retry { delay_ms, reason } => (Word::Retry, reason, delay_ms),
            Verdict::Dead { reason } => (Word::Dead, reason, None),
        };
        Settle { client, queue, tag: tag.0.clone(), verdict, reason, delay_ms }
    }

    /// Reads the verdict. What does not belong to it is ignored.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.verdict {
            Word::Done => Verdict::Done,
            Word::Retry => Verdict::Retry { delay_ms: self.delay_ms, reason: self.reason.clone() },
            Word::Dead => Verdict::Dead { reason: self.reason.clone() },
        }
    }
}

/// Holds a delivery for this long from now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Extend {
    /// The connection.
    pub client: String,
    /// The queue.
    #[serde(deserialize_with = "object::object")]
    pub queue: QueueName,
    /// The delivery's.
    pub tag: String,
    /// How long.
    pub lease_ms: i64,
}
