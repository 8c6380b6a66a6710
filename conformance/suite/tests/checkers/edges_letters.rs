//! When a message must be a letter, when it must not yet, and which looks can tell.

use workwire_broker::{Capability, Policy};
use workwire_conformance::anomaly::Kind;
use workwire_conformance::checkers::{DEAD_LETTERS, PHANTOM};
use workwire_conformance::history::{Answer, Body, Call, LetterSeen, Outcome, SettleAs};

use crate::tale::{Came, Span, Tale, is_right, policy, retried, says, shows};

/// With one attempt for each message.
fn once() -> Policy {
    Policy { max_attempts: 1, ..policy() }
}

fn never(is_wrong: bool) -> Option<Kind> {
    is_wrong.then_some(Kind::DeadNever)
}

#[test]
fn the_attempts_of_another_group_kill_nothing() {
    for (group, is_wrong) in [(Some("group"), true), (None, false)] {
        let mut tale = Tale::of(once());
        tale.publish(1..2, 1);
        let tag = match group {
            Some(group) => tale.take_of(group, 10..11, 1, 1),
            None => tale.take("worker", 10..11, 1, 1),
        };
        tale.retry("worker", 12..13, tag);
        tale.letters(20..21, &[(1, 1)]);
        says(&tale, &DEAD_LETTERS, is_wrong.then_some(Kind::DeadEarly));
    }
}

#[test]
fn what_is_held_is_no_letter_until_its_lease_may_be_over() {
    for (ended, is_wrong) in [(108, true), (109, false)] {
        let mut tale = Tale::of(once());
        tale.publish(1..2, 1);
        tale.take("worker", 10..11, 1, 1);
        tale.letters(20..ended, &[(1, 1)]);
        says(&tale, &DEAD_LETTERS, is_wrong.then_some(Kind::DeadEarly));
    }
}

#[test]
fn of_several_settles_without_an_answer_any_may_have_given_it_up() {
    for (second, is_wrong) in [(SettleAs::Dead, false), (SettleAs::Done, true)] {
        let mut tale = Tale::of(policy());
        tale.publish(1..2, 1);
        let tag = tale.take("worker", 10..11, 1, 1);
        for (span, how) in [12..13, 14..15].into_iter().zip([SettleAs::Done, second]) {
            tale.settle_as("worker", span, tag, how, Came::Nothing);
        }
        tale.letters(20..21, &[(1, 1)]);
        says(&tale, &DEAD_LETTERS, is_wrong.then_some(Kind::DeadEarly));
    }
}

#[test]
fn a_death_that_was_broken_off_may_leave_a_letter_and_a_copy_that_dies_too() {
    for (letters, is_wrong) in [(2, false), (3, true)] {
        let mut tale = Tale::without(&[Capability::Dedupe], once());
        tale.publish(1..2, 1);
        let tag = tale.take("worker", 10..11, 1, 1);
        tale.settle_as("worker", 12..13, tag, SettleAs::Dead, Came::Nothing);
        tale.letters(20..21, &vec![(1, 1); letters]);
        says(&tale, &DEAD_LETTERS, is_wrong.then_some(Kind::DeadTwice));
    }
}

#[test]
fn a_letter_of_what_nobody_published_is_a_phantom_and_no_more() {
    let mut tale = Tale::of(once());
    tale.letters(20..21, &[(1, 1)]);
    is_right(&tale, &DEAD_LETTERS);
    shows(&tale, &PHANTOM, Kind::Phantom);
}

#[test]
fn in_a_queue_that_was_drained_after_the_death_its_letter_is_there_at_once() {
    // The last retry ended at 23.
    for (began, is_wrong) in [(23, false), (24, true)] {
        let mut tale = retried(2, 2);
        tale.drained(began..25);
        tale.letters(26..27, &[]);
        says(&tale, &DEAD_LETTERS, never(is_wrong));
    }
    for (began, is_wrong) in [(40, false), (41, true)] {
        let mut tale = retried(2, 2);
        tale.drained(30..40);
        tale.letters(began..42, &[]);
        says(&tale, &DEAD_LETTERS, never(is_wrong));
    }
}

#[test]
fn a_queue_that_was_drained_before_or_for_others_says_nothing_of_a_letter() {
    let mut tale = retried(2, 2);
    tale.drained_of("group", 30..40);
    tale.letters(50..51, &[]);
    is_right(&tale, &DEAD_LETTERS);
    let mut tale = Tale::of(once());
    tale.drained(1..2);
    tale.publish(3..4, 1);
    let tag = tale.take("worker", 10..11, 1, 1);
    tale.retry("worker", 12..13, tag);
    tale.letters(50..51, &[]);
    is_right(&tale, &DEAD_LETTERS);
}

#[test]
fn a_letter_that_is_seen_until_the_next_look_begins_may_have_come_after_it() {
    for (began, is_wrong) in [(51, false), (52, true)] {
        let mut tale = retried(2, 2);
        tale.letters(50..51, &[(1, 2)]);
        tale.letters(began..53, &[]);
        says(&tale, &DEAD_LETTERS, never(is_wrong));
    }
}

/// A look that asks for so many letters, and shows one, of message 2, with so many bytes.
fn other_letter(tale: &mut Tale, span: Span, max: u32, bytes: u32) {
    let (id, reason) = (tale.id(2), tale.word("because"));
    let body = Body { bytes, ..Body::of(b"2") };
    let seen = LetterSeen { id, body, reason, attempts: 1, priority: None, died_at: None, group: None };
    let call = Call::DeadLetters(tale.word("tasks"), None, max);
    tale.add("keeper", span, call, Outcome::Ok(Answer::Letters([seen].into())));
}

#[test]
fn a_look_that_may_be_cut_short_misses_nothing() {
    const MEBIBYTE: u32 = 1_048_576;
    for (max, bytes, is_wrong) in [(1, 16, false), (2, 16, true), (100, MEBIBYTE, false), (100, MEBIBYTE - 1, true)] {
        let mut tale = retried(2, 2);
        tale.letters(50..51, &[(1, 2)]);
        other_letter(&mut tale, 60..61, max, bytes);
        says(&tale, &DEAD_LETTERS, never(is_wrong));
    }
}

#[test]
fn each_delivery_each_death_and_each_letter_is_looked_at() {
    let mut tale = retried(2, 2);
    assert_eq!(tale.look(&DEAD_LETTERS).looked_at, 3);
    tale.letters(50..51, &[(1, 2)]);
    assert_eq!(tale.look(&DEAD_LETTERS).looked_at, 4);
}
