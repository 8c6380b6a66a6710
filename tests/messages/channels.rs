//! Messages between agents on named channels.

use std::collections::HashSet;

use serde_json::json;
use workwire::{ArtifactPath, ChannelMessage, ChannelPriority, ChannelType, FreeObject, MessageId, Name, Timestamp};

use crate::bodies::{MESSAGE, channel_message, places, requires};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[test]
fn channel_message_requires_its_fields() {
    for field in ["/id", "/type", "/timestamp", "/from_agent", "/payload"] {
        requires(channel_message, field, "CHN-1");
    }
}

#[test]
fn channel_message_takes_its_defaults() {
    let message = channel_message().read();
    assert_eq!(message.version().to_string(), "1.0");
    assert_eq!(message.channel(), &name("general"));
    assert_eq!(message.priority().get(), 5);
    assert_eq!((message.to_agent(), message.correlation_id()), (None, None));
    let nulls = channel_message()
        .with("/version", ())
        .with("/channel", ())
        .with("/priority", ())
        .with("/to_agent", ())
        .with("/correlation_id", ());
    assert_eq!(nulls.read(), message);
}

#[test]
fn channel_message_creation() {
    let before = Timestamp::now();
    let compose = || ChannelMessage::compose(ChannelType::new("task.note").unwrap(), name("planner-1"));
    let message = compose().to_agent(name("coder-2")).priority(ChannelPriority::MAX).build().unwrap();
    assert!(before <= *message.timestamp() && *message.timestamp() <= Timestamp::now());
    assert!(message.payload().is_empty());
    assert_eq!(message.message_type().as_str(), "task.note");
    assert_eq!(message.to_agent(), Some(&name("coder-2")));
    assert_eq!(ChannelMessage::from_json(&message.to_json()).unwrap(), message);
    let ids: HashSet<MessageId> = (0..100).map(|_| *compose().build().unwrap().id()).collect();
    assert_eq!(ids.len(), 100);
}

#[test]
fn channel_priority_must_be_1_to_10() {
    for priority in 1..=10u8 {
        assert_eq!(channel_message().with("/priority", priority).read().priority().get(), priority);
    }
    for priority in [-1, 0, 11] {
        channel_message().with("/priority", priority).breaks(&[("/priority", "CHN-3")]);
    }
    assert_eq!(places(&ChannelPriority::new(11).unwrap_err()), [("", "CHN-3")]);
}

#[test]
fn channel_type_is_a_dotted_name() {
    for right in ["a", "task.update", "a_1.b.c2", &"x".repeat(128)] {
        assert_eq!(channel_message().with("/type", right).read().message_type().as_str(), right);
    }
    for broken in ["", ".", "a.", ".a", "a..b", "Task", "a-b", "é", &"x".repeat(129)] {
        channel_message().with("/type", broken).breaks(&[("/type", "CHN-2")]);
    }
}

#[test]
fn channel_names_begin_with_a_letter_or_digit() {
    for field in ["/from_agent", "/to_agent", "/channel"] {
        channel_message().with(field, "0.a_B-").read();
        for broken in ["", "-a", "a b", "ä", &"x".repeat(129)] {
            channel_message().with(field, broken).breaks(&[(field, "NAM-1")]);
        }
        channel_message().with(field, "a\u{85}").breaks(&[(field, "TXT-1")]);
    }
}

#[test]
fn channel_reply_goes_to_the_asker_on_the_same_channel() {
    let question = channel_message().with("/channel", "research").with("/priority", 9).read();
    let payload = FreeObject::new().with("context", &json!({"owner": "web"})).unwrap();
    let answer = question.reply(name("researcher-2"), payload.clone()).unwrap();
    assert_eq!(answer.message_type().as_str(), "context.query.response");
    assert!(answer.is_response() && !question.is_response());
    assert_eq!(answer.from_agent(), &name("researcher-2"));
    assert_eq!(answer.to_agent(), Some(question.from_agent()));
    assert_eq!(answer.channel(), question.channel());
    assert_eq!(answer.priority(), question.priority());
    assert_eq!(answer.payload(), &payload);
    assert_ne!(answer.id(), question.id());
}

#[test]
fn channel_reply_carries_the_correlation_id_or_else_the_id() {
    let without = channel_message().read();
    let answer = without.reply(name("r"), FreeObject::new()).unwrap();
    assert_eq!(answer.correlation_id().unwrap().as_str(), MESSAGE);
    assert_eq!(without.answer_correlation().as_str(), MESSAGE);
    let with = channel_message().with("/correlation_id", "order-4711").read();
    let answer = with.reply(name("r"), FreeObject::new()).unwrap();
    assert_eq!(answer.correlation_id().unwrap().as_str(), "order-4711");
    assert_eq!(answer.answer_correlation().as_str(), "order-4711", "an answer to the answer too");
}

#[test]
fn channel_reply_needs_room_for_its_type() {
    let longest = channel_message().with("/type", "x".repeat(119)).read();
    let answer = longest.reply(name("r"), FreeObject::new()).unwrap();
    assert_eq!(answer.message_type().as_str().len(), 128);
    let too_long = channel_message().with("/type", "x".repeat(120)).read();
    assert_eq!(places(&too_long.reply(name("r"), FreeObject::new()).unwrap_err()), [("", "CHN-2")]);
}

#[test]
fn channel_reply_with_a_broken_artifact_path_is_refused() {
    let payload = FreeObject::new().with("artifact_path", "../secret").unwrap();
    let error = channel_message().read().reply(name("r"), payload).unwrap_err();
    assert_eq!(places(&error), [("/payload/artifact_path", "CHN-4")]);
}

#[test]
fn channel_artifact_path_is_checked_in_responses_alone() {
    let response = |path: &str| {
        let payload = json!({"context": {}, "artifact_path": path});
        channel_message().with("/type", "context.response").with("/payload", payload)
    };
    let message = response("4711/summary.json").read();
    assert_eq!(message.artifact_path(), Some(ArtifactPath::new("4711/summary.json").unwrap()));
    for broken in ["", "/a", "a/", "a//b", ".", "a/../b", "c:a", "a\\b", "a\tb", &"x".repeat(1025)] {
        response(broken).breaks(&[("/payload/artifact_path", "CHN-4")]);
    }
    let elsewhere = channel_message().with("/payload", json!({"query": "?", "artifact_path": "/a"})).read();
    assert_eq!(elsewhere.artifact_path(), None);
    assert!(elsewhere.to_json().contains(r#""artifact_path":"/a""#));
}

#[test]
fn channel_artifact_path_null_is_absent_in_responses() {
    let payload = json!({"context": {}, "artifact_path": null});
    let message = channel_message().with("/type", "context.response").with("/payload", payload.clone()).read();
    assert_eq!(message.artifact_path(), None);
    assert_eq!(message.payload().as_str(), r#"{"context":{}}"#);
    let elsewhere = channel_message().with("/payload", payload).read();
    assert_eq!(elsewhere.payload().as_str(), r#"{"artifact_path":null,"context":{}}"#);
}

#[test]
fn channel_message_with_an_empty_payload_is_legal() {
    assert!(channel_message().with("/payload", json!({})).read().payload().is_empty());
}

#[test]
fn channel_type_knows_its_answer() {
    let question = ChannelType::new("context.query").unwrap();
    let answer = question.response().unwrap();
    assert_eq!(answer.as_str(), "context.query.response");
    assert!(answer.is_response() && !question.is_response());
    assert!(!ChannelType::new("response").unwrap().is_response());
}
