//! What can go wrong inside a transaction, and what a caller hears of it.

use rusqlite::ErrorCode;

use crate::error::BrokerError;

/// An operation's own refusal, which leaves the transaction as it was; or an error of the database,
/// after which the transaction is given up.
#[derive(Debug)]
pub(crate) enum Trouble {
    Refused(BrokerError),
    Database(rusqlite::Error),
}

impl From<BrokerError> for Trouble {
    fn from(error: BrokerError) -> Self {
        Trouble::Refused(error)
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Trouble::Database(error)
    }
}

impl From<rusqlite::types::FromSqlError> for Trouble {
    fn from(error: rusqlite::types::FromSqlError) -> Self {
        Trouble::Database(error.into())
    }
}

pub(crate) type Done<T> = Result<T, Trouble>;

/// The database's error in the contract's words. `kept` is what is certain about the operation:
/// that it did not happen, or only that nobody knows.
pub(crate) fn in_words(error: &rusqlite::Error, kept: Kept) -> BrokerError {
    let Some(code) = error.sqlite_error_code() else {
        return BrokerError::unavailable(format!("the store answered what it should not: {error}"));
    };
    let refused = kept == Kept::Nothing;
    match code {
        ErrorCode::DiskFull if refused => BrokerError::full(format!(
            "the disk is full: {error}; nothing was stored, and what was stored before is safe"
        )),
        ErrorCode::ReadOnly if refused => BrokerError::forbidden(format!("the store can only be read: {error}")),
        ErrorCode::PermissionDenied | ErrorCode::CannotOpen if refused => {
            BrokerError::forbidden(format!("the store cannot be opened: {error}"))
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => BrokerError::unavailable(format!(
            "the store is corrupt: {error}; nothing more is written to it. `sqlite3 FILE .recover` saves what can be read"
        )),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => BrokerError::unavailable(format!(
            "the store is locked by another process for longer than busy_timeout_ms: {error}"
        )),
        _ => BrokerError::unavailable(format!("the store failed: {error}")),
    }
}

/// Whether another process is in the way, and will not always be.
pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// What is certain about an operation that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The transaction was rolled back.
    Nothing,
    /// The commit failed half-way.
    Unknown,
}
