//! Each kind of anomaly: a history that shows it, and some that nearly do.

use workwire_broker::{Capability, CloseMode, NewGroup, Policy, RestartMode};
use workwire_conformance::anomaly::Kind;
use workwire_conformance::checkers::{
    ATTEMPTS, CORRUPTED, DEAD_LETTERS, DEPTH, DUPLICATES, EARLY, EXPIRED, LEAKED, LOST, ORDER, PHANTOM, PRIORITY,
    PURGED, REFUSED_DELIVERED, TWO_HOLDERS,
};
use workwire_conformance::history::{Body, Delivered, FetchCall, SettleAs, Terms};

use crate::tale::{Came, Tale, is_right, of_priority, policy, retried, shows, taken, turns};

// LOST.

#[test]
fn lost_is_what_was_stored_and_never_came() {
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    tale.drained(100..101);
    shows(&tale, &LOST, Kind::Lost);
}

#[test]
fn lost_is_what_was_retried_and_never_came_back() {
    let (mut tale, tag) = taken();
    tale.retry("worker", 12..13, tag);
    tale.drained(100..101);
    shows(&tale, &LOST, Kind::Lost);
}

#[test]
fn not_lost_is_what_was_done_or_may_be() {
    for came in [Came::Ok, Came::Nothing] {
        let (mut tale, tag) = taken();
        tale.settle_as("worker", 12..13, tag, SettleAs::Done, came);
        tale.drained(500..501);
        is_right(&tale, &LOST);
        assert_eq!(tale.look(&LOST).looked_at, 1);
    }
}

#[test]
fn not_lost_is_what_may_never_have_been_there() {
    let mut tale = Tale::of(policy());
    let message = tale.message(1);
    tale.publish_as(1..2, message, Came::Nothing);
    let other = tale.message(2);
    tale.publish_as(3..4, other, Came::Refused);
    tale.publish(50..60, 3);
    tale.drained(55..56);
    is_right(&tale, &LOST);
}

#[test]
fn not_lost_is_what_expired_was_purged_died_or_was_forgotten() {
    let mut tale = Tale::of(Policy { ttl_ms: Some(20), ..policy() });
    tale.publish(1..2, 1);
    tale.drained(100..101);
    is_right(&tale, &LOST);
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    tale.purge(5..6, 1);
    tale.drained(100..101);
    is_right(&tale, &LOST);
    let mut tale = Tale::of(Policy { max_attempts: 1, ..policy() });
    tale.publish(1..2, 1);
    let tag = tale.take("worker", 3..4, 1, 1);
    tale.retry("worker", 5..6, tag);
    tale.drained(100..101);
    is_right(&tale, &LOST);
    let mut tale = Tale::without(&[Capability::Durable], policy());
    tale.publish(1..2, 1);
    tale.restart(5..6, RestartMode::Kill);
    tale.drained(100..101);
    is_right(&tale, &LOST);
}

#[test]
fn nothing_is_lost_where_no_queue_was_drained_and_nobody_knows_where_one_may_have_been() {
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    assert_eq!(tale.look(&LOST).looked_at, 0);
    tale.drained_as(100..101, Came::Nothing);
    let found = tale.look(&LOST);
    assert!(found.anomalies.is_empty() && found.unknown.is_some(), "{found:?}");
}

// PHANTOM, REFUSED_DELIVERED, LEAKED.

#[test]
fn phantom_is_what_nobody_published_before() {
    let mut tale = Tale::of(policy());
    tale.take("worker", 10..11, 1, 1);
    tale.publish(20..21, 1);
    shows(&tale, &PHANTOM, Kind::Phantom);
}

#[test]
fn no_phantom_is_what_was_published_meanwhile_or_without_an_answer() {
    let mut tale = Tale::of(policy());
    tale.take("worker", 1..11, 1, 1);
    tale.publish(10..21, 1);
    let message = tale.message(2);
    tale.publish_as(22..23, message, Came::Nothing);
    tale.take("worker", 30..31, 2, 1);
    is_right(&tale, &PHANTOM);
}

