//! What every broker of this crate does, seen through the two traits alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/subjects.rs"]
mod subjects;

mod contract {
    pub(crate) mod desk;

    mod addressing;
    mod browse;
    mod clients;
    mod concurrency;
    mod dead_letters;
    mod dedupe;
    mod delay;
    mod deliveries;
    mod delivery;
    mod expiry;
    mod groups;
    mod leases;
    mod limits;
    mod names;
    mod observability;
    mod order;
    mod presence;
    mod priority;
    mod refused;
    mod replay;
    mod restarts;
    mod settling;
    mod tenancy;
    mod waiting;
}
