//! Queues as a whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::object;
use crate::policy::Policy;
use crate::queue::Queue;

/// A queue, as every request names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QueueName {
    /// Whose it is; nobody's where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Its name.
    pub name: String,
}

impl From<&Queue> for QueueName {
    fn from(queue: &Queue) -> Self {
        QueueName { tenant: queue.tenant().map(str::to_owned), name: queue.name().to_owned() }
    }
}

impl From<QueueName> for Queue {
    fn from(queue: QueueName) -> Self {
        match queue.tenant {
            Some(tenant) => Queue::of_tenant(tenant, queue.name),
            None => Queue::new(queue.name),
        }
    }
}

/// Makes a queue, or finds that it is there with this policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Declare {
    /// The connection.
    pub client: String,
    /// The queue.
    #[serde(deserialize_with = "object::object")]
    pub queue: QueueName,
    /// What it does with its messages.
    #[serde(deserialize_with = "object::object")]
    pub policy: Policy,
}

/// Asks how many messages are where. The result is a [`Depth`](crate::Depth).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AskDepth {
    /// The connection.
    pub client: String,
    /// The queue.
    #[serde(deserialize_with = "object::object")]
    pub queue: QueueName,
    /// For which group; the unnamed one where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// Removes the ready messages, or the dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PurgeQueue {
    /// The connection.
    pub client: String,
    /// The queue.
    #[serde(deserialize_with = "object::object")]
    pub queue: QueueName,
    /// Of one group; of all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The dead letters instead of the ready messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead: Option<bool>,
}

/// How many went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    /// How many.
    pub removed: u64,
}

/// Removes the queue and all that is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delete {
    /// The connection.
    pub client: String,
    /// The queue.
    #[serde(deserialize_with = "object::object")]
    pub queue: QueueName,
}

/// Removes what has expired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sweep {
    /// The connection.
    pub client: String,
    /// The queue.
    #[serde(deserialize_with = "object::object")]
    pub queue: QueueName,
}

/// How many had expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expired {
    /// How many since the last sweep.
    pub expired: u64,
}
