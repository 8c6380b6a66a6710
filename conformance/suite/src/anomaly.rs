//! What can be wrong in a history.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::Number;

/// The kinds of what can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A demand of the case does not hold.
    Demand,
    /// What the case builds upon does not hold: it found nothing of what it looks for.
    Prerequisite,
    /// Acknowledged, and gone.
    Lost,
    /// Delivered, and never published.
    Phantom,
    /// Other bytes, another priority than published.
    Corrupted,
    /// Delivered twice without a cause that allows it.
    Duplicated,
    /// Delivered after `done`.
    Revived,
    /// Refused, and delivered all the same.
    RefusedDelivered,
    /// Held by two at once.
    TwoHolders,
    /// Delivered before its time.
    Early,
    /// Delivered after its expiry.
    Expired,
    /// A less urgent one before a more urgent one.
    PriorityInversion,
    /// A later one before an earlier one of its priority.
    OrderInversion,
    /// An attempt counted wrongly.
    AttemptWrong,
    /// Dead before its attempts were used up.
    DeadEarly,
    /// Delivered more often than its attempts allow.
    DeadLate,
    /// A letter twice.
    DeadTwice,
    /// Died, and no letter.
    DeadNever,
    /// Seen by another tenant, queue, group or recipient.
    Leaked,
    /// Delivered though it was purged before.
    Purged,
    /// Counts that do not add up.
    Depth,
    /// An adapter's breach of its protocol.
    Misbehaviour,
}

impl Kind {
    /// Its name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Demand => "demand",
            Kind::Prerequisite => "prerequisite",
            Kind::Lost => "lost",
            Kind::Phantom => "phantom",
            Kind::Corrupted => "corrupted",
            Kind::Duplicated => "duplicated",
            Kind::Revived => "revived",
            Kind::RefusedDelivered => "refused_delivered",
            Kind::TwoHolders => "two_holders",
            Kind::Early => "early",
            Kind::Expired => "expired",
            Kind::PriorityInversion => "priority_inversion",
            Kind::OrderInversion => "order_inversion",
            Kind::AttemptWrong => "attempt_wrong",
            Kind::DeadEarly => "dead_early",
            Kind::DeadLate => "dead_late",
            Kind::DeadTwice => "dead_twice",
            Kind::DeadNever => "dead_never",
            Kind::Leaked => "leaked",
            Kind::Purged => "purged",
            Kind::Depth => "depth",
            Kind::Misbehaviour => "misbehaviour",
        }
    }
}

/// Something wrong, and where it can be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Anomaly {
    /// Which kind.
    pub kind: Kind,
    /// The few operations that show it.
    pub operations: Vec<Number>,
    /// What should have been.
    pub expected: String,
    /// What was.
    pub found: String,
    /// Whether only the time is wrong, for which the machine may be to blame.
    pub timing: bool,
}
