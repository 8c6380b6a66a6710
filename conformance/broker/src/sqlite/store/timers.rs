//! What becomes true by the passing of time: leases that end, rests that end, messages that expire,
//! ids that are forgotten.

use rusqlite::params;

use super::Store;
use super::rows::{Held, Past, Row};
use crate::clock::Millis;
use crate::demand::End;
use crate::sqlite::trouble::Done;

/// How many rows of a kind one transaction looks after, so that nobody waits long for it.
const CHUNK: i64 = 5_000;

/// For how long ids that can be forgotten may stay.
const FADING_MS: Millis = 1_000;

impl Store<'_> {
    /// When the next timer ends, as far as is known.
    pub(crate) const fn next_due(&self) -> Millis {
        self.next_due
    }

    /// Brings the tables to the present. False where there is more to do than one transaction should.
    pub(crate) fn tick(&mut self, now: Millis) -> Done<bool> {
        let mut all = true;
        if now >= self.next_due {
            self.put_all_in_order()?;
            all &= self.end_leases(now)?;
            all &= self.end_rests(now)?;
            all &= self.drop_expired(now)?;
            if all {
                self.next_due = self.earliest()?;
            }
        }
        if now >= self.next_fading {
            let forgotten = self.forget_ids(now)? & self.drop_finished(now)?;
            self.next_fading = if forgotten { now + FADING_MS } else { now };
        }
        Ok(all)
    }

    fn earliest(&self) -> Done<Millis> {
        let mut select = self.connection.prepare_cached(
            "SELECT min(coalesce((SELECT min(until) FROM held), ?1), coalesce((SELECT min(wake_at) FROM resting), ?1),
                        coalesce((SELECT min(expires_at) FROM ready WHERE expires_at IS NOT NULL), ?1))",
        )?;
        Ok(select.query_row([Millis::MAX], |row| row.get(0))?)
    }

    fn end_leases(&mut self, now: Millis) -> Done<bool> {
        let mut select = self.connection.prepare_cached(
            "SELECT place, seq, attempt, delivered_at, reason, until FROM held CROSS JOIN message USING (seq)
             WHERE until <= ?1 ORDER BY until, delivery, priority DESC, seq LIMIT ?2",
        )?;
        let rows = select.query_map([now, CHUNK], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let whole = is_whole(rows.len());
        for (number, seq, attempt, delivered_at, reason, until) in rows {
            let place = self.cache.place_of(self.connection, number)?;
            self.connection.prepare_cached("DELETE FROM held WHERE place = ?1 AND seq = ?2")?.execute([number, seq])?;
            self.cache.place_mut(place).held -= 1;
            // What becomes of it became of it when the lease ended, not when somebody looked.
            let held = Held { place, seq, attempt, delivered_at, reason };
            self.bring_back(held, until, Some(End::LeaseEnded), until)?;
        }
        Ok(whole)
    }

    fn end_rests(&mut self, now: Millis) -> Done<bool> {
        let mut select = self.connection.prepare_cached(
            "SELECT place, seq, used, resting.delivered_at, reason, priority, recipient, due_at, expires_at
             FROM resting CROSS JOIN message USING (seq) WHERE wake_at <= ?1 ORDER BY wake_at, seq LIMIT ?2",
        )?;
        let rows = select.query_map([now, CHUNK], |row| {
            let (place, seq): (i64, i64) = (row.get(0)?, row.get(1)?);
            let past = Past { used: row.get(2)?, delivered_at: row.get(3)?, reason: row.get(4)? };
            let (priority, recipient) = (row.get(5)?, row.get(6)?);
            Ok((place, Row { seq, priority, recipient, due_at: row.get(7)?, expires_at: row.get(8)? }, past))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let whole = is_whole(rows.len());
        for (number, row, past) in rows {
            let place = self.cache.place_of(self.connection, number)?;
            let mut delete = self.connection.prepare_cached("DELETE FROM resting WHERE place = ?1 AND seq = ?2")?;
            delete.execute([number, row.seq])?;
            self.cache.place_mut(place).resting -= 1;
            if row.expires_at.is_some_and(|expires_at| expires_at <= now) {
                self.expire(place, row.seq)?;
            } else {
                self.make_ready(place, &row, &past)?;
            }
        }
        Ok(whole)
    }

    fn drop_expired(&mut self, now: Millis) -> Done<bool> {
        let mut select = self.connection.prepare_cached(
            "SELECT place, recipient, rank, seq FROM ready
             WHERE expires_at IS NOT NULL AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2",
        )?;
        let rows = select.query_map([now, CHUNK], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let whole = is_whole(rows.len());
        for (number, recipient, rank, seq) in rows {
            let place = self.cache.place_of(self.connection, number)?;
            self.connection
                .prepare_cached("DELETE FROM ready WHERE place = ?1 AND recipient = ?2 AND rank = ?3 AND seq = ?4")?
                .execute(params![number, recipient, rank, seq])?;
            self.cache.place_mut(place).ready -= 1;
            self.expire(place, seq)?;
        }
        Ok(whole)
    }

    fn forget_ids(&mut self, now: Millis) -> Done<bool> {
        let mut delete = self.connection.prepare_cached(
            "DELETE FROM fading WHERE (forget_at, seq) IN
             (SELECT forget_at, seq FROM fading WHERE forget_at <= ?1 ORDER BY forget_at, seq LIMIT ?2)
             RETURNING queue, id, seq",
        )?;
        let rows = delete.query_map([now, CHUNK], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, uuid::Uuid>(1)?, row.get::<_, i64>(2)?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let mut forget =
            self.connection.prepare_cached("DELETE FROM known WHERE queue = ?1 AND id = ?2 AND seq = ?3")?;
        for (queue, id, seq) in &rows {
            forget.execute(params![queue, id, seq])?;
        }
        Ok(is_whole(rows.len()))
    }

    fn drop_finished(&mut self, now: Millis) -> Done<bool> {
        if self.keep_done_ms == 0 {
            return Ok(true);
        }
        let mut delete = self.connection.prepare_cached(
            "DELETE FROM finished WHERE finished IN
             (SELECT finished FROM finished WHERE done_at <= ?1 ORDER BY done_at LIMIT ?2)",
        )?;
        let dropped = delete.execute([now - self.keep_done_ms, CHUNK])?;
        Ok(is_whole(dropped))
    }
}

/// Whether so many rows were all that there were.
fn is_whole(rows: usize) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows < CHUNK)
}
