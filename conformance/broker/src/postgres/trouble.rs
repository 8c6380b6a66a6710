//! What can go wrong with the server, and what a caller hears of it.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::options::PostgresOptions;
use crate::error::BrokerError;
use crate::open_error::OpenError;

/// The states that the functions of the schema raise.
const NO_QUEUE: &str = "WW006";
const NO_LETTER: &str = "WW066";
const FULL: &str = "WW004";

/// A statement that did not go through.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It was never sent: why no connection could be had.
    NotSent(String),
    /// The server says that it rolled it back.
    RolledBack(Box<Error>),
    /// Nobody knows.
    Unknown(String),
}

impl Trouble {
    /// What became of a statement that was sent, by what the driver says.
    pub(super) fn of(error: Error) -> Self {
        match error.as_db_error() {
            // A server that goes down says so before or after the commit.
            Some(said) if !said.code().code().starts_with("57P") => Trouble::RolledBack(Box::new(error)),
            _ => Trouble::Unknown(in_words(&error)),
        }
    }

    /// Whether it was in the way of another transaction, and can be done once more.
    pub(super) fn is_collision(&self) -> bool {
        let Trouble::RolledBack(error) = self else { return false };
        matches!(error.code(), Some(state) if *state == SqlState::T_R_DEADLOCK_DETECTED || *state == SqlState::T_R_SERIALIZATION_FAILURE)
    }

    /// Whether the fault may be one statement's alone, and not the server's.
    pub(super) fn may_be_of_one(&self) -> bool {
        let Trouble::RolledBack(error) = self else { return false };
        error
            .code()
            .is_some_and(|state| !["53", "57", "58", "25", "XX"].iter().any(|class| state.code().starts_with(class)))
    }

    /// What the caller hears.
    pub(super) fn told(&self) -> BrokerError {
        match self {
            Trouble::NotSent(why) => BrokerError::unavailable(format!("{why}; nothing was sent")),
            Trouble::Unknown(why) => BrokerError::unavailable(format!("the server did not answer: {why}")),
            Trouble::RolledBack(error) => rolled_back(error),
        }
    }

    /// The same, where functions of the schema may have refused it in words of their own.
    pub(super) fn told_of(&self, queue: &crate::queue::Queue, refused: &str) -> BrokerError {
        let Trouble::RolledBack(error) = self else { return self.told() };
        match error.code().map(SqlState::code) {
            Some(NO_QUEUE) => BrokerError::no_queue(queue),
            Some(NO_LETTER) => BrokerError::not_found(refused),
            Some(FULL) => BrokerError::full(format!("queue {queue} is full; the letter stays")),
            _ => self.told(),
        }
    }
}

fn rolled_back(error: &Error) -> BrokerError {
    let why = in_words(error);
    match error.code().map_or("", SqlState::code) {
        "53100" => BrokerError::full(format!("the server's disk is full: {why}; nothing was stored")),
        "42501" => BrokerError::forbidden(format!("the server does not allow it: {why}")),
        "25006" => BrokerError::forbidden(format!("the server can only be read: {why}")),
        "57014" | "55P03" => {
            BrokerError::unavailable(format!("it took longer than timeout_ms: {why}; nothing happened"))
        }
        _ => BrokerError::unavailable(format!("the server refused it: {why}; nothing happened")),
    }
}

/// An error of the driver with its causes. Neither it nor the server says a password.
pub(super) fn in_words(error: &Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} ({})", said.message(), said.code().code());
    }
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

/// Why a server could not be reached, or used, in the first place.
pub(super) fn open_error(options: &PostgresOptions, error: &Error) -> OpenError {
    let user = options.server.get_user().unwrap_or("");
    let database = options.server.get_dbname().unwrap_or(user);
    let why = in_words(error);
    let said = match error.code().map_or("", SqlState::code) {
        "28P01" => format!("the password of user {user:?} is wrong"),
        "28000" => format!("user {user:?} is not let in: {why}"),
        "3D000" => format!("there is no database {database:?}"),
        "42501" => format!("user {user:?} may not make or use schema {}: {why}", options.schema),
        "53300" => format!("the server has no connection left: {why}"),
        "57P03" => format!("the server takes no connections yet, or no more: {why}"),
        "25006" => format!("the server can only be read, and the tables are not there: {why}"),
        _ if why.contains("password missing") => format!("user {user:?} needs a password, and none is given"),
        _ if why.contains("does not support TLS") => {
            format!("the server does not encrypt, and sslmode asks for it: {why}")
        }
        _ => why,
    };
    OpenError::setup(format!("{}: {said}", options.place()))
}
