//! Messages that were published in this very transaction, and have no row in the order yet.
//!
//! Where consumers wait, what is published is taken by the same transaction: writing it into the
//! order, reading it there and removing it again would be half of the work. So it is kept aside, and
//! written into the order only when somebody looks there, or at the end.

use std::collections::HashMap;

use bytes::Bytes;
use rusqlite::params;
use uuid::Uuid;

use super::Store;
use super::deliver::{MAX_ANSWER, delivered};
use super::rows::{Past, Row};
use crate::clock::Millis;
use crate::contract::{Delivery, Fetch};
use crate::sqlite::cache::PlaceIx;
use crate::sqlite::trouble::Done;

/// A message that a group can have at once.
pub(super) struct Fresh {
    pub(super) row: Row,
    pub(super) id: Uuid,
    pub(super) body: Bytes,
}

/// For each group, in the order of publication.
pub(super) type FreshOnes = HashMap<PlaceIx, Vec<Fresh>>;

impl Store<'_> {
    /// Lets a group have a message without a row in the order.
    pub(super) fn keep_aside(&mut self, place: PlaceIx, fresh: Fresh) {
        if let Some(expires_at) = fresh.row.expires_at {
            self.next_due = self.next_due.min(expires_at);
        }
        self.fresh.entry(place).or_default().push(fresh);
        self.cache.place_mut(place).ready += 1;
        self.woken.insert(place);
    }

    /// Whether all that a group has ready is fresh.
    pub(super) fn all_is_fresh(&self, place: PlaceIx) -> bool {
        let fresh = self.fresh.get(&place).map_or(0, Vec::len);
        fresh > 0 && i64::try_from(fresh).is_ok_and(|fresh| fresh == self.cache.place(place).ready)
    }

    /// Takes what is next of a group that has nothing but fresh ones.
    pub(super) fn take_fresh(
        &mut self,
        place: PlaceIx,
        fetch: &Fetch,
        client: i64,
        now: Millis,
    ) -> Done<Vec<Delivery>> {
        let Some(fresh) = self.fresh.get_mut(&place) else { return Ok(Vec::new()) };
        let recipient = fetch.recipient.as_deref().unwrap_or("");
        let is_for = |row: &Row| row.recipient.is_empty() || row.recipient == recipient;
        let lives = |row: &Row| row.expires_at.is_none_or(|expires_at| expires_at > now);
        let mut next: Vec<(i64, usize)> = (0..fresh.len())
            .filter(|index| is_for(&fresh[*index].row) && lives(&fresh[*index].row))
            .map(|index| (fresh[index].row.rank(), index))
            .collect();
        next.sort_unstable();
        next.truncate(usize::try_from(fetch.max).unwrap_or(usize::MAX));
        let mut bytes = 0;
        let fits = |(_, index): &&(i64, usize)| {
            bytes += fresh[*index].body.len();
            bytes <= MAX_ANSWER
        };
        let fit = next.iter().take_while(fits).count().max(1);
        next.truncate(fit);
        let mut taken: Vec<Option<Fresh>> = std::mem::take(fresh).into_iter().map(Some).collect();
        let mut ones = Vec::with_capacity(next.len());
        for (_, index) in next {
            ones.extend(taken[index].take());
        }
        fresh.extend(taken.into_iter().flatten());
        self.hand_over(place, ones, fetch, client, now)
    }

    fn hand_over(
        &mut self,
        place: PlaceIx,
        ones: Vec<Fresh>,
        fetch: &Fetch,
        client: i64,
        now: Millis,
    ) -> Done<Vec<Delivery>> {
        if ones.is_empty() {
            return Ok(Vec::new());
        }
        let (number, delivery) = (self.cache.place(place).place, self.next_delivery());
        let until = now + self.cache.queue(place.0).policy.lease_ms;
        for one in &ones {
            let row = params![number, one.row.seq, client, delivery, until, now, fetch.consumer];
            self.hot.hand_over.execute(row)?;
        }
        self.count_taken(place, ones.len(), until);
        let deliver = |one: Fresh| delivered(number, delivery, one.row.rank(), one.row.seq, 0, one.id, one.body);
        Ok(ones.into_iter().map(deliver).collect())
    }

    /// Writes what is kept aside for a group into the order.
    pub(super) fn put_in_order(&mut self, place: PlaceIx) -> Done<()> {
        for fresh in self.fresh.remove(&place).unwrap_or_default() {
            self.write_ready(place, &fresh.row, &Past::default())?;
        }
        Ok(())
    }

    /// The same for all groups.
    pub(super) fn put_all_in_order(&mut self) -> Done<()> {
        let places: Vec<PlaceIx> = self.fresh.keys().copied().collect();
        places.into_iter().try_for_each(|place| self.put_in_order(place))
    }
}
