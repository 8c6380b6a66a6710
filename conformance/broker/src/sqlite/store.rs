//! The tables, and what a transaction does with them. Everything here runs on the writer's thread,
//! inside a transaction that the [writer](super::writer) began and will commit.

mod deliver;
mod fresh;
mod letters;
mod life;
mod presence;
mod publish;
mod queues;
mod rows;
mod settle;
mod timers;

use std::collections::HashSet;

use rusqlite::{Connection, Statement};

use fresh::FreshOnes;

use super::cache::{Cache, PlaceIx};
use super::trouble::Done;
use crate::clock::Millis;
use crate::contract::About;
use crate::queue::Queue;

/// One connection to the file, and what it remembers of it.
pub(crate) struct Store<'c> {
    connection: &'c Connection,
    hot: Hot<'c>,
    cache: Cache,
    /// Numbers of messages and deliveries, written back at the end of a transaction.
    seq: i64,
    delivery: i64,
    counted: bool,
    /// Groups that have got something ready since it was asked for.
    woken: HashSet<PlaceIx>,
    fresh: FreshOnes,
    all_woken: bool,
    /// No timer ends before.
    next_due: Millis,
    next_fading: Millis,
    keep_done_ms: i64,
    about: &'c About,
}

// `CROSS JOIN` says which table is read first. Statistics of a queue are those of one moment: a plan
// that is good for an empty queue would read all of a full one.
macro_rules! hot {
    ($($(#[doc = $doc:literal])* $name:ident: $sql:literal;)*) => {
        /// The statements that every message passes through, prepared once.
        pub(crate) struct Hot<'c> {
            $($(#[doc = $doc])* pub(crate) $name: Statement<'c>,)*
        }

        impl<'c> Hot<'c> {
            fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
                Ok(Hot { $($name: connection.prepare($sql)?,)* })
            }
        }
    };
}

hot! {
    version: "PRAGMA data_version";
    numbers: "SELECT ready, held FROM tally WHERE place = 0";
    count: "UPDATE tally SET ready = ?1, held = ?2 WHERE place = 0";
    tally: "UPDATE tally SET ready = ?2, held = ?3, resting = ?4, dead = ?5, expired = ?6, length = ?7 WHERE place = ?1";
    /// Not one statement with the next: that would read and write one table, which the database does
    /// by way of a table of its own.
    knows: "SELECT 1 FROM known WHERE queue = ?1 AND id = ?2 AND forget_at > ?3";
    know: "INSERT INTO known (queue, id, seq, forget_at) VALUES (?1, ?2, ?3, ?4)";
    store: "INSERT INTO message
            (seq, queue, id, priority, recipient, published_at, due_at, expires_at, ttl_ms, forget_at, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    ready: "INSERT INTO ready (place, recipient, rank, seq, used, expires_at, delivered_at, reason)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    next: "SELECT ready.rank, ready.seq, ready.used, message.id, message.body
           FROM ready CROSS JOIN message USING (seq)
           WHERE place = ?1 AND ready.recipient = ?2 AND (ready.expires_at IS NULL OR ready.expires_at > ?3)
           ORDER BY ready.rank, ready.seq LIMIT ?4";
    hand_over: "INSERT INTO held (place, seq, client, delivery, attempt, until, delivered_at, consumer, reason)
                VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, NULL)";
    /// Holds what stands before a place in the order.
    hold: "INSERT INTO held (place, seq, client, delivery, attempt, until, delivered_at, consumer, reason)
           SELECT place, seq, ?6, ?7, used + 1, ?8, ?5, ?9, reason FROM ready
           WHERE place = ?1 AND recipient = ?2 AND (rank, seq) <= (?3, ?4)
           AND (expires_at IS NULL OR expires_at > ?5)";
    unready: "DELETE FROM ready WHERE place = ?1 AND recipient = ?2 AND (rank, seq) <= (?3, ?4)
              AND (expires_at IS NULL OR expires_at > ?5)";
    done: "DELETE FROM held
           WHERE place = ?1 AND seq = ?2 AND delivery = ?3 AND client = ?4 AND until > ?5";
    fade: "INSERT INTO fading (forget_at, seq, queue, id) SELECT forget_at, seq, queue, id FROM message WHERE seq = ?1";
    remove: "DELETE FROM message WHERE seq = ?1";
}

impl<'c> Store<'c> {
    pub(crate) fn new(connection: &'c Connection, about: &'c About, keep_done_ms: i64) -> Done<Self> {
        connection.set_prepared_statement_cache_capacity(128);
        Ok(Store {
            connection,
            hot: Hot::prepare(connection)?,
            cache: Cache::default(),
            seq: 0,
            delivery: 0,
            counted: false,
            woken: HashSet::new(),
            fresh: FreshOnes::new(),
            all_woken: false,
            next_due: Millis::MIN,
            next_fading: Millis::MIN,
            keep_done_ms,
            about,
        })
    }

    /// A number that changes when another connection has written.
    pub(crate) fn version(&mut self) -> rusqlite::Result<i64> {
        self.hot.version.query_row([], |row| row.get(0))
    }

    /// Forgets what it remembers of the file: after another connection wrote, or a rollback.
    pub(crate) fn refresh(&mut self) -> rusqlite::Result<()> {
        self.cache.forget();
        self.woken.clear();
        self.fresh.clear();
        self.counted = false;
        (self.next_due, self.next_fading) = (Millis::MIN, Millis::MIN);
        (self.seq, self.delivery) = self.hot.numbers.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(())
    }

    /// Writes back what is only remembered, before a commit.
    pub(crate) fn write_back(&mut self) -> Done<()> {
        self.put_all_in_order()?;
        if std::mem::take(&mut self.counted) {
            self.hot.count.execute([self.seq, self.delivery])?;
        }
        Ok(self.cache.write(&mut self.hot.tally)?)
    }

    /// The groups that have got something ready since this was asked last.
    pub(crate) fn take_woken(&mut self) -> Vec<(Queue, String)> {
        let cache = &self.cache;
        let name = |at: PlaceIx| (cache.queue(at.0).name.clone(), cache.place(at).name.clone());
        self.woken.drain().map(name).collect()
    }

    /// Whether every group may have got something.
    pub(crate) const fn all_woken(&self) -> bool {
        self.all_woken
    }

    pub(crate) fn forget_woken(&mut self) {
        self.woken.clear();
        self.all_woken = false;
    }

    /// Whether a group has nothing ready, as far as is remembered.
    pub(crate) fn has_nothing(&mut self, queue: &Queue, group: Option<&str>) -> bool {
        let at = self.cache.find(self.connection, queue).ok().flatten();
        let place = at.and_then(|at| self.cache.group(at, group));
        place.is_some_and(|place| self.cache.place(place).ready == 0)
    }

    fn next_seq(&mut self) -> i64 {
        self.counted = true;
        self.seq += 1;
        self.seq - 1
    }

    fn next_delivery(&mut self) -> i64 {
        self.counted = true;
        self.delivery += 1;
        self.delivery - 1
    }
}

/// Where a priority stands in the order of fetching.
const fn rank(priority: i64) -> i64 {
    10 - priority
}
