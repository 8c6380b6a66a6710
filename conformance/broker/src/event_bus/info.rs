//! What a stream holds, and how far its groups are.

use workwire::Name;

use super::TenantEventBus;
use crate::contract::Depth;
use crate::face::FaceError;

/// What a stream holds.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use workwire::{AgentEvent, EventType};
/// use workwire_broker::{MemoryBroker, TenantEventBus};
/// let bus = TenantEventBus::open(&MemoryBroker::default(), "bus", "acme".parse()?, "tasks").await?;
/// bus.publish(&AgentEvent::compose(EventType::TaskFailed, "acme".parse()?, "coder-2".parse()?).build()?).await?;
/// let info = bus.info(&["billing".parse()?]).await?;
/// assert_eq!((info.length, info.groups[0].ready), (1, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    /// How many events are in it.
    pub length: u64,
    /// How far the groups are that were asked for, in their order.
    pub groups: Vec<Pending>,
}

/// How far a group is. What the broker does not count is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The group.
    pub group: Name,
    /// Events that nobody of the group has taken.
    pub ready: u64,
    /// Events in the hands of its consumers.
    pub held: Option<u64>,
    /// Events that rest after a failure.
    pub resting: Option<u64>,
    /// Events that were given up.
    pub dead: Option<u64>,
}

impl TenantEventBus {
    /// What the stream holds, and how far these groups are.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn info(&self, groups: &[Name]) -> Result<StreamInfo, FaceError> {
        self.declare().await?;
        // Nobody consumes in the group without a name, so it has all that the stream holds.
        let length = self.line.depth(&self.queue, None).await?.ready;
        let mut pending = Vec::with_capacity(groups.len());
        for group in groups {
            pending.push(self.pending(group).await?);
        }
        Ok(StreamInfo { length, groups: pending })
    }

    /// How far a group is. A group that has never fetched has all before it.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn pending(&self, group: &Name) -> Result<Pending, FaceError> {
        self.declare().await?;
        let Depth { ready, leased, delayed, dead } = self.line.depth(&self.queue, Some(group.as_str())).await?;
        Ok(Pending { group: group.clone(), ready, held: leased, resting: delayed, dead })
    }
}
