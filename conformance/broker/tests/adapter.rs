//! The adapter protocol from both ends: what is served, what is understood, and what becomes of an
//! adapter that misbehaves.

#![cfg(feature = "adapter")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod adapter {
    mod bodies;
    mod connections;
    mod document;
    mod garbage;
    mod gate;
    mod many;
    mod misbehaviour;
    mod peer;
    mod processes;
    mod serving;
    mod shapes;
    mod soon;
    mod transcript;
    mod transparency;
    mod values;
}
