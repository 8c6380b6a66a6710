//! How deliveries end.

use rusqlite::OptionalExtension as _;

use super::Store;
use super::rows::Held;
use crate::clock::Millis;
use crate::contract::{CloseMode, Tag, Verdict};
use crate::demand::{End, kept_reason};
use crate::error::BrokerError;
use crate::queue::Queue;
use crate::sqlite::cache::{PlaceIx, QueueIx};
use crate::sqlite::tag;
use crate::sqlite::trouble::{Done, Trouble};

impl Store<'_> {
    pub(crate) fn settle_many(
        &mut self,
        queue: &Queue,
        settled: &[(Tag, Verdict)],
        client: i64,
        now: Millis,
    ) -> Done<Vec<Result<(), BrokerError>>> {
        let at = self.cache.require(self.connection, queue)?;
        let each = settled.iter().map(|(tag, verdict)| match self.settle(at, tag, verdict, client, now) {
            Ok(()) => Ok(Ok(())),
            Err(Trouble::Refused(error)) => Ok(Err(error)),
            Err(Trouble::Database(error)) => Err(error.into()),
        });
        each.collect()
    }

    fn settle(&mut self, at: QueueIx, tag: &Tag, verdict: &Verdict, client: i64, now: Millis) -> Done<()> {
        crate::demand::check_verdict(verdict)?;
        let (place, seq, delivery) = self.named(at, tag)?;
        let number = self.cache.place(place).place;
        if *verdict == Verdict::Done {
            if self.keep_done_ms > 0 {
                self.keep_done(place, seq, delivery, client, now)?;
            }
            if self.hot.done.execute([number, seq, delivery, client, now])? == 0 {
                return Err(BrokerError::stale().into());
            }
            self.cache.place_mut(place).held -= 1;
            return self.end_turn(at, seq);
        }
        let mut remove = self.connection.prepare_cached(
            "DELETE FROM held WHERE place = ?1 AND seq = ?2 AND delivery = ?3 AND client = ?4 AND until > ?5
             RETURNING attempt, delivered_at, reason",
        )?;
        let held = remove
            .query_row([number, seq, delivery, client, now], |row| {
                let (attempt, delivered_at, reason) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(Held { place, seq, attempt, delivered_at, reason })
            })
            .optional()?;
        let mut held = held.ok_or_else(BrokerError::stale)?;
        self.cache.place_mut(place).held -= 1;
        match verdict {
            Verdict::Done => Ok(()),
            Verdict::Retry { delay_ms, reason } => {
                if let Some(reason) = reason {
                    held.reason = Some(kept_reason(reason));
                }
                let attempt = u32::try_from(held.attempt).unwrap_or(u32::MAX);
                let delay = delay_ms.unwrap_or_else(|| self.cache.queue(at).policy.backoff(attempt));
                self.bring_back(held, now + delay, Some(End::Retried), now)
            }
            Verdict::Dead { reason } => self.bury(&held, reason.as_deref(), End::GivenUp, now),
        }
    }

    /// What a tag of this queue stands for.
    fn named(&mut self, at: QueueIx, tag: &Tag) -> Done<(PlaceIx, i64, i64)> {
        let (number, seq, delivery) = tag::read(tag).ok_or_else(BrokerError::stale)?;
        let place = self.cache.places(at).find(|place| self.cache.place(*place).place == number);
        Ok((place.ok_or_else(BrokerError::stale)?, seq, delivery))
    }

    fn keep_done(&self, place: PlaceIx, seq: i64, delivery: i64, client: i64, now: Millis) -> Done<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO finished
                 (queue, place, id, priority, recipient, ttl_ms, published_at, attempts, done_at, body)
                 SELECT queue, place, id, priority, recipient, ttl_ms, published_at, attempt, ?5, body
                 FROM held CROSS JOIN message USING (seq)
                 WHERE place = ?1 AND seq = ?2 AND delivery = ?3 AND client = ?4 AND until > ?5",
            )?
            .execute([self.cache.place(place).place, seq, delivery, client, now])?;
        Ok(())
    }

    pub(crate) fn extend(&mut self, queue: &Queue, tag: &Tag, lease_ms: i64, client: i64, now: Millis) -> Done<()> {
        let at = self.cache.require(self.connection, queue)?;
        let (place, seq, delivery) = self.named(at, tag)?;
        let until = now + lease_ms;
        let mut update = self.connection.prepare_cached(
            "UPDATE held SET until = ?6 WHERE place = ?1 AND seq = ?2 AND delivery = ?3 AND client = ?4 AND until > ?5",
        )?;
        if update.execute([self.cache.place(place).place, seq, delivery, client, now, until])? == 0 {
            return Err(BrokerError::stale().into());
        }
        self.next_due = self.next_due.min(until);
        Ok(())
    }

    /// Brings back all that some clients hold, in the order in which it was delivered.
    pub(crate) fn release(&mut self, clients: &[i64], mode: CloseMode, now: Millis) -> Done<()> {
        let mut select = self.connection.prepare_cached(
            "SELECT delivery, -priority, seq, place, attempt, delivered_at, reason, until
             FROM held CROSS JOIN message USING (seq) WHERE client = ?1",
        )?;
        let mut delete = self.connection.prepare_cached("DELETE FROM held WHERE client = ?1")?;
        let mut all = Vec::new();
        for client in clients {
            let rows = select.query_map([client], |row| {
                let order: (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let (place, attempt, delivered_at, reason) = (row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?);
                Ok((order, place, attempt, delivered_at, reason, row.get::<_, Millis>(7)?))
            })?;
            for row in rows {
                all.push(row?);
            }
            delete.execute([client])?;
        }
        all.sort_by_key(|row| row.0);
        for ((_, _, seq), number, attempt, delivered_at, reason, until) in all {
            let place = self.cache.place_of(self.connection, number)?;
            self.cache.place_mut(place).held -= 1;
            let end = match mode {
                _ if until <= now => Some(End::LeaseEnded),
                CloseMode::Graceful => None,
                CloseMode::Abort => Some(End::ClientLost),
            };
            self.bring_back(Held { place, seq, attempt, delivered_at, reason }, now, end, now)?;
        }
        Ok(())
    }

    /// Gives back one delivery that never reached its consumer.
    pub(crate) fn give_back(&mut self, tag: &Tag, client: i64, now: Millis) -> Done<()> {
        let Some((number, seq, delivery)) = tag::read(tag) else { return Ok(()) };
        let mut remove = self.connection.prepare_cached(
            "DELETE FROM held WHERE place = ?1 AND seq = ?2 AND delivery = ?3 AND client = ?4
             RETURNING attempt, delivered_at, reason",
        )?;
        let row = remove.query_row([number, seq, delivery, client], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let Some((attempt, delivered_at, reason)) = row.optional()? else { return Ok(()) };
        let place = self.cache.place_of(self.connection, number)?;
        self.cache.place_mut(place).held -= 1;
        self.bring_back(Held { place, seq, attempt, delivered_at, reason }, now, None, now)
    }
}
