//! Each engine is killed with `kill -9` under load, and comes back with what it confirmed and without what was settled.
//!
//! Two kills of each are part of every run; `WORKWIRE_ENGINE_KILLS=20` is the long proof, whose last lines are kept in
//! `conformance/proof/engine_kills.txt`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test")]

#[path = "support/live.rs"]
mod live;

mod engine_kills {
    mod account;
    pub(crate) mod load;
}

use std::time::Duration;

use engine_kills::load::{gone, killed};

fn kills() -> u32 {
    std::env::var("WORKWIRE_ENGINE_KILLS").map_or(2, |kills| kills.parse().expect("a number of kills"))
}

/// Nothing that was confirmed is lost, and nothing that was settled comes back.
async fn keeps_its_word(target: &str) {
    let Some(account) = killed(target, kills()).await else { return };
    println!("{target}: {account}");
    assert!(account.is_clean(), "{target}: {account}");
}

/// What is seen of what is not claimed, or of a setting that gives safety up: told, and not demanded.
async fn may_lose(target: &str) {
    let Some(account) = killed(target, kills()).await else { return };
    println!("{target}, which does not claim durable: {account}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rabbitmq_keeps_its_word() {
    keeps_its_word("managed:rabbitmq").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rabbitmq_with_quorum_queues_may_lose() {
    may_lose("managed:rabbitmq?queue=quorum").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_keeps_its_word() {
    keeps_its_word("managed:redis").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_keeps_its_word() {
    keeps_its_word("managed:nats").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_keeps_its_word() {
    keeps_its_word("managed:postgres").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_writes_each_second_may_lose() {
    may_lose("managed:redis?appendfsync=everysec").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_that_writes_each_two_minutes_may_lose() {
    may_lose("managed:nats?sync_interval=2m").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_that_does_not_wait_for_the_disk_may_lose() {
    may_lose("managed:postgres?synchronous_commit=off").await;
}

/// A server that vanishes for ten seconds is waited for, or said to be unavailable; nothing is lost by that either.
async fn outlives_ten_seconds_without(engine: &str) {
    let Some(account) = gone(engine, Duration::from_secs(10)).await else { return };
    println!("{engine}, gone for ten seconds twice: {account}");
    assert!(account.is_clean(), "{engine}: {account}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rabbitmq_may_vanish_for_ten_seconds() {
    outlives_ten_seconds_without("rabbitmq").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_may_vanish_for_ten_seconds() {
    outlives_ten_seconds_without("redis").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_may_vanish_for_ten_seconds() {
    outlives_ten_seconds_without("nats").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_may_vanish_for_ten_seconds() {
    outlives_ten_seconds_without("postgres").await;
}
