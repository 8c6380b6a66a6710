//! `workwire validate --json` on some of the vectors: what it prints is the vector's verdict.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::run::run_with;

/// Every so many of them, since each is a process of its own.
const EVERY: usize = 13;

#[test]
fn vectors_get_their_verdicts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/vectors");
    let read = |path: &str| -> Value { serde_json::from_slice(&fs::read(folder.join(path)).unwrap()).unwrap() };
    let index = read("index.json");
    let entries = index["vectors"].as_array().unwrap();
    let documents =
        entries.iter().filter(|entry| ["envelope", "channel", "event"].contains(&entry["kind"].as_str().unwrap()));
    let mut tried = 0;
    for entry in documents.step_by(EVERY) {
        let vector = read(entry["file"].as_str().unwrap());
        let Some(body) = vector["body"].as_str() else { continue };
        let mut arguments = vec!["validate", "--json", "--kind", vector["kind"].as_str().unwrap()];
        if vector["mode"] == "lenient" {
            arguments.push("--lenient");
        }
        let run = run_with(&arguments, body.as_bytes());
        let mut found = run.json();
        let accepted = vector["accepted"].as_bool().unwrap();
        assert_eq!(run.code, i32::from(!accepted), "{}", vector["name"]);
        for list in ["warnings", "violations"] {
            let messages = found.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
            messages.for_each(|place| drop(place.as_object_mut().unwrap().remove("message")));
        }
        let mut expected = json!({"accepted": accepted});
        for member in ["canonical", "warnings", "violations"] {
            if let Some(value) = vector.get(member) {
                expected[member] = value.clone();
            }
        }
        assert_eq!(without_total(found), expected, "{}", vector["name"]);
        tried += 1;
    }
    assert!(tried > 50, "{tried}");
}

fn without_total(mut verdict: Value) -> Value {
    verdict.as_object_mut().unwrap().remove("total");
    verdict
}
