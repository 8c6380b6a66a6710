//! Messages between agents on channels, on each broker: what one sends and another finds, claims,
//! completes, fails at and answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[allow(dead_code, reason = "each test uses what it needs of it")]
#[path = "support/brokers.rs"]
mod brokers;
#[path = "support/poison.rs"]
mod poison;
#[path = "support/subjects.rs"]
mod subjects;

mod channels {
    pub(crate) mod agents;

    mod answers;
    mod artifacts;
    mod lacking;
    mod life;
    mod load;
    mod presence;
    mod subscribed;
}
