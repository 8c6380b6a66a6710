//! A message in the hands of somebody who works on it.

use crate::contract::{Delivery, Tag};
use crate::queue::Queue;

/// A message that was taken, and is held under a lease until it is settled.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use workwire::{ChannelMessage, Name};
/// use workwire_broker::{Channels, MemoryBroker};
/// let channels = Channels::open(&MemoryBroker::default(), "coder").await?;
/// let coder: Name = "coder".parse()?;
/// let claim = ChannelMessage::task_claim(coder.clone(), "4711")?.build()?;
/// channels.send(&claim).await?;
/// let taken = channels.claim_next(&coder, claim.channel(), Duration::ZERO).await?.ok_or("nothing there")?;
/// assert_eq!((taken.message(), taken.attempt()), (&claim, 1));
/// channels.complete(&taken).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "what was taken and is not settled comes back when its lease ends"]
pub struct Taken<T> {
    message: T,
    queue: Queue,
    tag: Tag,
    attempt: u32,
}

impl<T> Taken<T> {
    pub(crate) fn new(message: T, queue: &Queue, delivery: Delivery) -> Self {
        Taken { message, queue: queue.clone(), tag: delivery.tag, attempt: delivery.attempt }
    }

    /// What it says.
    #[must_use]
    pub fn message(&self) -> &T {
        &self.message
    }

    /// What it says, where nothing more is to be settled.
    #[must_use]
    pub fn into_message(self) -> T {
        self.message
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The queue that it came from.
    #[must_use]
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// What it is settled by.
    #[must_use]
    pub fn tag(&self) -> &Tag {
        &self.tag
    }
}
