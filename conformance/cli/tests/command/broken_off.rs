//! Runs that a signal breaks off.

use std::io::{BufRead, BufReader};

use rustix::process::Signal;

use super::adapters::{Proxied, send};
use super::run::Run;

/// A case that publishes and waits for the answer, and one that is through by then.
const CASES: [&str; 4] = ["--only", "ack/done_never_comes_back", "--only", "ack/an_unknown_tag_is_refused"];

#[test]
fn a_signal_breaks_it_off_and_what_ran_is_cleaned_away() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let proxied = Proxied::new("silence");
        let report = proxied.folder.path().join("report.json");
        let child = proxied.start(&[&CASES[..], &["--report", report.to_str().unwrap()]].concat());
        send(signal, &child);
        let run = Run::of(&child.wait_with_output().unwrap());
        assert_eq!(run.code, code, "{run:?}");
        assert!(run.err.contains("breaking off: cleaning up what runs"), "{run:?}");
        assert!(run.out.contains("broken off"), "{run:?}");
        assert!(!report.exists(), "a run that was broken off is no report");
        proxied.has_left_no_process();
        proxied.has_left_no_queue();
    }
}

#[test]
fn asked_twice_it_ends_at_once_and_leaves_no_process() {
    // It reads nothing any more, so cleaning up takes as long as patience does.
    let proxied = Proxied::new("deaf");
    let mut child = proxied.start(&CASES);
    send(Signal::INT, &child);
    // Signals of one kind do not add up: the first must have been taken.
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("once more ends it at once"), "{line}");
    send(Signal::INT, &child);
    let run = Run::of(&child.wait_with_output().unwrap());
    assert_eq!(run.code, 130, "{run:?}");
    assert!(!run.out.contains("broken off"), "it does not wait for what does not answer: {run:?}");
    proxied.has_left_no_process();
}
