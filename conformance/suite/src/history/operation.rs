//! One operation: the call, and what came of it.

use workwire_broker::{AgentState, CloseMode, Code, Depth, Policy, RestartMode, Stored, Update};

use super::{MessageId, Micros, Word};

/// The number of an operation in its history, from 0.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct Number(u32);

impl Number {
    /// The number of a place.
    #[must_use]
    pub fn of(index: usize) -> Self {
        Number(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// Its place.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Bytes, told by their length and digest: enough to see whether they changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Body {
    /// How many bytes.
    pub bytes: u32,
    /// FNV-1a of them, 64 bits.
    pub digest: u64,
}

impl Body {
    /// What these bytes are told by.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let digest = bytes.iter().fold(OFFSET, |digest, byte| (digest ^ u64::from(*byte)).wrapping_mul(PRIME));
        Body { bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX), digest }
    }
}

/// A call of a client to a broker, from when it began to when it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Who called.
    pub client: Word,
    /// When it began.
    pub began: Micros,
    /// When it ended; nothing where it never did.
    pub ended: Option<Micros>,
    /// What was asked.
    pub call: Call,
    /// What came of it.
    pub outcome: Outcome,
}

/// What was asked. Members of a batch stand each for itself, as operations of one time.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// A process of the broker is started on a store; `client` is its name then.
    Start,
    /// A connection is opened.
    Open,
    /// A connection is closed, or lost.
    Close(CloseMode),
    /// The broker is told to stop and to start again. `client` is the runner's own word then.
    Restart(RestartMode),
    /// A queue is declared.
    Declare(Word, Box<Policy>),
    /// A message is published.
    Publish(PublishCall),
    /// Messages are taken.
    Fetch(FetchCall),
    /// Messages are looked at.
    Peek(PeekCall),
    /// A delivery is settled.
    Settle(SettleCall),
    /// A delivery is held longer.
    Extend(Word, Word, i64),
    /// The messages of a queue are counted; of the unnamed group, or of a named one.
    Depth(Word, Option<Word>),
    /// The dead letters are looked at: up to so many.
    DeadLetters(Word, Option<Word>, u32),
    /// A letter is sent back.
    Replay(Word, Option<Word>, MessageId),
    /// A queue is emptied; of its letters where the last member says so.
    Purge(Word, Option<Word>, bool),
    /// A queue is removed.
    Delete(Word),
    /// What has expired is removed.
    Sweep(Word),
    /// An agent says that it is there; of a tenant where one is named.
    Heartbeat(Box<Update>, Option<Word>),
    /// Who is there.
    Agents(Option<i64>, Option<Word>),
    /// Everything that the queue will ever deliver to the unnamed group, or to this one, was fetched:
    /// it stood empty, with nothing held and nothing resting.
    Drained(Word, Option<Word>),
    /// An adapter did what its protocol does not allow: of which kind, and what it was.
    Misbehaved(Word, Word),
}

/// A message that is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishCall {
    /// To which queue.
    pub queue: Word,
    /// Which message.
    pub id: MessageId,
    /// Its bytes.
    pub body: Body,
    /// How urgent.
    pub priority: Option<i64>,
    /// What few messages have: apart, so that the many are small.
    terms: Option<Box<Terms>>,
}

/// What few messages have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// How long it lives.
    pub ttl_ms: Option<i64>,
    /// How long it rests.
    pub delay_ms: Option<i64>,
    /// For whom.
    pub to: Option<Word>,
}

impl PublishCall {
    /// A message for anybody, to be had at once and for ever.
    #[must_use]
    pub const fn new(queue: Word, id: MessageId, body: Body, priority: Option<i64>) -> Self {
        PublishCall { queue, id, body, priority, terms: None }
    }

    /// The same on these terms.
    #[must_use]
    pub fn on(self, terms: Terms) -> Self {
        let has_any = terms != Terms::default();
        PublishCall { terms: has_any.then(|| Box::new(terms)), ..self }
    }

    /// On which terms.
    #[must_use]
    pub fn terms(&self) -> Terms {
        self.terms.as_deref().copied().unwrap_or_default()
    }

    /// How long it lives.
    #[must_use]
    pub fn ttl_ms(&self) -> Option<i64> {
        self.terms().ttl_ms
    }

