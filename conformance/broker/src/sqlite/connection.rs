//! The connection to the file, and its transactions.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::checkpoint::Checkpoint;
use super::door::{Door, door_of};
use super::trouble::is_busy;
use super::{Durability, SqliteOptions, schema};
use crate::open_error::OpenError;

/// How long a process queues at the door before it goes in without its turn.
const DOOR_PATIENCE: Duration = Duration::from_secs(1);

/// The connection of a writer, and the door at which it queues.
pub(crate) struct Connections {
    pub(crate) connection: Connection,
    checkpoint: Checkpoint,
    door: Option<Door>,
    patience: Duration,
    /// There was no room, and not all of the log has been copied since.
    tight: Cell<bool>,
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
        let door = Door::of(path);
        let checkpoint = Checkpoint::start(path, &mut connection);
        Ok(Connections { connection, checkpoint, door, patience: options.busy_timeout, tight: Cell::new(false) })
    }

    /// Begins a transaction that writes, in its turn.
    pub(crate) fn begin(&self) -> rusqlite::Result<()> {
        let start = Instant::now();
        let in_turn = self.door.as_ref().filter(|door| door.queue_up(self.patience.min(DOOR_PATIENCE)));
        let begun = loop {
            match self.run("BEGIN IMMEDIATE") {
                Err(error) if is_busy(&error) && start.elapsed() < self.patience => {
                    std::thread::sleep(Duration::from_micros(50));
                }
                begun => break begun,
            }
        };
        if let Some(door) = in_turn {
            door.leave();
        }
        begun
    }

    pub(crate) fn commit(&self) -> rusqlite::Result<()> {
        self.run("COMMIT")
    }

    /// What can be done for the file once everybody has been answered.
    pub(crate) fn after_commit(&self) {
        if self.tight.get() {
            // The file first, before the log has taken what room there is again.
            self.copy_log();
        } else {
            self.checkpoint.after_commit(&self.connection);
        }
    }

    /// There was no room: copies the log into the file. True when all of it is there; the log begins
    /// anew then, and needs no room that it does not have.
    pub(crate) fn copy_log(&self) -> bool {
        let start = Instant::now();
        let whole = loop {
            let copied = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok((row.get::<_, bool>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            });
            match copied {
                // Somebody else is copying, who is soon through.
                Ok((true, ..)) if start.elapsed() < self.patience => std::thread::sleep(Duration::from_millis(1)),
                Ok((busy, pages, copied)) => break !busy && pages > 0 && pages == copied,
                Err(_) => break false,
            }
        };
        self.tight.set(!whole);
        whole
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

pub(crate) fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(what);
    PathBuf::from(name)
}
