//! The broker in a PostgreSQL database, on a private server: what it refuses, what several processes do with it, what
//! becomes of it when the server is away, and publishing within a caller's own transaction.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/live.rs"]
mod live;

mod postgres {
    mod desk;
    mod opening;
    mod outbox;
    mod processes;
    mod refused;
    mod tls;
    mod together;
    mod vanished;
}
