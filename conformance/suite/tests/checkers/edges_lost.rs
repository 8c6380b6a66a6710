//! What surely was there and must have come, and what may not have been.

use workwire_broker::{Capability, Policy, RestartMode};
use workwire_conformance::anomaly::Kind;
use workwire_conformance::checkers::{DUPLICATES, LOST};
use workwire_conformance::history::{Call, Delivered, SettleAs};

use crate::tale::{Came, Span, Tale, is_right, policy, says, shows, taken};

fn lost(is_lost: bool) -> Option<Kind> {
    is_lost.then_some(Kind::Lost)
}

/// A removal, and a message that is published from 10 to 11; its queue is drained from 100 to 101.
fn removed(span: Span, call: impl FnOnce(&mut Tale) -> Call, came: Came) -> Tale {
    let mut tale = Tale::of(policy());
    let call = call(&mut tale);
    let is_before = span.start <= 10;
    if is_before {
        tale.call("keeper", span.clone(), call.clone(), came);
    }
    tale.publish(10..11, 1);
    if span.start > 100 {
        tale.drained(100..101);
    }
    if !is_before {
        tale.call("keeper", span.clone(), call, came);
    }
    if span.start <= 100 {
        tale.drained(100..101);
    }
    tale
}

#[test]
fn a_removal_takes_what_may_have_been_there() {
    for (span, is_lost) in [(3..9, true), (3..10, false), (20..21, false), (101..102, false), (102..103, true)] {
        let purged = removed(span.clone(), |tale| Call::Purge(tale.word("tasks"), None, false), Came::Ok);
        says(&purged, &LOST, lost(is_lost));
        says(&removed(span, |tale| Call::Delete(tale.word("tasks")), Came::Ok), &LOST, lost(is_lost));
    }
}

#[test]
fn a_removal_without_an_answer_may_come_yet_and_one_that_is_refused_or_of_letters_takes_nothing() {
    let purge = |tale: &mut Tale| Call::Purge(tale.word("tasks"), None, false);
    says(&removed(3..4, purge, Came::Nothing), &LOST, None);
    says(&removed(20..21, purge, Came::Refused), &LOST, lost(true));
    let of_letters = |tale: &mut Tale| Call::Purge(tale.word("tasks"), None, true);
    says(&removed(20..21, of_letters, Came::Ok), &LOST, lost(true));
}

#[test]
fn a_restart_loses_nothing_where_it_is_durable() {
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    tale.restart(5..6, RestartMode::Kill);
    tale.drained(100..101);
    shows(&tale, &LOST, Kind::Lost);
}

#[test]
fn a_restart_may_lose_what_is_published_in_the_moment_in_which_it_ends() {
    for (ended, is_lost) in [(9, true), (10, false)] {
        let mut tale = Tale::without(&[Capability::Durable], policy());
        tale.restart(1..ended, RestartMode::Kill);
        tale.publish(10..11, 1);
        tale.drained(100..101);
        says(&tale, &LOST, lost(is_lost));
    }
}

#[test]
fn what_is_published_until_the_queue_is_found_empty_may_come_after_it() {
    for (ended, is_lost) in [(4, true), (5, false)] {
        let mut tale = Tale::of(policy());
        tale.publish(1..ended, 1);
        tale.drained(5..6);
        says(&tale, &LOST, lost(is_lost));
    }
}

#[test]
fn what_may_have_expired_while_the_queue_was_drained_is_not_lost() {
    // Published at 1 at the earliest; and brokers may count time in whole milliseconds.
    for (ended, is_lost) in [(49, true), (50, false)] {
        let mut tale = Tale::of(Policy { ttl_ms: Some(50), ..policy() });
        tale.publish(1..2, 1);
        tale.drained(45..ended);
        says(&tale, &LOST, lost(is_lost));
    }
}

