//! How many copies of a message there may be, and what gives one back: to the moment.

use workwire_broker::{Capability, CloseMode, Policy, RestartMode};
use workwire_conformance::anomaly::Kind;
use workwire_conformance::checkers::{DEAD_LETTERS, DUPLICATES, PHANTOM, TWO_HOLDERS};
use workwire_conformance::history::{Call, SettleAs};

use crate::tale::{Came, Tale, is_right, policy, says, shows, taken};

fn duplicated(is_wrong: bool) -> Option<Kind> {
    is_wrong.then_some(Kind::Duplicated)
}

#[test]
fn a_retry_may_serve_a_fetch_that_is_answered_when_it_begins() {
    for (began, is_wrong) in [(20, false), (21, true)] {
        let (mut tale, tag) = taken();
        tale.take("other", 15..20, 1, 2);
        tale.retry("worker", began..25, tag);
        says(&tale, &DUPLICATES, duplicated(is_wrong));
        says(&tale, &TWO_HOLDERS, is_wrong.then_some(Kind::TwoHolders));
    }
}

#[test]
fn a_retry_that_was_broken_off_may_leave_a_copy_where_dedupe_is_not_claimed() {
    for (how, missing, may_leave_one) in [
        (SettleAs::Retry(None), vec![Capability::Dedupe], true),
        (SettleAs::Done, vec![Capability::Dedupe], false),
        (SettleAs::Retry(None), vec![], false),
    ] {
        let mut tale = Tale::without(&missing, policy());
        tale.publish(1..2, 1);
        let tag = tale.take("worker", 10..11, 1, 1);
        tale.settle_as("worker", 12..13, tag, how, Came::Nothing);
        tale.take("other", 20..21, 1, 2);
        is_right(&tale, &DUPLICATES);
        tale.take("third", 22..23, 1, 2);
        says(&tale, &DUPLICATES, duplicated(!may_leave_one));
        says(&tale, &TWO_HOLDERS, (!may_leave_one).then_some(Kind::TwoHolders));
        tale.take("fourth", 24..25, 1, 2);
        shows(&tale, &DUPLICATES, Kind::Duplicated);
        shows(&tale, &TWO_HOLDERS, Kind::TwoHolders);
    }
}

#[test]
fn each_retry_that_was_broken_off_may_leave_a_copy() {
    let mut tale = Tale::without(&[Capability::Dedupe], policy());
    tale.publish(1..2, 1);
    let tag = tale.take("worker", 10..11, 1, 1);
    for span in [12..13, 14..15] {
        tale.settle_as("worker", span, tag, SettleAs::Retry(None), Came::Nothing);
    }
    for (client, span) in [("other", 20..21), ("third", 22..23), ("fourth", 24..25)] {
        is_right(&tale, &DUPLICATES);
        is_right(&tale, &TWO_HOLDERS);
        tale.take(client, span, 1, 2);
    }
    is_right(&tale, &DUPLICATES);
    tale.take("fifth", 26..27, 1, 2);
    shows(&tale, &DUPLICATES, Kind::Duplicated);
    shows(&tale, &TWO_HOLDERS, Kind::TwoHolders);
}

#[test]
fn what_nobody_published_is_nobodys_duplicate() {
    let mut tale = Tale::of(policy());
    tale.take("worker", 10..11, 1, 1);
    tale.take("other", 12..13, 1, 1);
    is_right(&tale, &DUPLICATES);
    is_right(&tale, &TWO_HOLDERS);
}

#[test]
fn revived_is_what_was_asked_for_after_it_was_done() {
    for (span, kind) in [(15..25, Kind::Duplicated), (20..21, Kind::Duplicated), (21..22, Kind::Revived)] {
        let (mut tale, tag) = taken();
        tale.done("worker", 12..20, tag);
        tale.take("other", span, 1, 2);
        shows(&tale, &DUPLICATES, kind);
    }
}

#[test]
fn a_restart_may_give_back_what_is_asked_for_in_the_moment_in_which_it_ends() {
    for (ended, is_wrong) in [(9, true), (10, false)] {
        let mut tale = Tale::of(policy());
        tale.publish(1..2, 1);
        tale.restart(5..ended, RestartMode::Kill);
        tale.take("worker", 10..11, 1, 1);
        tale.take("other", 20..21, 1, 2);
        says(&tale, &DUPLICATES, duplicated(is_wrong));
    }
}

#[test]
fn a_client_gives_back_what_it_took_before_it_went() {
    for (span, is_wrong) in [(3..4, true), (10..12, false)] {
        let mut tale = Tale::of(policy());
        tale.publish(1..2, 1);
        tale.close("worker", span, CloseMode::Abort);
        tale.take("worker", 10..11, 1, 1);
        tale.take("other", 20..21, 1, 2);
        says(&tale, &DUPLICATES, duplicated(is_wrong));
    }
    let (mut tale, _) = taken();
    tale.call("worker", 12..13, Call::Close(CloseMode::Abort), Came::Refused);
    tale.take("other", 20..21, 1, 2);
    shows(&tale, &DUPLICATES, Kind::Duplicated);
}

