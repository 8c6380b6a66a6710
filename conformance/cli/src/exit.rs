//! How the command ends. The codes are API: scripts rely on them.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use workwire_broker::{BrokerError, Code, OpenError};

use crate::output::quoted;
use crate::text::plain;

/// What every `--help` says of the codes.
macro_rules! codes {
    () => {
        "\
Exit codes:
  0  everything demanded holds
  1  something does not: a clause is broken, a known failure passes, a message is refused, a file is not current
  2  wrong use: unknown arguments, an unknown id, a pattern that matches nothing, a file that cannot be read or written
  3  the target could not be set up, or answers no more
  4  nothing ran
  5  only unknown verdicts stand in the way of 0
  130, 143, 129  broken off by Ctrl-C, by a signal to end, or with its terminal; what ran was cleaned away"
    };
}

/// The same behind examples.
macro_rules! with_examples {
    ($($example:literal),+ $(,)?) => {
        concat!("Examples:\n  ", $($example,)+ "\n\n", $crate::exit::codes!())
    };
}

pub(crate) use {codes, with_examples};

/// What every `--help` says of the codes.
pub(crate) const HELP: &str = codes!();

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
    /// Nothing ran.
    NothingRan,
    /// Only unknown verdicts stand in the way.
    Unknown,
    /// A signal broke it off: 128 and its number, as shells say it.
    BrokenOff(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Holds => 0,
            Exit::Fails => 1,
            Exit::WrongUse => 2,
            Exit::NotSetUp => 3,
            Exit::NothingRan => 4,
            Exit::Unknown => 5,
            Exit::BrokenOff(signal) => 128 + signal,
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

/// What a broker answers to somebody who works by hand.
impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        let exit = match error.code() {
            Code::Full | Code::Stale => Exit::Fails,
            Code::Unavailable => Exit::NotSetUp,
            _ => Exit::WrongUse,
        };
        Failure(exit, plain(&error.to_string()))
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Failure(if error.is_wrong_use() { Exit::WrongUse } else { Exit::NotSetUp }, plain(&error.to_string()))
    }
}
