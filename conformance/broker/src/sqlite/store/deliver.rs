//! From the tables to a consumer, or before somebody's eyes.

use bytes::Bytes;
use rusqlite::{OptionalExtension as _, params};
use uuid::Uuid;

use super::{Store, rank};
use crate::clock::Millis;
use crate::contract::{Delivery, Fetch, Peek, Peeked, Tag};
use crate::queue::Queue;
use crate::sqlite::cache::{PlaceIx, QueueIx};
use crate::sqlite::tag;
use crate::sqlite::trouble::Done;

/// The most bytes of bodies in one answer; one message always fits.
pub(super) const MAX_ANSWER: usize = 8 << 20;

/// The most messages in one answer, however small they are.
pub(super) const MAX_COUNT: u32 = 65_536;

/// A ready message.
struct Next {
    /// Whose it is: 0 is nobody's, 1 the recipient's.
    whose: usize,
    rank: i64,
    seq: i64,
    used: i64,
    id: Uuid,
    body: Bytes,
}

/// A row of the order of fetching, with what the message says.
fn next(row: &rusqlite::Row<'_>, whose: usize) -> rusqlite::Result<Next> {
    let body = row.get_ref(4)?.as_bytes()?;
    let (rank, seq, used, id) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    Ok(Next { whose, rank, seq, used, id, body: Bytes::copy_from_slice(body) })
}

