//! Events of a tenant, over any broker that keeps tenants and groups apart.
//!
//! A tenant's stream is a queue of that tenant. It holds about a thousand events and drops the oldest;
//! every group of consumers sees each of them once. The order is the stream's: how urgent an event is
//! stands in the event, and overtakes nothing.

mod consumer;
mod info;
mod letters;
mod work;

use std::sync::Arc;
use std::time::Duration;

use workwire::{AgentEvent, TenantId};

pub use consumer::EventConsumer;
pub use info::{Pending, StreamInfo};
pub use letters::DeadLetterQueue;
pub use work::Handled;

use crate::capability::Capability;
use crate::clock::Clock;
use crate::contract::{Broker, Client, CloseMode, Message, Stored};
use crate::face::{FaceError, Line, millis};
use crate::policy::{Overflow, Policy};
use crate::queue::Queue;

/// So many events are fetched at once.
pub const EVENT_FETCH: u32 = 10;

/// So long a fetch waits for the first.
pub const EVENT_WAIT: Duration = Duration::from_secs(5);

/// How long an event rests after its first, second and third failure. The fourth is the last.
pub const EVENT_BACKOFF: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(16)];

/// For how long a consumer may be silent before others get what it holds.
pub const EVENT_LEASE: Duration = Duration::from_mins(1);

/// So many events a stream holds before it drops the oldest.
pub const STREAM_LENGTH: i64 = 1_000;

/// What a broker must claim for events: the profile `events`, and leases.
const NEEDS: &[Capability] = &[
    Capability::Core,
    Capability::Groups,
    Capability::Tenancy,
    Capability::Lease,
    Capability::Backoff,
    Capability::DeadLetter,
    Capability::Replay,
    Capability::MaxLength,
];

/// The policy of every stream.
#[must_use]
pub fn stream_policy() -> Policy {
    Policy {
        max_priority: 1,
        max_attempts: 4,
        lease_ms: millis(EVENT_LEASE),
        backoff_ms: EVENT_BACKOFF.map(millis).to_vec(),
        max_length: Some(STREAM_LENGTH),
        overflow: Overflow::DropOldest,
        ..Policy::default()
    }
}

/// Publishes events into one stream of one tenant, and says how its groups get on.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use workwire::{AgentEvent, EventType};
/// use workwire_broker::{MemoryBroker, TenantEventBus};
/// let bus = TenantEventBus::open(&MemoryBroker::default(), "bus", "acme".parse()?, "tasks").await?;
/// let event = |tenant: &str| AgentEvent::compose(EventType::TaskCompleted, tenant.parse()?, "coder-2".parse()?).build();
/// bus.publish(&event("acme")?).await?;
/// let error = bus.publish(&event("globex")?).await.unwrap_err();
/// assert_eq!(error.to_string(), "/tenant_id: expected acme, whose bus this is, found globex");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TenantEventBus {
    line: Line,
    tenant: TenantId,
    queue: Queue,
}

impl TenantEventBus {
    /// Opens a connection to a broker, for a tenant's stream.
    ///
    /// # Errors
    /// Where the broker lacks what events need, or refuses the client.
    pub async fn open(broker: &dyn Broker, client: &str, tenant: TenantId, stream: &str) -> Result<Self, FaceError> {
        Ok(TenantEventBus::on(Line::open(broker, client, NEEDS).await?, tenant, stream))
    }

    /// Works over a connection that is open already.
    #[must_use]
    pub fn over(client: impl Into<Arc<dyn Client>>, tenant: TenantId, stream: &str) -> Self {
        TenantEventBus::on(Line::over(client.into()), tenant, stream)
    }

    fn on(line: Line, tenant: TenantId, stream: &str) -> Self {
        let queue = Queue::of_tenant(tenant.as_str(), stream);
        TenantEventBus { line, tenant, queue }
    }

    /// The same with another clock than the runtime's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        TenantEventBus { line: self.line.with_clock(clock), ..self }
    }

    /// Whose bus it is.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The stream, as a queue.
    #[must_use]
    pub fn stream(&self) -> &Queue {
        &self.queue
    }

    /// The connection, for what a bus has no words for.
    #[must_use]
    pub fn client(&self) -> &Arc<dyn Client> {
        self.line.client()
    }

    /// Puts an event into the stream. After `Ok` it is safe. Published again it is still one event.
    ///
    /// # Errors
    /// An event of another tenant; those of the broker.
    pub async fn publish(&self, event: &AgentEvent) -> Result<Stored, FaceError> {
        if *event.tenant_id() != self.tenant {
            let (expected, found) = (self.tenant.clone(), event.tenant_id().clone());
            return Err(FaceError::OtherTenant { expected, found });
        }
        self.declare().await?;
        self.line.publish(&self.queue, Message::new(*event.event_id().as_uuid(), event.to_json())).await
    }

    /// Ends the connection.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn close(&self) -> Result<(), FaceError> {
        let closed = self.line.client().close(CloseMode::Graceful).await;
        closed.map_err(|error| FaceError::Broker { doing: "closing the event bus".to_owned(), error })
    }

    async fn declare(&self) -> Result<(), FaceError> {
        self.line.declare(&self.queue, &stream_policy()).await
    }
}
