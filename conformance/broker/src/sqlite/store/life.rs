//! A message between being published and being gone: ready, resting, held, and the way between them.

use rusqlite::{OptionalExtension as _, params};

use super::rows::{Held, Past, Row};
use super::{Store, rank};
use crate::clock::Millis;
use crate::demand::End;
use crate::sqlite::cache::{PlaceIx, QueueIx};
use crate::sqlite::trouble::Done;

impl Store<'_> {
    pub(super) fn make_ready(&mut self, place: PlaceIx, row: &Row, past: &Past) -> Done<()> {
        self.write_ready(place, row, past)?;
        self.cache.place_mut(place).ready += 1;
        self.woken.insert(place);
        if let Some(expires_at) = row.expires_at {
            self.next_due = self.next_due.min(expires_at);
        }
        Ok(())
    }

    /// Writes a row into the order of fetching.
    pub(super) fn write_ready(&mut self, place: PlaceIx, row: &Row, past: &Past) -> Done<()> {
        let number = self.cache.place(place).place;
        self.hot.ready.execute(params![
            number,
            row.recipient,
            row.rank(),
            row.seq,
            past.used,
            row.expires_at,
            past.delivered_at,
            past.reason,
        ])?;
        Ok(())
    }

    pub(super) fn rest(&mut self, place: PlaceIx, row: &Row, due_at: Millis, past: &Past) -> Done<()> {
        let wake_at = row.expires_at.map_or(due_at, |expires_at| due_at.min(expires_at));
        let number = self.cache.place(place).place;
        self.connection
            .prepare_cached(
                "INSERT INTO resting (place, seq, wake_at, used, delivered_at, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![number, row.seq, wake_at, past.used, past.delivered_at, past.reason])?;
        self.cache.place_mut(place).resting += 1;
        self.next_due = self.next_due.min(wake_at);
        Ok(())
    }

    /// Brings a message back after a delivery that used up its attempt or did not, unless it dies of
    /// this or has expired meanwhile. Its row in `held` is gone already.
    pub(super) fn bring_back(&mut self, held: Held, due_at: Millis, end: Option<End>, now: Millis) -> Done<()> {
        let policy = &self.cache.queue(held.place.0).policy;
        let used = if end.is_some() { held.attempt } else { held.attempt - 1 };
        if let Some(end) = end
            && used >= policy.max_attempts
        {
            return self.bury(&held, None, end, now);
        }
        let Some(row) = self.row(held.seq)? else { return Ok(()) };
        if row.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return self.expire(held.place, held.seq);
        }
        let past = Past { used, delivered_at: Some(held.delivered_at), reason: held.reason };
        if due_at > now { self.rest(held.place, &row, due_at, &past) } else { self.make_ready(held.place, &row, &past) }
    }

    pub(super) fn row(&self, seq: i64) -> Done<Option<Row>> {
        let mut select = self
            .connection
            .prepare_cached("SELECT priority, recipient, due_at, expires_at FROM message WHERE seq = ?1")?;
        let row = select.query_row([seq], |row| {
            let (priority, recipient) = (row.get(0)?, row.get(1)?);
            Ok(Row { seq, priority, recipient, due_at: row.get(2)?, expires_at: row.get(3)? })
        });
        Ok(row.optional()?)
    }

    /// A group has lost a message to its expiry.
    pub(super) fn expire(&mut self, place: PlaceIx, seq: i64) -> Done<()> {
        self.cache.place_mut(place).expired += 1;
        self.end_turn(place.0, seq)
    }

    /// A group has a message no more. When no group has it, it is gone, and its id fades.
    pub(super) fn end_turn(&mut self, at: QueueIx, seq: i64) -> Done<()> {
        if self.cache.queue(at).places.len() > 1 {
            let mut less =
                self.connection.prepare_cached("UPDATE share SET turns = turns - 1 WHERE seq = ?1 RETURNING turns")?;
            let left: Option<i64> = less.query_row([seq], |row| row.get(0)).optional()?;
            if left.is_some_and(|left| left > 0) {
                return Ok(());
            }
            self.connection.prepare_cached("DELETE FROM share WHERE seq = ?1")?.execute([seq])?;
        }
        self.hot.fade.execute([seq])?;
        self.hot.remove.execute([seq])?;
        self.cache.queue_mut(at).length -= 1;
        Ok(())
    }

    /// The first published message of a queue that some group waits with and none holds.
    pub(super) fn oldest_that_nobody_holds(&mut self, at: QueueIx) -> Done<Option<i64>> {
        self.put_all_in_order()?;
        let mut behind = i64::MIN;
        loop {
            let mut oldest = None;
            for place in self.cache.places(at) {
                let first = self.first_waiting(self.cache.place(place).place, behind)?;
                oldest = [oldest, first].into_iter().flatten().min();
            }
            let Some(seq) = oldest else { return Ok(None) };
            let mut is_held = false;
            for place in self.cache.places(at) {
                let mut select = self
                    .connection
                    .prepare_cached("SELECT EXISTS (SELECT 1 FROM held WHERE place = ?1 AND seq = ?2)")?;
                is_held |= select.query_row([self.cache.place(place).place, seq], |row| row.get::<_, bool>(0))?;
            }
            if !is_held {
                return Ok(Some(seq));
            }
            behind = seq;
        }
    }

    /// The first message of a group behind a number that is ready or rests. Each recipient and
    /// priority has an order of its own: their heads are looked at one after the other.
    fn first_waiting(&self, place: i64, behind: i64) -> Done<Option<i64>> {
        let mut select =
            self.connection.prepare_cached("SELECT min(seq) FROM resting WHERE place = ?1 AND seq > ?2")?;
        let mut first: Option<i64> = select.query_row([place, behind], |row| row.get(0))?;
        let mut next_kind = self.connection.prepare_cached(
            "SELECT recipient, rank FROM ready WHERE place = ?1 AND (recipient, rank) > (?2, ?3)
             ORDER BY recipient, rank LIMIT 1",
        )?;
        let mut head = self.connection.prepare_cached(
            "SELECT min(seq) FROM ready WHERE place = ?1 AND recipient = ?2 AND rank = ?3 AND seq > ?4",
        )?;
        let mut kind = (String::new(), i64::MIN);
        while let Some(next) = next_kind
            .query_row(params![place, kind.0, kind.1], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
            .optional()?
        {
            let seq = head.query_row(params![place, next.0, next.1, behind], |row| row.get(0))?;
            first = [first, seq].into_iter().flatten().min();
            kind = next;
        }
        Ok(first)
    }

    /// Takes a message that nobody holds away from all groups.
    pub(super) fn drop_everywhere(&mut self, at: QueueIx, seq: i64) -> Done<()> {
        let Some(row) = self.row(seq)? else { return Ok(()) };
        for place in self.cache.places(at) {
            let number = self.cache.place(place).place;
            let mut unready = self
                .connection
                .prepare_cached("DELETE FROM ready WHERE place = ?1 AND recipient = ?2 AND rank = ?3 AND seq = ?4")?;
            let was_ready = unready.execute(params![number, row.recipient, rank(row.priority), seq])?;
            let mut wake = self.connection.prepare_cached("DELETE FROM resting WHERE place = ?1 AND seq = ?2")?;
            let rested = wake.execute([number, seq])?;
            if was_ready > 0 {
                self.cache.place_mut(place).ready -= 1;
            }
            if rested > 0 {
                self.cache.place_mut(place).resting -= 1;
            }
            if was_ready + rested > 0 {
                self.end_turn(at, seq)?;
            }
        }
        Ok(())
    }
}
