//! The stream form of an event.

use serde_json::json;
use workwire::{AgentEvent, Decoder, Limits, ProtocolError};

use crate::bodies::{event, places};

fn full() -> AgentEvent {
    event()
        .with("/data", json!({"text": "a,b\n", "n": [1, null]}))
        .with("/context_refs", json!(["s3://a", "b c"]))
        .with("/correlation_id", "order, 4711")
        .with("/parent_event_id", crate::bodies::TRACE)
        .with("/timestamp", "2026-03-01T09:30:00.5+01:00")
        .read()
}

fn decode(decoder: Decoder, fields: &[(String, String)]) -> Result<AgentEvent, ProtocolError> {
    decoder.decode_stream(fields.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}

/// The stream form with one field more or changed.
fn stream_with(key: &str, value: &str) -> Vec<(String, String)> {
    let mut fields = event().read().to_stream();
    match fields.iter_mut().find(|(name, _)| name == key) {
        Some((_, old)) => value.clone_into(old),
        None => fields.push((key.to_owned(), value.to_owned())),
    }
    fields
}

#[track_caller]
fn refuses(fields: &[(String, String)], expected: &[(&str, &str)]) {
    let error = decode(Decoder::strict(), fields).unwrap_err();
    assert_eq!(places(&error), expected, "{error}");
}

#[test]
fn event_stream_form_round_trips() {
    for event in [event().read(), full()] {
        let fields = event.to_stream();
        let borrowed = || fields.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        assert_eq!(AgentEvent::from_stream(borrowed()).unwrap(), event);
        let reversed = borrowed().collect::<Vec<_>>().into_iter().rev();
        assert_eq!(AgentEvent::from_stream(reversed).unwrap(), event);
    }
}

#[test]
fn stream_form_is_texts_in_the_order_of_the_fields() {
    let fields = full().to_stream();
    let expected = [
        ("event_id", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ("version", "1.0"),
        ("event_type", "task_completed"),
        ("timestamp", "2026-03-01T08:30:00.500Z"),
        ("tenant_id", "acme"),
        ("priority", "normal"),
        ("source_agent_id", "coder-2"),
        ("call_chain", "planner-1,coder-2"),
        ("data", r#"{"n":[1,null],"text":"a,b\n"}"#),
        ("context_refs", "s3://a,b c"),
        ("correlation_id", "order, 4711"),
        ("parent_event_id", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"),
    ];
    let fields: Vec<_> = fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(fields, expected);
}

#[test]
fn stream_form_of_little_has_empty_lists_and_no_optionals() {
    let fields = event().read().to_stream();
    let value = |key: &str| fields.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    assert_eq!(value("context_refs"), Some(""));
    assert_eq!(value("data"), Some("{}"));
    assert_eq!((value("correlation_id"), value("parent_event_id")), (None, None));
}

#[test]
fn stream_fields_of_the_transport_are_ignored() {
    let fields = stream_with("_retry_count", "3");
    assert_eq!(decode(Decoder::strict(), &fields).unwrap(), event().read());
}

#[test]
fn stream_refuses_unknown_fields_strictly_and_drops_them_leniently() {
    let fields = stream_with("colour", "red");
    refuses(&fields, &[("/colour", "FLD-2")]);
    assert_eq!(decode(Decoder::lenient(), &fields).unwrap(), event().read());
}

#[test]
fn stream_says_what_is_wrong_and_where() {
    refuses(&stream_with("call_chain", ""), &[("/call_chain", "EVT-5")]);
    refuses(&stream_with("call_chain", "planner-1,,coder-2"), &[("/call_chain/1", "NAM-1")]);
    refuses(&stream_with("call_chain", "planner-1"), &[("/call_chain", "EVT-6")]);
    refuses(&stream_with("tenant_id", "a\nb"), &[("/tenant_id", "TXT-1")]);
    refuses(&stream_with("version", "2.0"), &[("/version", "VER-2")]);
    refuses(&stream_with("data", "[]"), &[("/data", "FLD-1")]);
    refuses(&stream_with("data", r#"{"a":{"b":1,"b":2},"c":1e999}"#), &[("/data/a/b", "JSN-5"), ("/data/c", "JSN-11")]);
    let missing: Vec<_> = stream_with("data", "{}").into_iter().filter(|(key, _)| key != "tenant_id").collect();
    refuses(&missing, &[("/tenant_id", "EVT-1")]);
    let twice = [stream_with("data", "{}"), vec![("data".to_owned(), "{}".to_owned())]].concat();
    refuses(&twice, &[("/data", "JSN-5")]);
}

#[test]
fn stream_data_that_is_no_json_is_told_with_its_position() {
    let error = decode(Decoder::strict(), &stream_with("data", "{\"a\":\n nul}")).unwrap_err();
    assert_eq!(error.to_string(), "/data at line 2, column 2 (byte 7): expected a value, found 'n' (JSN-1)");
    assert!(error.is_not_json());
}

#[test]
fn stream_is_held_to_the_limit_on_size() {
    let fields = event().read().to_stream();
    let bytes: usize = fields.iter().map(|(key, value)| key.len() + value.len()).sum();
    let limited = |bytes| Decoder::strict().with_limits(Limits::default().with_max_bytes(bytes));
    assert!(decode(limited(bytes), &fields).is_ok());
    assert!(decode(limited(bytes - 1), &fields).unwrap_err().is_too_large());
}

#[test]
fn stream_as_a_json_object_of_texts_is_read_too() {
    let object: serde_json::Map<_, _> =
        full().to_stream().into_iter().map(|(key, value)| (key, json!(value))).collect();
    let text = serde_json::to_vec(&object).unwrap();
    assert_eq!(Decoder::strict().decode_stream_json(&text).unwrap(), full());
    let error = Decoder::strict().decode_stream_json(br#"{"priority": 3}"#).unwrap_err();
    assert_eq!(places(&error)[0], ("/priority", "STR-3"));
    assert_eq!(places(&Decoder::strict().decode_stream_json(b"[]").unwrap_err()), [("", "JSN-10")]);
}

/// An event of a later minor version with one field that this library does not know.
fn later(key: &str, json: &str) -> AgentEvent {
    let known = event().read().to_json().replacen(r#""version":"1.0""#, r#""version":"1.5""#, 1);
    let text = format!(r#"{},"{key}":{json}}}"#, known.strip_suffix('}').unwrap());
    AgentEvent::from_json(&text).unwrap()
}

#[test]
fn stream_keeps_fields_of_a_later_minor_version() {
    for json in [r#""red""#, r#""5""#, "5", "null", r#"{"b":1.50,"a":[true]}"#, r#""""#] {
        let event = later("colour", json);
        let fields = event.to_stream();
        assert_eq!(fields.last().unwrap(), &("colour".to_owned(), json.to_owned()));
        assert_eq!(decode(Decoder::strict(), &fields).unwrap(), event, "{json}");
    }
}

#[test]
fn stream_takes_text_of_a_later_field_that_is_no_json_as_a_string() {
    let mut fields = stream_with("version", "1.5");
    fields.push(("colour".to_owned(), "dark red".to_owned()));
    let event = decode(Decoder::strict(), &fields).unwrap();
    assert_eq!(event.extra("colour").unwrap().as_text().unwrap(), "dark red");
}

#[test]
fn stream_leaves_out_a_later_field_that_begins_with_an_underscore() {
    let event = later("_colour", "5");
    assert!(event.to_stream().iter().all(|(key, _)| key != "_colour"), "it would be taken for the transport's");
}

#[test]
fn stream_makes_no_broken_json_of_a_later_field() {
    for text in [r#""\ud800""#, r#"{"a":1,"a":2}"#, "1e400", &format!("{}{}", "[".repeat(64), "]".repeat(64))] {
        let mut fields = stream_with("version", "1.5");
        fields.push(("colour".to_owned(), text.to_owned()));
        if let Ok(event) = decode(Decoder::strict(), &fields) {
            assert_eq!(AgentEvent::from_json(&event.to_json()).as_ref(), Ok(&event), "{text}");
        }
    }
}

#[test]
fn stream_of_another_major_version_is_refused_for_that_alone_in_any_order() {
    let names = ",".repeat(149);
    let mut fields = stream_with("version", "2.0");
    fields.iter_mut().filter(|(key, _)| key == "call_chain").for_each(|(_, value)| value.clone_from(&names));
    let reversed: Vec<_> = fields.iter().rev().cloned().collect();
    for fields in [fields, reversed] {
        let error = decode(Decoder::strict(), &fields).unwrap_err();
        assert_eq!((places(&error), error.total()), (vec![("/version", "VER-2")], 1));
    }
}

#[test]
fn stream_refused_for_its_depth_says_so() {
    let shallow = Decoder::strict().with_limits(Limits::default().with_max_depth(0));
    let fields: Vec<_> = stream_with("data", "{}");
    let error = decode(shallow, &fields).unwrap_err();
    assert_eq!(places(&error), [("/data", "JSN-8")]);
    let without: Vec<_> = fields.into_iter().filter(|(key, _)| key != "data").collect();
    assert!(decode(shallow, &without).is_ok());
}
