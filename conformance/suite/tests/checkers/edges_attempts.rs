//! Which attempts are surely used up, in which order; and what need not be asked for that.

use workwire_broker::{Capability, Policy};
use workwire_conformance::anomaly::Kind;
use workwire_conformance::checkers::{ATTEMPTS, EARLY, EXPIRED};
use workwire_conformance::history::{Call, SettleAs, Terms};

use crate::tale::{Came, Tale, is_right, policy, retried, says, shows, taken};

fn wrong(is_wrong: bool) -> Option<Kind> {
    is_wrong.then_some(Kind::AttemptWrong)
}

/// With leases that may end while a fetch is still to be answered.
fn short() -> Policy {
    Policy { lease_ms: 5, ..policy() }
}

#[test]
fn each_delivery_and_each_letter_is_looked_at() {
    let (mut tale, tag) = taken();
    assert_eq!(tale.look(&ATTEMPTS).looked_at, 1);
    tale.settle("worker", 12..13, tag, SettleAs::Dead);
    tale.letters(20..21, &[(1, 1)]);
    assert_eq!(tale.look(&ATTEMPTS).looked_at, 2);
}

#[test]
fn what_was_expected_is_told_as_one_or_as_a_range() {
    for (unseen, expected) in [(false, "attempt 2"), (true, "attempt 2 to 3")] {
        let (mut tale, tag) = taken();
        tale.retry("worker", 12..13, tag);
        if unseen {
            tale.unanswered("other", 14..15);
        }
        tale.take("worker", 200..201, 1, 1);
        assert_eq!(tale.look(&ATTEMPTS).anomalies[0].expected, expected);
    }
}

#[test]
fn a_letter_may_be_of_a_delivery_that_nobody_saw() {
    for (unseen, is_wrong) in [(true, false), (false, true)] {
        let (mut tale, tag) = taken();
        tale.retry("worker", 12..13, tag);
        if unseen {
            tale.unanswered("other", 14..15);
        }
        tale.letters(200..201, &[(1, 2)]);
        says(&tale, &ATTEMPTS, wrong(is_wrong));
    }
}

#[test]
fn a_letter_is_compared_where_the_last_delivery_was_answered_before() {
    for (began, is_wrong) in [(20, false), (21, true)] {
        let mut tale = Tale::of(policy());
        tale.publish(1..2, 1);
        tale.take("worker", 10..20, 1, 1);
        tale.letters(began..22, &[(1, 2)]);
        says(&tale, &ATTEMPTS, wrong(is_wrong));
    }
}

#[test]
fn a_letter_is_not_compared_where_nobody_knows_which_delivery_was_the_last() {
    // Who is answered last asked first, and may have let go before the other took the message.
    let mut tale = Tale::of(short());
    tale.publish(1..2, 1);
    tale.take("worker", 10..30, 1, 1);
    tale.take("other", 15..20, 1, 2);
    tale.letters(40..41, &[(1, 2)]);
    is_right(&tale, &ATTEMPTS);
}

#[test]
fn a_lease_that_ends_need_not_count_where_attempts_are_not_claimed() {
    for (attempt, is_wrong) in [(1, false), (2, false), (3, true)] {
        let mut tale = Tale::without(&[Capability::Attempts], policy());
        tale.publish(1..2, 1);
        tale.take("worker", 10..11, 1, 1);
        tale.take("other", 130..131, 1, attempt);
        says(&tale, &ATTEMPTS, wrong(is_wrong));
    }
}

#[test]
fn what_is_still_held_may_not_have_used_up_anything() {
    for (attempt, is_wrong) in [(1, false), (2, false), (3, true)] {
        let (mut tale, _) = taken();
        tale.take("other", 20..21, 1, attempt);
        says(&tale, &ATTEMPTS, wrong(is_wrong));
    }
}

#[test]
fn who_lets_go_when_another_is_answered_may_have_come_first() {
    // The other's lease is over at 20 or at 21 at the earliest, in whole milliseconds.
    for (began, is_wrong) in [(16, false), (17, true)] {
        let mut tale = Tale::of(short());
        tale.publish(1..2, 1);
        tale.take("worker", 12..20, 1, 2);
        tale.take("other", began..25, 1, 1);
        says(&tale, &ATTEMPTS, wrong(is_wrong));
    }
}

#[test]
fn of_two_that_are_answered_at_once_the_one_that_still_holds_it_came_last() {
    for (attempt, is_wrong) in [(1, true), (2, false)] {
        let mut tale = Tale::of(short());
        tale.publish(1..2, 1);
        tale.take("worker", 10..20, 1, 1);
        tale.take("other", 18..20, 1, attempt);
        says(&tale, &ATTEMPTS, wrong(is_wrong));
    }
}

#[test]
fn a_fetch_that_was_refused_took_nothing() {
    let (mut tale, tag) = taken();
    tale.retry("worker", 12..13, tag);
    let fetch = Call::Fetch(tale.fetch("tasks"));
    tale.call("other", 14..15, fetch, Came::Refused);
    tale.take("worker", 20..21, 1, 3);
    shows(&tale, &ATTEMPTS, Kind::AttemptWrong);
}

