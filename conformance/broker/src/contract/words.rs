//! What is said to a broker, and what it answers.

use bytes::Bytes;
use uuid::Uuid;
use workwire::Timestamp;

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
