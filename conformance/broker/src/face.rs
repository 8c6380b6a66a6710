//! What the typed faces have in common: a line to a broker, messages taken from it, dead letters, and
//! the one error.
//!
//! A face speaks documents of the protocol over any [`Client`](crate::Client): nobody who uses it
//! touches bytes. What it takes that is no such document goes to the dead letters at once, with what
//! is wrong with it, and the next one is taken.

mod error;
mod letter;
mod line;
mod taken;

use std::time::Duration;

pub use error::FaceError;
pub use letter::DeadLetter;
pub(crate) use line::Line;
pub use taken::Taken;

use crate::policy::MAX_MS;

/// So many dead letters are listed where nobody says how many.
pub const LETTERS: u32 = 50;

/// Milliseconds as the contract counts them. What is longer than it can say is the longest.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(MAX_MS).min(MAX_MS)
}
