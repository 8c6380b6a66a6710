//! Runs with the protocol's own times, on the broker whose time is paused.

use serde_json::Value;

use super::run::{Folder, run, run_in};

#[test]
fn the_protocols_own_times_cost_nothing_in_memory() {
    let folder = Folder::new();
    let only = ["--only", "dup/free_after_the_window", "--only", "dup/twice_published_once_delivered"];
    let reports = ["--report", "full.json", "--report", "full.html"];
    let ran = run_in(folder.path(), &[&["run", "memory:", "--full"][..], &only, &reports].concat());
    assert_eq!((ran.code, &*ran.err), (0, ""), "{ran:?}");
    assert!(ran.out.contains("1 of them run with the protocol's own times too\n"), "{ran:?}");
    let text = std::fs::read_to_string(folder.path().join("full.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["settings"]["full"], true);
    let figures: Vec<&Value> = report["cases"].as_array().unwrap().iter().map(|case| &case["figure"]).collect();
    assert!(figures.contains(&&Value::from("the default window of 300 s")) && figures.contains(&&Value::Null));
    assert_eq!(run_in(folder.path(), &["verify", "full.json"]).code, 0);
    let html = std::fs::read_to_string(folder.path().join("full.html")).unwrap();
    assert!(html.contains("ran with the default window of 300 s too"));
}

/// Two short ones: a rest of 16 s, and rests of 1 s and 4 s.
#[test]
fn in_the_time_of_the_world_it_says_how_long_it_takes_before_it_does() {
    let ran = run(&["run", "sqlite:", "--full", "--only", "dly/each_failure_has_its_rest"]);
    assert_eq!((ran.code, &*ran.err), (0, ""), "{ran:?}");
    assert!(ran.out.contains("1 of them run with the protocol's own times too: that takes a minute more\n"), "{ran:?}");
}

#[test]
fn what_has_no_times_has_no_others() {
    run(&["run", "--role", "codec", "--full"]).is_wrong_use("--full is for brokers");
}