// Replays.

#[test]
fn after_a_replay_attempts_begin_again() {
    for (ended, attempt, is_wrong) in [(41, 1, false), (41, 3, true), (50, 1, false), (50, 3, false)] {
        let mut tale = retried(2, 2);
        tale.replay(40..ended, 1);
        tale.take("worker", 50..51, 1, attempt);
        says(&tale, &ATTEMPTS, wrong(is_wrong));
    }
}

#[test]
fn a_replay_that_names_its_group_is_of_that_group_whoever_else_is_there() {
    for (group, attempt, is_wrong) in [("group", 1, false), ("group", 2, true), ("others", 2, false)] {
        let mut tale = Tale::of(Policy { max_attempts: 1, ..policy() });
        tale.publish(1..2, 1);
        tale.take("worker", 3..4, 1, 1);
        let tag = tale.take_of("group", 10..11, 1, 1);
        tale.retry("worker", 12..13, tag);
        tale.replay_of(group, 20..21, 1);
        tale.take_of("group", 30..31, 1, attempt);
        says(&tale, &ATTEMPTS, wrong(is_wrong));
    }
}

#[test]
fn a_replay_may_serve_a_fetch_that_is_answered_when_it_begins() {
    for (attempt, is_wrong) in [(1, true), (2, false)] {
        let (mut tale, tag) = taken();
        tale.settle("worker", 12..13, tag, SettleAs::Dead);
        let tag = tale.take("other", 20..25, 1, 1);
        tale.replay(25..26, 1);
        tale.retry("other", 27..28, tag);
        tale.take("worker", 30..31, 1, attempt);
        says(&tale, &ATTEMPTS, wrong(is_wrong));
    }
}

#[test]
fn a_replay_before_the_last_delivery_does_not_count_again() {
    for (attempt, is_wrong) in [(1, true), (2, false)] {
        let (mut tale, tag) = taken();
        tale.settle("worker", 12..13, tag, SettleAs::Dead);
        tale.replay(15..16, 1);
        let tag = tale.take("worker", 20..21, 1, 1);
        tale.retry("worker", 22..23, tag);
        tale.take("worker", 30..31, 1, attempt);
        says(&tale, &ATTEMPTS, wrong(is_wrong));
    }
}

#[test]
fn a_replay_may_be_of_what_died_before_its_fetch_was_answered() {
    // The lease may be over at 14, and the message a letter then.
    for (ended, attempt, is_wrong) in [(14, 1, false), (13, 1, true), (25, 1, false), (25, 2, false), (25, 3, true)] {
        let mut tale = Tale::of(Policy { max_attempts: 1, ..short() });
        tale.publish(1..2, 1);
        tale.take("worker", 10..29, 1, 1);
        tale.replay(12..ended, 1);
        tale.take("other", 26..30, 1, attempt);
        says(&tale, &ATTEMPTS, wrong(is_wrong));
    }
}

// EARLY and EXPIRED.

#[test]
fn where_nothing_rests_nothing_can_be_early() {
    for (policy, missing, delay, looked_at) in [
        (policy(), vec![], None, 0),
        (policy(), vec![], Some(0), 0),
        (policy(), vec![], Some(5), 2),
        (Policy { backoff_ms: vec![5], ..policy() }, vec![], None, 2),
        (Policy { backoff_ms: vec![5], ..policy() }, vec![Capability::Backoff], None, 0),
    ] {
        let mut tale = Tale::without(&missing, policy);
        tale.publish(1..2, 1);
        let tag = tale.take("worker", 10..11, 1, 1);
        tale.settle("worker", 12..13, tag, SettleAs::Retry(delay));
        tale.take("worker", 20..21, 1, 2);
        is_right(&tale, &EARLY);
        assert_eq!(tale.look(&EARLY).looked_at, looked_at);
    }
}

#[test]
fn what_nobody_published_is_not_early() {
    let mut tale = Tale::of(policy());
    let tag = tale.take("worker", 10..11, 1, 1);
    tale.settle("worker", 12..13, tag, SettleAs::Retry(Some(50)));
    tale.take("worker", 20..21, 1, 2);
    is_right(&tale, &EARLY);
    assert_eq!(tale.look(&EARLY).looked_at, 0);
}

#[test]
fn a_message_may_live_until_the_last_moment_of_its_time() {
    // Published at 2 at the latest; and brokers may count time in whole milliseconds.
    for (began, is_wrong) in [(53, false), (54, true)] {
        let mut tale = Tale::of(policy());
        let message = tale.message(1).on(Terms { ttl_ms: Some(50), ..Terms::default() });
        tale.publish_as(1..2, message, Came::Ok);
        tale.take("worker", began..55, 1, 1);
        says(&tale, &EXPIRED, is_wrong.then_some(Kind::Expired));
    }
}
