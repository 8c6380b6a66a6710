//! The broker over Redis Streams, on servers of its own: what it refuses, what others read and write beside
//! it, how it outlives the server, and what it leaves behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/live.rs"]
mod live;

mod redis {
    pub(crate) mod server;

    mod left;
    mod lives;
    mod memory;
    mod others;
    mod refused;
    mod tls;
    mod together;
}
