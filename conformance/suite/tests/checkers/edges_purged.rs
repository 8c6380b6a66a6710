//! What a removal surely took with it.

use workwire_broker::{Capability, RestartMode};
use workwire_conformance::anomaly::Kind;
use workwire_conformance::checkers::PURGED;
use workwire_conformance::history::{Call, SettleAs, Terms};

use crate::tale::{Came, Tale, is_right, policy, says, shows};

fn purged(is_wrong: bool) -> Option<Kind> {
    is_wrong.then_some(Kind::Purged)
}

#[test]
fn who_asks_when_the_purge_ends_may_have_taken_before_it() {
    for (began, is_wrong) in [(10, false), (11, true)] {
        let mut tale = Tale::of(policy());
        tale.publish(1..2, 1);
        tale.purge(5..10, 1);
        tale.take("worker", began..12, 1, 1);
        says(&tale, &PURGED, purged(is_wrong));
    }
}

#[test]
fn what_was_held_while_the_purge_ended_was_not_purged() {
    for (began, is_wrong) in [(10, false), (11, true)] {
        let mut tale = Tale::of(policy());
        tale.publish(1..2, 1);
        tale.purge(5..10, 0);
        let tag = tale.take("other", began..12, 1, 1);
        tale.retry("other", 13..14, tag);
        tale.take("worker", 20..21, 1, 2);
        says(&tale, &PURGED, purged(is_wrong));
    }
}

#[test]
fn what_is_published_until_the_purge_begins_may_come_after_it() {
    for (ended, is_wrong) in [(4, true), (5, false)] {
        let mut tale = Tale::of(policy());
        tale.publish(1..ended, 1);
        tale.purge(5..6, 1);
        tale.take("worker", 10..11, 1, 1);
        says(&tale, &PURGED, purged(is_wrong));
    }
}

#[test]
fn nothing_is_removed_for_sure_without_an_answer_nor_by_a_broker_that_forgets() {
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    let purge = Call::Purge(tale.word("tasks"), None, false);
    tale.call("keeper", 5..6, purge, Came::Nothing);
    tale.take("worker", 10..11, 1, 1);
    is_right(&tale, &PURGED);
    for (missing, is_wrong) in [(vec![], true), (vec![Capability::Durable], false)] {
        let mut tale = Tale::without(&missing, policy());
        tale.publish(1..2, 1);
        tale.purge(5..6, 1);
        tale.restart(7..8, RestartMode::Kill);
        tale.take("worker", 10..11, 1, 1);
        says(&tale, &PURGED, purged(is_wrong));
    }
}

#[test]
fn a_message_rests_until_its_delay_is_over_and_a_purge_leaves_it() {
    // Published at 2 at the latest; and brokers may count time in whole milliseconds, twice.
    for (began, is_wrong) in [(14, false), (15, true)] {
        let mut tale = Tale::of(policy());
        let message = tale.message(1).on(Terms { delay_ms: Some(10), ..Terms::default() });
        tale.publish_as(1..2, message, Came::Ok);
        tale.purge(began..16, 1);
        tale.take("worker", 20..21, 1, 1);
        says(&tale, &PURGED, purged(is_wrong));
    }
    // One that never rested is ready at once.
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    tale.purge(3..4, 1);
    tale.take("worker", 20..21, 1, 1);
    shows(&tale, &PURGED, Kind::Purged);
}

#[test]
fn a_purge_is_of_its_group_or_of_all() {
    for (of, taker, is_wrong) in
        [(Some("group"), "group", true), (Some("group"), "others", false), (None, "group", true)]
    {
        let mut tale = Tale::of(policy());
        tale.publish(1..2, 1);
        let purge = Call::Purge(tale.word("tasks"), of.map(|of| tale.word(of)), false);
        tale.call("keeper", 5..6, purge, Came::Ok);
        tale.take_of(taker, 10..11, 1, 1);
        says(&tale, &PURGED, purged(is_wrong));
    }
}

#[test]
fn a_queue_that_is_deleted_takes_everything_with_it() {
    for (began, is_wrong) in [(10, false), (11, true)] {
        let mut tale = Tale::of(policy());
        tale.publish(1..2, 1);
        tale.delete(5..10, Came::Ok);
        tale.take("worker", began..12, 1, 1);
        says(&tale, &PURGED, purged(is_wrong));
    }
    // A letter that was sent back before is a message like any other.
    for (ended, is_wrong) in [(19, true), (20, false)] {
        let mut tale = Tale::of(policy());
        tale.publish(1..2, 1);
        let tag = tale.take("worker", 3..4, 1, 1);
        tale.settle("worker", 5..6, tag, SettleAs::Dead);
        tale.replay(15..ended, 1);
        tale.delete(20..21, Came::Ok);
        tale.take("worker", 30..31, 1, 1);
        says(&tale, &PURGED, purged(is_wrong));
    }
}
