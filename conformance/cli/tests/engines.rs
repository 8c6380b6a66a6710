//! Private instances of each engine, judged by the command as a stranger's broker is: what is claimed holds, nothing is
//! left behind, and the table of who claims what is the one of this run.
//!
//! All of them run once, side by side, for all of these tests. An engine of which there is no program here is named and
//! left out; with `CI` set that is an error. `WORKWIRE_TEST_AMQP_URL`, `…_REDIS_URL`, `…_NATS_URL` and
//! `…_POSTGRES_URL` name servers that are judged instead.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test")]

mod engines {
    mod broken_off;
    mod held;
    mod matrix;
    mod restarted;
    pub(crate) mod runs;
}
