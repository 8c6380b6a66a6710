//! A process that works on a store is killed with SIGKILL at random moments, and whoever opens the
//! store next finds what was acknowledged, and nothing twice.
//!
//! A sample of six kills is part of every run. `WORKWIRE_KILLS=200` is the long proof, whose last line
//! is kept in `conformance/proof/kills.txt`. `WORKWIRE_SEED=N` repeats the choices of a run; where the
//! processes are by then is their own matter.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/crash.rs"]
mod support;

#[path = "support/listening.rs"]
mod listening;

mod killed {
    pub(crate) mod kills;
    pub(crate) mod tampered;
}

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use support::{again, worker};

fn main() -> ExitCode {
    if again::role().is_some() {
        worker::work(&again::told());
        return ExitCode::SUCCESS;
    }
    let kills = std::env::var("WORKWIRE_KILLS").map_or(6, |kills| kills.parse().expect("a number of kills"));
    let trials = vec![
        Trial::test("what_was_acknowledged_survives_every_kill", move || {
            killed::kills::many(kills);
            Ok(())
        }),
        Trial::test("a_kill_while_the_file_is_made_leaves_a_file_that_opens", || {
            killed::kills::while_the_file_is_made(8);
            Ok(())
        }),
        Trial::test("what_is_changed_behind_its_back_is_noticed", || {
            killed::tampered::each_change_is_noticed();
            Ok(())
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
