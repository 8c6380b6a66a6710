//! Dead letters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use workwire::{MessageId, Timestamp};

use super::body::Encoding;
use super::object::{self, Mismatch};
use super::queues::QueueName;
use crate::contract::Letter;

/// Looks at the dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetters {
    /// The connection.
    pub client: String,
    /// The queue.
    #[serde(deserialize_with = "object::object")]
    pub queue: QueueName,
    /// How many at most.
    pub max: u32,
    /// Of one group; of all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// The dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Letters {
    /// The letters, the oldest first.
    #[serde(deserialize_with = "object::list")]
    pub letters: Vec<DeadLetter>,
}

impl Letters {
    /// Reads the letters.
    ///
    /// # Errors
    /// Where a body is not what its `encoding` says.
    pub fn letters(self) -> Result<Vec<Letter>, Mismatch> {
        let read = |(index, letter): (usize, DeadLetter)| {
            let DeadLetter { id, body, encoding, reason, attempts, priority, died_at, group } = letter;
            let body = encoding.read(body, &format!("letters[{index}].body"))?;
            Ok(Letter { id: id.into(), body, reason, attempts, priority, died_at, group })
        };
        self.letters.into_iter().enumerate().map(read).collect()
    }
}

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    /// Which message it was.
    pub id: MessageId,
    /// Its bytes.
    pub body: String,
    /// How they are written.
    #[serde(deserialize_with = "object::word")]
    pub encoding: Encoding,
    /// Why it died.
    pub reason: String,
    /// The number of its last delivery.
    pub attempts: u32,
    /// How urgent it was, where the engine knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// When it died, where the engine knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died_at: Option<Timestamp>,
    /// Whose letter it is, where that is a named group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl From<Letter> for DeadLetter {
    fn from(letter: Letter) -> Self {
        let Letter { id, body, reason, attempts, priority, died_at, group } = letter;
        let (body, encoding) = Encoding::write(body);
        DeadLetter { id: id.into(), body, encoding, reason, attempts, priority, died_at, group }
    }
}

/// Sends a dead letter back to its queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Replay {
    /// The connection.
    pub client: String,
    /// The queue.
    #[serde(deserialize_with = "object::object")]
    pub queue: QueueName,
    /// Which message it was.
    pub id: MessageId,
    /// Of one group; the oldest of all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}
