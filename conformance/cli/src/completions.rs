//! `workwire completions`: what a shell completes.

use clap::CommandFactory;

use crate::arguments::{Arguments, Completions};
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(crate) fn run(arguments: &Completions, out: &mut Output) -> Result<Exit, Failure> {
    clap_complete::generate(arguments.shell, &mut <Arguments as CommandFactory>::command(), "workwire", out);
    Ok(Exit::Holds)
}
