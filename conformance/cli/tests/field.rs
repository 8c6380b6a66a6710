//! A sample of the findings in other people's libraries: one library in a file, a few cases of the suite.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs `findings` for one subject with these cases alone, and reads the report that it leaves.
fn found(subject: &str, cases: &[&str]) -> Value {
    let mut command = Command::new("python3");
    command.current_dir(repository()).env("WORKWIRE", env!("CARGO_BIN_EXE_workwire"));
    command.args(["conformance/adapters/field/findings", subject]);
    command.args(cases.iter().flat_map(|case| ["--only", *case]));
    let ran = command.output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert_eq!(ran.status.code(), Some(0), "{told}");
    let report = repository().join("target/field/reports").join(format!("{subject}-part.json"));
    serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap()
}

/// How the cases with this verdict are called.
fn with_verdict<'a>(report: &'a Value, verdict: &str) -> Vec<&'a str> {
    let cases = report["cases"].as_array().unwrap().iter();
    cases.filter(|case| case["verdict"] == verdict).map(|case| case["id"].as_str().unwrap()).collect()
}

/// What the findings say of it is what is found: no more, and no less.
#[test]
fn a_library_breaks_what_the_findings_say() {
    let holds = ["del/one_holder_at_a_time", "del/bytes_come_back_unchanged", "ord/first_in_first_out"];
    let breaks = ["ack/a_second_settling_is_harmless", "lse/what_a_vanished_client_held_comes_back"];
    let report = found("litequeue", &[&holds[..], &breaks[..]].concat());
    let (mut pass, mut fail) = (with_verdict(&report, "pass"), with_verdict(&report, "fail"));
    println!("litequeue: {} pass, {} fail", pass.len(), fail.len());
    pass.sort_unstable();
    fail.sort_unstable();
    assert_eq!(pass, ["del/bytes_come_back_unchanged", "del/one_holder_at_a_time", "ord/first_in_first_out"]);
    assert_eq!(fail, ["ack/a_second_settling_is_harmless", "lse/what_a_vanished_client_held_comes_back"]);
}

/// An adapter in the field is a file that is read in a few minutes: more would be a broker of its own.
#[test]
fn an_adapter_of_the_field_is_small() {
    let folder = repository().join("conformance/adapters/field");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if ["py", "mjs"].contains(&ending) {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.lines().count() < 240, "{}", path.display());
        }
    }
}

/// Every subject that can be run is explained, and its line is in the table.
#[test]
fn every_subject_is_in_the_findings() {
    let script = std::fs::read_to_string(repository().join("conformance/adapters/field/findings")).unwrap();
    let findings = std::fs::read_to_string(repository().join("conformance/FINDINGS.md")).unwrap();
    let subjects = script.lines().skip_while(|line| !line.starts_with("SUBJECTS")).skip(1);
    let names: Vec<&str> = subjects.map_while(|line| line.trim().strip_prefix('"')?.split('"').next()).collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        assert!(findings.contains(&format!("\n## {name}\n")), "{name} is not explained");
        assert!(findings.contains(&format!("\n| [{name}](#{name}) |")), "{name} is not in the table");
    }
}
