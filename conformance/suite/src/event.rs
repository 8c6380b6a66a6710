//! What a run tells while it runs. The runner emits these and prints nothing; reports read them and
//! know nothing of the runner.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use workwire_broker::Choices;
use workwire_broker::adapter::Finding;

use crate::history::History;
use crate::verdict::{Broken, Verdict};

/// What a run tells.
#[derive(Debug, Clone)]
pub enum Event {
    /// It begins.
    Began(Beginning),
    /// A case begins.
    CaseBegan {
        /// Which.
        id: &'static str,
    },
    /// A case runs once more, alone and with more time, since the time alone was wrong.
    CaseAgain {
        /// Which.
        id: &'static str,
    },
    /// A case is judged.
    CaseEnded(Box<Ended>),
    /// The broker was told to end, and what was left behind is named.
    LeftBehind {
        /// What could not be removed.
        what: String,
    },
    /// An adapter did what its protocol does not allow: told at the end, since a line that was wrong
    /// need not belong to any one case.
    Misbehaved(Finding),
    /// The run is over.
    Ended {
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// Whether it was broken off.
        broken_off: bool,
    },
}

/// The suite that judges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// Its address, without passwords.
    pub address: String,
    /// What it calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is written in, where it says.
    pub language: Option<String>,
    /// What it claims.
    pub capabilities: Vec<String>,
    /// How much it takes, where it is a broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// What it does where more than one way is right, where it is a broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Choices>,
}

/// How much a broker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// The highest priority that a queue may have.
    pub max_priority: i64,
    /// The most bytes of a body.
    pub max_message_bytes: u64,
}

/// How a run begins.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// The suite.
    pub suite: Suite,
    /// What is judged.
    pub target: Judged,
    /// With which it can be repeated.
    pub seed: u64,
    /// When, as RFC 3339.
    pub started_at: String,
    /// How many cases will be run or skipped.
    pub cases: usize,
    /// What of it takes as long as the protocol says.
    pub figures: Figures,
}

/// Cases that run a second time, with the protocol's own times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// How many.
    pub cases: usize,
    /// For how long the run waits for them, in milliseconds; 0 where its time is paused.
    pub wait_ms: u64,
}

/// A case that is judged.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Which.
    pub id: &'static str,
    /// Its clauses.
    pub clauses: &'static [&'static str],
    /// Whether what it demands is a MUST.
    pub must: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is no pass, in words.
    pub reason: String,
    /// What is wrong.
    pub broken: Vec<Broken>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What happened; nothing for a case that was not run.
    pub history: Option<History>,
    /// What the target wrote to its log meanwhile, where there is one.
    pub log: String,
    /// The time of the protocol itself with which it ran too, in words.
    pub figure: Option<&'static str>,
}
