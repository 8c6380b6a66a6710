//! A dead letter with what can be read of it.

use bytes::Bytes;
use uuid::Uuid;
use workwire::{Document, ProtocolError, Timestamp};

use crate::contract::Letter;

/// A message that was given up, as a document again where it is one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use workwire::{ChannelMessage, Name};
/// use workwire_broker::{Channels, LETTERS, MemoryBroker};
/// let channels = Channels::open(&MemoryBroker::default(), "coder").await?;
/// let coder: Name = "coder".parse()?;
/// let claim = ChannelMessage::task_claim(coder.clone(), "4711")?.build()?;
/// channels.send(&claim).await?;
/// for _ in 0..3 {
///     let taken = channels.claim_next(&coder, claim.channel(), Duration::ZERO).await?.ok_or("nothing there")?;
///     channels.fail(&taken, "no compiler").await?;
/// }
/// let letter = channels.dead_letters(claim.channel(), LETTERS).await?.remove(0);
/// assert_eq!((letter.message, letter.error.as_str(), letter.attempts), (Ok(claim), "no compiler", 3));
/// # Ok(())
/// # }
/// ```
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
