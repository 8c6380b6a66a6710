//! A disk that is full: publishes are refused and say why, nothing that is stored is lost, and with
//! some room it goes on, without being opened anew.
//!
//! The disk is a small one in memory, mounted where this process alone sees it (`unshare`, as root or
//! where users may have namespaces; elsewhere that test is not run, and says so). Beside it a file that
//! may not grow (`ulimit`, everywhere), which fails in another way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/again.rs"]
mod again;
#[path = "support/audit.rs"]
mod audit;
#[path = "support/folder.rs"]
mod folder;

mod full_disk {
    pub(crate) mod machine;
    pub(crate) mod scenario;
}

use std::process::ExitCode;

use full_disk::{machine, scenario};
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    if let Some(role) = again::role() {
        scenario::run(&role);
        return ExitCode::SUCCESS;
    }
    let small = machine::may_mount();
    let trials = vec![
        Trial::test("a_full_disk_refuses_and_loses_nothing", || {
            machine::on_a_disk_of("16m", scenario::FULL);
            Ok(())
        })
        .with_ignored_flag(!small),
        Trial::test("the_log_does_not_take_the_room_that_the_file_needs", || {
            machine::on_a_disk_of("4m", scenario::FULL_AND_SMALL);
            Ok(())
        })
        .with_ignored_flag(!small),
        Trial::test("on_a_disk_full_of_other_things_it_goes_on_in_the_room_that_it_has", || {
            machine::on_a_disk_of("16m", scenario::FULL_OF_OTHERS);
            Ok(())
        })
        .with_ignored_flag(!small),
        Trial::test("a_store_on_a_full_disk_is_not_opened_and_says_so", || {
            machine::on_a_disk_of("16m", scenario::FULL_FROM_THE_START);
            Ok(())
        })
        .with_ignored_flag(!small),
        Trial::test("a_file_that_may_not_grow_loses_nothing", || {
            machine::where_files_may_not_grow(scenario::MAY_NOT_GROW);
            Ok(())
        })
        .with_ignored_flag(!cfg!(target_os = "linux")),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
