//! The broker over NATS, on servers of its own: what it refuses, how it outlives the server, how processes
//! share it, and what it leaves behind.

#![cfg(feature = "nats")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod nats {
    pub(crate) mod server;

    mod cluster;
    mod left;
    mod limits;
    mod lives;
    mod refused;
    mod shared;
    mod tls;
}
