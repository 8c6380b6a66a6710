//! Private instances of engines: they start, die, come back with what they held, and leave nothing behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/live.rs"]
mod live;

mod managed {
    mod bytes;
    mod left;
    mod lives;
}