#[test]
fn a_group_gets_what_is_published_once_it_surely_is_there() {
    for (published, is_lost) in [(1..2, false), (11..12, false), (12..13, true), (20..21, true)] {
        let mut tale = Tale::of(policy());
        if published.start < 10 {
            tale.publish(published.clone(), 1);
        }
        let fetch = tale.fetch_of("group");
        tale.take_as("worker", 10..11, fetch, &[]);
        if published.start > 10 {
            tale.publish(published, 1);
        }
        // It is there from its first fetch on, not from its last.
        tale.take_as("worker", 30..31, fetch, &[]);
        tale.drained_of("group", 40..41);
        says(&tale, &LOST, lost(is_lost));
    }
}

#[test]
fn a_group_whose_fetch_got_no_answer_may_not_be_there() {
    let mut tale = Tale::of(policy());
    let fetch = Call::Fetch(tale.fetch_of("group"));
    tale.call("worker", 10..11, fetch, Came::Nothing);
    tale.publish(20..21, 1);
    tale.drained_of("group", 40..41);
    is_right(&tale, &LOST);
    assert_eq!(tale.look(&LOST).looked_at, 0);
}

#[test]
fn published_twice_and_stored_once_for_sure() {
    // Which of two was stored does not matter where one surely was.
    for (first, second) in [(Came::Ok, Came::Nothing), (Came::Nothing, Came::Ok)] {
        let mut tale = Tale::of(policy());
        for (span, came) in [(1..2, first), (3..4, second)] {
            let message = tale.message(1);
            tale.publish_as(span, message, came);
        }
        tale.drained(100..101);
        shows(&tale, &LOST, Kind::Lost);
    }
    // The first is there, whatever becomes of the second.
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    tale.publish(20..40, 1);
    tale.drained(30..31);
    shows(&tale, &LOST, Kind::Lost);
}

#[test]
fn of_several_settles_without_an_answer_any_may_have_been_done() {
    let again = SettleAs::Retry(None);
    for (settles, is_lost) in [
        ([SettleAs::Done, again, again], false),
        ([again, SettleAs::Done, again], false),
        ([again, again, SettleAs::Dead], false),
        ([again, again, again], true),
    ] {
        let (mut tale, tag) = taken();
        for (span, how) in [12..13, 14..15, 16..17].into_iter().zip(settles) {
            tale.settle_as("worker", span, tag, how, Came::Nothing);
        }
        tale.drained(500..501);
        says(&tale, &LOST, lost(is_lost));
    }
}

#[test]
fn a_settle_that_was_accepted_is_the_one_that_counts() {
    for (how, is_lost) in [(SettleAs::Done, false), (SettleAs::Retry(None), true)] {
        let (mut tale, tag) = taken();
        tale.settle_as("worker", 12..13, tag, SettleAs::Retry(None), Came::Nothing);
        tale.settle_as("worker", 14..15, tag, SettleAs::Done, Came::Nothing);
        tale.settle_as("worker", 16..17, tag, how, Came::Ok);
        tale.drained(500..501);
        says(&tale, &LOST, lost(is_lost));
    }
}

#[test]
fn of_two_settles_that_were_accepted_the_first_counts() {
    let (mut tale, tag) = taken();
    tale.done("worker", 12..13, tag);
    tale.retry("worker", 14..15, tag);
    tale.take("other", 20..21, 1, 2);
    shows(&tale, &DUPLICATES, Kind::Revived);
}

#[test]
fn one_tag_is_good_for_one_connection() {
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    tale.publish(3..4, 2);
    let tag = tale.word("tag");
    for (client, span, message) in [("worker", 10..11, 1), ("other", 12..13, 2)] {
        let (fetch, delivery) = (tale.fetch("tasks"), Delivered { tag, ..tale.delivery(message, 1) });
        tale.take_as(client, span, fetch, &[delivery]);
    }
    tale.done("worker", 14..15, tag);
    tale.done("other", 16..17, tag);
    tale.drained(100..101);
    is_right(&tale, &LOST);
    assert_eq!(tale.look(&LOST).looked_at, 2);
}