#[test]
fn refused_and_delivered_all_the_same() {
    let mut tale = Tale::of(policy());
    let message = tale.message(1);
    tale.publish_as(1..2, message, Came::Refused);
    tale.take("worker", 10..11, 1, 1);
    shows(&tale, &REFUSED_DELIVERED, Kind::RefusedDelivered);
    is_right(&tale, &PHANTOM);
}

#[test]
fn refused_once_and_stored_then_may_be_delivered() {
    let mut tale = Tale::of(policy());
    let message = tale.message(1);
    tale.publish_as(1..2, message, Came::Refused);
    tale.publish(3..4, 1);
    tale.take("worker", 10..11, 1, 1);
    is_right(&tale, &REFUSED_DELIVERED);
}

#[test]
fn leaked_is_what_was_published_to_another_queue() {
    let mut tale = Tale::of(policy());
    tale.declare("acme/tasks", policy());
    tale.publish(1..2, 1);
    let (fetch, delivery) = (tale.fetch("acme/tasks"), tale.delivery(1, 1));
    tale.take_as("worker", 10..11, fetch, &[delivery]);
    shows(&tale, &LEAKED, Kind::Leaked);
    is_right(&tale, &PHANTOM);
}

#[test]
fn leaked_is_what_was_for_another_recipient() {
    let mut tale = Tale::of(policy());
    let to = Some(tale.word("ann"));
    let message = tale.message(1).on(Terms { to, ..Terms::default() });
    tale.publish_as(1..2, message, Came::Ok);
    let fetch = FetchCall { recipient: Some(tale.word("bob")), ..tale.fetch("tasks") };
    let delivery = tale.delivery(1, 1);
    tale.take_as("bob", 10..11, fetch, &[delivery]);
    shows(&tale, &LEAKED, Kind::Leaked);
}

#[test]
fn not_leaked_is_what_was_for_nobody_or_for_this_one() {
    let mut tale = Tale::of(policy());
    let ann = tale.word("ann");
    let message = tale.message(1).on(Terms { to: Some(ann), ..Terms::default() });
    tale.publish_as(1..2, message, Came::Ok);
    tale.publish(3..4, 2);
    let fetch = FetchCall { recipient: Some(ann), ..tale.fetch("tasks") };
    let all = [tale.delivery(1, 1), tale.delivery(2, 1)];
    tale.take_as("ann", 10..11, fetch, &all);
    is_right(&tale, &LEAKED);
}

#[test]
fn leaked_is_what_was_there_before_a_group_that_sees_only_what_is_new() {
    for (choice, published, is_leak) in
        [(NewGroup::New, 1..2, true), (NewGroup::All, 1..2, false), (NewGroup::New, 5..9, false)]
    {
        let mut tale = Tale::of(policy());
        tale.history.about.choices.new_group = choice;
        tale.publish(published, 1);
        let fetch = FetchCall { group: Some(tale.word("group")), ..tale.fetch("tasks") };
        let delivery = tale.delivery(1, 1);
        tale.take_as("worker", 8..10, fetch, &[delivery]);
        if is_leak { shows(&tale, &LEAKED, Kind::Leaked) } else { is_right(&tale, &LEAKED) }
    }
}

// CORRUPTED.

#[test]
fn corrupted_are_other_bytes_and_another_priority() {
    for is_body in [true, false] {
        let mut tale = Tale::of(policy());
        tale.urgent(1..2, 1, 3);
        let fetch = tale.fetch("tasks");
        let right = tale.delivery(1, 1);
        let wrong =
            if is_body { Delivered { body: Body::of(b"x"), ..right } } else { Delivered { priority: 5, ..right } };
        tale.take_as("worker", 10..11, fetch, &[wrong]);
        shows(&tale, &CORRUPTED, Kind::Corrupted);
    }
}

