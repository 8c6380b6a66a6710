//! What a message broker for agents' work must do, as two traits, and brokers that do it.
//!
//! A [`Broker`] is reached by a [`Target`], and used through [`Client`]s: a queue is declared with a
//! [`Policy`], messages are published to it, and fetched under a lease that ends in a [`Verdict`].

/// The README's example is a test.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "adapter")]
pub mod adapter;
mod breaker;
mod capability;
mod channels;
pub mod clock;
mod contract;
mod deliveries;
mod demand;
mod error;
mod event_bus;
mod face;
mod limit;
#[cfg(feature = "managed")]
mod managed;
mod memory;
#[cfg(feature = "nats")]
mod nats;
mod open_error;
mod policy;
#[cfg(feature = "postgres")]
pub mod postgres;
mod presence;
mod queue;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;
mod target;
mod unclaimed;
mod work_bus;

pub use breaker::{BREAKER_FAILURES, BREAKER_REST, Circuit, CircuitBreaker, Guarded, Pass};
pub use capability::{Capabilities, Capability};
pub use channels::{
    ARTIFACT_THRESHOLD, Artifacts, CLAIM_LEASE, Channels, RECEIVE, RESPONSE_WAIT, Subscription, channel_queue,
    subscriptions_queue,
};
pub use contract::{
    About, Answer, Batch, Broker, BrokerLimits, Choices, Client, CloseMode, Delivery, Depth, Fetch, Letter, MEBIBYTE,
    Message, NewGroup, Peek, Peeked, Purge, Push, RestartMode, RetryPlace, SameId, Stored, Tag, Verdict,
};
pub use deliveries::Deliveries;
pub use error::{BrokerError, Code};
pub use event_bus::{
    DeadLetterQueue, EVENT_BACKOFF, EVENT_FETCH, EVENT_LEASE, EVENT_WAIT, EventConsumer, Handled, Pending,
    STREAM_LENGTH, StreamInfo, TenantEventBus, stream_policy,
};
pub use face::{DeadLetter, FaceError, LETTERS, Taken};
pub use limit::{BUCKET_CAPACITY, BUCKET_REFILL, RateLimited, TOKEN_WAIT, TokenBucket};
#[cfg(feature = "managed")]
pub use managed::{Engine, Instance, Managed, RestartCommand};
pub use memory::MemoryBroker;
#[cfg(feature = "nats")]
pub use nats::{NatsBroker, NatsOptions};
pub use open_error::OpenError;
pub use policy::{MAX_MS, Overflow, Policy, within};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresBroker, PostgresOptions};
pub use presence::{AgentState, Health, HealthStatus, OFFLINE_AFTER_MS, Update};
pub use queue::{Queue, check_name, check_tenant};
#[cfg(feature = "rabbitmq")]
pub use rabbitmq::{QueueKind, RabbitMqBroker, RabbitMqOptions};
#[cfg(feature = "redis")]
pub use redis::{RedisBroker, RedisOptions};
#[cfg(feature = "sqlite")]
pub use sqlite::{Durability, SqliteBroker, SqliteOptions};
pub use target::{TARGETS, Target};
pub use unclaimed::why_unclaimed;
pub use work_bus::{BROADCAST_KEPT, WorkBus, broadcast_queue, reply_queue, work_queue};
