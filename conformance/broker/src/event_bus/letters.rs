//! Events that a group gave up.

use workwire::{AgentEvent, EventId, Name};

use super::TenantEventBus;
use crate::face::{DeadLetter, FaceError};

/// The dead letters of one group of a stream. One group's are not another's.
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