    /// How long it rests.
    #[must_use]
    pub fn delay_ms(&self) -> Option<i64> {
        self.terms().delay_ms
    }

    /// For whom.
    #[must_use]
    pub fn to(&self) -> Option<Word> {
        self.terms().to
    }
}

/// What is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchCall {
    /// From which queue.
    pub queue: Word,
    /// At most so many.
    pub max: u32,
    /// Waiting so long.
    pub wait_ms: i64,
    /// For which group.
    pub group: Option<Word>,
    /// For whom.
    pub recipient: Option<Word>,
    /// This one alone.
    pub only: Option<MessageId>,
}

/// What is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeekCall {
    /// In which queue.
    pub queue: Word,
    /// At most so many.
    pub max: u32,
    /// In which group.
    pub group: Option<Word>,
    /// As whom.
    pub recipient: Option<Word>,
    /// Behind which message.
    pub after: Option<MessageId>,
}

/// How a delivery is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettleAs {
    /// The work is done.
    Done,
    /// Once more, after this rest.
    Retry(Option<i64>),
    /// Never again.
    Dead,
}

/// A delivery that is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettleCall {
    /// In which queue.
    pub queue: Word,
    /// By which tag.
    pub tag: Word,
    /// How.
    pub verdict: SettleAs,
    /// Why.
    pub reason: Option<Word>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It did what was asked.
    Ok(Answer),
    /// It did not happen.
    Refused(Code, Word),
    /// It may have happened, or may yet: no answer, or none that says.
    Indefinite(Word),
}

/// What was answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// No more than that.
    Done,
    /// What became of a message.
    Published(Stored),
    /// What was taken.
    Deliveries(Box<[Delivered]>),
    /// What was seen.
    Peeked(Box<[PeekSeen]>),
    /// How many are where.
    Depth(Box<Depth>),
    /// The letters.
    Letters(Box<[LetterSeen]>),
    /// How many were removed.
    Removed(u64),
    /// Who is there.
    Agents(Box<[AgentState]>),
}

/// A delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// What to settle it by.
    pub tag: Word,
    /// Which message.
    pub id: MessageId,
    /// Its bytes.
    pub body: Body,
    /// How urgent.
    pub priority: i64,
    /// Which attempt.
    pub attempt: u32,
}

/// A message that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeekSeen {
    /// Which message.
    pub id: MessageId,
    /// Its bytes.
    pub body: Body,
    /// How urgent.
    pub priority: i64,
    /// Which attempt its next delivery is.
    pub attempt: u32,
}

/// A dead letter that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetterSeen {
    /// Which message.
    pub id: MessageId,
    /// Its bytes.
    pub body: Body,
    /// Why it died.
    pub reason: Word,
    /// The number of its last delivery.
    pub attempts: u32,
    /// How urgent, where the engine knows.
    pub priority: Option<i64>,
    /// When it died, where the engine knows: milliseconds since 1970.
    pub died_at: Option<i64>,
    /// Of which group.
    pub group: Option<Word>,
}

impl Operation {
    /// The queue that it is about, if any.
    #[must_use]
    pub const fn queue(&self) -> Option<Word> {
        match &self.call {
            Call::Publish(PublishCall { queue, .. })
            | Call::Fetch(FetchCall { queue, .. })
            | Call::Peek(PeekCall { queue, .. })
            | Call::Settle(SettleCall { queue, .. })
            | Call::Declare(queue, _)
            | Call::Extend(queue, ..)
            | Call::Depth(queue, _)
            | Call::DeadLetters(queue, ..)
            | Call::Replay(queue, ..)
            | Call::Purge(queue, ..)
            | Call::Delete(queue)
            | Call::Sweep(queue)
            | Call::Drained(queue, _) => Some(*queue),
            Call::Start
            | Call::Open
            | Call::Close(_)
            | Call::Restart(_)
            | Call::Heartbeat(..)
            | Call::Agents(..)
            | Call::Misbehaved(..) => None,
        }
    }

    /// What was taken.
    #[must_use]
    pub fn deliveries(&self) -> &[Delivered] {
        match &self.outcome {
            Outcome::Ok(Answer::Deliveries(deliveries)) => deliveries,
            _ => &[],
        }
    }
}
