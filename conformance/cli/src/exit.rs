//! How the command ends. The codes are API: scripts rely on them.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::output::quoted;

/// What every `--help` says of the codes.
pub(crate) const HELP: &str = "\
Exit codes:
  0  everything demanded holds
  1  something does not: a message is refused, a generated file is not current
  2  wrong use: unknown arguments, an unknown id, a file that cannot be read or written";

/// How a command that could do its work ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything demanded holds.
    Holds,
    /// Something does not.
    Fails,
    /// Wrong use.
    WrongUse,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Holds => 0,
            Exit::Fails => 1,
            Exit::WrongUse => 2,
        })
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Failure(reason.into())
    }

    /// Of something done to a file.
    pub(crate) fn file(verb: &str, path: &Path, reason: impl Display) -> Self {
        Failure(format!("cannot {verb} {}: {reason}", quoted(path)))
    }

    /// Tells the user.
    pub(crate) fn report(self) -> Exit {
        // Where nobody listens, the exit code is all that is left.
        let _ = writeln!(io::stderr(), "error: {}", self.0);
        Exit::WrongUse
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure(format!("cannot write the output: {error}"))
    }
}
