//! Documents as `CloudEvents`.

use serde_json::{Map, Value, json};
use workwire::{AnyDocument, Decoder, DocumentKind, ProtocolError};

use crate::bodies::{MESSAGE, channel_message, envelopes, event, places, request};

fn documents() -> Vec<AnyDocument> {
    let channel = channel_message().with("/to_agent", "coder-2").with("/correlation_id", "order-4711").read();
    let event = event().with("/parent_event_id", crate::bodies::TASK).with("/correlation_id", "c").read();
    let envelopes = envelopes().into_iter().map(|body| AnyDocument::Envelope(body.read()));
    envelopes.chain([AnyDocument::Channel(channel), AnyDocument::Event(event)]).collect()
}

fn attributes(document: &AnyDocument) -> Map<String, Value> {
    serde_json::from_str(&document.to_cloud_event()).unwrap()
}

fn decode(event: &Map<String, Value>) -> Result<AnyDocument, ProtocolError> {
    AnyDocument::from_cloud_event(&Decoder::strict(), serde_json::to_string(event).unwrap().as_bytes())
}

/// The work request as a `CloudEvent` with one attribute changed.
fn request_with(name: &str, value: impl Into<Value>) -> Result<AnyDocument, ProtocolError> {
    let mut event = attributes(&AnyDocument::Envelope(request().read()));
    event.insert(name.to_owned(), value.into());
    decode(&event)
}

#[test]
fn cloud_event_and_back_loses_nothing() {
    for document in documents() {
        let text = document.to_cloud_event();
        assert_eq!(AnyDocument::from_cloud_event(&Decoder::strict(), text.as_bytes()).unwrap(), document);
    }
}

#[test]
fn cloud_event_of_an_envelope_says_what_routers_need() {
    let made = attributes(&AnyDocument::Envelope(request().read()));
    let data = serde_json::from_str::<Value>(&request().read().to_json()).unwrap();
    let expected = json!({
        "specversion": "1.0",
        "id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "source": "/agents/orchestrator",
        "type": "dev.workwire.work_request",
        "time": "2026-03-01T09:30:00Z",
        "datacontenttype": "application/json",
        "dataschema": "https://workwire.dev/schemas/v1/envelope.json",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-bcceb302099a8057-01",
        "requestid": "01890a5d-ac96-774b-bcce-b302099a8058",
        "priority": 3,
        "toagent": "infra",
        "data": data
    });
    assert_eq!(Value::Object(made), expected);
}

#[test]
fn cloud_event_names_are_lower_case_letters_and_digits() {
    for document in documents() {
        for name in attributes(&document).keys() {
            assert!(name.len() <= 20, "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{name}");
        }
    }
}

#[test]
fn cloud_event_that_lacks_an_attribute_is_refused() {
    let whole = attributes(&AnyDocument::Envelope(request().read()));
    for name in ["specversion", "id", "source", "type", "data"] {
        let mut event = whole.clone();
        event.remove(name);
        assert_eq!(places(&decode(&event).unwrap_err()), [(format!("/{name}").as_str(), "CLE-1")]);
    }
    for name in ["time", "datacontenttype", "dataschema", "traceparent", "requestid", "priority", "toagent"] {
        let mut event = whole.clone();
        event.remove(name);
        assert!(decode(&event).is_ok(), "{name}");
    }
}

#[test]
fn cloud_event_that_says_something_else_than_its_data_is_refused() {
    let others = [
        ("id", json!("another")),
        ("source", json!("/agents/infra")),
        ("time", json!("2026-03-01T09:30:01Z")),
        ("dataschema", json!("https://workwire.dev/schemas/v1/event.json")),
        ("traceparent", json!("00-5bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")),
        ("requestid", json!("01890a5d-ac96-774b-bcce-b302099a8059")),
        ("priority", json!(4)),
        ("toagent", json!("code")),
    ];
    for (name, value) in others {
        let error = request_with(name, value).unwrap_err();
        assert_eq!(places(&error), [(format!("/{name}").as_str(), "CLE-4")], "{error}");
    }
}

#[test]
fn cloud_event_attributes_have_their_own_rules() {
    let rule = |name: &str, value: Value| request_with(name, value).unwrap_err().violations()[0].rule().id();
    assert_eq!(rule("specversion", json!("0.3")), "CLE-2");
    assert_eq!(rule("type", json!("dev.workwire.work")), "CLE-3");
    assert_eq!(rule("datacontenttype", json!("text/plain")), "CLE-5");
    assert_eq!(rule("priority", json!("3")), "FLD-1");
    assert_eq!(rule("source", json!(7)), "FLD-1");
    assert_eq!(rule("data", json!(null)), "FLD-1");
}

