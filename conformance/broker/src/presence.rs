//! Who is there: what agents say of themselves, and what a broker knows of them.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use workwire::{FreeObject, Name, StatusUpdate, Timestamp};

/// For how long an agent may be silent before it counts as offline: three heartbeats missed.
pub const OFFLINE_AFTER_MS: i64 = 180_000;

/// What an agent says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Update {
    /// An agent of an orchestrator.
    Agent(StatusUpdate),
    /// An agent on channels.
    Channel(Health),
}

/// By its members rather than by trial: so the error is about the kind that was meant.
impl<'de> Deserialize<'de> for Update {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let update = FreeObject::deserialize(deserializer)?;
        let text = update.as_str();
        if update.get("agent").is_some() && update.get("agent_id").is_none() {
            serde_json::from_str(text).map(Update::Channel).map_err(D::Error::custom)
        } else {
            StatusUpdate::from_json(text).map(Update::Agent).map_err(D::Error::custom)
        }
    }
}

impl Update {
    /// Who says it: the agent's id, or its name.
    #[must_use]
    pub fn agent(&self) -> String {
        match self {
            Update::Agent(update) => update.agent_id().to_string(),
            Update::Channel(health) => health.agent.to_string(),
        }
    }

    /// When it was so, where the update says when.
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        match self {
            Update::Agent(update) => Some(*update.timestamp()),
            Update::Channel(health) => health.timestamp,
        }
    }
}

/// How an agent on channels is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// It works.
    Active,
    /// It waits.
    Idle,
    /// It works, not well.
    Degraded,
    /// It does not work.
    Failed,
}

impl HealthStatus {
    /// Its name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            HealthStatus::Active => "active",
            HealthStatus::Idle => "idle",
            HealthStatus::Degraded => "degraded",
            HealthStatus::Failed => "failed",
        }
    }
}

/// The health of an agent on channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// The agent.
    pub agent: Name,
    /// How it is.
    pub status: HealthStatus,
    /// What it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_task: Option<String>,
    /// How many messages wait for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages_pending: Option<u64>,
    /// How many it has done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages_processed: Option<u64>,
    /// How many it failed at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_count: Option<u64>,
    /// When it was so; when the broker heard of it where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
}

impl Health {
    /// A health that says no more than how the agent is.
    #[must_use]
    pub const fn new(agent: Name, status: HealthStatus) -> Self {
        Health {
            agent,
            status,
            current_task: None,
            messages_pending: None,
            messages_processed: None,
            error_count: None,
            timestamp: None,
        }
    }
}

/// What a broker knows of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentState {
    /// Its id, or its name where it is on channels.
    pub agent_id: String,
    /// Its type; agents on channels have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
    /// What it last said of itself, or `offline` where it was silent too long.
    pub status: String,
    /// The time of its last update.
    pub last_heartbeat: Timestamp,
    /// What it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_task_id: Option<String>,
    /// How loaded its machine is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<FreeObject>,
    /// How many messages wait for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages_pending: Option<u64>,
    /// How many it has done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages_processed: Option<u64>,
    /// How many it failed at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_count: Option<u64>,
}

impl AgentState {
    /// What is known of an agent after its update, which arrived at `arrived`.
    #[must_use]
    pub fn of(update: &Update, arrived: Timestamp, offline: bool) -> Self {
        let last_heartbeat = update.timestamp().unwrap_or(arrived);
        let mut state = match update {
            Update::Agent(update) => AgentState {
                agent_id: update.agent_id().to_string(),
                agent_type: Some(update.agent_type().to_string()),
                status: update.status().to_string(),
                last_heartbeat,
                current_task_id: update.current_task_id().map(ToString::to_string),
                resources: Some(update.resources().as_object().clone()),
                messages_pending: None,
                messages_processed: None,
                error_count: None,
            },
            Update::Channel(health) => AgentState {
                agent_id: health.agent.to_string(),
                agent_type: None,
                status: health.status.as_str().to_owned(),
                last_heartbeat,
                current_task_id: health.current_task.clone(),
                resources: None,
                messages_pending: health.messages_pending,
                messages_processed: health.messages_processed,
                error_count: health.error_count,
            },
        };
        if offline {
            "offline".clone_into(&mut state.status);
        }
        state
    }
}
