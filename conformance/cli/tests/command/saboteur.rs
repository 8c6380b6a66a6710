//! Brokers with a defect as targets, and the suite's proof in a report.

use serde_json::{Value, json};

use super::run::{Folder, run, run_in};

#[test]
fn a_saboteur_can_be_judged_and_is_caught() {
    let folder = Folder::new();
    let arguments = ["run", "saboteur:takes_any_tag", "--only", "ack", "--report", "caught.json"];
    let ran = run_in(folder.path(), &arguments);
    assert_eq!((ran.code, &*ran.err), (1, ""), "{ran:?}");
    assert!(ran.out.contains("FAIL ack/an_unknown_tag_is_refused"), "{ran:?}");
    let text = std::fs::read_to_string(folder.path().join("caught.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["target"]["address"], json!("saboteur:takes_any_tag"));
    assert_eq!(run_in(folder.path(), &["verify", "caught.json"]).code, 0);
}

#[test]
fn a_saboteur_that_is_none_says_where_they_are() {
    run(&["run", "saboteur:takes_nothing"]).is_wrong_use("`workwire list saboteurs` has their names");
    run(&["run", "saboteur:takes_any_tag", "--role", "codec"]).is_wrong_use("saboteurs are brokers");
    let targets = run(&["list", "targets"]);
    assert!(targets.out.contains("saboteur:NAME"), "{targets:?}");
}

#[test]
fn a_proof_has_to_be_one_of_the_whole_suite() {
    let folder = Folder::new();
    let proved = run_in(folder.path(), &["selftest", "--only", "codec/WRS-4", "--report", "part.json"]);
    assert_eq!(proved.code, 0, "{proved:?}");
    let run = |proof: &str| run_in(folder.path(), &["run", "memory:", "--only", "ack", "--proof", proof]);
    run("part.json").is_wrong_use("part.json\": /suite/digest: expected sha256:");
    run("none.json").is_wrong_use("none.json\": cannot be read");
    folder.put("some.json", "[]");
    run("some.json").is_wrong_use("/format: expected 1, found no such member");
}
