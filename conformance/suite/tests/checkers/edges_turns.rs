//! Whose turn it surely was.

use workwire_conformance::anomaly::Kind;
use workwire_conformance::checkers::{ORDER, PRIORITY};
use workwire_conformance::history::{Call, Terms};

use crate::tale::{Came, Span, Tale, is_right, of_priority, policy, says, shows, turns};

fn priority(is_wrong: bool) -> Option<Kind> {
    is_wrong.then_some(Kind::PriorityInversion)
}

fn order(is_wrong: bool) -> Option<Kind> {
    is_wrong.then_some(Kind::OrderInversion)
}

/// Takes these, with their priorities, in one answer.
fn answer(tale: &mut Tale, span: Span, all: &[(u128, i64)]) {
    let all: Vec<_> = all.iter().map(|(message, priority)| of_priority(tale, *message, *priority)).collect();
    let fetch = tale.fetch("tasks");
    tale.take_as("worker", span, fetch, &all);
}

#[test]
fn a_priority_that_no_queue_has_is_nobodys_turn() {
    for level in [-1, 16, 1 << 40] {
        let tale = turns(&[(1, level), (2, 3)], &[("worker", 20..21, 2), ("worker", 30..31, 1)]);
        is_right(&tale, &PRIORITY);
        is_right(&tale, &ORDER);
    }
}

#[test]
fn an_inversion_among_three_priorities() {
    let tale = turns(&[(1, 1), (2, 5), (3, 3)], &[("worker", 20..21, 1), ("worker", 30..31, 2), ("worker", 40..41, 3)]);
    shows(&tale, &PRIORITY, Kind::PriorityInversion);
}

#[test]
fn the_urgent_one_surely_waits_from_the_end_of_its_publish() {
    for (began, is_wrong) in [(20, false), (21, true)] {
        // One after the other, and in one answer.
        for together in [false, true] {
            let mut tale = Tale::of(policy());
            tale.urgent(1..2, 1, 1);
            tale.urgent(10..20, 2, 5);
            if together {
                answer(&mut tale, began..22, &[(1, 1), (2, 5)]);
            } else {
                answer(&mut tale, began..22, &[(1, 1)]);
                answer(&mut tale, 30..31, &[(2, 5)]);
            }
            says(&tale, &PRIORITY, priority(is_wrong));
        }
    }
}

#[test]
fn the_urgent_one_surely_waits_until_it_is_asked_for() {
    for (began, is_wrong) in [(30, false), (31, true)] {
        let tale = turns(&[(1, 1), (2, 5)], &[("worker", 20..30, 1), ("other", began..32, 2)]);
        says(&tale, &PRIORITY, priority(is_wrong));
    }
}

#[test]
fn the_most_urgent_one_of_an_answer_may_stand_in_its_middle() {
    let all = [(1, 3), (2, 5), (3, 2)];
    let mut tale = turns(&all, &[]);
    answer(&mut tale, 20..21, &all);
    shows(&tale, &PRIORITY, Kind::PriorityInversion);
    let mut tale = turns(&all, &[]);
    answer(&mut tale, 20..21, &[(2, 5), (1, 3), (3, 2)]);
    is_right(&tale, &PRIORITY);
}

#[test]
fn the_earlier_one_surely_was_published_before_the_later() {
    for (ended, is_wrong) in [(4, true), (5, false)] {
        // One after the other, and in one answer.
        for together in [false, true] {
            let mut tale = Tale::of(policy());
            tale.publish(1..ended, 1);
            tale.publish(5..6, 2);
            if together {
                answer(&mut tale, 20..21, &[(2, 3), (1, 3)]);
            } else {
                answer(&mut tale, 20..21, &[(2, 3)]);
                answer(&mut tale, 30..31, &[(1, 3)]);
            }
            says(&tale, &ORDER, order(is_wrong));
        }
    }
}

#[test]
fn the_earlier_one_surely_waits_until_it_is_asked_for() {
    for (began, is_wrong) in [(30, false), (31, true)] {
        let tale = turns(&[(1, 3), (2, 3)], &[("worker", 20..30, 2), ("worker", began..32, 1)]);
        says(&tale, &ORDER, order(is_wrong));
    }
}

#[test]
fn the_earliest_one_of_an_answer_may_stand_in_its_middle() {
    let all = [(1, 3), (2, 3), (3, 3)];
    let mut tale = turns(&all, &[]);
    answer(&mut tale, 20..21, &[(2, 3), (1, 3), (3, 3)]);
    shows(&tale, &ORDER, Kind::OrderInversion);
    let mut tale = turns(&all, &[]);
    answer(&mut tale, 20..21, &all);
    is_right(&tale, &ORDER);
}

#[test]
fn who_got_nothing_is_no_consumer() {
    for (came, is_wrong) in [(Some(Came::Refused), true), (Some(Came::Nothing), false), (None, true)] {
        let mut tale = turns(&[(1, 3), (2, 3)], &[]);
        let fetch = tale.fetch("tasks");
        match came {
            Some(came) => tale.call("other", 15..25, Call::Fetch(fetch), came),
            None => _ = tale.take_as("other", 15..25, fetch, &[]),
        }
        answer(&mut tale, 20..21, &[(2, 3)]);
        answer(&mut tale, 30..31, &[(1, 3)]);
        says(&tale, &ORDER, order(is_wrong));
    }
}

#[test]
fn where_a_letter_that_is_sent_back_stands_nobody_says() {
    let mut tale = turns(&[(1, 3), (2, 3)], &[]);
    tale.replay(10..11, 1);
    answer(&mut tale, 20..21, &[(2, 3)]);
    answer(&mut tale, 30..31, &[(1, 3)]);
    is_right(&tale, &ORDER);
}

#[test]
fn a_message_with_no_delay_waits_and_one_that_rests_does_not() {
    for (delay, is_wrong) in [(0, true), (1, false)] {
        let mut tale = Tale::of(policy());
        let message = tale.message(1).on(Terms { delay_ms: Some(delay), ..Terms::default() });
        tale.publish_as(1..2, message, Came::Ok);
        tale.publish(3..4, 2);
        answer(&mut tale, 20..21, &[(2, 3)]);
        answer(&mut tale, 30..31, &[(1, 3)]);
        says(&tale, &ORDER, order(is_wrong));
    }
}
