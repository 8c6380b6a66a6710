//! Buses and consumers of the tenant acme.

use std::sync::Arc;
use std::time::Duration;

use workwire::{AgentEvent, AgentEventBuilder, EventType, Name};
use workwire_broker::{EVENT_FETCH, EventConsumer, Message, Taken, TenantEventBus, stream_policy};

use crate::brokers::Bench;

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn event(tenant: &str) -> AgentEventBuilder {
    AgentEvent::compose(EventType::TaskCompleted, tenant.parse().unwrap(), name("coder-2"))
}

pub(crate) async fn bus_of(bench: &Bench, client: &str, tenant: &str) -> TenantEventBus {
    let bus = TenantEventBus::open(&*bench.broker, client, tenant.parse().unwrap(), "tasks").await.unwrap();
    bus.with_clock(Arc::new(bench.clock.clone()))
}

/// The bus of the tenant acme.
pub(crate) async fn acme(bench: &Bench) -> TenantEventBus {
    bus_of(bench, "bus", "acme").await
}

/// A consumer of a group, with a connection of its own.
pub(crate) async fn consumer(bench: &Bench, bus: &TenantEventBus, group: &str, client: &str) -> EventConsumer {
    EventConsumer::open(&*bench.broker, client, bus, name(group)).await.unwrap()
}

pub(crate) async fn published(bus: &TenantEventBus) -> AgentEvent {
    let event = event(bus.tenant().as_str()).build().unwrap();
    bus.publish(&event).await.unwrap();
    event
}

/// What is there for the consumer now.
pub(crate) async fn taken(consumer: &EventConsumer) -> Vec<Taken<AgentEvent>> {
    consumer.take(EVENT_FETCH, Duration::ZERO).await.unwrap()
}

/// The one event that is there for the consumer now.
pub(crate) async fn only(consumer: &EventConsumer) -> Taken<AgentEvent> {
    let mut taken = taken(consumer).await;
    assert_eq!(taken.len(), 1);
    taken.pop().unwrap()
}

/// Puts bytes into a stream past every check.
pub(crate) async fn smuggle(bench: &Bench, bus: &TenantEventBus, bodies: impl IntoIterator<Item = Vec<u8>>) {
    let client = bench.client(&format!("stranger-{}", uuid::Uuid::now_v7())).await;
    client.declare(bus.stream(), &stream_policy()).await.unwrap();
    for body in bodies {
        client.publish(bus.stream(), Message::new(uuid::Uuid::now_v7(), body)).await.unwrap();
    }
}
