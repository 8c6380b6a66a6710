//! The dead letters: how messages get there, are looked at, and come back.

use bytes::Bytes;
use rusqlite::{OptionalExtension as _, params};
use uuid::Uuid;

use super::Store;
use super::deliver::{MAX_ANSWER, MAX_COUNT};
use super::rows::{Again, Held};
use crate::clock::{Millis, timestamp};
use crate::contract::Letter;
use crate::demand::{End, kept_reason};
use crate::error::BrokerError;
use crate::queue::Queue;
use crate::sqlite::trouble::Done;

impl Store<'_> {
    /// Moves a message whose delivery is over to the letters.
    pub(super) fn bury(&mut self, held: &Held, given: Option<&str>, end: End, now: Millis) -> Done<()> {
        let attempts = u32::try_from(held.attempt).unwrap_or(u32::MAX);
        let reason = given.map(kept_reason).or_else(|| held.reason.clone()).unwrap_or_else(|| end.reason(attempts));
        self.connection
            .prepare_cached(
                "INSERT INTO letter
                 (queue, place, id, priority, recipient, ttl_ms, published_at, attempts, reason, died_at, body)
                 SELECT queue, ?2, id, priority, recipient, ttl_ms, published_at, ?3, ?4, ?5, body
                 FROM message WHERE seq = ?1",
            )?
            .execute(params![held.seq, self.cache.place(held.place).place, held.attempt, reason, now])?;
        self.cache.place_mut(held.place).dead += 1;
        self.end_turn(held.place.0, held.seq)
    }

    pub(crate) fn dead_letters(&mut self, queue: &Queue, max: u32, group: Option<&str>) -> Done<Vec<Letter>> {
        let at = self.cache.require(self.connection, queue)?;
        let place = match group {
            None => None,
            Some(_) => match self.cache.group(at, group) {
                Some(place) => Some(self.cache.place(place).place),
                None => return Ok(Vec::new()),
            },
        };
        let mut select = self.connection.prepare_cached(
            "SELECT letter.id, body, reason, attempts, priority, died_at, place.name
             FROM letter JOIN place USING (place)
             WHERE letter.queue = ?1 AND (?2 IS NULL OR place = ?2) ORDER BY letter LIMIT ?3",
        )?;
        let mut rows = select.query(params![self.cache.queue(at).queue, place, max.min(MAX_COUNT)])?;
        let (mut letters, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let body = Bytes::copy_from_slice(row.get_ref(1)?.as_bytes()?);
            bytes += body.len();
            if bytes > MAX_ANSWER && !letters.is_empty() {
                break;
            }
            letters.push(Letter {
                id: row.get(0)?,
                body,
                reason: row.get(2)?,
                attempts: row.get(3)?,
                priority: Some(row.get(4)?),
                died_at: Some(timestamp(row.get(5)?)),
                group: Some(row.get(6)?).filter(|name: &String| !name.is_empty()),
            });
        }
        Ok(letters)
    }

    /// Sends the oldest letter of an id back; where there is none, the youngest message of this id
    /// that is done and kept.
    pub(crate) fn replay(&mut self, queue: &Queue, id: Uuid, group: Option<&str>, now: Millis) -> Done<()> {
        let at = self.cache.require(self.connection, queue)?;
        let place = group.and_then(|_| self.cache.group(at, group)).map(|place| self.cache.place(place).place);
        if group.is_none() || place.is_some() {
            let number = self.cache.queue(at).queue;
            for table in [Kept::Letter, Kept::Finished] {
                let found = self.kept(table, number, id, place)?;
                if let Some((key, number, again)) = found {
                    let place = self.cache.place_of(self.connection, number)?;
                    self.insert_again(place, &again, now)?;
                    self.connection.prepare_cached(table.delete())?.execute([key])?;
                    if table == Kept::Letter {
                        self.cache.place_mut(place).dead -= 1;
                    }
                    return Ok(());
                }
            }
        }
        Err(BrokerError::not_found(format!("queue {queue} has no dead letter {id}")).into())
    }

    fn kept(&self, table: Kept, queue: i64, id: Uuid, place: Option<i64>) -> Done<Option<(i64, i64, Again)>> {
        let found = self.connection.prepare_cached(table.select())?.query_row(params![queue, id, place], |row| {
            let (priority, recipient, ttl_ms, body) = (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
            Ok((row.get(0)?, row.get(1)?, Again { id, priority, recipient, ttl_ms, body }))
        });
        Ok(found.optional()?)
    }
}

/// Where a message is kept that can be sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Letter,
    Finished,
}

impl Kept {
    const fn select(self) -> &'static str {
        match self {
            Kept::Letter => {
                "SELECT letter, place, priority, recipient, ttl_ms, body FROM letter
                 WHERE queue = ?1 AND id = ?2 AND (?3 IS NULL OR place = ?3) ORDER BY letter LIMIT 1"
            }
            Kept::Finished => {
                "SELECT finished, place, priority, recipient, ttl_ms, body FROM finished
                 WHERE queue = ?1 AND id = ?2 AND (?3 IS NULL OR place = ?3) ORDER BY finished DESC LIMIT 1"
            }
        }
    }

    const fn delete(self) -> &'static str {
        match self {
            Kept::Letter => "DELETE FROM letter WHERE letter = ?1",
            Kept::Finished => "DELETE FROM finished WHERE finished = ?1",
        }
    }
}
