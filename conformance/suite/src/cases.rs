//! Every case, by area: an explicit list. A new case is a function in its area's file, and a line in
//! that file's list.

mod ack;
mod adr;
mod brw;
mod del;
mod dlq;
mod grp;
mod prs;
mod rpc;

use crate::case::Case;

/// Every case, in the order of the specification.
#[must_use]
pub fn all() -> Vec<&'static Case> {
    [
        del::CASES,
        del::waiting::CASES,
        del::queues::CASES,
        del::batches::CASES,
        ack::CASES,
        ack::attempts::CASES,
        ack::rests::CASES,
        dlq::CASES,
        grp::CASES,
        adr::CASES,
        brw::CASES,
        prs::CASES,
    ]
    .into_iter()
    .flatten()
    .chain(rpc::all())
    .collect()
}

/// The case of an id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Case> {
    all().into_iter().find(|case| case.id == id)
}