#[test]
fn a_lease_that_is_extended_ends_later() {
    for (ended, is_wrong) in [(248, true), (249, false)] {
        let (mut tale, tag) = taken();
        tale.extend("worker", 50..51, tag, 200, Came::Ok);
        tale.take("other", 150..ended, 1, 2);
        says(&tale, &DUPLICATES, duplicated(is_wrong));
    }
    let (mut tale, tag) = taken();
    tale.extend("worker", 20..21, tag, 10, Came::Refused);
    tale.take("other", 50..51, 1, 2);
    shows(&tale, &DUPLICATES, Kind::Duplicated);
}

#[test]
fn of_two_extensions_at_once_the_shorter_may_be_the_last() {
    for (began, is_wrong) in [(60, false), (61, true)] {
        let (mut tale, tag) = taken();
        tale.extend("worker", 50..60, tag, 20, Came::Ok);
        tale.extend("worker", began..62, tag, 300, Came::Ok);
        tale.take("other", 100..101, 1, 2);
        says(&tale, &DUPLICATES, duplicated(is_wrong));
    }
}

#[test]
fn a_replay_gives_back_the_letter_of_its_own_group() {
    for (group, is_wrong) in [("group", false), ("others", true)] {
        let mut tale = Tale::of(policy());
        tale.publish(1..2, 1);
        let tag = tale.take_of("group", 10..11, 1, 1);
        tale.settle("worker", 12..13, tag, SettleAs::Dead);
        tale.replay_of(group, 20..21, 1);
        tale.take_of("group", 30..31, 1, 1);
        says(&tale, &DUPLICATES, duplicated(is_wrong));
    }
}

#[test]
fn dedupe_remembers_for_its_time_and_no_longer() {
    // The first at 1 at the earliest; and brokers may count time in whole milliseconds.
    for (again, is_wrong) in [(18..19, true), (19..20, false)] {
        let mut tale = Tale::of(Policy { dedupe_ms: 20, ..policy() });
        tale.publish(1..2, 1);
        tale.publish(again, 1);
        tale.take("worker", 30..31, 1, 1);
        tale.take("other", 32..33, 1, 1);
        says(&tale, &DUPLICATES, duplicated(is_wrong));
    }
}

#[test]
fn dedupe_forgets_with_its_queue() {
    for (ended, is_wrong) in [(9, true), (10, false)] {
        let mut tale = Tale::of(policy());
        tale.delete(3..ended, Came::Ok);
        tale.publish(10..11, 1);
        tale.publish(20..21, 1);
        tale.take("worker", 30..31, 1, 1);
        tale.take("other", 32..33, 1, 1);
        says(&tale, &DUPLICATES, duplicated(is_wrong));
    }
    for (began, is_wrong) in [(21, false), (22, true)] {
        let mut tale = Tale::of(policy());
        tale.publish(10..11, 1);
        tale.take("worker", 12..13, 1, 1);
        tale.publish(20..21, 1);
        tale.delete(began..25, Came::Ok);
        tale.take("other", 30..31, 1, 1);
        says(&tale, &DUPLICATES, duplicated(is_wrong));
    }
}

#[test]
fn dedupe_may_forget_in_a_restart_where_nothing_is_durable() {
    for (began, is_wrong) in [(10, false), (21, false), (22, true)] {
        let mut tale = Tale::without(&[Capability::Durable], policy());
        tale.publish(1..2, 1);
        let tag = tale.take("worker", 3..4, 1, 1);
        tale.settle("worker", 5..6, tag, SettleAs::Dead);
        if began < 20 {
            tale.restart(began..11, RestartMode::Kill);
        }
        tale.publish(20..21, 1);
        if began > 20 {
            tale.restart(began..23, RestartMode::Kill);
        }
        let tag = tale.take("worker", 25..26, 1, 1);
        tale.settle("worker", 27..28, tag, SettleAs::Dead);
        tale.letters(30..31, &[(1, 1), (1, 1)]);
        says(&tale, &DEAD_LETTERS, is_wrong.then_some(Kind::DeadTwice));
    }
}

#[test]
fn the_first_of_two_publishes_may_be_the_one_that_happened() {
    let mut tale = Tale::of(policy());
    let message = tale.message(1);
    tale.publish_as(1..2, message, Came::Nothing);
    tale.take("worker", 10..11, 1, 1);
    tale.publish(20..21, 1);
    is_right(&tale, &PHANTOM);
}
