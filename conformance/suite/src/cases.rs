//! Every case, by area: an explicit list. A new case is a function in its area's file, and a line in
//! that file's list.

mod ack;
mod dlq;
mod dly;
mod dup;
mod exp;
mod rpl;

use crate::case::Case;

/// Every case, in the order of the specification.
#[must_use]
pub fn all() -> Vec<&'static Case> {
    [ack::CASES, dlq::CASES, rpl::CASES, exp::CASES, dly::CASES, dup::CASES].into_iter().flatten().collect()
}

/// The case of an id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Case> {
    all().into_iter().find(|case| case.id == id)
}
