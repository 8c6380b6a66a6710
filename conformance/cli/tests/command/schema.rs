//! `workwire schema`: files written, and files found stale.

use std::fs;

use serde_json::{Value, json};

use super::run::{Folder, run, run_in};

const VECTOR: &str = r#"{"name": "event/chain", "kind": "event", "mode": "strict", "clauses": ["EVT-6"],
    "note": "Why.", "body": "{}", "accepted": false,
    "violations": [{"pointer": "/b", "rule": "EVT-6"}, {"pointer": "/a", "rule": "FLD-1"}, {"pointer": "/c", "rule": "EVT-6"}]}"#;

#[test]
fn files_are_written_once_and_are_current_then() {
    let folder = Folder::new();
    let schemas = folder.path().join("schemas");
    let adapter = workwire_broker::adapter::schemas();
    let mut suite = workwire_conformance::reports::schemas();
    suite.push(workwire_conformance::history::schema());
    let count = workwire::schemas().len() + adapter.len() + suite.len();
    let first = run_in(folder.path(), &["schema", "--out", "schemas"]);
    assert_eq!((first.code, &*first.err), (0, ""));
    assert!(
        first.out.ends_with(&format!("{count} of {count} files written, the others were current\n")),
        "{}",
        first.out
    );
    for file in workwire::schemas() {
        assert_eq!(fs::read_to_string(schemas.join(file.path())).unwrap(), file.text());
    }
    for file in adapter.iter().chain(&suite) {
        assert_eq!(fs::read_to_string(schemas.join(file.path())).unwrap(), file.text());
    }
    let again = run_in(folder.path(), &["schema"]);
    assert_eq!((again.code, again.out), (0, format!("0 of {count} files written, the others were current\n")));
    let check = run_in(folder.path(), &["schema", "--check"]);
    assert_eq!((check.code, check.out), (0, format!("schemas are current: {count} files\n")));
}

#[test]
fn stale_missing_and_unexpected_files_fail_the_check() {
    let folder = Folder::new();
    assert_eq!(run_in(folder.path(), &["schema", "--out", "schemas"]).code, 0);
    fs::write(folder.path().join("schemas/channel.json"), "{}").unwrap();
    fs::remove_file(folder.path().join("schemas/open/event.json")).unwrap();
    folder.put("schemas/open/letter.json", "{}");
    folder.put("schemas/README.md", "not generated, and none of the command's business");
    let check = run_in(folder.path(), &["schema", "--check"]);
    assert_eq!((check.code, &*check.err), (1, ""));
    let mut lines: Vec<&str> = check.out.lines().collect();
    assert!(lines.pop().unwrap().contains("`workwire schema` writes them"));
    assert_eq!(
        lines,
        [
            r#"stale: "schemas/channel.json""#,
            r#"missing: "schemas/open/event.json""#,
            r#"unexpected: "schemas/open/letter.json""#
        ]
    );
    assert_eq!(fs::read_to_string(folder.path().join("schemas/channel.json")).unwrap(), "{}", "a check writes nothing");
}

#[test]
fn the_index_lists_the_vectors() {
    let folder = Folder::new();
    folder.put("schemas/vectors/invalid/event/chain.json", VECTOR);
    let accepted = VECTOR.replace("event/chain", "event/a").replace("false", "true");
    folder.put(
        "schemas/vectors/valid/event/a.json",
        accepted.split(",\n    \"violations\"").next().unwrap().to_owned() + "}",
    );
    let missing = run_in(folder.path(), &["schema", "--check"]);
    assert!(missing.code == 1 && missing.out.contains(r#"missing: "schemas/vectors/index.json""#), "{}", missing.out);
    assert_eq!(run_in(folder.path(), &["schema"]).code, 0);
    assert_eq!(run_in(folder.path(), &["schema", "--check"]).code, 0);
    let text = fs::read_to_string(folder.path().join("schemas/vectors/index.json")).unwrap();
    assert_eq!(text.lines().count(), 4, "a line for each vector: {text}");
    let entry = |name: &str, accepted: bool, rules: &[&str], file: &str| {
        json!({
            "name": name, "kind": "event", "mode": "strict", "accepted": accepted, "clauses": ["EVT-6"],
            "rules": rules, "file": file
        })
    };
    let expected = json!({"format": 1, "vectors": [
        entry("event/a", true, &[], "valid/event/a.json"),
        entry("event/chain", false, &["EVT-6", "FLD-1"], "invalid/event/chain.json"),
    ]});
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
}

#[test]
fn a_vector_that_is_none_is_told() {
    for (from, to, words) in [
        ("event/chain", "event/chian", "it is named \"event/chian\""),
        ("\"accepted\": false", "\"accepted\": true", "`accepted` is true in the folder \"invalid\""),
        ("\"mode\"", "\"mood\"", "unknown field `mood`"),
        ("\"note\": \"Why.\", ", "", "missing field `note`"),
        ("{\"name\"", "\"name\"", "expected struct"),
    ] {
        let folder = Folder::new();
        folder.put("schemas/vectors/invalid/event/chain.json", VECTOR.replace(from, to));
        run_in(folder.path(), &["schema"]).is_wrong_use(words);
        run_in(folder.path(), &["schema", "--check"]).is_wrong_use("chain.json");
    }
}

#[test]
fn without_a_folder_there_is_nothing_to_write_to() {
    let folder = Folder::new();
    run_in(folder.path(), &["schema"]).is_wrong_use("there is no folder \"schemas\" here; name one with --out DIR");
    run_in(folder.path(), &["schema", "--check"]).is_wrong_use("there is no folder \"schemas\" here");
    let file = folder.put("file", "");
    run(&["schema", "--out", file.to_str().unwrap()]).is_wrong_use("error: cannot ");
}

#[test]
fn the_project_s_own_files_are_current() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let check = run_in(&root, &["schema", "--check"]);
    assert_eq!((check.code, &*check.err), (0, ""), "{}", check.out);
}
