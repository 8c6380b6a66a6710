//! The command, run as its users run it: what it prints, where, and how it exits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod command {
    mod adapters;
    mod broken_off;
    mod full;
    mod hindered;
    mod judged;
    mod mended;
    mod misbehaviour;
    mod read;
    mod reported;
    mod run;
    mod saboteur;
    mod schema;
    mod use_of_it;
    mod validate;
    mod vectors;
}
