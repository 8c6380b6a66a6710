//! From the publisher into the tables.

use rusqlite::params;
use uuid::Uuid;

use super::Store;
use super::fresh::Fresh;
use super::rows::{Again, Past, Row};
use crate::clock::Millis;
use crate::contract::{Message, Stored};
use crate::demand::Terms;
use crate::error::BrokerError;
use crate::policy::Overflow;
use crate::queue::Queue;
use crate::sqlite::cache::{PlaceIx, QueueIx};
use crate::sqlite::trouble::Done;

/// A message's row before it has a body and a place.
struct NewRow<'a> {
    queue: i64,
    id: &'a Uuid,
    terms: Terms,
    recipient: &'a str,
    published_at: Millis,
    forget_at: Millis,
    body: &'a [u8],
}

impl Store<'_> {
    pub(crate) fn publish(&mut self, queue: &Queue, message: &Message, now: Millis) -> Done<Stored> {
        let at = self.cache.require(self.connection, queue)?;
        self.publish_at(at, message, now)
    }

    pub(crate) fn publish_batch(
        &mut self,
        queue: &Queue,
        messages: &[Message],
        now: Millis,
    ) -> Done<Vec<Result<Stored, BrokerError>>> {
        use crate::sqlite::trouble::Trouble;
        let at = self.cache.require(self.connection, queue)?;
        let each = messages.iter().map(|message| match self.publish_at(at, message, now) {
            Ok(stored) => Ok(Ok(stored)),
            Err(Trouble::Refused(error)) => Ok(Err(error)),
            Err(Trouble::Database(error)) => Err(error.into()),
        });
        each.collect()
    }

    fn publish_at(&mut self, at: QueueIx, message: &Message, now: Millis) -> Done<Stored> {
        let state = self.cache.queue(at);
        let (queue, policy) = (state.queue, &state.policy);
        let terms = Terms::of(message, policy, self.about, now)?;
        let forget_at = now + policy.dedupe_ms;
        if policy.max_length.is_some_and(|most| state.length >= most) {
            if self.knows(queue, &message.id, now)? {
                return Ok(Stored::Duplicate);
            }
            self.make_room(at)?;
        }
        let recipient = message.to.as_deref().unwrap_or("");
        let (id, body, published_at) = (&message.id, &message.body[..], now);
        match self.insert(at, &NewRow { queue, id, terms, recipient, published_at, forget_at, body }, true)? {
            None => Ok(Stored::Duplicate),
            Some(row) => {
                for place in self.cache.places(at) {
                    if row.due_at > now {
                        self.give(place, &row, now)?;
                    } else {
                        self.keep_aside(place, Fresh { row: row.clone(), id: *id, body: message.body.clone() });
                    }
                }
                let places = self.cache.queue(at).places.len();
                if places > 1 {
                    self.share(row.seq, places)?;
                }
                Ok(Stored::Stored)
            }
        }
    }

    /// Writes a message's row, unless its id is known and that matters.
    fn insert(&mut self, at: QueueIx, row: &NewRow<'_>, once: bool) -> Done<Option<Row>> {
        // Ids that are made of the time are mostly newer than all before.
        let may_be_known = self.cache.queue(at).newest.is_some_and(|newest| *row.id <= newest);
        if once && may_be_known && self.knows(row.queue, row.id, row.published_at)? {
            return Ok(None);
        }
        let (seq, terms) = (self.next_seq(), row.terms);
        self.hot.know.execute(params![row.queue, row.id, seq, row.forget_at])?;
        self.hot.store.execute(params![
            seq,
            row.queue,
            row.id,
            terms.priority,
            row.recipient,
            row.published_at,
            terms.due_at,
            terms.expires_at,
            terms.ttl_ms,
            row.forget_at,
            row.body,
        ])?;
        let state = self.cache.queue_mut(at);
        state.length += 1;
        state.newest = state.newest.max(Some(*row.id));
        let (priority, due_at, expires_at) = (terms.priority, terms.due_at, terms.expires_at);
        Ok(Some(Row { seq, priority, recipient: row.recipient.to_owned(), due_at, expires_at }))
    }

    /// Puts a message back into one group, as new and at the end.
    pub(super) fn insert_again(&mut self, place: PlaceIx, again: &Again, now: Millis) -> Done<()> {
        let state = self.cache.queue(place.0);
        let (queue, full) = (state.queue, state.policy.max_length.is_some_and(|most| state.length >= most));
        if full {
            return Err(BrokerError::full(format!("queue {} is full; the letter stays", state.name)).into());
        }
        let (priority, ttl_ms, due_at) = (again.priority, again.ttl_ms, now);
        let terms = Terms { priority, ttl_ms, due_at, expires_at: ttl_ms.map(|ttl| now + ttl) };
        let (id, recipient, body) = (&again.id, &again.recipient[..], &again.body[..]);
        // Its id is not remembered for this: a forgetting time that is over.
        let row = NewRow { queue, id, terms, recipient, published_at: now, forget_at: now, body };
        if let Some(row) = self.insert(place.0, &row, false)? {
            self.give(place, &row, now)?;
            if self.cache.queue(place.0).places.len() > 1 {
                self.share(row.seq, 1)?;
            }
        }
        Ok(())
    }

    /// Lets a group have a message: to fetch, or to rest first.
    pub(super) fn give(&mut self, place: PlaceIx, row: &Row, now: Millis) -> Done<()> {
        if row.due_at > now {
            self.rest(place, row, row.due_at, &Past::default())
        } else {
            self.make_ready(place, row, &Past::default())
        }
    }

    pub(super) fn share(&mut self, seq: i64, places: usize) -> Done<()> {
        let turns = i64::try_from(places).unwrap_or(i64::MAX);
        self.connection.prepare_cached("INSERT INTO share (seq, turns) VALUES (?1, ?2)")?.execute([seq, turns])?;
        Ok(())
    }

    fn knows(&mut self, queue: i64, id: &Uuid, now: Millis) -> Done<bool> {
        let mut rows = self.hot.knows.query(params![queue, id, now])?;
        Ok(rows.next()?.is_some())
    }

    /// Makes room in a queue that is full, or refuses.
    fn make_room(&mut self, at: QueueIx) -> Done<()> {
        let state = self.cache.queue(at);
        let full = || {
            let most = state.policy.max_length.unwrap_or(0);
            BrokerError::full(format!("queue {} is full: it holds {} of at most {most}", state.name, state.length))
        };
        if state.policy.overflow == Overflow::Reject {
            return Err(full().into());
        }
        let full = full();
        match self.oldest_that_nobody_holds(at)? {
            Some(seq) => self.drop_everywhere(at, seq),
            None => Err(full.into()),
        }
    }
}
