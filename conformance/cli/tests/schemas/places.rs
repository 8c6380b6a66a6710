//! Errors of the validating schemas name the place, and nothing beside it.

use serde_json::{Value, json};
use workwire::DocumentKind;

use super::judges::Schemas;

fn envelope(message_type: &str, payload: &Value) -> Value {
    json!({
        "protocol_version": "1.0",
        "message_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "from_agent": "infra",
        "to_agent": "orchestrator",
        "timestamp": "2026-03-01T09:30:00.250Z",
        "trace_id": "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
        "request_id": "01890a5d-ac96-774b-bcce-b302099a8058",
        "type": message_type,
        "priority": 3,
        "payload": payload,
        "x_custom_fields": {},
    })
}

fn result() -> Value {
    let payload = json!({
        "task_id": "01890a5d-ac96-774b-bcce-b302099a8059",
        "status": "completed", "exit_code": 0, "output": "", "duration_ms": 12,
        "agent_id": "01890a5d-ac96-774b-bcce-b302099a805a", "resources_used": {"cpu_time_ms": 8},
    });
    envelope("work_result", &payload)
}

fn status() -> Value {
    let payload = json!({
        "task_id": "01890a5d-ac96-774b-bcce-b302099a8059",
        "status": "running", "progress_percent": 40, "step": {"number": 2, "name": "install"},
    });
    envelope("work_status", &payload)
}

fn heartbeat() -> Value {
    let payload = json!({
        "agent_id": "01890a5d-ac96-774b-bcce-b302099a805a", "agent_type": "infra", "status": "online",
        "resources": {
            "cpu_percent": 1, "memory_percent": 2, "gpu_vram_available_gb": 3, "gpu_vram_total_gb": 4
        },
        "timestamp": "2026-03-01T09:30:00Z",
    });
    envelope("status_update", &payload)
}

fn answer() -> Value {
    json!({
        "id": "01890a5d-ac96-774b-bcce-b302099a8057", "type": "context.response",
        "timestamp": "2026-03-01T09:30:00Z", "from_agent": "planner-1",
        "payload": {"context": {}, "artifact_path": "4711/summary.json"},
    })
}

fn event() -> Value {
    json!({
        "event_id": "01890a5d-ac96-774b-bcce-b302099a8057", "event_type": "task_completed",
        "timestamp": "2026-03-01T09:30:00Z", "tenant_id": "acme", "source_agent_id": "planner-1",
        "call_chain": ["planner-1"], "context_refs": ["s3://results/4711.json"],
    })
}

/// Puts a value at a place and looks where the strict schema finds fault. A field that is missing,
/// and one that is not known, is a fault of the object that it stands in.
fn check(mut document: Value, place: &str, value: Value, expected: &[&str]) {
    let kind = match (document.get("event_id"), document.get("id")) {
        (Some(_), _) => DocumentKind::Event,
        (_, Some(_)) => DocumentKind::Channel,
        _ => DocumentKind::Envelope,
    };
    let schema = &Schemas::of(kind).strict;
    assert!(schema.is_valid(&document), "{document}");
    let (parent, key) = place.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        object => object[key] = value,
    }
    let mut found: Vec<String> = schema.iter_errors(&document).map(|error| error.instance_path().to_string()).collect();
    found.dedup();
    assert_eq!(found, expected, "{place} in {document}");
}

#[test]
fn one_bad_field_of_an_envelope_is_named_alone() {
    check(result(), "/priority", json!(9), &["/priority"]);
    check(result(), "/priority", json!("high"), &["/priority"]);
    check(result(), "/from_agent", json!("nobody"), &["/from_agent"]);
    check(result(), "/message_id", json!("4711"), &["/message_id"]);
    check(result(), "/timestamp", json!("2026-02-30T00:00:00Z"), &["/timestamp"]);
    check(result(), "/x_custom_fields", json!([]), &["/x_custom_fields"]);
    check(result(), "/type", json!("greeting"), &["/type"]);
    check(result(), "/protocol_version", json!("2.0"), &["/protocol_version"]);
    check(result(), "/colour", json!("red"), &[""]);
}

#[test]
fn one_bad_field_of_a_payload_is_named_alone() {
    check(result(), "/payload/exit_code", json!(0.5), &["/payload/exit_code"]);
    check(result(), "/payload/agent_id", json!(null), &["/payload/agent_id"]);
    check(result(), "/payload/resources_used/cpu_time_ms", json!(-1), &["/payload/resources_used/cpu_time_ms"]);
    check(result(), "/payload/status", json!("failed"), &["/payload"]);
    check(result(), "/payload/colour", json!("red"), &["/payload"]);
    check(result(), "/payload", json!({}), &["/payload"]);
    check(status(), "/payload/step/name", json!(""), &["/payload/step/name"]);
    check(status(), "/payload/step/colour", json!("red"), &["/payload/step"]);
    check(status(), "/payload/progress_percent", json!(101), &["/payload/progress_percent"]);
    check(heartbeat(), "/payload/resources/cpu_percent", json!(101), &["/payload/resources/cpu_percent"]);
    check(heartbeat(), "/payload/resources/fans", json!("two"), &["/payload/resources/fans"]);
    check(heartbeat(), "/payload/resources", json!({"fans": 2}), &["/payload/resources"]);
}

#[test]
fn one_bad_field_of_a_channel_message_or_an_event_is_named_alone() {
    check(answer(), "/priority", json!(11), &["/priority"]);
    check(answer(), "/type", json!("context..response"), &["/type"]);
    check(answer(), "/payload/artifact_path", json!("../secret"), &["/payload/artifact_path"]);
    check(answer(), "/colour", json!("red"), &[""]);
    check(event(), "/priority", json!("urgent"), &["/priority"]);
    check(event(), "/call_chain", json!([]), &["/call_chain"]);
    check(event(), "/call_chain/0", json!("a b"), &["/call_chain/0"]);
    check(event(), "/context_refs/0", json!("a,b"), &["/context_refs/0"]);
}
