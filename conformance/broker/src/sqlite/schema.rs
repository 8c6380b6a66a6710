//! The file when it is opened: is it ours, is it new, is it older, and may it be written?

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::SqliteOptions;
use super::trouble::is_busy;
use crate::open_error::OpenError;

/// The letters W k W r, in the header of every store.
const APPLICATION: i64 = 0x576b_5772;

/// What made each version of the tables from the one before. A new version is a new line.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];

const VIEWS: &str = include_str!("views.sql");

/// The version of the tables that this program reads and writes.
pub(crate) const VERSION: usize = MIGRATIONS.len();

pub(crate) fn open(path: &Path, options: &SqliteOptions) -> Result<Connection, OpenError> {
    private(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let words = |error: rusqlite::Error| in_words(path, &error);
    let mut connection = Connection::open_with_flags(path, flags).map_err(words)?;
    connection.busy_timeout(options.busy_timeout).map_err(words)?;
    if connection.is_readonly("main").map_err(words)? {
        return Err(OpenError::setup(format!("{}: the file can only be read", path.display())));
    }
    let version = connection.transaction().map_err(words).and_then(|reading| version(&reading, path))?;
    if version == VERSION && is_wal(&connection).map_err(words)? {
        return Ok(connection);
    }
    to_wal(&connection, options.busy_timeout).map_err(words)?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// A store is its owner's alone.
fn private(path: &Path) -> Result<(), OpenError> {
    let mut make = std::fs::OpenOptions::new();
    make.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut make, 0o600);
    match make.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(OpenError::setup(format!("{}: the file cannot be made: {error}", path.display()))),
    }
}

/// The version of the tables in the file; 0 where there are none yet. To be read in one transaction:
/// another process may be making them.
fn version(connection: &Connection, path: &Path) -> Result<usize, OpenError> {
    let words = |error: rusqlite::Error| in_words(path, &error);
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0)).map_err(words);
    let (application, version) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let file = path.display();
    match (application, usize::try_from(version)) {
        (APPLICATION, Ok(version)) if version <= VERSION => Ok(version),
        (APPLICATION, _) => Err(OpenError::setup(format!(
            "{file}: its tables are of version {version}, made by a newer program; this one knows {VERSION}"
        ))),
        (0, Ok(0)) if tables == 0 => Ok(0),
        _ => Err(OpenError::setup(format!("{file}: the tables of another program are in this file"))),
    }
}

fn is_wal(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA journal_mode", [], |row| Ok(row.get::<_, String>(0)? == "wal"))
}

/// Several processes may do this to a new file at once; the one that is in the way is soon through.
fn to_wal(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    let start = Instant::now();
    loop {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Err(error) if !is_busy(&error) || start.elapsed() > patience => return Err(error),
            Ok(_) if start.elapsed() > patience => return Err(rusqlite::Error::InvalidQuery),
            _ => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let words = |error: rusqlite::Error| in_words(path, &error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(words)?;
    // Another process may have been quicker.
    let from = version(&transaction, path)?;
    for migration in &MIGRATIONS[from..] {
        transaction.execute_batch(migration).map_err(words)?;
    }
    if from < VERSION {
        for view in ["messages", "dead_letter_queue", "agent_status", "channel_subscriptions"] {
            transaction.execute_batch(&format!("DROP VIEW IF EXISTS {view}")).map_err(words)?;
        }
        transaction.execute_batch(VIEWS).map_err(words)?;
    }
    let mark = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}");
    transaction.execute_batch(&mark).map_err(words)?;
    transaction.commit().map_err(words)
}

pub(crate) fn in_words(path: &Path, error: &rusqlite::Error) -> OpenError {
    let file = path.display();
    OpenError::setup(match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => format!("{file}: this is no SQLite file"),
        Some(ErrorCode::DatabaseCorrupt) => {
            format!("{file}: the file is corrupt: {error}; `sqlite3 FILE .recover` saves what can be read")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("{file}: another process keeps the file locked for longer than busy_timeout_ms")
        }
        Some(ErrorCode::ReadOnly) => format!("{file}: the file, or its folder, can only be read"),
        Some(ErrorCode::CannotOpen) => format!("{file}: the file cannot be opened: is its folder there?"),
        Some(ErrorCode::DiskFull) => format!("{file}: the disk is full"),
        _ => format!("{file}: {error}"),
    })
}

pub(crate) fn trouble_in_words(path: &Path, trouble: &super::trouble::Trouble) -> OpenError {
    match trouble {
        super::trouble::Trouble::Database(error) => in_words(path, error),
        super::trouble::Trouble::Refused(error) => OpenError::setup(format!("{}: {error}", path.display())),
    }
}
