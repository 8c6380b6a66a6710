//! Work between an orchestrator and its agents, on each broker: sent, taken, answered, cancelled, and
//! put aside where it is none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[allow(dead_code, reason = "each test uses what it needs of it")]
#[path = "support/brokers.rs"]
mod brokers;
#[allow(dead_code, reason = "each test uses what it needs of it")]
#[path = "support/flaky.rs"]
mod flaky;
#[path = "support/poison.rs"]
mod poison;
#[path = "support/subjects.rs"]
mod subjects;

mod work_bus {
    pub(crate) mod parties;

    mod broadcast;
    mod load;
    mod malformed;
    mod round_trip;
    mod settling;
}
