//! Ids: which versions are made, which are taken, how they are written.

use uuid::{Uuid, Variant};
use workwire::{
    AgentEvent, AgentId, AgentType, ChannelMessage, EventId, EventType, MessageEnvelope, MessageId, RequestId, TaskId,
    TraceId, WorkRequest,
};

use crate::bodies::{TASK, error_message, places, request};

fn version(uuid: &Uuid) -> usize {
    assert_eq!(uuid.get_variant(), Variant::RFC4122);
    uuid.get_version_num()
}

#[test]
fn ids_of_messages_tasks_and_events_are_of_version_7() {
    assert_eq!(version(MessageId::new().as_uuid()), 7);
    assert_eq!(version(TaskId::new().as_uuid()), 7);
    assert_eq!(version(EventId::new().as_uuid()), 7);
    assert_eq!(version(RequestId::new().as_uuid()), 7);
    assert_eq!(version(AgentId::new().as_uuid()), 7);
}

#[test]
fn ids_of_traces_are_of_version_4() {
    assert_eq!(version(TraceId::new().as_uuid()), 4);
}

#[test]
fn ids_that_constructors_make_have_these_versions() {
    let envelope = MessageEnvelope::new(AgentType::Infra, AgentType::Orchestrator, error_message().read());
    assert_eq!(version(envelope.message_id().as_uuid()), 7);
    assert_eq!(version(envelope.trace_id().as_uuid()), 4);
    assert_eq!(version(envelope.reply(error_message().read()).message_id().as_uuid()), 7);
    assert_eq!(version(WorkRequest::cancel(TaskId::new()).task_id().as_uuid()), 7);
    let message = ChannelMessage::heartbeat("a".parse().unwrap(), "active", None).unwrap().build().unwrap();
    assert_eq!(version(message.id().as_uuid()), 7);
    let event = AgentEvent::compose(EventType::AgentHealth, "acme".parse().unwrap(), "a".parse().unwrap());
    assert_eq!(version(event.build().unwrap().event_id().as_uuid()), 7);
}

#[test]
fn ids_sort_by_the_time_they_were_made() {
    let ids: Vec<MessageId> = (0..1000).map(|_| MessageId::new()).collect();
    assert!(ids.is_sorted());
}

#[test]
fn ids_are_taken_in_any_case_and_version_and_written_in_lower_case() {
    for text in [
        "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "01890A5D-ac96-174b-0cce-b302099a8057",
    ] {
        let envelope = request().with("/payload/task_id", text).with("/trace_id", text).read();
        assert_eq!(envelope.trace_id().to_string(), text.to_lowercase());
        assert_eq!(text.parse::<TaskId>().unwrap().to_string(), text.to_lowercase());
    }
}

#[test]
fn ids_have_hyphens_and_nothing_around_them() {
    let others = [
        String::new(),
        TASK.replace('-', ""),
        format!("{{{TASK}}}"),
        format!("urn:uuid:{TASK}"),
        format!(" {TASK}"),
        format!("{TASK}x"),
        TASK.replace('0', "g"),
        TASK.replace("-b", "b-"),
        TASK.replacen('8', "８", 1),
    ];
    for text in others {
        request().with("/trace_id", text.as_str()).breaks(&[("/trace_id", "UID-1")]);
        assert_eq!(places(&text.parse::<TraceId>().unwrap_err()), [("", "UID-1")], "{text}");
    }
    assert_eq!(places(&format!("{TASK}\n").parse::<TraceId>().unwrap_err()), [("", "TXT-1")]);
}

#[test]
fn ids_are_converted_printed_and_carried_by_serde() {
    let id: TaskId = TASK.parse().unwrap();
    assert_eq!(TaskId::from(Uuid::from(id)), id);
    assert_eq!(TaskId::from_uuid(*id.as_uuid()), id);
    assert_eq!(format!("{id:?}"), format!("TaskId({TASK})"));
    assert_eq!(format!("{id:>40}|"), format!("    {TASK}|"));
    assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{TASK}\""));
    assert_eq!(serde_json::from_str::<TaskId>(&format!("\"{TASK}\"")).unwrap(), id);
    assert!(serde_json::from_str::<TaskId>("\"x\"").unwrap_err().to_string().contains("UID-1"));
}
