//! Saboteurs: the memory broker with exactly one defect each. A case that no saboteur fails proves
//! nothing, so each saboteur says beforehand which clauses it breaks.

mod ack;
mod adr;
mod brw;
mod changed;
mod chooses;
mod con;
mod del;
mod dlq;
mod dly;
mod dup;
mod dur;
mod exp;
mod grp;
mod layer;
mod lim;
mod lse;
mod machine;
mod obs;
mod ord;
mod pri;
mod prs;
mod rpc;
mod rpl;
mod stash;
mod ten;

use std::sync::Arc;

use workwire_broker::MemoryBroker;

pub(crate) use layer::LayeredClient;
pub use layer::{Defect, Inner, Layered};
pub use machine::{Habit, MemoryHost};

use crate::subject::{Reached, Subject};

/// A broker with one defect.
#[derive(Debug, Clone, Copy)]
pub struct Saboteur {
    /// Its name.
    pub name: &'static str,
    /// The clauses that it breaks: each of its cases that looks closely fails under one of these.
    pub breaks: &'static [&'static str],
    /// What it does wrong, in one sentence.
    pub about: &'static str,
    /// Makes its defect anew.
    pub make: fn() -> Arc<dyn Defect>,
}

impl Saboteur {
    /// The broker with the defect, anew for each case.
    #[must_use]
    pub fn subject(&self) -> Subject {
        let make = self.make;
        let host = MemoryHost::new(make().habit());
        Subject::reached_on_paused_time(format!("saboteur:{}", self.name), move || {
            let defect = make();
            defect.reach().unwrap_or_else(|| {
                let broker = Layered::new(Arc::new(MemoryBroker::default()), defect);
                Box::pin(std::future::ready(Ok(Reached::bare(Arc::new(broker)))))
            })
        })
        .on_host(Arc::new(host))
    }
}

/// Every saboteur, by the area of the clause that it breaks.
#[must_use]
pub fn all() -> Vec<&'static Saboteur> {
    [
        del::SABOTEURS,
        del::waiting::SABOTEURS,
        del::queues::SABOTEURS,
        ack::SABOTEURS,
        ack::attempts::SABOTEURS,
        ack::rests::SABOTEURS,
        lse::SABOTEURS,
        lse::extending::SABOTEURS,
        ord::SABOTEURS,
        pri::SABOTEURS,
        dlq::SABOTEURS,
        rpl::SABOTEURS,
        exp::SABOTEURS,
        dly::SABOTEURS,
        dup::SABOTEURS,
        grp::SABOTEURS,
        adr::SABOTEURS,
        brw::SABOTEURS,
        prs::SABOTEURS,
        prs::closer::SABOTEURS,
        dur::SABOTEURS,
        dur::late::SABOTEURS,
        con::SABOTEURS,
        lim::SABOTEURS,
        lim::values::SABOTEURS,
        ten::SABOTEURS,
        obs::SABOTEURS,
        obs::adding::SABOTEURS,
        machine::SABOTEURS,
        rpc::SABOTEURS,
    ]
    .into_iter()
    .flatten()
    .collect()
}
