//! What is told of what was found, and how all checkers are asked.

use uuid::Uuid;
use workwire_broker::adapter::FindingKind;
use workwire_conformance::anomaly::Kind;
use workwire_conformance::checkers::{
    self, ALL, CORRUPTED, Checker, DUPLICATES, Found, LOST, NOT_JSON, ORDER, PHANTOM, PRIORITY, SILENCE,
};
use workwire_conformance::history::{Answer, Body, Call, Delivered, Outcome};

use crate::tale::{Tale, is_right, policy, shows, taken, turns};

/// What is said to have been expected, and to have been found.
fn told(tale: &Tale, checker: &Checker) -> (String, String) {
    let found = tale.look(checker);
    (found.anomalies[0].expected.clone(), found.anomalies[0].found.clone())
}

#[test]
fn a_message_is_told_by_its_id_and_its_queue() {
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    tale.drained(100..101);
    let name = format!("message {} of queue tasks", Uuid::from_u128(1));
    assert_eq!(told(&tale, &LOST).1, format!("{name}: never delivered"));
}

#[test]
fn a_second_delivery_is_told_by_what_should_have_been() {
    let (mut tale, tag) = taken();
    tale.done("worker", 12..13, tag);
    tale.take("other", 20..21, 1, 2);
    let (expected, found) = told(&tale, &DUPLICATES);
    assert_eq!(expected, "no delivery of what was done");
    assert!(found.ends_with("to worker at 11000 µs, and again to other at 21000 µs"), "{found}");
    let (mut tale, _) = taken();
    tale.take("other", 20..21, 1, 2);
    assert_eq!(told(&tale, &DUPLICATES).0, "one delivery, until something gives it back");
}

#[test]
fn a_turn_is_told_by_who_waited() {
    let one = Uuid::from_u128(1);
    let tale = turns(&[(2, 1), (1, 5)], &[("worker", 20..21, 2), ("worker", 30..31, 1)]);
    let found = format!("a less urgent one for worker while message {one} waited");
    assert_eq!(told(&tale, &PRIORITY), ("the more urgent first".to_owned(), found));
    let tale = turns(&[(1, 3), (2, 3)], &[("worker", 20..21, 2), ("worker", 30..31, 1)]);
    let found = format!("a later one for worker while message {one} waited");
    assert_eq!(told(&tale, &ORDER), ("the earlier first".to_owned(), found));
}

#[test]
fn bytes_are_told_by_their_number_their_digest_and_their_priority() {
    let mut tale = Tale::of(policy());
    tale.urgent(1..2, 1, 3);
    let (fetch, body) = (tale.fetch("tasks"), Body::of(b"x"));
    let wrong = Delivered { body, ..tale.delivery(1, 1) };
    tale.take_as("worker", 10..11, fetch, &[wrong]);
    let words = |body: Body| format!("{} bytes, digest {:016x}, priority 3", body.bytes, body.digest);
    let (expected, found) = told(&tale, &CORRUPTED);
    assert_eq!(expected, words(Body::of(&1_u128.to_be_bytes())));
    assert!(found.ends_with(&format!("with {}", words(body))), "{found}");
}

#[test]
fn a_hundred_are_told_and_no_more() {
    for (messages, told) in [(99, 99), (100, 100), (101, 100)] {
        let mut tale = Tale::of(policy());
        for message in 1..=messages {
            tale.take("worker", 10..11, message, 1);
        }
        let found = tale.look(&PHANTOM);
        assert_eq!((found.anomalies.len(), u128::from(found.looked_at)), (told, messages));
    }
}

#[test]
fn an_adapter_is_told_what_it_did_and_nothing_else() {
    let mut tale = Tale::of(policy());
    let (kind, what) = (tale.word(FindingKind::Silence.as_str()), tale.word("it said nothing"));
    tale.add("adapter", 5..5, Call::Misbehaved(kind, what), Outcome::Ok(Answer::Done));
    shows(&tale, &SILENCE, Kind::Misbehaviour);
    assert_eq!(told(&tale, &SILENCE).1, "it said nothing");
    is_right(&tale, &NOT_JSON);
}

#[test]
fn asked_together_checkers_find_what_each_finds() {
    // Few operations are looked at by one after the other, many side by side.
    for more in [0, 50_000] {
        let mut tale = Tale::of(policy());
        tale.take("worker", 1..2, 1, 1);
        tale.publish(3..4, 2);
        let fetch = tale.fetch("tasks");
        for _ in 0..more {
            tale.take_as("worker", 5..6, fetch, &[]);
        }
        tale.drained(10..11);
        let each: Vec<Found> = ALL.iter().map(|checker| tale.look(checker)).collect();
        assert!(each.iter().filter(|found| !found.anomalies.is_empty()).count() > 1);
        assert_eq!(checkers::look(&tale.history, ALL), each);
        assert_eq!(checkers::look(&tale.history, &[]), []);
    }
}

#[test]
fn a_checker_is_found_by_its_name_and_is_no_other() {
    for (index, checker) in ALL.iter().enumerate() {
        assert_eq!(checkers::find(checker.name), Some(*checker));
        assert_eq!(ALL.iter().position(|other| other == checker), Some(index));
    }
    assert_eq!(checkers::find("none"), None);
}
