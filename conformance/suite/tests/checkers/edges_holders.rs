//! From when to when a delivery surely is held.

use workwire_conformance::anomaly::Kind;
use workwire_conformance::checkers::TWO_HOLDERS;

use crate::tale::{Came, Span, Tale, policy, says};

/// A worker that takes the message and holds it for a second more, and another that takes it too.
fn held(first: Span, extended: u64, second: Span) -> Tale {
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    let tag = tale.take("worker", first, 1, 1);
    let extends = |tale: &mut Tale| tale.extend("worker", extended..extended + 1, tag, 1_000, Came::Ok);
    if extended < second.start {
        extends(&mut tale);
        tale.take("other", second, 1, 1);
    } else {
        tale.take("other", second, 1, 1);
        extends(&mut tale);
    }
    tale
}

#[test]
fn whose_lease_may_be_over_before_its_answer_held_the_message_all_the_same() {
    let tale = held(10..11, 50, 150..300);
    says(&tale, &TWO_HOLDERS, Some(Kind::TwoHolders));
}

#[test]
fn who_is_answered_when_another_asks_may_have_taken_the_message_after_it() {
    for (began, is_wrong) in [(150, false), (151, true)] {
        let tale = held(140..150, 160, began..300);
        says(&tale, &TWO_HOLDERS, is_wrong.then_some(Kind::TwoHolders));
    }
}

#[test]
fn two_that_ask_at_once_both_hold_it_where_both_leases_last_longer_than_the_answers() {
    // The lease of the other lasts until 111 at least, counted in whole milliseconds.
    for (ended, is_wrong) in [(16, true), (110, true), (111, false)] {
        let tale = held(10..15, 20, 12..ended);
        says(&tale, &TWO_HOLDERS, is_wrong.then_some(Kind::TwoHolders));
    }
}
