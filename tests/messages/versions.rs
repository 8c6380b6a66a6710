//! Versions: later minor ones, other major ones, and lenient readers.

use serde_json::json;
use workwire::{ChannelMessage, Decoder, ErrorCode, MessageEnvelope, Payload, Version, WorkRequest};

use crate::bodies::{Body, channel_message, event, places, request, work_request};

#[test]
fn version_is_major_and_minor() {
    assert_eq!(Version::CURRENT.to_string(), "1.0");
    assert_eq!(Version::default(), Version::CURRENT);
    let later: Version = "1.999999999".parse().unwrap();
    assert_eq!((later.major(), later.minor()), (1, 999_999_999));
    assert!(later.is_later() && !Version::CURRENT.is_later() && later > Version::CURRENT);
    for broken in ["", "1", "1.", ".0", "1.00", "01.0", "1.0.0", "1.-1", "1.1000000000", "v1.0", "1.0 ", "१.०"] {
        assert_eq!(places(&broken.parse::<Version>().unwrap_err()), [("", "VER-1")], "{broken}");
    }
    for foreign in ["0.0", "2.0", "10.0", "999999999.1"] {
        assert_eq!(places(&foreign.parse::<Version>().unwrap_err()), [("", "VER-2")], "{foreign}");
    }
}

#[test]
fn another_major_version_is_refused_for_that_alone() {
    let foreign = request().with("/protocol_version", "2.0").with("/priority", 99).without("/trace_id").with("/new", 1);
    foreign.breaks(&[("/protocol_version", "VER-2")]);
    assert_eq!(foreign.error().error_code(), ErrorCode::UNSUPPORTED_VERSION);
    channel_message().with("/version", "0.9").with("/type", 7).breaks(&[("/version", "VER-2")]);
    event().with("/version", "3.1").with("/new", 1).breaks(&[("/version", "VER-2")]);
}

#[test]
fn strict_json_is_demanded_of_another_major_version_too() {
    let text = r#"{"protocol_version":"2.0","a":{"b":1,"b":2},"priority":99}"#;
    let error = MessageEnvelope::from_json(text).unwrap_err();
    assert_eq!(places(&error), [("/protocol_version", "VER-2"), ("/a/b", "JSN-5")]);
}

