//! What is in a store's tables, read without the broker, and whether they agree with each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};
use uuid::Uuid;

use super::desk::Desk;
use super::ledger::Core;

/// A message as the tables have it for a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Waiting {
        used: u32,
        reason: Option<String>,
        /// When it has rested enough, or expires.
        wake_at: Option<i64>,
    },
    Held {
        attempt: u32,
        reason: Option<String>,
        until: i64,
    },
    Letter {
        attempts: u32,
        reason: String,
    },
}

impl Seen {
    pub(crate) fn core(&self) -> Core {
        match self.clone() {
            Seen::Waiting { used, reason, wake_at } => {
                Core::Waiting { used, reason, not_before: wake_at.unwrap_or(i64::MIN) }
            }
            Seen::Held { attempt, reason, until } => Core::Held { attempt, reason, until },
            Seen::Letter { attempts, reason } => Core::Letter { attempts, reason },
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) lives: BTreeMap<(Uuid, Desk), Seen>,
    /// Ids, by the queue that knows them.
    pub(crate) known: BTreeSet<(&'static str, Uuid)>,
    /// Where the tables do not agree.
    pub(crate) faults: Vec<String>,
}

impl Found {
    /// Reads all of it. The broker has opened the file before, so the tables are there.
    pub(crate) fn read(file: &Path) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        let mut found = Found { faults: super::audit::faults(&connection)?, ..Found::default() };
        for (select, seen) in TABLES {
            found.table(&connection, select, *seen)?;
        }
        let mut known = connection.prepare("SELECT name, id FROM known JOIN queue USING (queue)")?;
        let mut rows = known.query([])?;
        while let Some(row) = rows.next()? {
            let queue: String = row.get(0)?;
            found.known.insert((Desk::of(&queue, "").expect("one of the queues").name(), row.get(1)?));
        }
        Ok(found)
    }

    fn table(&mut self, connection: &Connection, select: &str, seen: See) -> rusqlite::Result<()> {
        let select = format!(
            "SELECT m.id, p.name, q.name, {select} JOIN place p ON p.place = t.place JOIN queue q ON q.queue = p.queue"
        );
        let mut select = connection.prepare(&select)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (group, queue): (String, String) = (row.get(1)?, row.get(2)?);
            let desk = Desk::of(&queue, &group).expect("one of the desks");
            let (id, seen) = (row.get(0)?, seen(row)?);
            if let Some(other) = self.lives.insert((id, desk), seen.clone()) {
                self.faults.push(format!("{id} is there twice at {desk:?}: {other:?} and {seen:?}"));
            }
        }
        Ok(())
    }
}

type See = fn(&Row<'_>) -> rusqlite::Result<Seen>;

/// Where messages are, and what a row says.
const TABLES: &[(&str, See)] = &[
    ("t.used, t.reason FROM ready t JOIN message m USING (seq)", |row| {
        Ok(Seen::Waiting { used: row.get(3)?, reason: row.get(4)?, wake_at: None })
    }),
    ("t.used, t.reason, t.wake_at FROM resting t JOIN message m USING (seq)", |row| {
        Ok(Seen::Waiting { used: row.get(3)?, reason: row.get(4)?, wake_at: Some(row.get(5)?) })
    }),
    ("t.attempt, t.reason, t.until FROM held t JOIN message m USING (seq)", |row| {
        Ok(Seen::Held { attempt: row.get(3)?, reason: row.get(4)?, until: row.get(5)? })
    }),
    ("m.attempts, m.reason FROM letter m JOIN letter t USING (letter)", |row| {
        Ok(Seen::Letter { attempts: row.get(3)?, reason: row.get(4)? })
    }),
];
