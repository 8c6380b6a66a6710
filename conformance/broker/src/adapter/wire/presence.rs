//! Who is there.

use schemars::JsonSchema;
use serde::de::{Deserializer, Error as _, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use workwire::Decoder;

use super::object;
use crate::presence::{AgentState, Health, Update};

/// Says that an agent is there, and how it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Heartbeat {
    /// The connection.
    pub client: String,
    /// What the agent says of itself.
    #[serde(deserialize_with = "update")]
    pub update: Update,
    /// Whose the agent is; nobody's where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// Asks who is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Agents {
    /// The connection.
    pub client: String,
    /// Who was silent for so long is offline; 180 000 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline_after_ms: Option<i64>,
    /// Whose agents; nobody's where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// Who is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Present {
    /// The agents, by their ids.
    #[serde(deserialize_with = "object::list")]
    pub agents: Vec<AgentState>,
}

/// Which of the two it is, is told by its members. Members that neither knows are ignored, as
/// everywhere in this protocol.
fn update<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Update, D::Error> {
    #[derive(Deserialize)]
    struct Kind {
        agent_id: Option<IgnoredAny>,
        agent: Option<IgnoredAny>,
    }

    let json = Box::<RawValue>::deserialize(deserializer)?;
    let kind: Kind = object::read(json.get()).map_err(D::Error::custom)?;
    match kind {
        Kind { agent_id: Some(_), .. } => {
            let update = Decoder::lenient().decode(json.get().as_bytes()).map(Update::Agent);
            // Each violation has a line of its own.
            update.map_err(|error| D::Error::custom(error.to_string().replace('\n', "; ")))
        }
        Kind { agent: Some(_), .. } => {
            object::read::<Health>(json.get()).map(Update::Channel).map_err(D::Error::custom)
        }
        Kind { .. } => Err(D::Error::custom(
            "expected a status_update payload, which has `agent_id`, or a channel agent's health, which has `agent`",
        )),
    }
}