#[test]
fn not_corrupted_is_either_body_of_two_that_may_be_there() {
    let mut tale = Tale::of(policy());
    let mut message = tale.message(1);
    message.body = Body::of(b"other");
    tale.publish_as(1..2, message, Came::Nothing);
    tale.publish(3..4, 1);
    tale.take("worker", 10..11, 1, 1);
    is_right(&tale, &CORRUPTED);
}

// DUPLICATES.

#[test]
fn duplicated_is_what_is_delivered_again_for_no_reason() {
    let (mut tale, _) = taken();
    tale.take("other", 20..21, 1, 1);
    shows(&tale, &DUPLICATES, Kind::Duplicated);
}

#[test]
fn revived_is_what_was_done() {
    let (mut tale, tag) = taken();
    tale.done("worker", 12..13, tag);
    tale.take("worker", 300..301, 1, 2);
    shows(&tale, &DUPLICATES, Kind::Revived);
}

#[test]
fn duplicated_is_what_was_given_up() {
    let (mut tale, tag) = taken();
    tale.settle("worker", 12..13, tag, SettleAs::Dead);
    tale.take("worker", 300..301, 1, 2);
    shows(&tale, &DUPLICATES, Kind::Duplicated);
}

#[test]
fn no_duplicate_is_what_something_gave_back() {
    type Gives = fn(&mut Tale, workwire_conformance::history::Word);
    let causes: [Gives; 6] = [
        |tale, tag| tale.retry("worker", 12..13, tag),
        |tale, tag| tale.settle_as("worker", 12..13, tag, SettleAs::Retry(None), Came::Nothing),
        |tale, _| tale.close("worker", 12..13, CloseMode::Abort),
        |tale, _| tale.close("worker", 12..13, CloseMode::Graceful),
        |tale, _| tale.restart(12..13, RestartMode::Kill),
        // An answer that did not come: the connection may be gone.
        |tale, _| tale.unanswered("worker", 12..13),
    ];
    for gives in causes {
        let (mut tale, tag) = taken();
        gives(&mut tale, tag);
        tale.take("other", 20..21, 1, 2);
        is_right(&tale, &DUPLICATES);
        // But once for one reason.
        tale.take("third", 25..26, 1, 3);
        shows(&tale, &DUPLICATES, Kind::Duplicated);
    }
}

#[test]
fn no_duplicate_is_what_comes_when_its_lease_has_ended() {
    let (mut tale, _) = taken();
    tale.take("other", 110..111, 1, 2);
    is_right(&tale, &DUPLICATES);
    let (mut tale, _) = taken();
    tale.take("other", 90..108, 1, 2);
    shows(&tale, &DUPLICATES, Kind::Duplicated);
}

#[test]
fn no_duplicate_is_what_another_group_has_and_what_was_replayed() {
    let (mut tale, tag) = taken();
    let fetch = FetchCall { group: Some(tale.word("group")), ..tale.fetch("tasks") };
    let delivery = tale.delivery(1, 1);
    tale.take_as("other", 20..21, fetch, &[delivery]);
    tale.settle("worker", 22..23, tag, SettleAs::Dead);
    tale.replay(24..25, 1);
    tale.take("worker", 30..31, 1, 1);
    is_right(&tale, &DUPLICATES);
}

#[test]
fn two_copies_are_no_duplicates_where_dedupe_does_not_forbid_them() {
    for (policy, missing, is_wrong) in [
        (policy(), vec![], true),
        (Policy { dedupe_ms: 5, ..policy() }, vec![], false),
        (policy(), vec![Capability::Dedupe], false),
    ] {
        for came in [Came::Ok, Came::Nothing] {
            let mut tale = Tale::without(&missing, policy.clone());
            let message = tale.message(1);
            tale.publish_as(1..2, message, came);
            tale.publish(20..21, 1);
            tale.take("worker", 30..31, 1, 1);
            tale.take("other", 32..33, 1, 1);
            if is_wrong { shows(&tale, &DUPLICATES, Kind::Duplicated) } else { is_right(&tale, &DUPLICATES) }
        }
    }
}