/// A body with a member repeated so often, and behind it the version.
fn repeated_then_foreign(times: usize, unknown: usize) -> String {
    let unknown: Vec<String> = (0..unknown).map(|index| format!(r#""u{index}":0,"#)).collect();
    format!(r#"{{{}"a":0{},"protocol_version":"2.0"}}"#, unknown.concat(), r#","a":1"#.repeat(times))
}

#[test]
fn what_is_no_strict_json_of_another_major_version_is_counted_wherever_the_version_stands() {
    let error = MessageEnvelope::from_json(&repeated_then_foreign(5, 10)).unwrap_err();
    assert_eq!(error.total(), 6);
    let error = MessageEnvelope::from_json(&repeated_then_foreign(5, 0)).unwrap_err();
    assert_eq!(error.total(), 6);
}

#[test]
fn many_repeated_members_before_another_major_version_are_all_counted() {
    let error = MessageEnvelope::from_json(&repeated_then_foreign(150, 0)).unwrap_err();
    assert_eq!(error.total(), 151);
    let error = MessageEnvelope::from_json(&repeated_then_foreign(5, 150)).unwrap_err();
    assert_eq!(error.total(), 6);
}

#[test]
fn repeated_members_behind_many_unknown_ones_are_told_with_another_major_version() {
    let error = MessageEnvelope::from_json(&repeated_then_foreign(5, 150)).unwrap_err();
    assert_eq!(error.violations().len(), 6, "{error}");
}

#[test]
fn another_major_version_behind_an_enormous_unknown_field_is_told() {
    let text = request().with("/protocol_version", "2.0").text();
    let text = text.replacen('{', &format!(r#"{{"{}":1,"#, "/".repeat(600_000)), 1);
    let error = MessageEnvelope::from_json(&text).unwrap_err();
    assert_eq!(places(&error), [("/protocol_version", "VER-2")]);
}

#[test]
fn unknown_fields_are_refused_strictly() {
    let body = request().with("/new", 1).with("/payload/priority", 3);
    body.breaks(&[("/new", "FLD-2"), ("/payload/priority", "FLD-2")]);
    channel_message().with("/subject", "x").breaks(&[("/subject", "FLD-2")]);
    event().with("/subject", "x").breaks(&[("/subject", "FLD-2")]);
    work_request().with("/colour", "red").breaks(&[("/colour", "FLD-2")]);
}

#[test]
fn unknown_fields_are_dropped_leniently() {
    let body = || request().with("/new", 1).with("/payload/priority", 3);
    assert_eq!(body().read_leniently(), request().read());
    assert_eq!(channel_message().with("/subject", "x").read_leniently(), channel_message().read());
    assert_eq!(event().with("/subject", "x").read_leniently(), event().read());
}

#[test]
fn lenient_readers_refuse_everything_else() {
    let body = request().with("/new", 1).with("/priority", 9);
    let error = Decoder::lenient().decode::<MessageEnvelope>(body.text().as_bytes()).unwrap_err();
    assert_eq!(places(&error), [("/priority", "ENV-4")]);
}

fn later() -> Body<MessageEnvelope> {
    request().with("/protocol_version", "1.7").with("/new", json!({"b": 1, "a": null})).with("/payload/colour", "red")
}

#[test]
fn fields_of_a_later_minor_version_are_kept_and_written_back() {
    let message = later().read();
    assert_eq!(message.protocol_version().to_string(), "1.7");
    assert_eq!(message.extra("new").unwrap().as_str(), r#"{"a":null,"b":1}"#);
    assert_eq!(message.extra("priority"), None);
    let Payload::WorkRequest(work) = message.payload() else { panic!("{message:?}") };
    assert_eq!(work.extra("colour").unwrap().as_text().unwrap(), "red");
    let text = message.to_json();
    assert!(text.ends_with(r#""x_custom_fields":{},"new":{"a":null,"b":1}}"#), "{text}");
    assert!(text.contains(r#""hints":{},"colour":"red"}"#), "{text}");
    assert_eq!(MessageEnvelope::from_json(&text).unwrap(), message);
}

#[test]
fn fields_of_a_later_minor_version_are_kept_by_lenient_readers_too() {
    assert_eq!(later().read_leniently(), later().read());
}

#[test]
fn later_minor_versions_bring_new_fields_alone() {
    later().with("/to_agent", "planner").breaks(&[("/to_agent", "ENV-2")]);
    later().with("/type", "work_plan").breaks(&[("/type", "ENV-3")]);
}

#[test]
fn reply_to_a_later_minor_version_is_of_the_version_that_this_library_speaks() {
    let answer = later().read().reply(crate::bodies::error_message().read());
    assert_eq!(answer.protocol_version(), Version::CURRENT);
    assert_eq!(answer.extra("new"), None);
}

#[test]
fn later_minor_versions_of_channel_messages_and_events_are_kept() {
    let message = channel_message().with("/version", "1.1").with("/ttl", 60).read();
    assert_eq!(message.extra("ttl").unwrap().as_number(), Some(60.0));
    assert_eq!(ChannelMessage::from_json(&message.to_json()).unwrap(), message);
    let event = event().with("/version", "1.1").with("/ttl", 60).read();
    assert!(event.to_json().ends_with(r#","ttl":60}"#), "{}", event.to_json());
}

#[test]
fn payload_by_itself_has_no_version() {
    assert!(WorkRequest::from_json(&work_request().with("/version", "1.7").text()).is_err());
}

#[test]
fn a_message_made_of_a_later_payload_is_of_this_version_and_can_be_read() {
    let text = r#"{"protocol_version":"1.7","message_id":"01890a5d-ac96-774b-bcce-b302099a8057","from_agent":"infra",
        "to_agent":"orchestrator","timestamp":"2026-03-01T09:30:00Z","trace_id":"4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
        "request_id":"01890a5d-ac96-774b-bcce-b302099a8058","type":"work_status","payload":{"task_id":
        "01890a5d-ac96-774b-bcce-b302099a8057","status":"running","progress_percent":1,"new":1,
        "step":{"number":1,"name":"a","newer":2}}}"#;
    let received = MessageEnvelope::from_json(text).unwrap();
    assert!(received.to_json().contains(r#""newer":2"#));
    for made in [
        received.reply(received.payload().clone()),
        MessageEnvelope::new(received.from_agent(), received.to_agent(), received.payload().clone()),
    ] {
        assert_eq!(MessageEnvelope::from_json(&made.to_json()), Ok(made));
    }
}