impl Store<'_> {
    /// Takes what is next for a consumer. A group that was not there is made.
    pub(crate) fn take(&mut self, queue: &Queue, fetch: &Fetch, client: i64, now: Millis) -> Done<Vec<Delivery>> {
        let at = self.cache.require(self.connection, queue)?;
        let place = match self.cache.group(at, fetch.group.as_deref()) {
            Some(place) => place,
            None => self.make_group(at, fetch.group.as_deref().unwrap_or(""), now)?,
        };
        if self.cache.place(place).ready == 0 {
            return Ok(Vec::new());
        }
        if fetch.id.is_none() && self.all_is_fresh(place) {
            return self.take_fresh(place, fetch, client, now);
        }
        self.put_in_order(place)?;
        self.take_from(place, fetch, client, now)
    }

    fn take_from(&mut self, place: PlaceIx, fetch: &Fetch, client: i64, now: Millis) -> Done<Vec<Delivery>> {
        let recipients = ["", fetch.recipient.as_deref().unwrap_or("")];
        let all = match fetch.id {
            Some(id) => self.ready_with_id(place, id, recipients[1], now)?,
            None => self.ready_in_order(place, recipients[1], fetch.max.min(MAX_COUNT), now)?,
        };
        let Some(first) = all.first() else { return Ok(Vec::new()) };
        let (number, delivery, lease) =
            (self.cache.place(place).place, self.next_delivery(), self.cache.queue(place.0).policy.lease_ms);
        let until = now + lease;
        let hold = params![client, delivery, until, now, fetch.consumer];
        if fetch.id.is_some() {
            let row = params![number, recipients[first.whose], first.rank, first.seq];
            self.hold_one(&[row, hold].concat())?;
        } else {
            for (whose, recipient) in recipients.into_iter().enumerate() {
                // What was taken of one recipient's order is its beginning, so its last row is the bound.
                if let Some(last) = all.iter().rev().find(|next| next.whose == whose) {
                    self.hot.hold.execute(params![
                        number,
                        recipient,
                        last.rank,
                        last.seq,
                        now,
                        client,
                        delivery,
                        until,
                        fetch.consumer,
                    ])?;
                    self.hot.unready.execute(params![number, recipient, last.rank, last.seq, now])?;
                }
            }
        }
        self.count_taken(place, all.len(), until);
        let deliver = |next: Next| delivered(number, delivery, next.rank, next.seq, next.used, next.id, next.body);
        Ok(all.into_iter().map(deliver).collect())
    }

    pub(super) fn count_taken(&mut self, place: PlaceIx, count: usize, until: Millis) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let state = self.cache.place_mut(place);
        state.ready -= count;
        state.held += count;
        self.next_due = self.next_due.min(until);
    }

    /// Moves one ready message into the hands of a consumer.
    fn hold_one(&self, row: &[&dyn rusqlite::ToSql]) -> Done<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO held (place, seq, client, delivery, attempt, until, delivered_at, consumer, reason)
                 SELECT place, seq, ?5, ?6, used + 1, ?7, ?8, ?9, reason FROM ready
                 WHERE place = ?1 AND recipient = ?2 AND rank = ?3 AND seq = ?4",
            )?
            .execute(row)?;
        self.connection
            .prepare_cached("DELETE FROM ready WHERE place = ?1 AND recipient = ?2 AND rank = ?3 AND seq = ?4")?
            .execute(&row[..4])?;
        Ok(())
    }

    /// The next messages for a recipient: its own and nobody's, in one order.
    fn ready_in_order(&mut self, place: PlaceIx, recipient: &str, max: u32, now: Millis) -> Done<Vec<Next>> {
        let number = self.cache.place(place).place;
        let mut all = Vec::new();
        for (whose, name) in ["", recipient].into_iter().enumerate().take(if recipient.is_empty() { 1 } else { 2 }) {
            let mut bytes = 0;
            let mut rows = self.hot.next.query(params![number, name, now, max])?;
            while let Some(row) = rows.next()? {
                let next = next(row, whose)?;
                bytes += next.body.len();
                if bytes > MAX_ANSWER && bytes > next.body.len() {
                    break;
                }
                all.push(next);
            }
        }
        if !recipient.is_empty() {
            all.sort_by_key(|next| (next.rank, next.seq));
        }
        all.truncate(usize::try_from(max).unwrap_or(usize::MAX));
        let mut bytes = 0;
        let fit = all.iter().take_while(|next| {
            bytes += next.body.len();
            bytes <= MAX_ANSWER
        });
        let fit = fit.count().max(1);
        all.truncate(fit);
        Ok(all)
    }

    fn ready_with_id(&self, place: PlaceIx, id: Uuid, recipient: &str, now: Millis) -> Done<Vec<Next>> {
        let state = self.cache.queue(place.0);
        let mut select = self.connection.prepare_cached(
            "SELECT ready.rank, ready.seq, ready.used, message.id, message.body, ready.recipient <> ''
             FROM known CROSS JOIN message USING (seq)
             CROSS JOIN ready ON ready.place = ?3 AND ready.recipient = message.recipient
                  AND ready.rank = 10 - message.priority AND ready.seq = message.seq
             WHERE known.queue = ?1 AND known.id = ?2 AND ready.recipient IN ('', ?4)
                  AND (ready.expires_at IS NULL OR ready.expires_at > ?5)
             ORDER BY known.seq LIMIT 1",
        )?;
        let number = self.cache.place(place).place;
        let found = select
            .query_row(params![state.queue, id, number, recipient, now], |row| {
                next(row, usize::from(row.get::<_, bool>(5)?))
            })
            .optional()?;
        Ok(found.into_iter().collect())
    }

    /// Looks at what a fetch would take.
    pub(crate) fn peek(&mut self, queue: &Queue, peek: &Peek, now: Millis) -> Done<Vec<Peeked>> {
        self.put_all_in_order()?;
        let at = self.cache.require(self.connection, queue)?;
        let recipient = peek.recipient.as_deref().unwrap_or("");
        let place = self.cache.group(at, peek.group.as_deref());
        let behind = match peek.after {
            None => (i64::MIN, i64::MIN),
            Some(id) => match self.place_in_order(at, place, id, recipient, now)? {
                Some(behind) => behind,
                None => return Ok(Vec::new()),
            },
        };
        let Some(place) = place else { return self.peek_as_if_new(at, peek, recipient, behind, now) };
        let mut select = self.connection.prepare_cached(
            "SELECT ready.rank, ready.seq, ready.used, message.id, message.body
             FROM ready CROSS JOIN message USING (seq)
             WHERE place = ?1 AND ready.recipient IN ('', ?2) AND (ready.rank, ready.seq) > (?3, ?4)
                  AND (ready.expires_at IS NULL OR ready.expires_at > ?5)
             ORDER BY ready.rank, ready.seq LIMIT ?6",
        )?;
        let number = self.cache.place(place).place;
        let rows = select.query(params![number, recipient, behind.0, behind.1, now, peek.max.min(MAX_COUNT)])?;
        peeked(rows)
    }

    /// What a group would see that is not there yet.
    fn peek_as_if_new(
        &self,
        at: QueueIx,
        peek: &Peek,
        recipient: &str,
        behind: (i64, i64),
        now: Millis,
    ) -> Done<Vec<Peeked>> {
        let mut select = self.connection.prepare_cached(
            "SELECT 10 - priority AS rank, message.seq, 0, message.id, body
             FROM known CROSS JOIN message USING (seq)
             WHERE known.queue = ?1 AND recipient IN ('', ?2) AND (10 - priority, message.seq) > (?3, ?4)
                  AND (expires_at IS NULL OR expires_at > ?5) AND due_at <= ?5
             ORDER BY rank, message.seq LIMIT ?6",
        )?;
        let queue = self.cache.queue(at).queue;
        peeked(select.query(params![queue, recipient, behind.0, behind.1, now, peek.max.min(MAX_COUNT)])?)
    }

    /// Where a message stands in the order, if it is ready for this recipient.
    fn place_in_order(
        &self,
        at: QueueIx,
        place: Option<PlaceIx>,
        id: Uuid,
        recipient: &str,
        now: Millis,
    ) -> Done<Option<(i64, i64)>> {
        let queue = self.cache.queue(at).queue;
        if let Some(place) = place {
            let mut select = self.connection.prepare_cached(
                "SELECT ready.rank, ready.seq FROM known CROSS JOIN message USING (seq)
                 CROSS JOIN ready ON ready.place = ?3 AND ready.recipient = message.recipient
                      AND ready.rank = 10 - message.priority AND ready.seq = message.seq
                 WHERE known.queue = ?1 AND known.id = ?2 AND ready.recipient IN ('', ?4)
                      AND (ready.expires_at IS NULL OR ready.expires_at > ?5)
                 ORDER BY ready.rank DESC, ready.seq DESC LIMIT 1",
            )?;
            let number = self.cache.place(place).place;
            let found =
                select.query_row(params![queue, id, number, recipient, now], |row| Ok((row.get(0)?, row.get(1)?)));
            return Ok(found.optional()?);
        }
        let mut select = self.connection.prepare_cached(
            "SELECT priority, message.seq FROM known CROSS JOIN message USING (seq)
             WHERE known.queue = ?1 AND known.id = ?2 AND recipient IN ('', ?3)
                  AND (expires_at IS NULL OR expires_at > ?4) AND due_at <= ?4
             ORDER BY priority, message.seq DESC LIMIT 1",
        )?;
        let found = select.query_row(params![queue, id, recipient, now], |row| Ok((rank(row.get(0)?), row.get(1)?)));
        Ok(found.optional()?)
    }
}

/// A message in the hands of a consumer.
pub(super) fn delivered(place: i64, delivery: i64, rank: i64, seq: i64, used: i64, id: Uuid, body: Bytes) -> Delivery {
    let tag = Tag(tag::write(place, seq, delivery));
    Delivery { tag, id, body, priority: 10 - rank, attempt: u32::try_from(used + 1).unwrap_or(u32::MAX) }
}

/// Rows of the order of fetching, as far as they fit into one answer.
fn peeked(mut rows: rusqlite::Rows<'_>) -> Done<Vec<Peeked>> {
    let (mut all, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let next = next(row, 0)?;
        bytes += next.body.len();
        if bytes > MAX_ANSWER && !all.is_empty() {
            break;
        }
        let attempt = u32::try_from(next.used + 1).unwrap_or(u32::MAX);
        all.push(Peeked { id: next.id, body: next.body, priority: 10 - next.rank, attempt });
    }
    Ok(all)
}
