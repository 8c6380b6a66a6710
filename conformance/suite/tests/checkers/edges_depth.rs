//! Which counts are judged, and which cannot be: on both sides of each boundary.

use workwire_broker::{Capability, CloseMode, Overflow, Policy, RestartMode};
use workwire_conformance::anomaly::Kind;
use workwire_conformance::checkers::DEPTH;
use workwire_conformance::history::{Call, SettleAs, Terms};

use crate::tale::{Came, Span, Tale, is_right, policy, shows, taken};

/// What no queue here ever holds.
const WRONG: [u64; 4] = [7, 7, 7, 7];

#[track_caller]
fn is_judged(mut tale: Tale, span: Span) {
    tale.depth(span, WRONG);
    shows(&tale, &DEPTH, Kind::Depth);
}

#[track_caller]
fn is_not_judged(mut tale: Tale, span: Span) {
    tale.depth(span, WRONG);
    assert_eq!(tale.look(&DEPTH).looked_at, 0);
    is_right(&tale, &DEPTH);
}

#[track_caller]
fn adds_up(mut tale: Tale, span: Span, counts: [u64; 4]) {
    tale.depth(span, counts);
    is_right(&tale, &DEPTH);
    assert_eq!(tale.look(&DEPTH).looked_at, 1);
}

fn delayed(tale: &mut Tale, span: Span, message: u128, ms: i64) {
    let call = tale.message(message).on(Terms { delay_ms: Some(ms), ..Terms::default() });
    tale.publish_as(span, call, Came::Ok);
}

#[test]
fn a_restart_gives_back_what_is_held_nobody_knows_when() {
    let (mut tale, _) = taken();
    tale.restart(20..21, RestartMode::Kill);
    is_not_judged(tale, 30..31);
    let (mut tale, _) = taken();
    tale.call("runner", 20..21, Call::Restart(RestartMode::Kill), Came::Refused);
    is_judged(tale, 30..31);
}

#[test]
fn a_restart_leaves_what_waits_where_it_is_durable() {
    for (missing, is_sure) in [(vec![], true), (vec![Capability::Durable], false)] {
        let mut tale = Tale::without(&missing, policy());
        tale.publish(1..2, 1);
        tale.restart(20..21, RestartMode::Kill);
        if is_sure { is_judged(tale, 30..31) } else { is_not_judged(tale, 30..31) }
    }
}

#[test]
fn a_client_that_goes_gives_back_what_it_holds_and_nothing_else() {
    let (mut tale, _) = taken();
    tale.close("worker", 20..21, CloseMode::Abort);
    is_not_judged(tale, 30..31);
    let (mut tale, _) = taken();
    tale.call("worker", 20..21, Call::Close(CloseMode::Abort), Came::Refused);
    is_judged(tale, 30..31);
    let (mut tale, tag) = taken();
    tale.done("worker", 12..13, tag);
    tale.close("worker", 20..21, CloseMode::Abort);
    is_judged(tale, 30..31);
}

#[test]
fn a_rest_may_end_in_the_moment_of_the_count() {
    for (ended, is_sure) in [(49, true), (50, false)] {
        let mut tale = Tale::of(policy());
        delayed(&mut tale, 1..2, 1, 50);
        if is_sure { is_judged(tale, 45..ended) } else { is_not_judged(tale, 45..ended) }
    }
}

#[test]
fn what_ends_when_the_count_begins_may_come_after_it() {
    for (began, is_sure) in [(5, false), (6, true)] {
        let mut tale = Tale::of(policy());
        tale.publish(1..5, 1);
        if is_sure { is_judged(tale, began..7) } else { is_not_judged(tale, began..7) }
    }
}

#[test]
fn an_extension_may_be_shorter_than_the_lease() {
    let (mut tale, tag) = taken();
    tale.extend("worker", 20..21, tag, 10, Came::Ok);
    is_not_judged(tale, 80..81);
    let (mut tale, tag) = taken();
    tale.extend("worker", 20..21, tag, 10, Came::Refused);
    is_judged(tale, 80..81);
}

#[test]
fn a_letter_that_is_sent_back_waits() {
    let (mut tale, tag) = taken();
    tale.settle("worker", 12..13, tag, SettleAs::Dead);
    tale.replay(20..21, 1);
    adds_up(tale, 30..31, [1, 0, 0, 0]);
}

