//! What ties the messages of one flow together.

use std::collections::HashSet;

use workwire::{AgentType, MessageEnvelope, MessageId, Payload, Priority, RequestId, Timestamp, TraceId};

use crate::bodies::{REQUEST, TRACE, envelopes, request, result, work_request};

#[test]
fn trace_id_and_request_id_survive_the_round_trip() {
    let request = request().read();
    let received = MessageEnvelope::from_json(&request.to_json()).unwrap();
    let answer = received.reply(result().read().into_payload());
    let received = MessageEnvelope::from_json(&answer.to_json()).unwrap();
    assert_eq!(received.trace_id().to_string(), TRACE);
    assert_eq!(received.request_id().to_string(), REQUEST);
}

#[test]
fn ids_can_be_set_explicitly() {
    let (message_id, trace_id, request_id) = (MessageId::new(), TraceId::new(), RequestId::new());
    let timestamp: Timestamp = "2001-02-03T04:05:06Z".parse().unwrap();
    let envelope = MessageEnvelope::new(AgentType::Orchestrator, AgentType::Code, work_request().read())
        .with_message_id(message_id)
        .with_trace_id(trace_id)
        .with_request_id(request_id)
        .with_timestamp(timestamp)
        .with_priority(Priority::MAX);
    let received = MessageEnvelope::from_json(&envelope.to_json()).unwrap();
    assert_eq!(received.message_id(), message_id);
    assert_eq!(received.trace_id(), trace_id);
    assert_eq!(received.request_id(), request_id);
    assert_eq!(received.timestamp(), timestamp);
    assert_eq!(received.priority(), Priority::MAX);
    assert_eq!(received.to_agent(), AgentType::Code);
    assert!(matches!(received.payload(), Payload::WorkRequest(_)));
}

#[test]
fn different_messages_have_different_trace_ids() {
    let message = || MessageEnvelope::new(AgentType::Orchestrator, AgentType::Infra, work_request().read());
    let traces: HashSet<_> = (0..100).map(|_| message().trace_id()).collect();
    assert_eq!(traces.len(), 100);
}

#[test]
fn ids_are_never_invented_by_the_receiver() {
    for body in envelopes() {
        let received = body.read();
        assert_eq!(received.trace_id().to_string(), TRACE);
        assert_eq!(received.request_id().to_string(), REQUEST);
    }
}
