//! The broker in a file, as a file: what can be opened, what people read in it, what is kept.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod store {
    pub(crate) mod folder;

    mod kept;
    mod opening;
    mod shared;
    mod together;
    mod views;
}