#[test]
fn a_replay_makes_nothing_sure_again() {
    let (mut tale, _) = taken();
    tale.publish(12..13, 2);
    let tag = tale.take("worker", 14..15, 2, 1);
    tale.settle("worker", 16..17, tag, SettleAs::Dead);
    tale.restart(20..21, RestartMode::Kill);
    tale.replay(30..31, 2);
    is_not_judged(tale, 40..41);
}

#[test]
fn a_replay_may_be_of_another_groups_letter_or_of_one_that_expires() {
    // A group is there, and the replay names none.
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    tale.take_of("group", 3..4, 1, 1);
    let tag = tale.take("worker", 10..11, 1, 1);
    tale.settle("worker", 12..13, tag, SettleAs::Dead);
    tale.replay(20..21, 1);
    is_not_judged(tale, 30..31);
    // The replay names one that nobody saw.
    let (mut tale, tag) = taken();
    tale.settle("worker", 12..13, tag, SettleAs::Dead);
    tale.replay_of("group", 20..21, 1);
    is_not_judged(tale, 30..31);
    // It lives for some time only, anew.
    let mut tale = Tale::of(Policy { ttl_ms: Some(10_000), ..policy() });
    tale.publish(1..2, 1);
    let tag = tale.take("worker", 10..11, 1, 1);
    tale.settle("worker", 12..13, tag, SettleAs::Dead);
    tale.replay(20..21, 1);
    is_not_judged(tale, 30..31);
}

#[test]
fn a_queue_that_is_deleted_begins_again_with_what_is_unsure() {
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    tale.delete(5..9, Came::Ok);
    is_not_judged(tale, 7..8);
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    tale.delete(5..9, Came::Ok);
    adds_up(tale, 10..11, [0, 0, 0, 0]);
    let (mut tale, _) = taken();
    tale.restart(20..21, RestartMode::Kill);
    tale.delete(30..31, Came::Ok);
    is_not_judged(tale, 40..41);
}

#[test]
fn in_a_queue_that_is_over_full_something_gave_way() {
    let full = Policy { max_length: Some(2), overflow: Overflow::DropOldest, ..policy() };
    let mut tale = Tale::of(full.clone());
    tale.publish(1..2, 1);
    tale.publish(3..4, 2);
    is_judged(tale, 10..11);
    // What waits, what is held and what rests, one of each.
    let mut tale = Tale::of(full.clone());
    tale.publish(1..2, 1);
    tale.publish(3..4, 2);
    tale.take("worker", 5..6, 1, 1);
    delayed(&mut tale, 7..8, 3, 1_000);
    is_not_judged(tale, 10..11);
    // What a group still has counts too.
    let mut tale = Tale::of(full);
    tale.publish(1..2, 1);
    tale.take_of("group", 3..4, 1, 1);
    tale.publish(5..6, 2);
    is_not_judged(tale, 10..11);
}

#[test]
fn what_nobody_is_known_to_hold_may_have_been_anything() {
    let (mut tale, _) = taken();
    let unknown = tale.word("unknown");
    tale.done("worker", 12..13, unknown);
    is_not_judged(tale, 20..21);
    // It is a group's, and nothing to the others.
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    let tag = tale.take_of("group", 10..11, 1, 1);
    tale.done("worker", 12..13, tag);
    adds_up(tale, 20..21, [1, 0, 0, 0]);
}

#[test]
fn a_retry_waits_rests_or_is_a_letter() {
    for delay in [None, Some(0)] {
        let (mut tale, tag) = taken();
        tale.settle("worker", 12..13, tag, SettleAs::Retry(delay));
        adds_up(tale, 20..21, [1, 0, 0, 0]);
    }
    for (missing, is_sure) in [(vec![], true), (vec![Capability::DeadLetter], false)] {
        let mut tale = Tale::without(&missing, Policy { max_attempts: 1, ..policy() });
        tale.publish(1..2, 1);
        let tag = tale.take("worker", 10..11, 1, 1);
        tale.retry("worker", 12..13, tag);
        if is_sure { adds_up(tale, 20..21, [0, 0, 0, 1]) } else { is_not_judged(tale, 20..21) }
    }
}

#[test]
fn a_look_and_what_is_refused_change_nothing() {
    let mut tale = Tale::of(policy());
    let message = tale.message(1);
    tale.publish_as(5..9, message, Came::Refused);
    is_judged(tale, 6..7);
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    tale.peek(5..9, 1);
    is_judged(tale, 6..7);
}
