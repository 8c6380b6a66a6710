//! A checked text is taken by itself exactly when it is taken in a message.

use std::str::FromStr;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use workwire::{
    AgentEvent, AgentType, ArtifactPath, ChannelMessage, ChannelType, CorrelationId, Name, OutputChunk, ProtocolError,
    Reason, Reference, StepName, TaskId, TenantId, Timestamp, Version, WorkStatus, WorkType,
};

use crate::config;

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// Texts near the edge of some form.
fn text() -> impl Strategy<Value = String> {
    let bits = [
        "",
        "a",
        "A",
        "0",
        "7",
        ".",
        "..",
        "/",
        "\\",
        ":",
        "-",
        "_",
        ",",
        " ",
        "\n",
        "\u{7f}",
        "\u{85}",
        "é",
        "😀",
        "T",
        "Z",
        "bytes ",
        " of ",
        "1-2 of 3",
        "2026-03-01",
        "T09:30:00",
        "+01:00",
        ".5",
        "1.0",
        "2.",
        "response",
        ID,
        "01890a5d",
        "orchestrator",
        "infra",
    ];
    let short = vec(select(bits.to_vec()), 0..6).prop_map(|bits| bits.concat());
    let long = (select(vec!["a", "é", "😀", "a.", "a/"]), 60..1100usize).prop_map(|(bit, times)| bit.repeat(times));
    prop_oneof![8 => short, 1 => long, 1 => vec(any::<char>(), 0..8).prop_map(String::from_iter)]
}

/// Pointer, rule and words of each violation.
fn told(error: &ProtocolError) -> Vec<(String, String)> {
    error
        .violations()
        .iter()
        .map(|violation| (violation.rule().id().to_owned(), violation.expected().to_owned()))
        .collect()
}

#[track_caller]
fn same<T: std::fmt::Display, D>(text: &str, alone: Result<T, ProtocolError>, in_a_message: Result<D, ProtocolError>) {
    match (alone, in_a_message) {
        (Ok(_), Ok(_)) => {}
        (Err(alone), Err(within)) => assert_eq!(told(&alone), told(&within), "{text:?}"),
        (Ok(value), Err(within)) => panic!("{value} is refused in a message: {within}"),
        (Err(alone), Ok(_)) => panic!("{text:?} is taken in a message: {alone}"),
    }
}

fn channel(field: &str, text: &str) -> Result<ChannelMessage, ProtocolError> {
    let mut message = json!({
        "id": ID, "type": "a.response", "timestamp": "2026-03-01T09:30:00Z", "from_agent": "a", "payload": {}
    });
    match field {
        "artifact_path" => message["payload"][field] = text.into(),
        _ => message[field] = text.into(),
    }
    ChannelMessage::from_json(&message.to_string())
}

fn event(field: &str, value: Value) -> Result<AgentEvent, ProtocolError> {
    let mut event = json!({
        "event_id": ID, "event_type": "task_failed", "timestamp": "2026-03-01T09:30:00Z", "tenant_id": "acme",
        "source_agent_id": "a", "call_chain": ["a"]
    });
    event[field] = value;
    AgentEvent::from_json(&event.to_string())
}

fn step(field: &str, text: &str) -> Result<WorkStatus, ProtocolError> {
    let mut status = json!({
        "task_id": ID, "status": "running", "progress_percent": 1, "step": {"number": 1, "name": "a"}
    });
    status["step"][field] = text.into();
    WorkStatus::from_json(&status.to_string())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn texts_are_taken_by_themselves_exactly_when_in_a_message(text in text()) {
        let text = text.as_str();
        same(text, Name::new(text), channel("from_agent", text));
        same(text, Name::new(text), channel("channel", text));
        same(text, ChannelType::new(text), channel("type", text));
        same(text, Version::from_str(text), channel("version", text));
        same(text, Timestamp::from_str(text), channel("timestamp", text));
        same(text, CorrelationId::new(text), channel("correlation_id", text));
        same(text, ArtifactPath::new(text), channel("artifact_path", text));
        same(text, TenantId::new(text), event("tenant_id", text.into()));
        same(text, Reference::new(text), event("context_refs", json!([text])));
        same(text, TaskId::from_str(text), event("parent_event_id", text.into()));
        same(text, StepName::new(text), step("name", text));
        same(text, OutputChunk::new(text), step("output_chunk", text));
        let work = json!({"task_id": ID, "work_type": text}).to_string();
        same(text, WorkType::new(text).map(not_cancel), workwire::WorkRequest::from_json(&work));
        let error = json!({"error_code": 1000, "error_message": text}).to_string();
        same(text, Reason::new(text), workwire::ErrorMessage::from_json(&error));
        let update = json!({"agent_id": ID, "agent_type": text, "status": "busy", "timestamp": "2026-03-01T09:30:00Z"});
        same(text, AgentType::new(text), workwire::StatusUpdate::from_json(&update.to_string()));
    }
}

fn not_cancel(work_type: WorkType) -> WorkType {
    assert!(!work_type.is_cancel(), "none of the texts is that");
    work_type
}
