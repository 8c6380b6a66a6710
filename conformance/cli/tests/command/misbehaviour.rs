//! Adapters that misbehave: each way has a clear message and the right exit code, and leaves nothing
//! behind.

use super::adapters::Proxied;

/// One case that publishes, and one that does not.
const CASES: [&str; 4] = ["--only", "ack/done_never_comes_back", "--only", "ack/an_unknown_tag_is_refused"];

fn misbehaves(way: &'static str, arguments: &[&str], code: i32, words: &[&str]) {
    let proxied = Proxied::new(way);
    let run = proxied.run(&[&CASES[..], arguments].concat());
    assert_eq!(run.code, code, "{way}: {run:?}");
    for words in words {
        let said = format!("{}{}", run.out, run.err);
        assert!(said.contains(words), "{way}: {words:?} in {said}");
        assert!(!said.contains('\u{1b}'), "{way}: nothing steers a terminal: {said:?}");
    }
    proxied.has_left_no_process();
}

#[test]
fn one_that_does_not_passes() {
    let proxied = Proxied::new("right");
    let run = proxied.run(&CASES);
    assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
    proxied.has_left_no_process();
    proxied.has_left_no_queue();
}

#[test]
fn lines_that_are_wrong_fail_the_run_and_the_cases_go_on() {
    for (way, words) in [
        ("garbage", "not_json: line "),
        ("no_request", "no_request: line "),
        ("second_answer", "second_answer: line "),
        ("long_line", "long_line: line "),
    ] {
        misbehaves(way, &[], 1, &[words, "2 of 2 cases pass"]);
    }
}

#[test]
fn answers_that_say_nothing_fail_the_run() {
    misbehaves("wrong_shape", &[], 1, &["wrong_shape: line ", "result.outcome"]);
    misbehaves("unknown_code", &[], 1, &["unknown_code: line ", "publish was refused with code 99"]);
}

#[test]
fn silence_ends_when_its_time_is_over() {
    misbehaves("silence", &["--timeout", "4s"], 1, &["silence: no answer to publish", "within 2s"]);
}

#[test]
fn an_early_end_is_told_with_its_status_and_its_log() {
    misbehaves("exit", &[], 1, &["early_exit: the adapter ended with exit status: 3", "out of luck"]);
}

#[test]
fn a_bad_end_fails_the_run() {
    misbehaves("bad_exit", &[], 1, &["bad_exit: ", "exit status: 5", "2 of 2 cases pass"]);
    misbehaves("stay", &[], 1, &["bad_exit: expected it to end within 5s", "2 of 2 cases pass"]);
}

#[test]
fn a_child_that_is_left_behind_is_told_and_killed() {
    misbehaves("child", &[], 1, &["left_behind: ", "processes of its group were alive", "2 of 2 cases pass"]);
}

#[test]
fn one_that_cannot_be_begun_is_not_set_up() {
    misbehaves("never", &["--timeout", "2s"], 3, &["error: exec:", "no answer to initialize, request 1, within 1s"]);
    misbehaves("exit_at_once", &[], 3, &["ended with exit status: 4", "no [31mlicence"]);
}