#[test]
fn cloud_event_may_say_the_same_in_other_words() {
    for (name, value) in [
        ("time", json!("2026-03-01T10:30:00+01:00")),
        ("priority", json!(3.0)),
        ("datacontenttype", json!("Application/JSON; charset=utf-8")),
        ("traceparent", json!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")),
        ("traceparent", json!("broken")),
        ("toagent", json!(null)),
        ("subject", json!("anything")),
    ] {
        let document = request_with(name, value.clone()).unwrap_or_else(|error| panic!("{name} {value}: {error}"));
        assert_eq!(document, AnyDocument::Envelope(request().read()));
    }
}

#[test]
fn cloud_event_reports_what_is_wrong_with_its_data_below_data() {
    let mut event = attributes(&AnyDocument::Envelope(request().read()));
    event["data"]["priority"] = json!(9);
    event["data"]["payload"]["work_type"] = json!("");
    let error = decode(&event).unwrap_err();
    assert_eq!(places(&error), [("/data/payload/work_type", "WRQ-2"), ("/data/priority", "ENV-4")]);
}

#[test]
fn documents_tell_their_kind_and_their_warnings() {
    let kinds: Vec<&str> = DocumentKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(kinds, ["envelope", "channel", "event"]);
    for document in documents() {
        let kind = document.kind();
        assert_eq!(kind.decode(&Decoder::strict(), document.to_json().as_bytes()).unwrap(), document);
        assert_eq!(document.warnings().total(), 0, "{}", document.warnings());
        assert_eq!(kind.to_string(), kind.as_str());
    }
    let to_itself = AnyDocument::Envelope(request().with("/to_agent", "orchestrator").read());
    assert_eq!(to_itself.warnings().total(), 1);
}

#[test]
fn cloud_event_of_an_event_may_carry_the_traceparent_of_whoever_forwarded_it() {
    let mut made = attributes(&AnyDocument::Event(event().read()));
    made.insert("traceparent".to_owned(), json!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    assert!(decode(&made).is_ok());
}

#[test]
fn cloud_event_reports_what_is_wrong_with_its_data_in_the_order_of_the_data() {
    let text = AnyDocument::Envelope(request().read()).to_cloud_event();
    let text = text.replacen(r#""from_agent":"orchestrator""#, r#""from_agent":7,"from_agent":8"#, 1);
    let error = AnyDocument::from_cloud_event(&Decoder::strict(), text.as_bytes()).unwrap_err();
    assert_eq!(places(&error), [("/data/from_agent", "FLD-1"), ("/data/from_agent", "JSN-5")]);
}

#[test]
fn cloud_event_finds_its_type_behind_data_that_are_as_deep_as_they_may_be() {
    let nested: Value = serde_json::from_str(&("[".repeat(61) + &"]".repeat(61))).unwrap();
    let deep = request().with("/payload/parameters", json!({"deep": nested}));
    let text = deep.text().replacen(r#""from_agent":"orchestrator""#, r#""from_agent":7,"from_agent":8"#, 1);
    let event = format!(
        r#"{{"specversion":"1.0","id":"{MESSAGE}","source":"/x","data":{text},"type":"dev.workwire.work_request"}}"#
    );
    let error = AnyDocument::from_cloud_event(&Decoder::strict(), event.as_bytes()).unwrap_err();
    assert_eq!(places(&error), [("/data/from_agent", "FLD-1"), ("/data/from_agent", "JSN-5")]);
}

#[test]
fn cloud_event_of_another_major_version_counts_all_that_is_no_strict_json_in_its_data() {
    let text = AnyDocument::Envelope(request().read()).to_cloud_event();
    let repeated = format!(r#""protocol_version":"2.0"{}"#, r#","priority":3"#.repeat(150));
    let text = text.replacen(r#""protocol_version":"1.0""#, &repeated, 1);
    let error = AnyDocument::from_cloud_event(&Decoder::strict(), text.as_bytes()).unwrap_err();
    assert_eq!(error.total(), 151, "150 times again, and the version");
}

#[test]
fn cloud_event_reports_what_data_lacks_before_what_it_lacks_itself() {
    let mut event = attributes(&AnyDocument::Envelope(request().read()));
    let Some(Value::Object(mut data)) = event.remove("data") else { panic!("an object") };
    data.remove("message_id");
    event.remove("source");
    let attributes = serde_json::to_string(&event).unwrap();
    let text = format!(r#"{},"data":{}}}"#, attributes.strip_suffix('}').unwrap(), Value::Object(data));
    let error = AnyDocument::from_cloud_event(&Decoder::strict(), text.as_bytes()).unwrap_err();
    let pointers: Vec<&str> = error.violations().iter().map(workwire::Violation::pointer).collect();
    assert_eq!(pointers, ["/data/message_id", "/source"]);
}

#[test]
fn cloud_event_is_as_deep_behind_its_data_as_before_it() {
    let text = AnyDocument::Envelope(request().read()).to_cloud_event();
    let behind = |levels: usize| {
        let nested = "[".repeat(levels) + &"]".repeat(levels);
        let text = format!(r#"{},"more":{nested}}}"#, text.strip_suffix('}').unwrap());
        AnyDocument::from_cloud_event(&Decoder::strict(), text.as_bytes()).is_ok()
    };
    // The event itself is the first of 64 levels.
    assert!(behind(63) && !behind(64) && !behind(65));
}