// TWO_HOLDERS.

#[test]
fn two_holders_of_one_message() {
    let (mut tale, _) = taken();
    tale.take("other", 20..21, 1, 1);
    shows(&tale, &TWO_HOLDERS, Kind::TwoHolders);
}

#[test]
fn no_two_holders_where_the_first_may_have_let_go() {
    let (mut tale, tag) = taken();
    tale.retry("worker", 20..25, tag);
    tale.take("other", 21..22, 1, 2);
    is_right(&tale, &TWO_HOLDERS);
    let (mut tale, _) = taken();
    tale.take("other", 105..112, 1, 2);
    is_right(&tale, &TWO_HOLDERS);
}

// EARLY.

#[test]
fn early_is_what_comes_before_its_delay_or_its_rest_is_over() {
    let mut tale = Tale::of(policy());
    let message = tale.message(1).on(Terms { delay_ms: Some(50), ..Terms::default() });
    tale.publish_as(1..2, message, Came::Ok);
    tale.take("worker", 40..45, 1, 1);
    shows(&tale, &EARLY, Kind::Early);
    for (policy, delay) in [(policy(), Some(50)), (Policy { backoff_ms: vec![50], ..policy() }, None)] {
        let mut tale = Tale::of(policy);
        tale.publish(1..2, 1);
        let tag = tale.take("worker", 3..4, 1, 1);
        tale.settle("worker", 5..6, tag, SettleAs::Retry(delay));
        tale.take("worker", 40..45, 1, 2);
        shows(&tale, &EARLY, Kind::Early);
        is_right(&tale, &DUPLICATES);
    }
}

#[test]
fn not_early_is_what_was_asked_for_before_and_answered_after() {
    let mut tale = Tale::of(policy());
    let message = tale.message(1).on(Terms { delay_ms: Some(50), ..Terms::default() });
    tale.publish_as(1..2, message, Came::Ok);
    let tag = tale.take("worker", 40..51, 1, 1);
    tale.settle("worker", 52..53, tag, SettleAs::Retry(Some(20)));
    tale.take("worker", 60..73, 1, 2);
    is_right(&tale, &EARLY);
}

// EXPIRED.

#[test]
fn expired_is_what_was_asked_for_after_its_time() {
    let mut tale = Tale::of(policy());
    let message = tale.message(1).on(Terms { ttl_ms: Some(50), ..Terms::default() });
    tale.publish_as(1..2, message, Came::Ok);
    tale.take("worker", 60..61, 1, 1);
    shows(&tale, &EXPIRED, Kind::Expired);
}

#[test]
fn not_expired_is_what_was_asked_for_in_time_or_replayed() {
    let mut tale = Tale::of(policy());
    let message = tale.message(1).on(Terms { ttl_ms: Some(50), ..Terms::default() });
    tale.publish_as(1..2, message, Came::Ok);
    let tag = tale.take("worker", 50..90, 1, 1);
    tale.settle("worker", 91..92, tag, SettleAs::Dead);
    tale.replay(100..101, 1);
    tale.take("worker", 149..152, 1, 1);
    is_right(&tale, &EXPIRED);
}

// PRIORITY and ORDER.

#[test]
fn a_less_urgent_one_before_a_more_urgent_one() {
    let tale = turns(&[(1, 1), (2, 5)], &[("worker", 20..21, 1), ("worker", 30..31, 2)]);
    shows(&tale, &PRIORITY, Kind::PriorityInversion);
    let tale = turns(&[(1, 1), (2, 5)], &[("worker", 20..21, 1), ("other", 30..31, 2)]);
    shows(&tale, &PRIORITY, Kind::PriorityInversion);
}

