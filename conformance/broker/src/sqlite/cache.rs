//! What the writer remembers of queues, so that it need not read it again for every message. Good
//! for as long as no other connection has written.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Statement, params};

use uuid::Uuid;

use super::trouble::Done;
use crate::error::BrokerError;
use crate::policy::Policy;
use crate::queue::Queue;

/// A queue, and the groups that it has, the unnamed one first.
#[derive(Debug)]
pub(crate) struct QueueState {
    pub(crate) queue: i64,
    pub(crate) name: Queue,
    pub(crate) policy: Arc<Policy>,
    /// How many messages some group has.
    pub(crate) length: i64,
    /// No known id is greater.
    pub(crate) newest: Option<Uuid>,
    pub(crate) places: Vec<PlaceState>,
    changed: bool,
}

/// A group, and how many messages are where for it.
#[derive(Debug, Clone)]
pub(crate) struct PlaceState {
    pub(crate) place: i64,
    pub(crate) name: String,
    pub(crate) ready: i64,
    pub(crate) held: i64,
    pub(crate) resting: i64,
    pub(crate) dead: i64,
    pub(crate) expired: i64,
    changed: bool,
}

/// Where a queue stands in the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct QueueIx(usize);

/// Where a group stands in the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PlaceIx(pub(crate) QueueIx, usize);

#[derive(Debug, Default)]
pub(crate) struct Cache {
    states: Vec<QueueState>,
    by_name: HashMap<Queue, QueueIx>,
    by_queue: HashMap<i64, QueueIx>,
    by_place: HashMap<i64, PlaceIx>,
    changed: Vec<QueueIx>,
}

impl Cache {
    pub(crate) fn forget(&mut self) {
        *self = Cache::default();
    }

    pub(crate) fn queue(&self, at: QueueIx) -> &QueueState {
        &self.states[at.0]
    }

    /// For changing it; written back by [`Cache::write`].
    pub(crate) fn queue_mut(&mut self, at: QueueIx) -> &mut QueueState {
        let state = &mut self.states[at.0];
        if !std::mem::replace(&mut state.changed, true) {
            self.changed.push(at);
        }
        state
    }

    pub(crate) fn place(&self, at: PlaceIx) -> &PlaceState {
        &self.states[at.0.0].places[at.1]
    }

    /// For changing it; written back by [`Cache::write`].
    pub(crate) fn place_mut(&mut self, at: PlaceIx) -> &mut PlaceState {
        let place = &mut self.queue_mut(at.0).places[at.1];
        place.changed = true;
        place
    }

    pub(crate) fn places(&self, at: QueueIx) -> impl Iterator<Item = PlaceIx> + use<> {
        (0..self.states[at.0].places.len()).map(move |index| PlaceIx(at, index))
    }

    /// The queue of this name, if it is declared.
    pub(crate) fn find(&mut self, connection: &Connection, name: &Queue) -> Done<Option<QueueIx>> {
        if let Some(at) = self.by_name.get(name) {
            return Ok(Some(*at));
        }
        let mut select = connection.prepare_cached("SELECT queue FROM queue WHERE tenant = ?1 AND name = ?2")?;
        let queue = select.query_row(params![name.tenant().unwrap_or(""), name.name()], |row| row.get(0)).optional()?;
        queue.map(|queue| self.load(connection, queue)).transpose()
    }

    pub(crate) fn require(&mut self, connection: &Connection, name: &Queue) -> Done<QueueIx> {
        self.find(connection, name)?.ok_or_else(|| BrokerError::no_queue(name).into())
    }

    /// The group with this number, which is there.
    pub(crate) fn place_of(&mut self, connection: &Connection, place: i64) -> Done<PlaceIx> {
        if let Some(at) = self.by_place.get(&place) {
            return Ok(*at);
        }
        let mut select = connection.prepare_cached("SELECT queue FROM place WHERE place = ?1")?;
        let queue = select.query_row([place], |row| row.get(0))?;
        self.load(connection, queue)?;
        self.by_place.get(&place).copied().ok_or_else(|| rusqlite::Error::QueryReturnedNoRows.into())
    }

    /// The group of this name, if it is there; the unnamed one for none.
    pub(crate) fn group(&self, at: QueueIx, group: Option<&str>) -> Option<PlaceIx> {
        let name = group.unwrap_or("");
        self.states[at.0].places.iter().position(|place| place.name == name).map(|index| PlaceIx(at, index))
    }

    fn load(&mut self, connection: &Connection, queue: i64) -> Done<QueueIx> {
        if let Some(at) = self.by_queue.get(&queue) {
            return Ok(*at);
        }
        let mut select = connection.prepare_cached("SELECT tenant, name, policy FROM queue WHERE queue = ?1")?;
        let (tenant, name, policy) = select.query_row([queue], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })?;
        let name = if tenant.is_empty() { Queue::new(name) } else { Queue::of_tenant(tenant, name) };
        let policy = serde_json::from_str(&policy).map_err(|broken| {
            BrokerError::unavailable(format!("the policy of queue {name} cannot be read: {broken}"))
        })?;
        let mut select = connection.prepare_cached(
            "SELECT place, name, ready, held, resting, dead, expired, length
             FROM place JOIN tally USING (place) WHERE queue = ?1 ORDER BY place",
        )?;
        let mut length = 0;
        let places = select.query_map([queue], |row| {
            let changed = false;
            let (place, name) = (row.get(0)?, row.get(1)?);
            let (ready, held, resting) = (row.get(2)?, row.get(3)?, row.get(4)?);
            let (dead, expired) = (row.get(5)?, row.get(6)?);
            length += row.get::<_, i64>(7)?;
            Ok(PlaceState { place, name, ready, held, resting, dead, expired, changed })
        })?;
        let places = places.collect::<Result<Vec<_>, _>>()?;
        let mut select = connection.prepare_cached("SELECT id FROM known WHERE queue = ?1 ORDER BY id DESC LIMIT 1")?;
        let newest = select.query_row([queue], |row| row.get(0)).optional()?;
        let at = QueueIx(self.states.len());
        for (index, place) in places.iter().enumerate() {
            self.by_place.insert(place.place, PlaceIx(at, index));
        }
        self.by_name.insert(name.clone(), at);
        self.by_queue.insert(queue, at);
        self.states.push(QueueState { queue, name, policy: Arc::new(policy), length, newest, places, changed: false });
        Ok(at)
    }

    /// A group that has just been made.
    pub(crate) fn add_group(&mut self, at: QueueIx, place: i64, name: &str) -> PlaceIx {
        let places = &mut self.states[at.0].places;
        let ix = PlaceIx(at, places.len());
        let (ready, held, resting, dead, expired, changed) = (0, 0, 0, 0, 0, false);
        places.push(PlaceState { place, name: name.to_owned(), ready, held, resting, dead, expired, changed });
        self.by_place.insert(place, ix);
        ix
    }

    /// Writes back what has changed.
    pub(crate) fn write(&mut self, tally: &mut Statement<'_>) -> rusqlite::Result<()> {
        for at in self.changed.drain(..) {
            let state = &mut self.states[at.0];
            let length_changed = std::mem::take(&mut state.changed);
            for (index, place) in state.places.iter_mut().enumerate() {
                if std::mem::take(&mut place.changed) || (length_changed && index == 0) {
                    let length = if index == 0 { state.length } else { 0 };
                    let (ready, held, resting) = (place.ready, place.held, place.resting);
                    tally.execute([place.place, ready, held, resting, place.dead, place.expired, length])?;
                }
            }
        }
        Ok(())
    }
}
