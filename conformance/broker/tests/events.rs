//! Events of tenants, on each broker: published, handled by groups, retried, given up, replayed.

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

mod events {
    pub(crate) mod streams;

    mod dead_letters;
    mod documents;
    mod groups;
    mod handling;
    mod retries;
    mod stopping;
}
