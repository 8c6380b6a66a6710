//! `workwire adapter`, talked to over its pipes, and the schemas of what is said there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod adapter {
    mod agreement;
    mod exchanges;
    mod pipes;
    mod schemas;
}
