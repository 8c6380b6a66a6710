//! Every case, by area: an explicit list. A new case is a function in its area's file, and a line in
//! that file's list.

mod ack;
mod adr;
mod brw;
mod con;
mod del;
mod dlq;
mod dly;
mod dup;
mod dur;
mod exp;
mod grp;
mod host;
mod lim;
mod lse;
mod obs;
mod ord;
mod pri;
mod prs;
mod rpc;
mod rpl;
mod ten;

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
        lse::CASES,
        lse::extending::CASES,
        ord::CASES,
        pri::CASES,
        dlq::CASES,
        rpl::CASES,
        exp::CASES,
        dly::CASES,
        dup::CASES,
        grp::CASES,
        adr::CASES,
        brw::CASES,
        prs::CASES,
        dur::CASES,
        con::CASES,
        host::CASES,
        lim::CASES,
        lim::NAMES,
        ten::CASES,
        obs::CASES,
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
