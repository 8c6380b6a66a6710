//! Checkers: pure functions from a history to what is wrong in it.

mod misbehaviour;

pub use misbehaviour::{
    EARLY_EXIT, LONG_LINE, NO_REQUEST, NOT_JSON, SECOND_ANSWER, SILENCE, UNKNOWN_CODE, WRONG_SHAPE,
};

use crate::anomaly::{Anomaly, Kind};
use crate::history::History;

/// What a checker found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// How much it had to look at. A checker that looked at nothing found nothing right either.
    pub looked_at: u64,
    /// What is wrong.
    pub anomalies: Vec<Anomaly>,
    /// Why it could not tell, where it could not.
    pub unknown: Option<String>,
}

/// One thing that can be told from a history.
#[derive(Debug, Clone, Copy)]
pub struct Checker {
    /// Its name.
    pub name: &'static str,
    /// What it looks for, in one sentence.
    pub about: &'static str,
    /// What it can find.
    pub kinds: &'static [Kind],
    /// Looks.
    pub check: fn(&History) -> Found,
}

impl PartialEq for Checker {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Every checker.
pub const ALL: &[&Checker] =
    &[&NOT_JSON, &LONG_LINE, &NO_REQUEST, &SECOND_ANSWER, &SILENCE, &WRONG_SHAPE, &UNKNOWN_CODE, &EARLY_EXIT];
