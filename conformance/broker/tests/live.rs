//! The scenarios of the channels, the events and the work bus on private instances of each engine that claims what they
//! ask for. Those that move a clock by minutes are left to brokers whose clock can be moved.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]
#![allow(dead_code, unused_imports, reason = "what moves a clock is not played here")]

#[path = "support/brokers.rs"]
mod brokers;
#[path = "support/flaky.rs"]
mod flaky;
#[path = "support/live.rs"]
mod live;
#[path = "support/poison.rs"]
mod poison;
#[path = "support/engines.rs"]
mod subjects;

mod channels {
    pub(crate) mod agents;

    mod answers;
    mod artifacts;
    mod life;
    mod load;
    mod presence;
    mod subscribed;
}

mod events {
    pub(crate) mod streams;

    mod dead_letters;
    mod documents;
    mod groups;
    mod handling;
    mod retries;
    mod stopping;
}

mod work_bus {
    pub(crate) mod parties;

    mod broadcast;
    mod load;
    mod malformed;
    mod round_trip;
    mod settling;
}