#[test]
fn no_inversion_where_the_urgent_one_may_have_come_later_or_was_taken_meanwhile() {
    // Asked for before the urgent one was published, which was not yet sure.
    let mut tale = Tale::of(policy());
    tale.urgent(1..2, 1, 1);
    tale.urgent(10..20, 2, 5);
    for (message, priority, span) in [(1, 1, 15..16), (2, 5, 30..31)] {
        let (fetch, delivery) = (tale.fetch("tasks"), of_priority(&mut tale, message, priority));
        tale.take_as("worker", span, fetch, &[delivery]);
    }
    is_right(&tale, &PRIORITY);
    let tale = turns(&[(1, 1), (2, 5)], &[("worker", 20..25, 1), ("other", 22..31, 2)]);
    is_right(&tale, &PRIORITY);
}

#[test]
fn an_inversion_within_one_answer() {
    for (first, second, is_wrong) in [(1, 2, true), (2, 1, false)] {
        let mut tale = turns(&[(1, 1), (2, 5)], &[]);
        let priority = |message| if message == 1 { 1 } else { 5 };
        let all = [first, second].map(|message| of_priority(&mut tale, message, priority(message)));
        let fetch = tale.fetch("tasks");
        tale.take_as("worker", 20..21, fetch, &all);
        if is_wrong { shows(&tale, &PRIORITY, Kind::PriorityInversion) } else { is_right(&tale, &PRIORITY) }
    }
}

#[test]
fn a_later_one_before_an_earlier_one() {
    let tale = turns(&[(1, 3), (2, 3)], &[("worker", 20..21, 2), ("worker", 30..31, 1)]);
    shows(&tale, &ORDER, Kind::OrderInversion);
    is_right(&tale, &PRIORITY);
    let mut tale = turns(&[(1, 3), (2, 3)], &[]);
    let (fetch, all) = (tale.fetch("tasks"), [tale.delivery(2, 1), tale.delivery(1, 1)]);
    tale.take_as("worker", 20..21, fetch, &all);
    shows(&tale, &ORDER, Kind::OrderInversion);
}

#[test]
fn no_order_among_what_was_published_at_once_or_has_other_priorities_or_several_consumers() {
    let mut tale = Tale::of(policy());
    tale.publish(1..5, 1);
    tale.publish(4..6, 2);
    tale.take("worker", 20..21, 2, 1);
    tale.take("worker", 30..31, 1, 1);
    is_right(&tale, &ORDER);
    let tale = turns(&[(1, 1), (2, 5)], &[("worker", 20..21, 2), ("worker", 30..31, 1)]);
    is_right(&tale, &ORDER);
    let tale = turns(&[(1, 3), (2, 3), (3, 3)], &[("worker", 20..21, 3), ("other", 25..26, 2), ("worker", 30..31, 1)]);
    is_right(&tale, &ORDER);
}

#[test]
fn a_consumer_that_follows_another_takes_in_order_too() {
    let tale = turns(&[(1, 3), (2, 3), (3, 3)], &[("one", 20..21, 1), ("two", 25..26, 3), ("two", 30..31, 2)]);
    shows(&tale, &ORDER, Kind::OrderInversion);
}

// ATTEMPTS.

#[test]
fn an_attempt_that_is_not_counted() {
    let (mut tale, tag) = taken();
    tale.retry("worker", 12..13, tag);
    tale.take("worker", 20..21, 1, 1);
    shows(&tale, &ATTEMPTS, Kind::AttemptWrong);
}

