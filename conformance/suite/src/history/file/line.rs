//! The lines of a file, as JSON writes them: with texts and ids in full.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use workwire_broker::{AgentState, Choices, CloseMode, Code, Depth, Policy, RestartMode, Stored, Update};

use crate::demand::Demand;

/// The first line: what the history is of.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct Header {
    /// The version of the format: 1.
    pub(super) workwire_history: u32,
    /// The case that made it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) case: Option<String>,
    /// The broker.
    #[serde(default)]
    pub(super) target: String,
    /// With which the case can be run again.
    #[serde(default)]
    pub(super) seed: u64,
    /// What the broker claims.
    #[serde(default)]
    pub(super) capabilities: Vec<String>,
    /// What it does where there is a choice.
    #[serde(default)]
    pub(super) choices: Choices,
    /// The longest time for which the recorder itself stood still, in microseconds.
    #[serde(default)]
    pub(super) stall: u64,
    /// Whether it was recorded to its end.
    #[serde(default)]
    pub(super) complete: bool,
}

/// An operation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct Step {
    /// Its number; each is greater than the one before.
    pub(super) n: u32,
    /// Who called.
    pub(super) client: String,
    /// When it began, in microseconds since the history did.
    pub(super) began: u64,
    /// When it ended; left out where it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<u64>,
    /// What was asked.
    pub(super) call: CallLine,
    /// What came of it.
    pub(super) outcome: OutcomeLine,
}

/// A demand.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct Demanded {
    /// What is demanded of operations.
    pub(super) demand: Demand,
}

/// The last line.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct Ending {
    /// How many lines there were.
    pub(super) end: Counts,
}

/// How many lines there were.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub(super) struct Counts {
    /// Operations.
    pub(super) operations: u64,
    /// Demands.
    pub(super) demands: u64,
}

/// What was asked.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CallLine {
    Start {},
    Open {},
    Close {
        mode: CloseMode,
    },
    Restart {
        mode: RestartMode,
    },
    Misbehaved {
        kind: String,
        what: String,
    },
    Declare {
        queue: String,
        policy: Box<Policy>,
    },
    Publish {
        queue: String,
        id: Uuid,
        #[serde(flatten)]
        body: BodyLine,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ttl_ms: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delay_ms: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
    Fetch {
        queue: String,
        max: u32,
        #[serde(default)]
        wait_ms: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recipient: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Uuid>,
    },
    Peek {
        queue: String,
        max: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recipient: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Uuid>,
    },
    Settle {
        queue: String,
        tag: String,
        verdict: VerdictLine,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delay_ms: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    Extend {
        queue: String,
        tag: String,
        lease_ms: i64,
    },
    Depth {
        queue: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
    },
    DeadLetters {
        queue: String,
        max: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
    },
    Replay {
        queue: String,
        id: Uuid,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
    },
    Purge {
        queue: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
        #[serde(default)]
        dead: bool,
    },
    Delete {
        queue: String,
    },
    Sweep {
        queue: String,
    },
    Heartbeat {
        update: Box<Update>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<String>,
    },
    Agents {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offline_after_ms: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<String>,
    },
    /// No call: the queue was seen to stand empty, with nothing held and nothing resting, after
    /// everything was fetched from it.
    Drained {
        queue: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
    },
}

/// Bytes, told by their length and digest.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct BodyLine {
    /// How many bytes.
    pub(super) bytes: u32,
    /// FNV-1a of them, 64 bits, as 16 hexadecimal digits.
    #[schemars(regex(pattern = "^[0-9a-f]{16}$"))]
    pub(super) digest: String,
}

/// How a delivery is settled.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum VerdictLine {
    Done,
    Retry,
    Dead,
}

/// What came of a call.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutcomeLine {
    /// It did what was asked.
    Ok(AnswerLine),
    /// It did not happen.
    Refused { code: Code, message: String },
    /// It may have happened, or may yet.
    Indefinite { message: String },
}

/// What was answered.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AnswerLine {
    /// No more than that.
    Done {},
    /// What became of a message.
    Published(Stored),
    /// What was taken.
    Deliveries(Vec<DeliveryLine>),
    /// What was seen.
    Messages(Vec<MessageLine>),
    /// How many are where.
    Depth(Box<Depth>),
    /// The letters.
    Letters(Vec<LetterLine>),
    /// How many were removed.
    Removed(u64),
    /// Who is there.
    Agents(Vec<AgentState>),
}

/// A delivery.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct DeliveryLine {
    pub(super) tag: String,
    pub(super) id: Uuid,
    #[serde(flatten)]
    pub(super) body: BodyLine,
    pub(super) priority: i64,
    pub(super) attempt: u32,
}

/// A message that was looked at.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct MessageLine {
    pub(super) id: Uuid,
    #[serde(flatten)]
    pub(super) body: BodyLine,
    pub(super) priority: i64,
    pub(super) attempt: u32,
}

/// A letter that was looked at.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct LetterLine {
    pub(super) id: Uuid,
    #[serde(flatten)]
    pub(super) body: BodyLine,
    pub(super) reason: String,
    pub(super) attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) priority: Option<i64>,
    /// Milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) died_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<String>,
}
