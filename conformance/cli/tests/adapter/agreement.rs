//! The schemas and the types give the same verdict of parameters that are wrong in one place.

use serde_json::{Value, json};

use super::exchanges::{Exchange, begin, exchanges};
use super::pipes::{Adapter, request};
use super::schemas::{compile, schema};

/// What is not of any member's type, of a few, of many.
fn strangers() -> [Value; 8] {
    [json!(null), json!(true), json!(-1), json!(0.5), json!("\u{0}"), json!([0.5]), json!({}), json!({"x": 1})]
}

/// A value at each place of an object, changed into something else or taken out.
fn changed(params: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for (name, member) in params.as_object().unwrap() {
        let mut with = |value: Option<Value>| {
            let mut params = params.clone();
            match value {
                Some(value) => params[name] = value,
                None => drop(params.as_object_mut().unwrap().remove(name)),
            }
            all.push(params);
        };
        with(None);
        for stranger in strangers() {
            with(Some(stranger));
        }
        if member.is_object() {
            for member in changed(member) {
                with(Some(member));
            }
        }
        for (index, item) in member.as_array().into_iter().flatten().enumerate() {
            let items = if item.is_object() { changed(item) } else { strangers().to_vec() };
            for item in items {
                let mut items = member.clone();
                items[index] = item;
                with(Some(items));
            }
        }
    }
    all
}

#[test]
fn wrong_parameters_are_refused_by_both_or_by_none() {
    let mut adapter = Adapter::start();
    let exchanges = exchanges(&mut adapter);
    adapter.ask(&request("shutdown", &json!({})));
    let mut adapter = Adapter::start();
    begin(&mut adapter);
    let (mut accepted, mut refused) = (0, 0);
    for Exchange { method, params, .. } in exchanges {
        let mut schema = schema(method);
        let validator = compile(&schema["properties"]["params"].take());
        for params in changed(&params) {
            let answer = adapter.ask(&request(method, &params));
            // That a text is base64 no schema says: it depends on `encoding`.
            let message = answer["error"]["message"].as_str().unwrap_or_default();
            let is_wrong = answer["error"]["code"] == -32_602 && !message.contains("expected base64");
            assert_eq!(validator.is_valid(&params), !is_wrong, "{method} {params}: {answer}");
            *(if is_wrong { &mut refused } else { &mut accepted }) += 1;
        }
    }
    assert!(accepted > 100 && refused > 1_000, "{accepted} accepted, {refused} refused");
}