#[test]
fn attempts_of_retries_leases_and_closes() {
    let (mut tale, tag) = taken();
    tale.retry("worker", 12..13, tag);
    tale.take("worker", 20..21, 1, 2);
    tale.take("other", 130..131, 1, 3);
    is_right(&tale, &ATTEMPTS);
    for (mode, attempt, is_wrong) in [
        (CloseMode::Abort, 2, false),
        (CloseMode::Abort, 1, true),
        (CloseMode::Graceful, 1, false),
        (CloseMode::Graceful, 2, true),
    ] {
        let (mut tale, _) = taken();
        tale.close("worker", 12..13, mode);
        tale.take("other", 20..21, 1, attempt);
        if is_wrong { shows(&tale, &ATTEMPTS, Kind::AttemptWrong) } else { is_right(&tale, &ATTEMPTS) }
    }
}

#[test]
fn an_attempt_that_nobody_saw_may_count() {
    for attempt in [2, 3] {
        let (mut tale, tag) = taken();
        tale.retry("worker", 12..13, tag);
        tale.unanswered("other", 14..15);
        tale.take("worker", 200..201, 1, attempt);
        is_right(&tale, &ATTEMPTS);
    }
}

#[test]
fn a_replay_may_have_been_of_another_groups_letter() {
    let (mut tale, tag) = taken();
    tale.retry("worker", 12..13, tag);
    let fetch = FetchCall { group: Some(tale.word("group")), ..tale.fetch("tasks") };
    let delivery = tale.delivery(1, 1);
    let other = tale.take_as("other", 14..15, fetch, &[delivery]);
    tale.settle("other", 16..17, other, SettleAs::Dead);
    tale.replay(18..19, 1);
    tale.take("worker", 20..21, 1, 2);
    is_right(&tale, &ATTEMPTS);
}

#[test]
fn a_letter_has_the_number_of_the_last_delivery() {
    for (attempts, is_wrong) in [(1, false), (2, true)] {
        let (mut tale, tag) = taken();
        tale.settle("worker", 12..13, tag, SettleAs::Dead);
        tale.letters(20..21, &[(1, attempts)]);
        if is_wrong { shows(&tale, &ATTEMPTS, Kind::AttemptWrong) } else { is_right(&tale, &ATTEMPTS) }
    }
}

// DEAD_LETTERS.

#[test]
fn dead_too_early() {
    let mut tale = retried(1, 2);
    tale.letters(50..51, &[(1, 1)]);
    shows(&tale, &DEAD_LETTERS, Kind::DeadEarly);
    let mut tale = retried(2, 2);
    tale.letters(50..51, &[(1, 2)]);
    is_right(&tale, &DEAD_LETTERS);
    let mut tale = retried(1, 2);
    tale.unanswered("other", 40..41);
    tale.letters(200..201, &[(1, 2)]);
    is_right(&tale, &DEAD_LETTERS);
}

#[test]
fn dead_too_late() {
    let mut tale = retried(2, 2);
    tale.take("worker", 50..51, 1, 3);
    shows(&tale, &DEAD_LETTERS, Kind::DeadLate);
    let mut tale = retried(2, 3);
    tale.take("worker", 50..51, 1, 3);
    is_right(&tale, &DEAD_LETTERS);
    let mut tale = retried(2, 2);
    tale.replay(40..41, 1);
    tale.take("worker", 50..51, 1, 1);
    is_right(&tale, &DEAD_LETTERS);
}

#[test]
fn dead_twice() {
    let mut tale = retried(2, 2);
    tale.letters(50..51, &[(1, 2), (1, 2)]);
    shows(&tale, &DEAD_LETTERS, Kind::DeadTwice);
    let mut tale = retried(2, 2);
    tale.letters(50..51, &[(1, 2)]);
    tale.letters(52..53, &[(1, 2)]);
    is_right(&tale, &DEAD_LETTERS);
}

#[test]
fn dead_and_no_letter() {
    let mut tale = retried(2, 2);
    tale.letters(2_000..2_001, &[]);
    shows(&tale, &DEAD_LETTERS, Kind::DeadNever);
    // It may take a moment.
    let mut tale = retried(2, 2);
    tale.letters(50..51, &[]);
    is_right(&tale, &DEAD_LETTERS);
    let mut tale = retried(1, 2);
    tale.letters(2_000..2_001, &[]);
    is_right(&tale, &DEAD_LETTERS);
}

