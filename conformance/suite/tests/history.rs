//! Histories as files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "checkers/crowd.rs"]
mod crowd;

use proptest::prelude::*;
use workwire_broker::Code;
use workwire_conformance::demand::{Demand, Edge, Expectation, Moment, Role};
use workwire_conformance::history::{Delivered, History, HistoryError, Number, Operation};
use workwire_conformance::judge::judge_file;
use workwire_conformance::verdict::Verdict;

use crowd::Manners;

fn text(history: &History) -> String {
    let mut text = Vec::new();
    history.write(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn read(text: &str) -> Result<History, HistoryError> {
    History::read(text.as_bytes())
}

/// A small one, with demands of its first and last operation.
fn small() -> String {
    let mut history = crowd::history(7, Manners::Wild);
    let last = Number::of(history.operations().len() - 1);
    for (of, expect) in [
        (Number::of(0), Expectation::Accepted),
        (last, Expectation::refused(Code::Stale)),
        (last, Expectation::NotBefore { moment: Moment { of: Number::of(0), edge: Edge::Began, ms: 5 } }),
    ] {
        history.demand(Demand { clause: "DEL-1".to_owned(), of: vec![of], expect, role: Role::Demanded });
    }
    text(&history)
}

#[track_caller]
fn is_refused(text: &str, line: usize, part: &str) {
    let error = read(text).unwrap_err();
    assert!(error.line == line && error.message.contains(part), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_as_it_was(seed: u64) {
        let manners = if seed % 2 == 0 { Manners::Wild } else { Manners::Plain };
        let history = crowd::history(seed, manners);
        let text_of_it = text(&history);
        let again = read(&text_of_it).unwrap();
        prop_assert_eq!(text(&again), text_of_it);
        prop_assert_eq!(&again.about, &history.about);
        prop_assert_eq!(again.operations().len(), history.operations().len());
        prop_assert_eq!(judge_file(&again), judge_file(&history));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(cut in 0_usize..20_000, byte: u8) {
        let mut bytes = small().into_bytes();
        let at = cut % bytes.len();
        bytes[at] = byte;
        let _ = History::read(&bytes[..]);
        bytes.truncate(at);
        prop_assert!(History::read(&bytes[..]).is_err());
    }
}

#[test]
fn demands_are_read_and_judged_again() {
    let history = read(&small()).unwrap();
    assert_eq!(history.demands().len(), 3);
    assert_eq!(text(&history), small());
    assert_eq!(judge_file(&history).verdict, Verdict::Fail, "the last operation was not refused");
}

#[test]
fn an_operation_may_be_taken_out_by_hand() {
    let text_of_it = small();
    let lines: Vec<&str> = text_of_it.lines().collect();
    // Without the operation of number 2.
    let fewer: Vec<&str> = lines.iter().enumerate().filter(|(line, _)| *line != 3).map(|(_, line)| *line).collect();
    let history = read(&fewer.join("\n")).unwrap();
    assert!(history.operation(Number::of(2)).is_none());
    assert_eq!(history.number(2), Number::of(3));
    let whole = read(&text_of_it).unwrap();
    let last = Number::of(whole.operations().len() - 1);
    assert_eq!(history.operation(last).map(|one| one.began), whole.operation(last).map(|one| one.began));
    assert_eq!(judge_file(&history).verdict, Verdict::Fail);
    // And is written with the same numbers again.
    assert!(text(&history).lines().any(|line| line.starts_with("{\"n\":3,")));
    assert!(!text(&history).lines().any(|line| line.starts_with("{\"n\":2,")));
}

#[test]
fn a_file_without_its_end_is_unfinished() {
    let whole = small();
    let cut = whole.rsplit_once("{\"end\"").unwrap().0;
    is_refused(cut, cut.lines().count() + 1, "unfinished");
    is_refused("", 1, "empty file");
    is_refused(&format!("{whole}{{}}"), whole.lines().count() + 1, "behind the end");
}

#[test]
fn errors_say_where_what_was_expected_and_what_was_found() {
    let header = "{\"workwire_history\":1}\n";
    is_refused("{\"workwire_history\":2}\n", 1, "expected \"workwire_history\" 1, found 2");
    is_refused("{\"n\":1}\n", 1, "expected \"workwire_history\"");
    is_refused("[]", 1, "column");
    is_refused(&format!("{header}{{\"n\":0}}"), 2, "expected an operation with \"client\"");
    is_refused(&format!("{header}not json"), 2, "column 2");
    let open = "\"client\":\"a\",\"began\":5,\"call\":{\"open\":{}},\"outcome\":{\"ok\":{\"done\":{}}}}";
    is_refused(&format!("{header}{{\"n\":1,{open}\n{{\"n\":1,{open}"), 3, "expected \"n\" greater than 1, found 1");
    let earlier = open.replace(":5", ":4");
    is_refused(&format!("{header}{{\"n\":1,{open}\n{{\"n\":2,{earlier}"), 3, "\"began\" of at least 5, found 4");
    is_refused(&format!("{header}{{\"n\":1,\"ended\":4,{open}"), 2, "\"ended\" of at least 5, found 4");
    is_refused(&format!("{header}{{\"n\":1,{open}\n{{\"end\":{{\"operations\":0,\"demands\":0}}}}"), 3, "at most 0");
    let long = " ".repeat(16 * 1_048_576 + 1);
    is_refused(&format!("{header}{long}"), 2, "16777216 bytes");
}

#[test]
fn what_a_later_version_adds_is_ignored() {
    let end = "{\"end\":{\"operations\":1,\"demands\":0}}";
    let text = format!(
        "{{\"workwire_history\":1,\"later\":[]}}\n\n{{\"remark\":\"x\"}}\n{{\"n\":4,\"later\":1,\"client\":\"a\",\"began\":5,\
         \"call\":{{\"open\":{{\"later\":1}}}},\"outcome\":{{\"ok\":{{\"done\":{{}}}}}}}}\n{end}\n"
    );
    let history = read(&text).unwrap();
    assert_eq!((history.operations().len(), history.number(0)), (1, Number::of(4)));
}

/// A history may hold ten million of them: the many are kept small, and what few have stands apart.
#[test]
fn an_operation_is_small() {
    let (operation, delivery) = (size_of::<Operation>(), size_of::<Delivered>());
    assert!(operation <= 104 && delivery <= 40, "an operation of {operation} bytes, a delivery of {delivery}");
}
