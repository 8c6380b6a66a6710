//! What keeps an agent from asking too much of a broker, or anything of a broker that does not answer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[allow(dead_code, reason = "each test uses what it needs of it")]
#[path = "support/brokers.rs"]
mod brokers;
#[allow(dead_code, reason = "each test uses what it needs of it")]
#[path = "support/flaky.rs"]
mod flaky;
#[path = "support/subjects.rs"]
mod subjects;

mod safety_parts {
    mod circuit_breaker;
    mod guarded;
    mod rate_limited;
    mod token_bucket;
}
