//! Events that a group gave up.

use workwire::{AgentEvent, EventId, Name};

use super::TenantEventBus;
use crate::face::{DeadLetter, FaceError};

/// The dead letters of one group of a stream. One group's are not another's.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use workwire::{AgentEvent, EventType};
/// use workwire_broker::{DeadLetterQueue, EventConsumer, LETTERS, MemoryBroker, Message, TenantEventBus};
///
/// let broker = MemoryBroker::default();
/// let bus = TenantEventBus::open(&broker, "bus", "acme".parse()?, "tasks").await?;
/// let event = AgentEvent::compose(EventType::TaskFailed, "acme".parse()?, "coder-2".parse()?).build()?;
/// bus.publish(&event).await?;
/// bus.client().publish(bus.stream(), Message::new(uuid::Uuid::now_v7(), "oops")).await?;
///
/// // What is no event is put aside when it comes up; the event is not disturbed by it.
/// let billing = EventConsumer::open(&broker, "billing-1", &bus, "billing".parse()?).await?;
/// assert_eq!(billing.take(10, Duration::ZERO).await?[0].message(), &event);
/// let letters = DeadLetterQueue::of(&bus, "billing".parse()?);
/// assert_eq!(letters.count().await?, Some(1));
/// assert!(letters.list(LETTERS).await?[0].error.starts_with("line 1, column 1"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct DeadLetterQueue {
    bus: TenantEventBus,
    group: Name,
}

impl DeadLetterQueue {
    /// Those of a group.
    #[must_use]
    pub fn of(bus: &TenantEventBus, group: Name) -> Self {
        DeadLetterQueue { bus: bus.clone(), group }
    }

    /// Looks at up to `max` of them, the oldest first, and takes none.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn list(&self, max: u32) -> Result<Vec<DeadLetter<AgentEvent>>, FaceError> {
        self.bus.declare().await?;
        self.bus.line.dead_letters(&self.bus.queue, max, Some(self.group.as_str())).await
    }

    /// Sends one back to the group, as the youngest of the stream and with all its attempts.
    ///
    /// # Errors
    /// Those of the broker; `not_found` where there is no such letter.
    pub async fn replay(&self, event: EventId) -> Result<(), FaceError> {
        self.bus.declare().await?;
        self.bus.line.replay(&self.bus.queue, *event.as_uuid(), Some(self.group.as_str())).await
    }

    /// How many there are; nothing where the broker does not count them.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn count(&self) -> Result<Option<u64>, FaceError> {
        self.bus.declare().await?;
        Ok(self.bus.line.depth(&self.bus.queue, Some(self.group.as_str())).await?.dead)
    }
}
