//! A dead letter with what can be read of it.

use bytes::Bytes;
use uuid::Uuid;
use workwire::{Document, ProtocolError, Timestamp};

use crate::contract::Letter;

/// A message that was given up, as a document again where it is one.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter<T> {
    /// By which id it is replayed.
    pub id: Uuid,
    /// The whole message, or what is wrong with its bytes.
    pub message: Result<T, ProtocolError>,
    /// Its bytes as they came.
    pub body: Bytes,
    /// Why it was given up.
    pub error: String,
    /// The number of its last delivery.
    pub attempts: u32,
    /// When it was given up, where the broker knows.
    pub died_at: Option<Timestamp>,
    /// Which group gave it up, where that is a named one.
    pub group: Option<String>,
}

impl<T: Document> From<Letter> for DeadLetter<T> {
    fn from(letter: Letter) -> Self {
        DeadLetter {
            id: letter.id,
            message: T::from_slice(&letter.body),
            body: letter.body,
            error: letter.reason,
            attempts: letter.attempts,
            died_at: letter.died_at,
            group: letter.group,
        }
    }
}
