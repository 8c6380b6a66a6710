//! Queues and groups: made, counted, emptied, removed.

use rusqlite::params;

use super::Store;
use super::rows::{Past, Row};
use crate::clock::Millis;
use crate::contract::Depth;
use crate::error::BrokerError;
use crate::policy::Policy;
use crate::queue::Queue;
use crate::sqlite::cache::{PlaceIx, QueueIx};
use crate::sqlite::trouble::Done;

impl Store<'_> {
    pub(crate) fn declare(&mut self, queue: &Queue, policy: &Policy) -> Done<()> {
        if let Some(at) = self.cache.find(self.connection, queue)? {
            let there = &self.cache.queue(at).policy;
            if **there == *policy {
                return Ok(());
            }
            let message =
                format!("queue {queue} is declared with another policy: expected {there:?}, found {policy:?}");
            return Err(BrokerError::conflict(message).into());
        }
        let text = serde_json::to_string(policy)
            .map_err(|broken| BrokerError::invalid(format!("the policy cannot be written: {broken}")))?;
        self.connection
            .prepare_cached("INSERT INTO queue (tenant, name, policy) VALUES (?1, ?2, ?3)")?
            .execute(params![queue.tenant().unwrap_or(""), queue.name(), text])?;
        let number = self.connection.last_insert_rowid();
        self.add_place(number, "")?;
        self.cache.require(self.connection, queue).map(drop)
    }

    fn add_place(&self, queue: i64, name: &str) -> Done<i64> {
        let mut insert = self.connection.prepare_cached("INSERT INTO place (queue, name) VALUES (?1, ?2)")?;
        insert.execute(params![queue, name])?;
        let place = self.connection.last_insert_rowid();
        self.connection.prepare_cached("INSERT INTO tally (place) VALUES (?1)")?.execute([place])?;
        Ok(place)
    }

    /// Makes a group, and lets it have all that is still there.
    pub(super) fn make_group(&mut self, at: QueueIx, name: &str, now: Millis) -> Done<PlaceIx> {
        let queue = self.cache.queue(at).queue;
        let place = self.add_place(queue, name)?;
        let place = self.cache.add_group(at, place, name);
        self.connection
            .prepare_cached(
                "INSERT INTO share (seq, turns)
                 SELECT message.seq, 2 FROM known CROSS JOIN message USING (seq) WHERE known.queue = ?1
                 ON CONFLICT (seq) DO UPDATE SET turns = turns + 1",
            )?
            .execute([queue])?;
        let mut select = self.connection.prepare_cached(
            "SELECT message.seq, priority, recipient, due_at, expires_at
             FROM known CROSS JOIN message USING (seq) WHERE known.queue = ?1",
        )?;
        let rows = select.query_map([queue], |row| {
            let (seq, priority, recipient) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Row { seq, priority, recipient, due_at: row.get(3)?, expires_at: row.get(4)? })
        })?;
        for row in rows {
            let row = row?;
            if row.expires_at.is_some_and(|expires_at| expires_at <= now) {
                // Somebody holds it still; for this group it is over.
                self.end_turn(at, row.seq)?;
            } else if row.due_at > now {
                self.rest(place, &row, row.due_at, &Past::default())?;
            } else {
                self.make_ready(place, &row, &Past::default())?;
            }
        }
        Ok(place)
    }

    pub(crate) fn depth(&mut self, queue: &Queue, group: Option<&str>, now: Millis) -> Done<Depth> {
        let at = self.cache.require(self.connection, queue)?;
        if let Some(place) = self.cache.group(at, group) {
            let state = self.cache.place(place);
            return Ok(Depth {
                ready: count(state.ready),
                leased: Some(count(state.held)),
                delayed: Some(count(state.resting)),
                dead: Some(count(state.dead)),
            });
        }
        let mut select = self.connection.prepare_cached(
            "SELECT count(*) FILTER (WHERE due_at <= ?2), count(*) FILTER (WHERE due_at > ?2)
             FROM known CROSS JOIN message USING (seq)
             WHERE known.queue = ?1 AND (expires_at IS NULL OR expires_at > ?2)",
        )?;
        let (ready, delayed) =
            select.query_row([self.cache.queue(at).queue, now], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Depth { ready: count(ready), leased: Some(0), delayed: Some(count(delayed)), dead: Some(0) })
    }

    pub(crate) fn purge(&mut self, queue: &Queue, group: Option<&str>, dead: bool) -> Done<u64> {
        let at = self.cache.require(self.connection, queue)?;
        self.put_all_in_order()?;
        let places: Vec<PlaceIx> = match group {
            None => self.cache.places(at).collect(),
            Some(_) => self.cache.group(at, group).into_iter().collect(),
        };
        let mut removed = 0;
        for place in places {
            removed += if dead { self.purge_letters(place)? } else { self.purge_ready(place)? };
        }
        Ok(u64::try_from(removed).unwrap_or(0))
    }

    fn purge_letters(&mut self, place: PlaceIx) -> Done<i64> {
        let (queue, number) = (self.cache.queue(place.0).queue, self.cache.place(place).place);
        let mut delete = self.connection.prepare_cached("DELETE FROM letter WHERE queue = ?1 AND place = ?2")?;
        delete.execute([queue, number])?;
        Ok(std::mem::take(&mut self.cache.place_mut(place).dead))
    }

    fn purge_ready(&mut self, place: PlaceIx) -> Done<i64> {
        let number = self.cache.place(place).place;
        let several = self.cache.queue(place.0).places.len() > 1;
        let gone = if several {
            self.run(
                "UPDATE share SET turns = turns - 1 WHERE seq IN (SELECT seq FROM ready WHERE place = ?1)",
                number,
            )?;
            "seq IN (SELECT seq FROM ready WHERE place = ?1) AND NOT EXISTS
             (SELECT 1 FROM share WHERE share.seq = message.seq AND turns > 0)"
        } else {
            "seq IN (SELECT seq FROM ready WHERE place = ?1)"
        };
        self.run(
            &format!("INSERT INTO fading (forget_at, seq, queue, id) SELECT forget_at, seq, queue, id FROM message WHERE {gone}"),
            number,
        )?;
        let removed = self.run(&format!("DELETE FROM message WHERE {gone}"), number)?;
        self.cache.queue_mut(place.0).length -= removed;
        if several {
            self.run("DELETE FROM share WHERE turns = 0 AND seq IN (SELECT seq FROM ready WHERE place = ?1)", number)?;
        }
        self.run("DELETE FROM ready WHERE place = ?1", number)?;
        Ok(std::mem::take(&mut self.cache.place_mut(place).ready))
    }

    fn run(&self, sql: &str, number: i64) -> Done<i64> {
        let changed = self.connection.prepare_cached(sql)?.execute([number])?;
        Ok(i64::try_from(changed).unwrap_or(i64::MAX))
    }

    /// Removes a queue, and all that is known of it.
    pub(crate) fn delete(&mut self, queue: &Queue) -> Done<()> {
        let at = self.cache.require(self.connection, queue)?;
        self.put_all_in_order()?;
        let number = self.cache.queue(at).queue;
        for place in self.cache.queue(at).places.iter().map(|place| place.place) {
            for table in ["ready", "resting", "held", "tally"] {
                self.run(&format!("DELETE FROM {table} WHERE place = ?1"), place)?;
            }
        }
        // Messages are found by their ids, so these go last.
        for sql in [
            "DELETE FROM share WHERE seq IN (SELECT seq FROM known WHERE queue = ?1)",
            "DELETE FROM message WHERE seq IN (SELECT seq FROM known WHERE queue = ?1)",
            "DELETE FROM known WHERE queue = ?1",
            "DELETE FROM fading WHERE queue = ?1",
            "DELETE FROM letter WHERE queue = ?1",
            "DELETE FROM finished WHERE queue = ?1",
            "DELETE FROM place WHERE queue = ?1",
            "DELETE FROM queue WHERE queue = ?1",
        ] {
            self.run(sql, number)?;
        }
        self.write_back()?;
        self.cache.forget();
        // Who waits for its messages has to hear that it is gone.
        self.all_woken = true;
        Ok(())
    }

    /// How many messages were dropped for their expiry since this was asked last.
    pub(crate) fn swept(&mut self, queue: &Queue) -> Done<u64> {
        let at = self.cache.require(self.connection, queue)?;
        let mut expired = 0;
        for place in self.cache.places(at) {
            if self.cache.place(place).expired > 0 {
                expired += std::mem::take(&mut self.cache.place_mut(place).expired);
            }
        }
        Ok(count(expired))
    }
}

/// A count as it is told; none is below nothing.
fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
