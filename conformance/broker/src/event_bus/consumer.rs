//! One consumer of a group.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use workwire::{AgentEvent, Name, TenantId};

use super::work::{Handled, Work};
use super::{EVENT_FETCH, EVENT_LEASE, EVENT_WAIT, NEEDS, TenantEventBus, stream_policy};
use crate::clock::Clock;
use crate::contract::{Broker, Client, Fetch, Verdict};
use crate::face::{FaceError, Line, Taken};
use crate::queue::Queue;

/// How long handlers may go on after a consumer was asked to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Takes a group's events from a stream, by hand or by a handler that is called with each.
///
/// It has a connection of its own, since what it holds is given back by closing it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use workwire::{AgentEvent, EventType};
/// use workwire_broker::{EventConsumer, MemoryBroker, TenantEventBus};
///
/// let broker = MemoryBroker::default();
/// let bus = TenantEventBus::open(&broker, "bus", "acme".parse()?, "tasks").await?;
/// bus.publish(&AgentEvent::compose(EventType::TaskFailed, "acme".parse()?, "coder-2".parse()?).build()?).await?;
///
/// let billing = EventConsumer::open(&broker, "billing-1", &bus, "billing".parse()?).await?;
/// let (seen, mut first) = tokio::sync::mpsc::unbounded_channel();
/// let handler = move |event: AgentEvent, _attempt| {
///     let seen = seen.clone();
///     async move { seen.send(event).map_err(|_| "nobody listens") }
/// };
/// let handled = billing.run(handler, async move { drop(first.recv().await) }).await?;
/// assert_eq!(handled.done, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct EventConsumer {
    pub(super) line: Line,
    tenant: TenantId,
    queue: Queue,
    group: Name,
    pub(super) at_once: usize,
    pub(super) grace: Duration,
}

impl EventConsumer {
    /// Opens a connection to a broker, for a group of a bus's stream.
    ///
    /// # Errors
    /// Where the broker lacks what events need, or refuses the client.
    pub async fn open(broker: &dyn Broker, client: &str, bus: &TenantEventBus, group: Name) -> Result<Self, FaceError> {
        Ok(EventConsumer::on(Line::open(broker, client, NEEDS).await?, bus, group))
    }

    /// Works over a connection that is open already, and closes it when it is asked to stop.
    #[must_use]
    pub fn over(client: impl Into<Arc<dyn Client>>, bus: &TenantEventBus, group: Name) -> Self {
        EventConsumer::on(Line::over(client.into()), bus, group)
    }

    fn on(line: Line, bus: &TenantEventBus, group: Name) -> Self {
        let line = line.with_clock(bus.line.clock().clone());
        let (tenant, queue) = (bus.tenant.clone(), bus.queue.clone());
        EventConsumer { line, tenant, queue, group, at_once: 1, grace: GRACE }
    }

    /// The same with another clock than the bus's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        EventConsumer { line: self.line.with_clock(clock), ..self }
    }

    /// The same; so many handlers run at once, one where nothing is said. One keeps the order.
    #[must_use]
    pub fn with_handlers(self, at_once: usize) -> Self {
        EventConsumer { at_once: at_once.max(1), ..self }
    }

    /// The same; handlers may go on for so long after it was asked to stop, 10 s where nothing is said.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        EventConsumer { grace, ..self }
    }

    /// The connection, for what a consumer has no words for.
    #[must_use]
    pub fn client(&self) -> &Arc<dyn Client> {
        self.line.client()
    }

    /// Takes up to `max` events; waits so long for the first. What is no event of this tenant goes to
    /// the dead letters, and the next is taken.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn take(&self, max: u32, wait: Duration) -> Result<Vec<Taken<AgentEvent>>, FaceError> {
        self.line.declare(&self.queue, &stream_policy()).await?;
        let fetch = Fetch { consumer: self.group.to_string(), ..Fetch::up_to(max) }.of_group(self.group.as_str());
        self.line.take(&self.queue, fetch, wait, |body| read(body, &self.tenant)).await
    }

    /// The group has done with an event.
    ///
    /// # Errors
    /// Those of the broker; stale where it is held no more.
    pub async fn done(&self, event: &Taken<AgentEvent>) -> Result<(), FaceError> {
        self.line.settle(event, Verdict::Done).await
    }

    /// It failed, and why. It comes again after 1, 4 and 16 s; the fourth failure puts it to the dead
    /// letters of the group.
    ///
    /// # Errors
    /// Those of the broker; stale where it is held no more.
    pub async fn fail(&self, event: &Taken<AgentEvent>, error: &str) -> Result<(), FaceError> {
        self.line.settle(event, Verdict::Retry { delay_ms: None, reason: Some(error.to_owned()) }).await
    }

    /// Holds an event for another 60 s.
    ///
    /// # Errors
    /// Those of the broker; stale where it is held no more.
    pub async fn extend(&self, event: &Taken<AgentEvent>) -> Result<(), FaceError> {
        self.line.extend(event, EVENT_LEASE).await
    }

    /// Calls the handler with each event and the number of the attempt, until `stop` is ready; gives back
    /// what it then holds, and closes its connection.
    ///
    /// What a handler answers with an error, or panics at, is retried, and nothing waits for it
    /// meanwhile. What is held is held on to at a third of the lease; a handler whose event is held no
    /// more is dropped.
    ///
    /// # Errors
    /// Those of the broker. What was held is given back then too, where the broker can be told.
    pub async fn run<H, F, E>(self, handler: H, stop: impl Future<Output = ()>) -> Result<Handled, FaceError>
    where
        H: Fn(AgentEvent, u32) -> F,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        Work::of(self).run(handler, stop).await
    }

    /// What the handler loop takes at a time.
    pub(super) async fn next(self) -> Result<Vec<Taken<AgentEvent>>, FaceError> {
        self.take(EVENT_FETCH, EVENT_WAIT).await
    }
}

fn read(body: &[u8], tenant: &TenantId) -> Result<AgentEvent, String> {
    let event = AgentEvent::from_slice(body).map_err(|error| error.to_string())?;
    if event.tenant_id() == tenant {
        Ok(event)
    } else {
        Err(format!("/tenant_id: expected {tenant}, whose stream this is, found {}", event.tenant_id()))
    }
}
