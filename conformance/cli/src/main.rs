//! The command `workwire`.

mod adapter;
mod arguments;
mod completions;
mod exit;
mod explain;
mod files;
mod input;
mod judge;
mod list;
mod matrix;
mod mend;
mod output;
mod reach;
mod run;
mod runtime;
mod schema;
mod selftest;
mod signals;
mod text;
mod validate;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use exit::{Exit, Failure};
use mend::{dead_letters, inspect, receive, replay, send};
use output::Output;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run(&arguments.command(), &mut Output::stdout()).unwrap_or_else(Failure::report).into()
}

fn run(command: &Command, out: &mut Output) -> Result<Exit, Failure> {
    let exit = match command {
        Command::Run(arguments) => run::run(arguments, out),
        Command::List(arguments) => list::run(arguments, out),
        Command::Explain(arguments) => explain::run(arguments, out),
        Command::Selftest(arguments) => selftest::run(arguments, out),
        Command::Judge(arguments) => judge::run(arguments, out),
        Command::Verify(arguments) => verify::run(arguments, out),
        Command::Matrix(arguments) => matrix::run(arguments, out),
        Command::Schema(arguments) => schema::run(arguments, out),
        Command::Validate(arguments) => validate::run(arguments, out),
        Command::Adapter(arguments) => adapter::run(arguments),
        Command::Send(arguments) => send::run(arguments, out),
        Command::Receive(arguments) => receive::run(arguments, out),
        Command::Inspect(arguments) => inspect::run(arguments, out),
        Command::DeadLetters(arguments) => dead_letters::run(arguments, out),
        Command::Replay(arguments) => replay::run(arguments, out),
        Command::Completions(arguments) => completions::run(arguments, out),
    }?;
    out.finish()?;
    Ok(exit)
}
