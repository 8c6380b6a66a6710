//! What a message broker for agents' work must do, as two traits, and brokers that do it.
//!
//! A [`Broker`] is reached by a [`Target`], and used through [`Client`]s: a queue is declared with a
//! [`Policy`], messages are published to it, and fetched under a lease that ends in a [`Verdict`].

#[cfg(feature = "adapter")]
pub mod adapter;
mod capability;
pub mod clock;
mod contract;
mod deliveries;
mod demand;
mod error;
mod memory;
mod policy;
mod presence;
mod queue;

pub use capability::{Capabilities, Capability};
pub use contract::{
    About, Answer, Batch, Broker, BrokerLimits, Choices, Client, CloseMode, Delivery, Depth, Fetch, Letter, MEBIBYTE,
    Message, NewGroup, Peek, Peeked, Purge, Push, RestartMode, RetryPlace, SameId, Stored, Tag, Verdict,
};
pub use deliveries::Deliveries;
pub use error::{BrokerError, Code};
pub use memory::MemoryBroker;
pub use policy::{MAX_MS, Overflow, Policy, within};
pub use presence::{AgentState, Health, HealthStatus, OFFLINE_AFTER_MS, Update};
pub use queue::{Queue, check_name, check_tenant};
