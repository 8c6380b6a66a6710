//! The same structs as the crate's, as plain data, read by `serde_json` in one pass and unchecked.
//!
//! Whatever is cheaper for `serde_json` was taken: words are enums, ids the bare `Uuid`, free objects
//! raw text that is kept without a look into it, timestamps and versions strings that nobody reads.

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

/// Free content, carried as it came.
type Free = Box<RawValue>;

fn empty() -> Free {
    RawValue::from_string("{}".to_owned()).unwrap_or_default()
}

fn current() -> String {
    "1.0".to_owned()
}

fn general() -> String {
    "general".to_owned()
}

const fn three() -> u8 {
    3
}

const fn five() -> u8 {
    5
}

/// What the `serde` feature of `uuid` does, without switching it on for the crate that is measured.
pub(crate) struct Id(Uuid);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Id;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a UUID")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
                Uuid::try_parse(text).map(Id).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AgentType {
    Orchestrator,
    Infra,
    Desktop,
    Code,
    Research,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MessageType {
    WorkRequest,
    WorkStatus,
    WorkResult,
    StatusUpdate,
    Error,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Completed,
    Failed,
    Cancelled,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Envelope<P> {
    #[serde(default = "current")]
    protocol_version: String,
    message_id: Id,
    from_agent: AgentType,
    to_agent: AgentType,
    timestamp: String,
    trace_id: Id,
    request_id: Id,
    r#type: MessageType,
    #[serde(default = "three")]
    priority: u8,
    payload: P,
    #[serde(default = "empty")]
    x_custom_fields: Free,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WorkRequest {
    task_id: Id,
    work_type: String,
    #[serde(default = "empty")]
    parameters: Free,
    #[serde(default = "empty")]
    hints: Free,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WorkResult {
    task_id: Id,
    status: Outcome,
    exit_code: i32,
    #[serde(default)]
    output: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    duration_ms: u64,
    agent_id: Id,
    #[serde(default = "empty")]
    resources_used: Free,
}

#[derive(Serialize, Deserialize)]
#[allow(clippy::struct_field_names, reason = "the names on the wire")]
pub(crate) struct ErrorMessage {
    error_code: u16,
    error_message: String,
    #[serde(default = "empty")]
    context: Free,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ChannelMessage {
    id: Id,
    r#type: String,
    #[serde(default = "current")]
    version: String,
    timestamp: String,
    from_agent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_agent: Option<String>,
    #[serde(default = "general")]
    channel: String,
    #[serde(default = "five")]
    priority: u8,
    payload: Free,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EventType {
    TaskAssigned,
    TaskCompleted,
    TaskFailed,
    HandoffRequest,
    HandoffValidated,
    HandoffRejected,
    ContextUpdated,
    AgentRegistered,
    AgentHealth,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum EventPriority {
    Low,
    #[default]
    Normal,
    High,
    Critical,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct AgentEvent {
    event_id: Id,
    #[serde(default = "current")]
    version: String,
    event_type: EventType,
    timestamp: String,
    tenant_id: String,
    #[serde(default)]
    priority: EventPriority,
    source_agent_id: String,
    call_chain: Vec<String>,
    #[serde(default = "empty")]
    data: Free,
    #[serde(default)]
    context_refs: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_event_id: Option<Id>,
}
