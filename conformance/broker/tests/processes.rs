//! Several processes on one file: they lose nothing, do nothing twice, keep nobody out, and wake each
//! other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/again.rs"]
mod again;
#[path = "support/audit.rs"]
mod audit;
#[path = "support/folder.rs"]
mod folder;
#[path = "support/listening.rs"]
mod listening;

mod processes {
    pub(crate) mod crew;
    pub(crate) mod door;
    pub(crate) mod eight;
    pub(crate) mod member;
}

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use processes::{door, eight, member};

fn main() -> ExitCode {
    if let Some(role) = again::role() {
        member::run(&role);
        return ExitCode::SUCCESS;
    }
    let trials = vec![
        Trial::test("eight_processes_share_a_file", || {
            eight::share_a_file();
            Ok(())
        }),
        Trial::test("of_eight_processes_one_is_killed", || {
            eight::of_which_one_is_killed();
            Ok(())
        }),
        Trial::test("who_waits_in_one_process_wakes_when_another_publishes", || {
            eight::wake_each_other();
            Ok(())
        }),
        Trial::test("who_stands_at_the_door_and_does_not_move_keeps_nobody_out", || {
            door::keeps_nobody_out();
            Ok(())
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
