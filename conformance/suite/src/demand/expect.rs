//! What can be expected of an operation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use workwire_broker::{Code, Stored};

use crate::history::Number;

/// Which end of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    /// When it was asked.
    Began,
    /// When it was answered.
    Ended,
}

/// A moment: so many milliseconds after one end of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// After which operation.
    pub of: Number,
    /// After which end of it.
    pub edge: Edge,
    /// So many milliseconds.
    pub ms: i64,
}

/// What has to be so. Where an answer tells something that an engine may leave out, what is left
/// out meets every expectation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Expectation {
    /// It does what was asked.
    Accepted,
    /// It is refused, with one of these codes.
    Refused {
        /// Any of them will do.
        codes: Vec<Code>,
    },
    /// It is refused, or what it was about does no harm: met by whatever is no `ok`.
    NotAccepted,
    /// A publish is answered so.
    Published {
        /// What became of the message.
        stored: Stored,
    },
    /// Just these messages are shown: delivered, looked at, or as letters.
    Shows {
        /// Which.
        ids: Vec<Uuid>,
        /// Whether in this order.
        in_order: bool,
    },
    /// These messages are not among what is shown.
    ShowsNone {
        /// Which.
        ids: Vec<Uuid>,
    },
    /// These messages are among what is shown.
    Includes {
        /// Which.
        ids: Vec<Uuid>,
    },
    /// Those of these messages that are shown come in this order, whatever else is shown.
    KeepOrder {
        /// Which.
        ids: Vec<Uuid>,
    },
    /// So many are shown: messages, letters or agents.
    Count {
        /// At least.
        least: u64,
        /// At most.
        most: u64,
    },
    /// The shown ones have these attempts, one after the other; of letters, the last delivery's.
    Attempts {
        /// One for each that is shown.
        attempts: Vec<u32>,
    },
    /// The shown ones have these priorities, one after the other.
    Priorities {
        /// One for each that is shown.
        priorities: Vec<i64>,
    },
    /// The shown ones have the bytes with which their ids were published.
    SameBytes,
    /// The letters have these reasons, one after the other.
    Reasons {
        /// One for each letter.
        reasons: Vec<String>,
    },
    /// Each letter has a reason that is no empty text.
    SomeReason,
    /// Each letter that tells when it died tells a moment between these two, give or take a second.
    DiedBetween {
        /// Milliseconds since 1970.
        least: i64,
        /// Milliseconds since 1970.
        most: i64,
    },
    /// Each letter is of this group; of the unnamed one where there is none.
    OfGroup {
        /// Its name.
        group: Option<String>,
    },
    /// So many are where.
    Depth {
        /// Can be fetched.
        ready: Option<u64>,
        /// Held.
        leased: Option<u64>,
        /// Resting.
        delayed: Option<u64>,
        /// Dead.
        dead: Option<u64>,
    },
    /// So many were removed.
    Removed {
        /// The number.
        number: u64,
    },
    /// It ends at this moment or later.
    NotBefore {
        /// The earliest.
        moment: Moment,
    },
    /// It ends at this moment or earlier. The runner's own standing still counts for the broker.
    By {
        /// The latest.
        moment: Moment,
    },
    /// It ends at this moment or earlier, with whatever answer, be it none that says anything.
    EndsBy {
        /// The latest.
        moment: Moment,
    },
    /// The agent is there, and so.
    Agent {
        /// Its id or name.
        id: String,
        /// What it is, where it matters.
        status: Option<String>,
        /// What it works on, where it matters.
        task: Option<String>,
        /// How many wait, are done, went wrong, where it matters.
        counts: Option<[u64; 3]>,
        /// How loaded it is, where it matters: members that have to be there as they are here.
        resources: Option<serde_json::Value>,
    },
    /// The agent is there, and of this type.
    AgentType {
        /// Its id or name.
        id: String,
        /// Its type.
        agent_type: String,
    },
    /// The agent is there, and its last update names this time.
    LastHeartbeat {
        /// Its id or name.
        id: String,
        /// Milliseconds since 1970.
        at: i64,
    },
    /// The agent is there, and works on nothing.
    NoTask {
        /// Its id or name.
        id: String,
    },
    /// The agent is not there.
    NoAgent {
        /// Its id or name.
        id: String,
    },
    /// The operations are so many clients', and the one with the fewest has at least half of what the
    /// one with the most has.
    EvenShares {
        /// How many clients.
        clients: u64,
    },
    /// The refusal's words hold this.
    Says {
        /// A part of the message.
        part: String,
    },
}

impl Expectation {
    /// Refused with this code.
    #[must_use]
    pub fn refused(code: Code) -> Self {
        Expectation::Refused { codes: vec![code] }
    }

    /// Just this message.
    #[must_use]
    pub fn shows(id: Uuid) -> Self {
        Expectation::Shows { ids: vec![id], in_order: true }
    }

    /// Just these messages, in this order.
    #[must_use]
    pub fn in_order(ids: impl IntoIterator<Item = Uuid>) -> Self {
        Expectation::Shows { ids: ids.into_iter().collect(), in_order: true }
    }

    /// Just these messages, in any order.
    #[must_use]
    pub fn in_any_order(ids: impl IntoIterator<Item = Uuid>) -> Self {
        Expectation::Shows { ids: ids.into_iter().collect(), in_order: false }
    }

    /// These in this order, whatever else is there.
    #[must_use]
    pub fn keep_order(ids: impl IntoIterator<Item = Uuid>) -> Self {
        Expectation::KeepOrder { ids: ids.into_iter().collect() }
    }

    /// Nothing at all.
    #[must_use]
    pub fn nothing() -> Self {
        Expectation::Shows { ids: Vec::new(), in_order: true }
    }

    /// So many, no less and no more.
    #[must_use]
    pub const fn count(number: u64) -> Self {
        Expectation::Count { least: number, most: number }
    }

    /// Stored, and no duplicate.
    #[must_use]
    pub const fn stored() -> Self {
        Expectation::Published { stored: Stored::Stored }
    }

    /// A duplicate.
    #[must_use]
    pub const fn duplicate() -> Self {
        Expectation::Published { stored: Stored::Duplicate }
    }

    /// So many that can be fetched; the other counts do not matter.
    #[must_use]
    pub const fn ready(number: u64) -> Self {
        Expectation::Depth { ready: Some(number), leased: None, delayed: None, dead: None }
    }

    /// Counts of all four kinds.
    #[must_use]
    pub const fn depth(ready: u64, leased: u64, delayed: u64, dead: u64) -> Self {
        Expectation::Depth { ready: Some(ready), leased: Some(leased), delayed: Some(delayed), dead: Some(dead) }
    }

    /// Whether it speaks of time alone.
    #[must_use]
    pub const fn is_timing(&self) -> bool {
        matches!(self, Expectation::NotBefore { .. } | Expectation::By { .. } | Expectation::EndsBy { .. })
    }
}
