//! Free content, kept as it came.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use workwire::{
    AgentEvent, AgentType, AnyDocument, Decoder, FreeObject, MessageEnvelope, TaskId, WorkRequest, WorkType,
};

use crate::bodies::{event, places, request};

fn object(text: &str) -> FreeObject {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn free_object_keeps_the_order_of_its_keys() {
    let text = r#"{"b":1,"a":2,"":3,"ä":4,"a.b":5}"#;
    assert_eq!(object(text).as_str(), text);
    let keys: Vec<String> = object(text).iter().map(|(key, _)| key.into_owned()).collect();
    assert_eq!(keys, ["b", "a", "", "ä", "a.b"]);
}

#[test]
fn free_object_keeps_the_spelling_of_numbers() {
    let text = r#"{"a":1.50,"b":-0,"c":1E+2,"d":12345678901234567890123,"e":0.10e-5,"f":1e-400}"#;
    assert_eq!(object(text).as_str(), text);
    let body = request().text().replace(r#""payload":{"#, &format!(r#""payload":{{"parameters":{text},"#));
    let message = workwire::MessageEnvelope::from_json(&body).unwrap();
    assert!(message.to_json().contains(text), "{}", message.to_json());
}

#[test]
fn free_object_is_written_without_white_space_and_with_the_shortest_escapes() {
    let spread = " { \"a\\u0062\" : [ 1 , { } , \"\\u00e9\\/\\u000A\\u001F\\ud83d\\ude00\" ] ,\n\t\"c\":\r\"x y\" } ";
    assert_eq!(object(spread).as_str(), r#"{"ab":[1,{},"é/\n\u001f😀"],"c":"x y"}"#);
    // Also where nothing else in the whole text is to be rewritten.
    for (longer, shortest) in [("\\u000a", "\\n"), ("\\u001F", "\\u001f"), ("\\u0041", "A"), ("\\/", "/")] {
        assert_eq!(object(&format!(r#"{{"a":"{longer}"}}"#)).as_str(), format!(r#"{{"a":"{shortest}"}}"#));
    }
}

#[test]
fn free_object_holds_integers_beyond_2_to_53() {
    let parameters = FreeObject::new().with("id", &u64::MAX).unwrap();
    let data = AgentEvent::from_json(&event().read().to_json())
        .unwrap()
        .caused("a".parse().unwrap(), *event().read().event_type());
    let same = AgentEvent::from_json(&data.data(parameters).build().unwrap().to_json()).unwrap();
    let id = same.data().get("id").unwrap();
    assert_eq!(id.as_str(), "18446744073709551615");
    assert_eq!(id.read::<u64>().unwrap(), u64::MAX);
    assert_eq!(id.as_number(), Some(18_446_744_073_709_551_616.0));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Deploy {
    service: String,
    replicas: u32,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[test]
fn free_object_is_made_from_a_type_and_read_into_it() {
    let deploy = Deploy { service: "web".into(), replicas: 3, labels: BTreeMap::new() };
    let made = FreeObject::from_value(&deploy).unwrap();
    assert_eq!(made.as_str(), r#"{"service":"web","replicas":3,"labels":{}}"#);
    assert_eq!(made.read::<Deploy>().unwrap(), deploy);
    let error = object(r#"{"service":"web"}"#).read::<Deploy>().unwrap_err();
    assert!(error.is_content() && error.to_string().contains("replicas"), "{error}");
    assert_eq!(places(&FreeObject::from_value(&[1]).unwrap_err()), [("", "FLD-1")]);
    assert!(FreeObject::from_value(&BTreeMap::from([((1, 2), 3)])).unwrap_err().is_content());
}

#[test]
fn free_object_with_a_key_sets_it_in_its_place_or_at_the_end() {
    let first = FreeObject::new().with("a", &1).unwrap().with("b\"\n", "x").unwrap();
    assert_eq!(first.as_str(), r#"{"a":1,"b\"\n":"x"}"#);
    assert_eq!(first.with("a", &json!([null])).unwrap().as_str(), r#"{"a":[null],"b\"\n":"x"}"#);
    assert_eq!(object(r#"{"\u0061":1}"#).with("a", &2).unwrap().as_str(), r#"{"a":2}"#);
    assert_eq!(first.get("b\"\n").unwrap().as_text().unwrap(), "x");
    assert_eq!(first.get("b"), None);
}

#[test]
fn free_values_tell_what_they_are() {
    let object = object(r#"{"text":"a\\b","number":-2.5e1,"null":null,"list":[1,"x"],"true":true}"#);
    let value = |key| object.get(key).unwrap();
    assert_eq!(value("text").as_text().unwrap(), "a\\b");
    assert_eq!(value("text").as_number(), None);
    assert_eq!(value("number").as_number(), Some(-25.0));
    assert_eq!(value("number").as_text(), None);
    assert!(value("null").is_null() && !value("true").is_null());
    assert_eq!(value("list").read::<(u8, String)>().unwrap(), (1, "x".to_owned()));
    assert!(value("list").read::<u8>().unwrap_err().is_content());
}

#[test]
fn free_object_is_strict_json() {
    let rules = [
        ("{", "JSN-1"),
        ("{} {}", "JSN-7"),
        (r#"{"a":"\ud800"}"#, "JSN-4"),
        (r#"{"a":NaN}"#, "JSN-6"),
        (r#"{"a":1,"\u0061":2}"#, "JSN-5"),
        (r#"{"a":[{"b":1e400}]}"#, "JSN-11"),
        ("\u{FEFF}{}", "JSN-2"),
        ("[]", "FLD-1"),
    ];
    for (text, rule) in rules {
        let error = text.parse::<FreeObject>().unwrap_err();
        assert_eq!(error.violations()[0].rule().id(), rule, "{text}: {error}");
    }
    let nested = |depth: usize| format!("{}{}", r#"{"a":"#.repeat(depth - 1) + "{}", "}".repeat(depth - 1));
    assert!(nested(63).parse::<FreeObject>().is_ok());
    assert_eq!(nested(64).parse::<FreeObject>().unwrap_err().violations()[0].rule().id(), "JSN-8");
}

#[test]
fn free_objects_are_equal_when_they_are_written_the_same() {
    assert_eq!(object(r#"{ "a" : "\u0062" }"#), object(r#"{"a":"b"}"#));
    assert_ne!(object(r#"{"a":1.0}"#), object(r#"{"a":1}"#));
    assert_ne!(object(r#"{"a":1,"b":2}"#), object(r#"{"b":2,"a":1}"#));
    assert_eq!(object(" { } "), FreeObject::new());
    assert!(object("{}").is_empty() && !object(r#"{"a":{}}"#).is_empty());
}

#[test]
fn free_object_is_carried_by_serde_json_as_it_is() {
    let text = r#"{"b":1.50,"a":12345678901234567890123}"#;
    let same: FreeObject = serde_json::from_str(text).unwrap();
    assert_eq!(same.as_str(), text);
    assert_eq!(serde_json::to_string(&[&same]).unwrap(), format!("[{text}]"));
    assert_eq!(serde_json::to_value(object(r#"{"a":[1]}"#)).unwrap(), json!({"a": [1]}));
    assert_eq!(serde_json::from_value::<FreeObject>(json!({"a": [1]})).unwrap(), object(r#"{"a":[1]}"#));
    let error = serde_json::from_str::<FreeObject>(r#"{"a":1,"a":2}"#).unwrap_err();
    assert!(error.to_string().contains("JSN-5"), "{error}");
}

#[test]
fn free_object_is_shown_as_its_text() {
    let object = object(r#"{"a": 1}"#);
    assert_eq!(object.to_string(), r#"{"a":1}"#);
    assert_eq!(format!("{object:?}"), r#"FreeObject({"a":1})"#);
    assert_eq!(object.read::<Value>().unwrap(), json!({"a": 1}));
}

#[test]
fn free_object_holds_null_for_numbers_that_are_not_finite() {
    assert_eq!(FreeObject::new().with("a", &f64::NAN).unwrap().as_str(), r#"{"a":null}"#);
    assert_eq!(FreeObject::from_value(&BTreeMap::from([("a", f64::INFINITY)])).unwrap().as_str(), r#"{"a":null}"#);
}

#[test]
fn free_object_that_is_too_deep_for_its_document_is_refused_when_it_is_built() {
    let nested = |depth: usize| object(&format!("{}{}", r#"{"a":"#.repeat(depth - 1) + "{}", "}".repeat(depth - 1)));
    let source = event().read();
    let with = |data| source.caused("a".parse().unwrap(), *source.event_type()).data(data).build().unwrap();
    let event = with(nested(63));
    assert_eq!(AgentEvent::from_json(&event.to_json()), Ok(event.clone()));
    let cloud_event = AnyDocument::Event(event.clone()).to_cloud_event();
    assert!(AnyDocument::from_cloud_event(&Decoder::strict(), cloud_event.as_bytes()).is_ok());

    let request = |parameters: FreeObject| {
        WorkRequest::builder()
            .task_id(TaskId::new())
            .work_type(WorkType::new("a").unwrap())
            .parameters(parameters)
            .build()
    };
    let envelope = MessageEnvelope::new(AgentType::Code, AgentType::Infra, request(nested(62)).unwrap());
    assert_eq!(MessageEnvelope::from_json(&envelope.to_json()), Ok(envelope.clone()));
    let error = request(nested(63)).unwrap_err();
    assert_eq!((error.violations()[0].pointer(), error.violations()[0].rule().id()), ("/parameters", "JSN-8"));
    // What stands beside each other is not deep, whatever its texts hold.
    request(object(&format!(r#"{{"a":[{}{{}}],"b":"{}"}}"#, "[{}],".repeat(100), "[{".repeat(100)))).unwrap();
    let text = format!(r#"{{"task_id":"{}","work_type":"a","parameters":{}}}"#, TaskId::new(), nested(63));
    assert!(WorkRequest::from_json(&text).is_err(), "a payload is read no deeper than its envelope takes it");
}

#[test]
fn free_number_with_a_long_exponent_has_its_own_value() {
    let three = format!(r#"{{"a":3{}e-1000000}}"#, "0".repeat(1_000_000));
    assert_eq!(three.parse::<FreeObject>().map(|object| object.get("a").unwrap().as_number()), Ok(Some(3.0)));
}
