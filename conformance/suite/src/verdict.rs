//! What a case comes to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::anomaly::Anomaly;

/// The five verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// What its clauses demand was looked at, and holds.
    Pass,
    /// Something that its clauses demand does not hold.
    Fail,
    /// The run could not tell.
    Unknown,
    /// It was not run, for a reason that is said.
    Skipped,
    /// The broker could not be reached.
    SetupFailed,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Verdict; 5] =
        [Verdict::Pass, Verdict::Fail, Verdict::Unknown, Verdict::Skipped, Verdict::SetupFailed];

    /// Its name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Unknown => "unknown",
            Verdict::Skipped => "skipped",
            Verdict::SetupFailed => "setup_failed",
        }
    }
}

/// A verdict with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is no pass, in words; of a pass nothing.
    pub reason: String,
    /// What is wrong, each with the clause that it breaks.
    pub broken: Vec<Broken>,
    /// Whether the runner was too slow to tell, or only times are wrong: then more time may tell more.
    pub more_time: bool,
}

/// An anomaly, and the clause that it breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Broken {
    /// The clause; empty where what the case builds upon is broken.
    pub clause: String,
    /// What is wrong.
    #[serde(flatten)]
    pub anomaly: Anomaly,
}

impl Judgement {
    pub(crate) fn unknown(reason: impl Into<String>) -> Self {
        Judgement { verdict: Verdict::Unknown, reason: reason.into(), broken: Vec::new(), more_time: false }
    }
}
