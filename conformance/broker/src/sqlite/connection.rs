//! The connection to the file, and its transactions.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::checkpoint::{Checkpoint, ENOUGH_PAGES};
use super::door::{Door, door_of};
use super::trouble::is_busy;
use super::{Durability, SqliteOptions, schema};
use crate::open_error::OpenError;

/// How many pages the log has at least, where there was no room for more once.
const LEAST_PAGES: i32 = 100;

/// The connection of a writer, and the door at which it queues.
pub(crate) struct Connections {
    pub(crate) connection: Connection,
    checkpoint: Checkpoint,
    door: Option<Door>,
    patience: Duration,
    /// From so many pages in the log on the writer copies it, whatever that costs. Without a bound as
    /// long as there has always been room.
    log_room: Cell<i32>,
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
        let (patience, log_room) = (options.busy_timeout, Cell::new(i32::MAX));
        Ok(Connections { connection, checkpoint, door, patience, log_room })
    }

    /// Begins a transaction that writes, in its turn.
    pub(crate) fn begin(&self) -> rusqlite::Result<()> {
        let start = Instant::now();
        let in_turn = self.door.as_ref().filter(|door| door.queue_up(self.patience / 2));
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
        if self.checkpoint.pages() >= self.log_room.get() {
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
                Ok((row.get::<_, bool>(0)?, row.get::<_, i32>(1)?, row.get::<_, i32>(2)?))
            });
            match copied {
                // Somebody else is copying, who is soon through.
                Ok((true, ..)) if start.elapsed() < self.patience => std::thread::sleep(Duration::from_millis(1)),
                Ok((false, pages, copied)) if pages > 0 && pages == copied => break Some(pages),
                _ => break None,
            }
        };
        self.log_room.set(match (whole, self.log_room.get()) {
            // The file needs room before the log takes more: after each commit it is tried again.
            (None, _) => 0,
            // This much the log has. It does with it, and leaves the rest to the file.
            (Some(pages), 0 | i32::MAX) if pages < ENOUGH_PAGES => (pages / 2).max(LEAST_PAGES),
            // It will be copied soon enough as ever.
            (Some(_), 0) => i32::MAX,
            (Some(_), room) => room,
        });
        whole.is_some()
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
