//! Saboteurs: the memory broker with exactly one defect each. A case that no saboteur fails proves
//! nothing, so each saboteur says beforehand which clauses it breaks.

mod ack;
mod adr;
mod brw;
mod grp;
mod layer;
mod lim;
mod obs;
mod prs;
mod ten;

use std::sync::Arc;

use workwire_broker::{Broker, MemoryBroker};

pub use layer::{Defect, Inner, Layered};

use crate::subject::Subject;

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
        let broker = move || Arc::new(Layered::new(Arc::new(MemoryBroker::default()), make())) as Arc<dyn Broker>;
        Subject::on_paused_time(format!("saboteur:{}", self.name), broker)
    }
}

/// Every saboteur, by the area of the clause that it breaks.
#[must_use]
pub fn all() -> Vec<&'static Saboteur> {
    [
        ack::SABOTEURS,
        grp::SABOTEURS,
        adr::SABOTEURS,
        brw::SABOTEURS,
        prs::SABOTEURS,
        lim::SABOTEURS,
        lim::values::SABOTEURS,
        ten::SABOTEURS,
        obs::SABOTEURS,
    ]
    .into_iter()
    .flatten()
    .collect()
}
