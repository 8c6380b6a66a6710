//! The standard types of channel messages.

use serde_json::{Value, json};
use workwire::{ArtifactPath, ChannelMessage, ChannelMessageBuilder, FreeObject, Name, ProtocolError, Timestamp};

use crate::bodies::{channel_message, places};

type Made = Result<ChannelMessageBuilder, ProtocolError>;

fn me() -> Name {
    Name::new("planner-1").unwrap()
}

fn deadline() -> Timestamp {
    "2026-03-01T09:30:00Z".parse().unwrap()
}

/// Each constructor with everything, the type that it makes and the payload.
fn with_everything() -> Vec<(Made, &'static str, &'static str)> {
    let context = FreeObject::new().with("owner", "web").unwrap();
    let path = ArtifactPath::new("4711/a.json").unwrap();
    vec![
        (
            ChannelMessage::context_query(me(), "who?", Some(&["owner", "age"])),
            "context.query",
            r#"{"aspects":["owner","age"],"query":"who?"}"#,
        ),
        (
            ChannelMessage::context_response(me(), &context, Some(&path)),
            "context.response",
            r#"{"context":{"owner":"web"},"artifact_path":"4711/a.json"}"#,
        ),
        (ChannelMessage::task_claim(me(), "4711"), "task.claim", r#"{"task_id":"4711"}"#),
        (
            ChannelMessage::task_update(me(), "4711", "running", Some(0.5)),
            "task.update",
            r#"{"progress":0.5,"status":"running","task_id":"4711"}"#,
        ),
        (
            ChannelMessage::vote_initiate(me(), "lunch", &["soup", "rice"], deadline()),
            "vote.initiate",
            r#"{"deadline":"2026-03-01T09:30:00Z","options":["soup","rice"],"topic":"lunch"}"#,
        ),
        (
            ChannelMessage::vote_cast(me(), "7", "soup", Some("warm")),
            "vote.cast",
            r#"{"option":"soup","reasoning":"warm","vote_id":"7"}"#,
        ),
        (ChannelMessage::broadcast(me(), "closing", "info"), "broadcast", r#"{"message":"closing","severity":"info"}"#),
        (
            ChannelMessage::heartbeat(me(), "active", Some("4711")),
            "heartbeat",
            r#"{"current_task":"4711","status":"active"}"#,
        ),
    ]
}

fn with_the_least() -> Vec<(Made, &'static str)> {
    let context = FreeObject::new();
    vec![
        (ChannelMessage::context_query(me(), "", None), r#"{"query":""}"#),
        (ChannelMessage::context_response(me(), &context, None), r#"{"context":{}}"#),
        (ChannelMessage::task_update(me(), "4711", "running", None), r#"{"status":"running","task_id":"4711"}"#),
        (ChannelMessage::vote_cast(me(), "7", "soup", None), r#"{"option":"soup","vote_id":"7"}"#),
        (ChannelMessage::heartbeat(me(), "active", None), r#"{"status":"active"}"#),
    ]
}

#[test]
fn standard_channel_messages_hold_what_was_given() {
    for (made, message_type, payload) in with_everything() {
        let message = made.unwrap().build().unwrap();
        assert_eq!(message.message_type().as_str(), message_type);
        let payload: Value = serde_json::from_str(payload).unwrap();
        assert_eq!(message.payload().read::<Value>().unwrap(), payload);
        assert_eq!(message.from_agent(), &me());
        assert_eq!(ChannelMessage::from_json(&message.to_json()).unwrap(), message);
    }
}

#[test]
fn standard_channel_messages_leave_out_what_is_absent() {
    for (made, payload) in with_the_least() {
        assert_eq!(made.unwrap().build().unwrap().payload().as_str(), payload);
    }
}

#[test]
fn standard_channel_constructors_yield_no_warnings() {
    let all = with_everything().into_iter().map(|(made, ..)| made);
    for made in all.chain(with_the_least().into_iter().map(|(made, _)| made)) {
        let message = made.unwrap().build().unwrap();
        assert!(message.warnings().is_empty(), "{}: {}", message.to_json(), message.warnings());
    }
}

#[test]
fn standard_channel_messages_can_be_addressed() {
    let (asker, channel) = (Name::new("researcher-2").unwrap(), Name::new("votes").unwrap());
    let vote = ChannelMessage::vote_cast(me(), "7", "soup", None).unwrap();
    let vote = vote.to_agent(asker.clone()).channel(channel.clone()).build().unwrap();
    assert_eq!((vote.to_agent(), vote.channel()), (Some(&asker), &channel));
}

#[test]
fn standard_channel_progress_is_finite() {
    for progress in [f64::NAN, f64::INFINITY] {
        let error = ChannelMessage::task_update(me(), "4711", "running", Some(progress)).unwrap_err();
        assert_eq!(places(&error), [("", "JSN-6")]);
    }
}

#[track_caller]
fn warns(message_type: &str, payload: Value, expected: &[&str]) {
    let message = channel_message().with("/type", message_type).with("/payload", payload).read();
    let warnings = message.warnings();
    let pointers: Vec<&str> = warnings.iter().map(workwire::Violation::pointer).collect();
    assert_eq!(pointers, expected, "{warnings}");
    assert!(warnings.iter().all(|warning| warning.rule().id() == "CHN-7"), "{warnings}");
}

#[test]
fn standard_channel_payload_that_lacks_a_field_is_a_warning() {
    warns("context.query", json!({}), &["/payload/query"]);
    warns("context.response", json!({}), &["/payload/context"]);
    warns("task.claim", json!({}), &["/payload/task_id"]);
    warns("task.update", json!({}), &["/payload/task_id", "/payload/status"]);
    warns("vote.initiate", json!({}), &["/payload/topic", "/payload/options", "/payload/deadline"]);
    warns("vote.cast", json!({}), &["/payload/vote_id", "/payload/option"]);
    warns("broadcast", json!({}), &["/payload/message", "/payload/severity"]);
    warns("heartbeat", json!({}), &["/payload/status"]);
    warns("task.note", json!({}), &[]);
}

#[test]
fn standard_channel_payload_of_the_wrong_type_is_a_warning() {
    warns("context.query", json!({"query": 1, "aspects": "a"}), &["/payload/aspects", "/payload/query"]);
    warns("context.query", json!({"query": "?", "aspects": ["a", 1]}), &["/payload/aspects"]);
    warns("context.response", json!({"context": "none"}), &["/payload/context"]);
    warns("task.update", json!({"task_id": "1", "status": "s", "progress": "half"}), &["/payload/progress"]);
    let vote = json!({"topic": "t", "options": [], "deadline": "soon"});
    warns("vote.initiate", vote, &["/payload/deadline"]);
    warns("heartbeat", json!({"status": "active", "current_task": null}), &[]);
    warns("heartbeat", json!({"status": null}), &["/payload/status"]);
}

#[test]
fn warnings_of_standard_payloads_say_what_should_be_there() {
    let said = |message_type: &str, payload: Value| {
        let message = channel_message().with("/type", message_type).with("/payload", payload).read();
        message.warnings().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let vote = json!({"topic": 1, "options": ["soup", 2], "deadline": "noon"});
    assert_eq!(
        said("vote.initiate", vote),
        "/payload/deadline: expected a timestamp, found \"noon\" (CHN-7); \
         /payload/options: expected a list of strings, found [\"soup\",2] (CHN-7); \
         /payload/topic: expected a string, found 1 (CHN-7)"
    );
    assert_eq!(
        said("context.response", json!({"context": []})),
        "/payload/context: expected an object, found [] (CHN-7)"
    );
    assert_eq!(
        said("task.update", json!({"task_id": "1", "progress": "half"})),
        "/payload/progress: expected a number, found \"half\" (CHN-7); \
         /payload/status: should be there, a string (CHN-7)"
    );
}
