//! Every case, by area: an explicit list. A new case is a function in its area's file, and a line in
//! that file's list.

mod ack;
mod adr;
mod brw;
mod grp;
mod lim;
mod obs;
mod prs;
mod ten;

use crate::case::Case;

/// Every case, in the order of the specification.
#[must_use]
pub fn all() -> Vec<&'static Case> {
    [ack::CASES, grp::CASES, adr::CASES, brw::CASES, prs::CASES, lim::CASES, lim::NAMES, ten::CASES, obs::CASES]
        .into_iter()
        .flatten()
        .collect()
}

/// The case of an id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Case> {
    all().into_iter().find(|case| case.id == id)
}
