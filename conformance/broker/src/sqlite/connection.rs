//! The connection to the file, and its transactions.

use std::cell::Cell;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};

use super::checkpoint::Checkpoint;
use super::{Durability, SqliteOptions, schema};
use crate::open_error::OpenError;

/// How long a process queues at the door before it goes in without its turn.
const DOOR_PATIENCE: Duration = Duration::from_secs(1);

/// The connection of a writer, and the door at which writers of several processes queue.
///
/// SQLite lets one process write at a time, and whoever asks again first: a busy process keeps the
/// others out. So each takes the lock of a file beside the store before it asks, and lets it go once
/// it has been let in. A process that has just written finds the next one standing there.
pub(crate) struct Connections {
    pub(crate) connection: Connection,
    checkpoint: Checkpoint,
    door: Option<File>,
    patience: Duration,
    jitter: Cell<u64>,
}

impl Connections {
    pub(crate) fn open(path: &Path, options: &SqliteOptions) -> Result<Self, OpenError> {
        let mut connection = schema::open(path, options)?;
        let synchronous = match options.durability {
            Durability::Full => "FULL",
            Durability::Normal => "NORMAL",
        };
        let settled = connection
            .execute_batch(&format!(
                "PRAGMA synchronous = {synchronous}; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;
                 PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 67108864;"
            ))
            .and_then(|()| connection.busy_timeout(Duration::ZERO));
        settled.map_err(|error| schema::in_words(path, &error))?;
        // Without the door the order is worse, and nothing else.
        let mut make = OpenOptions::new();
        make.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut make, 0o600);
        let door = make.open(door_of(path)).ok();
        let checkpoint = Checkpoint::start(path, &mut connection);
        let jitter = Cell::new(u64::from(std::process::id()) | 1);
        Ok(Connections { connection, checkpoint, door, patience: options.busy_timeout, jitter })
    }

    /// Begins a transaction that writes, in its turn.
    pub(crate) fn begin(&self) -> rusqlite::Result<()> {
        let start = Instant::now();
        let at_the_door = self.queue_up(start);
        let begun = loop {
            match self.run("BEGIN IMMEDIATE") {
                Err(error) if is_busy(&error) && start.elapsed() < self.patience => {
                    std::thread::sleep(Duration::from_micros(50));
                }
                begun => break begun,
            }
        };
        if let Some(door) = at_the_door {
            // It is let go at the latest when the file is closed.
            let _ = door.unlock();
        }
        begun
    }

    fn queue_up(&self, start: Instant) -> Option<&File> {
        let door = self.door.as_ref()?;
        let patience = self.patience.min(DOOR_PATIENCE);
        loop {
            match door.try_lock() {
                Ok(()) => return Some(door),
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => {
                    std::thread::sleep(Duration::from_micros(50 + self.random() % 300));
                }
                Err(_) => return None,
            }
        }
    }

    /// Any numbers will do, as long as processes have different ones.
    fn random(&self) -> u64 {
        let mut state = self.jitter.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.jitter.set(state);
        state
    }

    pub(crate) fn commit(&self) -> rusqlite::Result<()> {
        self.run("COMMIT")
    }

    /// What can be done for the file once everybody has been answered.
    pub(crate) fn after_commit(&self) {
        self.checkpoint.after_commit(&self.connection);
    }

    pub(crate) fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // Where even this fails, the next transaction cannot begin and says so.
            let _ = self.run("ROLLBACK");
        }
    }

    pub(crate) fn optimize(&self) {
        // Worse plans are no reason to fail.
        let _ = self.connection.execute_batch("PRAGMA optimize");
    }

    /// Closes the file. The last who does takes the door along.
    pub(crate) fn close(self, path: &Path) {
        let Connections { connection, checkpoint, door, .. } = self;
        drop(checkpoint);
        // What is in the log stays there, and is found when the file is opened again.
        let _ = connection.close();
        drop(door);
        // The database removes its log when the last connection is closed.
        if !beside(path, "-wal").exists() {
            // Where it stays it does no harm.
            let _ = std::fs::remove_file(door_of(path));
        }
    }

    fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// The file whose lock is the door.
fn door_of(path: &Path) -> PathBuf {
    beside(path, "-door")
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(what);
    PathBuf::from(name)
}
