//! `workwire completions`: what a shell completes.

use std::io::Write;

use clap::CommandFactory;

use crate::arguments::{Arguments, Completions};
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(crate) fn run(arguments: &Completions, out: &mut Output) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut <Arguments as CommandFactory>::command(), "workwire", &mut text);
    out.write_all(&text)?;
    Ok(Exit::Holds)
}
