//! Histories as files: a line of JSON for what it is of, one for each operation, one for each demand,
//! one at the end. `HISTORY.md` beside this crate's `Cargo.toml` describes them for others.

mod line;
mod read;
mod schema;
mod write;

use std::fmt;

pub use schema::schema;

/// The most bytes of a line that are read, or written.
pub const MOST_BYTES: usize = 16 * 1_048_576;

/// The version of the format.
const VERSION: u32 = 1;

/// A file that is no history, or not a whole one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryError {
    /// The line, from 1.
    pub line: usize,
    /// What was expected, and what was found.
    pub message: String,
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for HistoryError {}
