//! Reports, histories and the proof: what is written, and what can be done with it.

use std::fs;

use serde_json::{Value, json};

use super::run::{Folder, Run, run, run_in};

const ONE: &str = "ack/an_unknown_tag_is_refused";

/// An adapter that takes any tag, as a target.
fn any_tag() -> String {
    let adapter = format!("{}/tests/command/any_tag.py", env!("CARGO_MANIFEST_DIR"));
    format!("exec:python3 '{adapter}' '{}'", env!("CARGO_BIN_EXE_workwire"))
}

/// Runs the case on an adapter that fails it, with every report.
fn failed(folder: &Folder) -> Run {
    let target = any_tag();
    let reports = ["--report", "out/run.json", "--report", "run.xml", "--report", "run.html", "--report", "run.md"];
    folder.put("out/empty", "");
    run_in(folder.path(), &[&["run", &target, "--only", ONE, "--seed", "7"][..], &reports].concat())
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

#[test]
fn every_report_that_was_asked_for_is_written() {
    let folder = Folder::new();
    let ran = failed(&folder);
    assert_eq!(ran.code, 1, "{ran:?}");
    let report: Value = serde_json::from_str(&read(&folder, "out/run.json")).unwrap();
    assert_eq!((&report["format"], &report["seed"], &report["complete"]), (&json!(1), &json!(7), &json!(true)));
    assert_eq!((&report["cases"][0]["id"], &report["cases"][0]["verdict"]), (&json!(ONE), &json!("fail")));
    assert!(read(&folder, "run.xml").contains("<testcase") && read(&folder, "run.md").contains(ONE));
    let html = read(&folder, "run.html");
    assert!(html.contains(ONE) && html.contains("<svg"), "{html}");
}

#[test]
fn a_report_is_verified_and_one_that_was_changed_is_not() {
    let folder = Folder::new();
    failed(&folder);
    let verified = run_in(folder.path(), &["verify", "out/run.json"]);
    assert_eq!((verified.code, &*verified.err), (0, ""), "{verified:?}");
    let changed = read(&folder, "out/run.json").replace("\"fail\": 1", "\"fail\": 0");
    folder.put("changed.json", changed);
    let refused = run_in(folder.path(), &["verify", "changed.json"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.out.contains("/summary: expected ") && refused.out.contains("does not: "), "{refused:?}");
    run_in(folder.path(), &["verify", "run.xml"]).is_wrong_use("expected a report as JSON");
    run_in(folder.path(), &["verify", "none.json"]).is_wrong_use("none.json");
}

#[test]
fn the_report_of_a_codec_is_verified_too() {
    let folder = Folder::new();
    let ran = run_in(folder.path(), &["run", "--role", "codec", "--only", "codec/WRS", "--report", "codec.json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let verified = run_in(folder.path(), &["verify", "codec.json"]);
    assert_eq!(verified.code, 0, "{verified:?}");
}

#[test]
fn reports_stand_side_by_side() {
    let folder = Folder::new();
    failed(&folder);
    let good = run_in(folder.path(), &["run", "memory:", "--only", ONE, "--report", "good.json"]);
    assert_eq!(good.code, 0, "{good:?}");
    let both = ["matrix", "good.json", "out/run.json"];
    let text = run_in(folder.path(), &both);
    assert_eq!((text.code, &*text.err), (0, ""), "{text:?}");
    assert!(text.out.lines().any(|line| line.starts_with("ACK-2 ") && line.contains("fail")), "{}", text.out);
    for name in ["matrix.html", "matrix.md", "matrix.txt"] {
        let written = run_in(folder.path(), &[&both[..], &["-o", name]].concat());
        assert_eq!((written.code, written.out), (0, format!("wrote \"{name}\"\n")));
        assert!(read(&folder, name).contains("ACK-2"), "{name}");
    }
    folder.put("unfinished.json", read(&folder, "good.json").replace("\"complete\": true", "\"complete\": false"));
    run_in(folder.path(), &["matrix", "good.json", "unfinished.json"]).is_wrong_use("unfinished.json");
    run_in(folder.path(), &["matrix", "good.json", "-o", "matrix.pdf"]).is_wrong_use("ends in .html, .md, .txt");
}

#[test]
fn the_history_of_a_failure_is_saved_and_judged_again_alike() {
    let folder = Folder::new();
    let ran = failed(&folder);
    let name = "out/ack-an_unknown_tag_is_refused.history.jsonl";
    assert!(ran.out.contains(name) && folder.path().join(name).exists(), "beside the first report: {ran:?}");
    let judged = run_in(folder.path(), &["judge", name]);
    assert_eq!((judged.code, &*judged.err), (1, ""), "{judged:?}");
    assert!(judged.out.contains("expected a refusal with stale") && judged.out.contains("found ok"), "{judged:?}");
    let json = run_in(folder.path(), &["judge", "--json", name]).json();
    let history = &json["histories"][0];
    assert_eq!(
        (&history["case"], &history["verdict"], &history["level"]),
        (&json!(ONE), &json!("fail"), &json!("must"))
    );
    let whole = read(&folder, name);
    let cut: Vec<&str> = whole.lines().collect();
    folder.put("cut.jsonl", cut[..cut.len() - 1].join("\n"));
    run_in(folder.path(), &["judge", "cut.jsonl"]).is_wrong_use("cut.jsonl");
    run_in(folder.path(), &["judge", "run.xml"]).is_wrong_use("line 1");
    run_in(folder.path(), &["judge", "none.jsonl"]).is_wrong_use("cannot read \"none.jsonl\"");
}

#[test]
fn histories_go_where_they_are_wanted() {
    let folder = Folder::new();
    let target = any_tag();
    let ran = run_in(folder.path(), &["run", &target, "--only", ONE, "--histories", "some/where"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(fs::read_dir(folder.path().join("some/where")).unwrap().count(), 1);
    let ran = run_in(folder.path(), &["run", "memory:", "--only", ONE, "--histories", "none"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(fs::read_dir(folder.path().join("none")).unwrap().count(), 0, "what passes is not saved");
}

#[test]
fn the_proof_is_printed_and_written() {
    let folder = Folder::new();
    let reports = ["--report", "proof.json", "--report", "proof.html", "--report", "proof.txt"];
    let proved = run_in(folder.path(), &[&["selftest", "--only", "codec/WRS-4"][..], &reports].concat());
    assert_eq!((proved.code, &*proved.err), (0, ""), "{proved:?}");
    assert!(proved.out.lines().last().unwrap().starts_with("1 clauses, 1 cases, "), "{}", proved.out);
    assert!(proved.out.ends_with(" saboteurs, all caught\n"), "{}", proved.out);
    assert_eq!(serde_json::from_str::<Value>(&read(&folder, "proof.json")).unwrap()["format"], 1);
    assert!(read(&folder, "proof.html").contains("<html"));
    run(&["selftest", "--only", "there_is_none"]).is_wrong_use("no case matches \"there_is_none\"");
    run(&["selftest", "--report", "proof.xml"]).is_wrong_use("ends in .json, .html, .txt");
}
