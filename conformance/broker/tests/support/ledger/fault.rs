//! What is wrong with a store, and how much was looked at.

use std::fmt;

/// In what way it is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It was acknowledged, and is not there.
    Lost,
    /// It was settled, and is there again; or two have it at once.
    Twice,
    /// Another place, attempt, reason, time or answer than it must be.
    Wrong,
    /// The counts are not those of the tables, or the tables do not agree.
    Counts,
    /// An operation failed that had no reason to.
    Refused,
}

impl Kind {
    pub(crate) const ALL: [Kind; 5] = [Kind::Lost, Kind::Twice, Kind::Wrong, Kind::Refused, Kind::Counts];
}

#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.what)
    }
}

/// How much was acknowledged, and how much was asked for and never answered.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    pub(crate) published: u64,
    pub(crate) delivered: u64,
    pub(crate) settled: u64,
    pub(crate) unanswered: u64,
}

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, more: Sums) {
        self.published += more.published;
        self.delivered += more.delivered;
        self.settled += more.settled;
        self.unanswered += more.unanswered;
    }
}
