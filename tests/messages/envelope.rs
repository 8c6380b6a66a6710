//! The envelope of a task message.

use std::collections::HashSet;

use workwire::{AgentType, ErrorMessage, FreeObject, MessageEnvelope, MessageType, Payload, Priority, Timestamp};

use crate::bodies::{Body, envelopes, error_message, heartbeat, places, request, requires, result};

fn made() -> MessageEnvelope {
    MessageEnvelope::new(AgentType::Infra, AgentType::Orchestrator, error_message().read())
}

#[test]
fn envelope_requires_from_agent() {
    requires(request, "/from_agent", "ENV-1");
}

#[test]
fn envelope_requires_to_agent() {
    requires(request, "/to_agent", "ENV-1");
}

#[test]
fn envelope_requires_type() {
    requires(request, "/type", "ENV-1");
}

#[test]
fn envelope_requires_ids_timestamp_and_payload() {
    for pointer in ["/message_id", "/trace_id", "/request_id", "/timestamp", "/payload"] {
        requires(request, pointer, "ENV-1");
    }
}

#[test]
fn envelope_says_all_that_is_missing_in_the_order_of_its_fields() {
    let error = MessageEnvelope::from_json("{}").unwrap_err();
    let fields =
        ["/message_id", "/from_agent", "/to_agent", "/timestamp", "/trace_id", "/request_id", "/type", "/payload"];
    assert_eq!(places(&error), fields.map(|field| (field, "ENV-1")));
}

#[test]
fn envelope_takes_only_the_five_agent_types() {
    let known: Vec<&str> = AgentType::ALL.iter().map(AgentType::as_str).collect();
    assert_eq!(known, ["orchestrator", "infra", "desktop", "code", "research"]);
    for agent in known {
        let envelope = request().with("/from_agent", agent).with("/to_agent", agent).read();
        assert_eq!(envelope.from_agent().as_str(), agent);
        assert_eq!(envelope.to_agent().as_str(), agent);
    }
    for stranger in ["planner", "Infra", "infra ", ""] {
        request().with("/from_agent", stranger).breaks(&[("/from_agent", "ENV-2")]);
        request().with("/to_agent", stranger).breaks(&[("/to_agent", "ENV-2")]);
    }
}

#[test]
fn envelope_takes_only_the_known_message_types() {
    let known: Vec<&str> = MessageType::ALL.iter().map(MessageType::as_str).collect();
    assert_eq!(known, ["work_request", "work_status", "work_result", "status_update", "error"]);
    for (body, message_type) in envelopes().iter().zip(MessageType::ALL) {
        let envelope = body.read();
        assert_eq!(envelope.message_type(), *message_type);
        assert_eq!(envelope.payload().message_type(), *message_type);
    }
    for stranger in ["work", "Work_Request", "heartbeat", ""] {
        request().with("/type", stranger).breaks(&[("/type", "ENV-3")]);
    }
}

#[test]
fn envelope_makes_unique_message_ids() {
    let ids: HashSet<_> = (0..1000).map(|_| made().message_id()).collect();
    assert_eq!(ids.len(), 1000);
}

#[test]
fn envelope_makes_unique_trace_ids() {
    let ids: HashSet<_> = (0..1000).map(|_| made().trace_id()).collect();
    assert_eq!(ids.len(), 1000);
}

#[test]
fn envelope_makes_unique_request_ids() {
    let ids: HashSet<_> = (0..1000).map(|_| made().request_id()).collect();
    assert_eq!(ids.len(), 1000);
}

#[test]
fn envelope_timestamp_defaults_to_now_in_utc() {
    let before = Timestamp::now();
    let envelope = made();
    let after = Timestamp::now();
    assert!(before <= envelope.timestamp() && envelope.timestamp() <= after);
    assert!(envelope.timestamp().to_string().ends_with('Z'));
}

#[test]
fn priority_must_be_1_to_5() {
    for priority in 1..=5u8 {
        assert_eq!(request().with("/priority", priority).read().priority().get(), priority);
        assert_eq!(Priority::new(priority).unwrap().get(), priority);
    }
    for priority in [-1, 0, 6, 255, 256] {
        request().with("/priority", priority).breaks(&[("/priority", "ENV-4")]);
    }
    for priority in [0, 6, 255] {
        let error = Priority::new(priority).unwrap_err();
        assert_eq!(places(&error), [("", "ENV-4")]);
    }
}

#[test]
fn priority_defaults_to_3() {
    assert_eq!(request().read().priority().get(), 3);
    assert_eq!(request().with("/priority", ()).read().priority().get(), 3);
    assert_eq!(made().priority(), Priority::default());
    assert_eq!(Priority::default().get(), 3);
}

#[test]
fn to_json_and_from_json_round_trip() {
    for envelope in envelopes().iter().map(Body::read).chain([made()]) {
        let text = envelope.to_json();
        let same = MessageEnvelope::from_json(&text).unwrap();
        assert_eq!(same, envelope);
        assert_eq!(same.to_json(), text);
        assert_eq!(MessageEnvelope::from_slice(text.as_bytes()).unwrap(), envelope);
        assert_eq!(text.parse::<MessageEnvelope>().unwrap(), envelope);
    }
}

