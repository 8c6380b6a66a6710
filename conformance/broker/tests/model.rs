//! Random histories of several clients, against a broker and against an oracle that answers each
//! question in the most obvious way: every answer must be the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/subjects.rs"]
mod subjects;

mod model {
    pub(crate) mod answers;
    pub(crate) mod oracle;
    pub(crate) mod session;
    pub(crate) mod steps;

    mod histories;
    mod schedule;
}
