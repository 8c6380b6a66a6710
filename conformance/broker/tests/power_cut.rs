//! The power is cut while a process works on a store: of what the process wrote, only what it had
//! synced is sure to be on the disk. What it had acknowledged has to be there all the same.
//!
//! A process works under `strace`, which records each write and sync to the store's files and each
//! line that the process says, in their order. At random points of this record the files are made
//! anew: all that was synced by then, and of what was written since, each write or not, the last one
//! perhaps torn; the same for a file's being there at all. The broker opens these files, and what was
//! acknowledged before that point must be in them.
//!
//! `strace` comes from the system's packages (`apt-get install strace`); `./check` installs it where it
//! can. A sample of forty cuts is part of every run. `WORKWIRE_CUTS=2000` is the long proof, whose
//! last lines are kept in `conformance/proof/power_cuts.txt`. `WORKWIRE_SEED=N` repeats the choices.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/crash.rs"]
mod support;

mod power_cut {
    pub(crate) mod cuts;
    pub(crate) mod disk;
    pub(crate) mod recording;
    pub(crate) mod strace;
}

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use support::{again, worker};

fn main() -> ExitCode {
    if again::role().is_some() {
        worker::work(&again::told());
        return ExitCode::SUCCESS;
    }
    let cuts = std::env::var("WORKWIRE_CUTS").map_or(40, |cuts| cuts.parse().expect("a number of cuts"));
    let trials = vec![
        Trial::test("what_was_acknowledged_survives_a_power_cut", move || {
            power_cut::cuts::lose_nothing(cuts);
            Ok(())
        }),
        Trial::test("what_was_not_synced_is_missed", move || {
            power_cut::cuts::are_noticed_where_nothing_is_synced(cuts / 4);
            Ok(())
        }),
        Trial::test("what_a_disk_has_not_synced_that_said_so_is_missed", || {
            power_cut::cuts::are_noticed_where_the_disk_lies();
            Ok(())
        }),
    ];
    // Other systems have no `strace`.
    let trials = trials.into_iter().map(|trial| trial.with_ignored_flag(!cfg!(target_os = "linux"))).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
