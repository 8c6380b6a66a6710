//! The adapters in other languages that this project shows, judged whole.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A full report of an adapter: nothing fails, nothing is unknown, and most of it was asked.
fn holds(program: &str, file: &str, at_least: u64) {
    let report = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{program}-{}.json", std::process::id()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_workwire"));
    command.current_dir(repository()).args(["run", &format!("exec:{program} {file}"), "--report"]).arg(&report);
    let ran = command.output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert_eq!(ran.status.code(), Some(0), "{told}");
    let text = std::fs::read_to_string(&report).unwrap();
    std::fs::remove_file(&report).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["complete"], true);
    let count = |verdict: &str| {
        let cases = report["cases"].as_array().unwrap();
        cases.iter().filter(|case| case["verdict"] == verdict).count() as u64
    };
    println!("{file}: {} pass, {} skipped", count("pass"), count("skipped"));
    assert_eq!((count("fail"), count("unknown"), count("setup_failed")), (0, 0, 0), "{told}");
    assert!(count("pass") >= at_least, "{told}");
}

/// A whole adapter is one file that a stranger reads in ten minutes.
#[test]
fn an_adapter_is_under_three_hundred_lines() {
    for file in ["python/broker.py", "node/broker.mjs"] {
        let text = std::fs::read_to_string(repository().join("conformance/adapters").join(file)).unwrap();
        assert!(text.lines().count() < 300, "{file}");
    }
}

#[test]
fn the_broker_in_python_holds_what_it_claims() {
    holds("python3", "conformance/adapters/python/broker.py", 200);
}

#[test]
fn the_broker_in_node_holds_what_it_claims() {
    holds("node", "conformance/adapters/node/broker.mjs", 200);
}
