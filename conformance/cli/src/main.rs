//! The command `workwire`.

mod adapter;
mod arguments;
mod exit;
mod explain;
mod list;
mod output;
mod schema;
mod validate;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use exit::{Exit, Failure};
use output::Output;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run(&arguments.command, &mut Output::stdout()).unwrap_or_else(Failure::report).into()
}

fn run(command: &Command, out: &mut Output) -> Result<Exit, Failure> {
    let exit = match command {
        Command::Validate(arguments) => validate::run(arguments, out),
        Command::Explain(arguments) => explain::run(arguments, out),
        Command::List(arguments) => list::run(*arguments, out),
        Command::Schema(arguments) => schema::run(arguments, out),
        Command::Adapter(arguments) => adapter::run(arguments),
    }?;
    out.finish()?;
    Ok(exit)
}
