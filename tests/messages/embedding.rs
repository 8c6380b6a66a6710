//! Documents and values inside a type of the caller's, by way of `serde_json`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use workwire::{
    AgentEvent, ChannelMessage, ErrorCode, FreeObject, MessageEnvelope, Priority, TaskId, Timestamp, WorkRequest,
};

use crate::bodies::{TASK, channel_message, event, request, work_request};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Stored {
    queue: String,
    envelope: MessageEnvelope,
    messages: Vec<ChannelMessage>,
    event: Option<AgentEvent>,
    work: WorkRequest,
    task: TaskId,
    priority: Priority,
    at: Timestamp,
    code: ErrorCode,
    note: FreeObject,
}

fn stored() -> Stored {
    Stored {
        queue: "work_queue.infra".into(),
        envelope: request().with("/payload/parameters", json!({"z": 1, "a": [true]})).read(),
        messages: vec![channel_message().read()],
        event: Some(event().read()),
        work: work_request().read(),
        task: TASK.parse().unwrap(),
        priority: Priority::MAX,
        at: "2026-03-01T09:30:00Z".parse().unwrap(),
        code: ErrorCode::INTERNAL,
        note: r#"{"b":1.50,"a":2}"#.parse().unwrap(),
    }
}

#[test]
fn documents_are_embedded_in_a_struct_without_loss() {
    let text = serde_json::to_string(&stored()).unwrap();
    assert!(text.contains(&stored().envelope.to_json()), "{text}");
    assert!(text.contains(r#""note":{"b":1.50,"a":2}"#), "{text}");
    assert_eq!(serde_json::from_str::<Stored>(&text).unwrap(), stored());
    assert_eq!(serde_json::from_slice::<Stored>(text.as_bytes()).unwrap(), stored());
    assert_eq!(serde_json::from_reader::<_, Stored>(text.as_bytes()).unwrap(), stored());
    let pretty = serde_json::to_string_pretty(&stored()).unwrap();
    assert_eq!(serde_json::from_str::<Stored>(&pretty).unwrap(), stored());
}

#[test]
fn documents_become_values_and_are_made_of_values() {
    let envelope = request().read();
    let value = serde_json::to_value(&envelope).unwrap();
    assert_eq!(value["payload"]["work_type"], "deploy_service");
    assert_eq!(serde_json::from_value::<MessageEnvelope>(value).unwrap(), envelope);
}

#[test]
fn embedded_documents_are_read_strictly() {
    let mut value: Value = serde_json::to_value(stored()).unwrap();
    value["envelope"]["priority"] = json!(9);
    value["envelope"]["colour"] = json!("red");
    let error = serde_json::from_value::<Stored>(value).unwrap_err().to_string();
    assert!(error.contains("/priority: expected an integer from 1 to 5, found 9 (ENV-4)"), "{error}");
    assert!(error.contains("/colour"), "{error}");
}

#[test]
fn embedded_values_say_why_they_are_refused() {
    let refused = |pointer: &str, value: Value| {
        let mut all: Value = serde_json::to_value(stored()).unwrap();
        *all.pointer_mut(pointer).unwrap() = value;
        serde_json::from_value::<Stored>(all).unwrap_err().to_string()
    };
    assert!(refused("/task", json!("x")).contains("UID-1"));
    assert!(refused("/priority", json!(0)).contains("ENV-4"));
    assert!(refused("/at", json!("soon")).contains("TIM-1"));
    assert!(refused("/code", json!(999)).contains("ERR-2"));
    assert!(refused("/note", json!([])).contains("FLD-1"));
    assert!(refused("/event", json!({})).contains("EVT-1"));
    assert!(refused("/envelope", json!("text")).contains("JSN-10"));
}

#[test]
fn embedded_integer_of_another_type_says_what_was_expected() {
    let error = serde_json::from_value::<Priority>(json!("3")).unwrap_err().to_string();
    assert!(error.contains("expected an integer"), "{error}");
}
