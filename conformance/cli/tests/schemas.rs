//! The JSON Schemas say what the types do: of every vector, of the schemas themselves, and of many
//! thousand documents that nobody wrote.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod schemas {
    mod agreement;
    mod calendar;
    mod documents;
    mod files;
    mod form;
    mod generating;
    mod judges;
    mod mutation;
    mod near;
    mod numbers;
    mod places;
    mod right;
    mod vectors;
    mod verdicts;
}