#[test]
fn envelope_is_written_in_the_order_of_its_fields_with_its_defaults() {
    let expected = concat!(
        r#"{"protocol_version":"1.0","message_id":"01890a5d-ac96-774b-bcce-b302099a8057","from_agent":"orchestrator","#,
        r#""to_agent":"infra","timestamp":"2026-03-01T09:30:00Z","trace_id":"4bf92f35-77b3-4da6-a3ce-929d0e0e4736","#,
        r#""request_id":"01890a5d-ac96-774b-bcce-b302099a8058","type":"work_request","priority":3,"payload":{"task_id":"#,
        r#""01890a5d-ac96-774b-bcce-b302099a8059","work_type":"deploy_service","parameters":{},"hints":{}},"#,
        r#""x_custom_fields":{}}"#
    );
    assert_eq!(request().read().to_json(), expected);
}

#[test]
fn payload_is_the_message_of_its_type() {
    request().with("/type", "error").breaks(&[
        ("/payload/task_id", "FLD-2"),
        ("/payload/work_type", "FLD-2"),
        ("/payload/error_code", "ERR-1"),
        ("/payload/error_message", "ERR-1"),
    ]);
    let payload = result().read().into_payload();
    assert!(matches!(payload, Payload::WorkResult(_)), "{payload:?}");
}

#[test]
fn payload_is_never_empty() {
    for body in envelopes() {
        body.with("/payload", serde_json::json!({})).breaks(&[("/payload", "ENV-5")]);
    }
}

#[test]
fn payload_of_an_unknown_type_is_checked_no_further() {
    request().with("/type", "work").with("/payload/work_type", 7).breaks(&[("/type", "ENV-3")]);
    request().without("/type").with("/payload/work_type", 7).breaks(&[("/type", "ENV-1")]);
}

#[test]
fn custom_fields_are_free_and_kept() {
    let fields: FreeObject = r#"{"team":"web","cost":1.50,"":null,"from_agent":7}"#.parse().unwrap();
    let envelope = made().with_custom_fields(fields.clone());
    assert_eq!(envelope.x_custom_fields(), &fields);
    assert_eq!(MessageEnvelope::from_json(&envelope.to_json()).unwrap().x_custom_fields(), &fields);
    assert!(made().x_custom_fields().is_empty());
}

#[test]
fn reply_swaps_sender_and_receiver_and_stays_in_the_flow() {
    let asked = request().with("/priority", 5).read();
    let answer = asked.reply(result().read().into_payload());
    assert_eq!(answer.from_agent(), asked.to_agent());
    assert_eq!(answer.to_agent(), asked.from_agent());
    assert_eq!(answer.trace_id(), asked.trace_id());
    assert_eq!(answer.request_id(), asked.request_id());
    assert_eq!(answer.priority().get(), 5);
    assert_eq!(answer.message_type(), MessageType::WorkResult);
}

#[test]
fn reply_has_a_message_id_and_a_timestamp_of_its_own_and_nothing_else_of_the_request() {
    let fields: FreeObject = r#"{"team":"web"}"#.parse().unwrap();
    let asked = request().read().with_custom_fields(fields);
    let answer = asked.reply(error_message().read());
    assert_ne!(answer.message_id(), asked.message_id());
    assert!(answer.timestamp() > asked.timestamp());
    assert!(answer.x_custom_fields().is_empty());
    assert_ne!(asked.reply(error_message().read()).message_id(), answer.message_id());
}

#[test]
fn envelope_reads_a_payload_that_comes_before_its_type() {
    let text = request().text();
    assert!(text.find("payload") < text.find("\"type\""), "the keys are in alphabetical order: {text}");
    assert_eq!(request().read().message_type(), MessageType::WorkRequest);
}

fn warnings(envelope: &MessageEnvelope) -> Vec<(String, &'static str)> {
    envelope.warnings().iter().map(|warning| (warning.pointer().to_owned(), warning.rule().id())).collect()
}

#[test]
fn work_request_to_the_senders_own_type_is_a_warning() {
    let to_itself = request().with("/to_agent", "orchestrator").read();
    assert_eq!(warnings(&to_itself), [("/to_agent".to_owned(), "ENV-6")]);
    assert_eq!(warnings(&request().read()), []);
    assert_eq!(warnings(&request().with("/from_agent", "code").read()), []);
}

#[test]
fn status_update_to_another_than_the_orchestrator_is_a_warning() {
    let to_infra = heartbeat().with("/to_agent", "infra").read();
    assert_eq!(warnings(&to_infra), [("/to_agent".to_owned(), "ENV-7")]);
    assert_eq!(warnings(&heartbeat().read()), []);
}

#[test]
fn payloads_are_made_from_what_they_hold() {
    let error: ErrorMessage = error_message().read();
    assert_eq!(Payload::from(error.clone()), Payload::Error(error.clone()));
    assert_eq!(made().payload(), &Payload::Error(error));
}
