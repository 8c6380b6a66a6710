//! The schemas by themselves, and what they say of lines that were written.

use std::collections::BTreeSet;

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};
use workwire_broker::adapter::schemas;
use workwire_broker::adapter::wire::Method;

use super::exchanges::exchanges;
use super::pipes::{Adapter, request};

pub(crate) fn schema(name: &str) -> Value {
    let path = format!("adapter/{name}.json");
    let files = schemas();
    let file = files.iter().find(|file| file.path() == path).unwrap_or_else(|| panic!("{path}: there is none"));
    serde_json::from_str(file.text()).unwrap()
}

pub(crate) fn compile(schema: &Value) -> Validator {
    jsonschema::options().with_draft(Draft::Draft202012).offline().build(schema).unwrap()
}

fn check(validator: &Validator, value: &Value) {
    if let Err(error) = validator.validate(value) {
        panic!("{}: {error}\n{value:#}", error.instance_path());
    }
}

#[test]
fn they_are_valid_by_their_own_schema_and_named_after_their_files() {
    for file in schemas() {
        let schema: Value = serde_json::from_str(file.text()).unwrap();
        if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
            panic!("{}: {error} at {}", file.path(), error.instance_path());
        }
        assert_eq!(schema["$id"], format!("https://workwire.dev/schemas/v1/{}", file.path()));
        assert!(!file.text().contains("\"format\""), "{}: libraries disagree about formats", file.path());
        assert!(file.text().ends_with("}\n"), "{}", file.path());
    }
}

#[test]
fn every_member_is_described() {
    fn each(schema: &Value, place: &str) {
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let place = format!("{place}/{name}");
            // Conditions name members that are described elsewhere.
            assert!(member["description"].is_string() || member == &json!(true), "{place}: no description");
            each(member, &place);
            each(&member["items"], &place);
        }
    }
    for file in schemas() {
        let schema: Value = serde_json::from_str(file.text()).unwrap();
        each(&schema["properties"]["params"], file.path());
        each(&schema["properties"]["result"], file.path());
    }
}

#[test]
fn what_is_said_is_valid() {
    let mut adapter = Adapter::start();
    let (frame, mut seen) = (compile(&schema("frame")), BTreeSet::new());
    for exchange in exchanges(&mut adapter) {
        seen.insert(exchange.method.to_owned());
        check(&frame, &request(exchange.method, &exchange.params));
        check(&frame, &json!({"jsonrpc": "2.0", "id": 1, "result": exchange.result}));
        let pair = json!({"params": exchange.params, "result": exchange.result});
        check(&compile(&schema(exchange.method)), &pair);
    }
    for line in
        [json!(5), request("dance", &json!({})), json!({"id": 7, "method": "open"}), request("open", &json!({}))]
    {
        let answer = adapter.ask(&line);
        assert!(answer["error"]["code"].is_i64(), "{answer}");
        check(&frame, &answer);
    }
    let last = adapter.ask(&request("shutdown", &json!({})));
    check(&frame, &last);
    check(&compile(&schema("shutdown")), &json!({"params": {}, "result": last["result"]}));
    seen.insert("shutdown".to_owned());
    assert_eq!(seen, Method::ALL.iter().map(ToString::to_string).collect());
    assert_eq!(adapter.end(), Some(0));
}

#[test]
fn a_frame_is_one_of_two() {
    let frame = compile(&schema("frame"));
    for wrong in [
        json!([]),
        json!({}),
        json!({"jsonrpc": "2.0", "id": 1}),
        json!({"jsonrpc": "2.0", "result": {}}),
        json!({"jsonrpc": "1.0", "id": 1, "result": {}}),
        json!({"jsonrpc": "2.0", "id": 1.5, "result": {}}),
        json!({"jsonrpc": "2.0", "id": 1, "result": []}),
        json!({"jsonrpc": "2.0", "id": 1, "result": {}, "error": {"code": 1, "message": ""}}),
        json!({"jsonrpc": "2.0", "id": 1, "error": {"message": ""}}),
        json!({"jsonrpc": "2.0", "id": null, "method": "open"}),
        json!({"jsonrpc": "2.0", "id": 1, "method": "open", "params": ["a"]}),
    ] {
        assert!(!frame.is_valid(&wrong), "{wrong}");
    }
    for right in [
        json!({"jsonrpc": "2.0", "id": 1, "result": {}, "error": null, "more": true}),
        json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "", "data": [1]}}),
        json!({"jsonrpc": "2.0", "id": "a", "method": "shutdown"}),
    ] {
        check(&frame, &right);
    }
}
