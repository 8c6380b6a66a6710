//! How the command ends. The codes are API: scripts rely on them.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use workwire_broker::OpenError;

use crate::output::quoted;

/// What every `--help` says of the codes.
pub(crate) const HELP: &str = "\
Exit codes:
  0  everything demanded holds
  1  something does not: a message is refused, a generated file is not current
  2  wrong use: unknown arguments, an unknown id, a file that cannot be read or written
  3  the target could not be set up";

/// How a command that could do its work ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything demanded holds.
    Holds,
    /// Something does not.
    Fails,
    /// Wrong use.
    WrongUse,
    /// The target could not be set up.
    NotSetUp,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Holds => 0,
            Exit::Fails => 1,
            Exit::WrongUse => 2,
            Exit::NotSetUp => 3,
        })
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure(Exit, String);

impl Failure {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Failure(Exit::WrongUse, reason.into())
    }

    /// Of something done to a file.
    pub(crate) fn file(verb: &str, path: &Path, reason: impl Display) -> Self {
        Failure(Exit::WrongUse, format!("cannot {verb} {}: {reason}", quoted(path)))
    }

    /// Tells the user.
    pub(crate) fn report(self) -> Exit {
        // Where nobody listens, the exit code is all that is left.
        let _ = writeln!(io::stderr(), "error: {}", self.1);
        self.0
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure(Exit::WrongUse, format!("cannot write the output: {error}"))
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Failure(if error.is_wrong_use() { Exit::WrongUse } else { Exit::NotSetUp }, error.to_string())
    }
}
