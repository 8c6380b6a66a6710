//! What a case demands of single operations. A demand is data: it stands in the history beside the
//! operations that it speaks of, so that a history judged again is judged by the same.

mod expect;
mod holds;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use expect::{Edge, Expectation, Moment};
pub use holds::Holding;

use crate::history::Number;

/// What an unmet demand means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The clause is broken.
    Demanded,
    /// What the case builds upon is broken: it fails, by no fault that it looks for.
    Needed,
    /// The runner was too slow to tell.
    Premise,
}

/// Something that has to be so of an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Demand {
    /// By which clause.
    pub clause: String,
    /// Of which operations: of one, or of several that stand for one, such as fetches until all is there.
    pub of: Vec<Number>,
    /// What has to be so.
    pub expect: Expectation,
    /// What it means if it is not.
    pub role: Role,
}