#[test]
fn a_letter_that_vanishes() {
    let mut tale = retried(2, 2);
    tale.letters(50..51, &[(1, 2)]);
    tale.letters(52..53, &[]);
    shows(&tale, &DEAD_LETTERS, Kind::DeadNever);
    let mut tale = retried(2, 2);
    tale.letters(50..51, &[(1, 2)]);
    tale.replay(51..55, 1);
    tale.letters(52..53, &[]);
    is_right(&tale, &DEAD_LETTERS);
}

// PURGED.

#[test]
fn purged_and_delivered_all_the_same() {
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    tale.purge(5..6, 1);
    tale.take("worker", 10..11, 1, 1);
    shows(&tale, &PURGED, Kind::Purged);
}

#[test]
fn not_purged_is_what_was_held_or_came_meanwhile() {
    let (mut tale, tag) = taken();
    tale.purge(12..13, 0);
    tale.retry("worker", 14..15, tag);
    tale.take("worker", 20..21, 1, 2);
    is_right(&tale, &PURGED);
    let mut tale = Tale::of(policy());
    tale.publish(1..6, 1);
    tale.purge(5..7, 0);
    tale.take("worker", 10..11, 1, 1);
    is_right(&tale, &PURGED);
}

// DEPTH.

#[test]
fn counts_that_do_not_add_up() {
    let (mut tale, _) = taken();
    tale.publish(12..13, 2);
    tale.depth(20..21, [1, 0, 0, 0]);
    shows(&tale, &DEPTH, Kind::Depth);
}

#[test]
fn counts_that_add_up() {
    let (mut tale, tag) = taken();
    tale.publish(12..13, 2);
    tale.depth(20..21, [1, 1, 0, 0]);
    tale.settle("worker", 22..23, tag, SettleAs::Retry(Some(1_000)));
    tale.depth(24..25, [1, 0, 1, 0]);
    let tag = tale.take("worker", 26..27, 2, 1);
    tale.settle("worker", 28..29, tag, SettleAs::Dead);
    tale.depth(30..31, [0, 0, 1, 1]);
    is_right(&tale, &DEPTH);
    assert_eq!(tale.look(&DEPTH).looked_at, 3);
}

#[test]
fn counts_at_points_that_are_not_quiet_are_not_judged() {
    // A publish meanwhile, a publish without an answer, a lease that may have ended.
    let mut tale = Tale::of(policy());
    tale.depth(5..9, [7, 7, 7, 7]);
    tale.publish(8..12, 1);
    assert_eq!(tale.look(&DEPTH).looked_at, 0);
    let mut tale = Tale::of(policy());
    let message = tale.message(1);
    tale.publish_as(1..2, message, Came::Nothing);
    tale.depth(5..9, [7, 7, 7, 7]);
    assert_eq!(tale.look(&DEPTH).looked_at, 0);
    let (mut tale, _) = taken();
    tale.depth(110..120, [7, 7, 7, 7]);
    assert_eq!(tale.look(&DEPTH).looked_at, 0);
}

#[test]
fn counts_are_not_judged_where_a_fetch_began_before_the_rest_of_what_it_took() {
    let mut tale = Tale::of(policy());
    let (fetch, delivery) = (tale.fetch("tasks"), tale.delivery(1, 1));
    let tag = tale.take_as("worker", 1..15, fetch, &[delivery]);
    let message = tale.message(1).on(Terms { delay_ms: Some(10), ..Terms::default() });
    tale.publish_as(2..3, message, Came::Ok);
    tale.settle("worker", 16..17, tag, SettleAs::Retry(Some(50)));
    tale.depth(20..21, [0, 0, 1, 0]);
    is_right(&tale, &DEPTH);
}
