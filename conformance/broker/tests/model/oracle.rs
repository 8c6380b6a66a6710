//! The most obvious broker: one list of records, one for each message in each group, looked through
//! from end to end for every question. Time passes millisecond by millisecond.

mod counts;
mod taking;

use bytes::Bytes;
use uuid::Uuid;
use workwire_broker::clock::timestamp;
use workwire_broker::{CloseMode, Code, Letter, Overflow, Policy, RestartMode, Stored, Update};

use super::answers::Seen;
use super::steps::{Ending, Named, Parcel, Taking, Where, Who};

#[derive(Debug, Clone)]
struct Record {
    place: Where,
    group: Named,
    seq: usize,
    parcel: Parcel,
    priority: i64,
    body: String,
    first_due: i64,
    ttl: Option<i64>,
    expires: Option<i64>,
    used: u32,
    reason: Named,
    state: State,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Free { due: i64 },
    Held { delivery: usize, connection: usize, until: i64 },
    Dead { reason: String, attempts: u32, at: i64, turn: usize },
    Gone,
}

#[derive(Debug, Default)]
pub(crate) struct Oracle {
    pub(crate) now: i64,
    /// The connection of each client that is open.
    open: Vec<(Who, usize)>,
    connections: usize,
    records: Vec<Record>,
    policies: Vec<(Where, Policy)>,
    groups: Vec<(Where, Named)>,
    seen: Vec<(Where, u8, i64)>,
    expired: Vec<Where>,
    beats: Vec<(Named, Update, i64)>,
    pub(crate) deliveries: usize,
    seqs: usize,
    deaths: usize,
}

pub(crate) type Told<T> = Result<T, Code>;

fn named(name: Named) -> Told<()> {
    if name.is_some_and(|name| name.contains(' ')) { Err(Code::Invalid) } else { Ok(()) }
}

fn at_least(number: i64, least: i64) -> Told<()> {
    if number < least { Err(Code::Invalid) } else { Ok(()) }
}

impl Oracle {
    pub(crate) fn at(now: i64) -> Self {
        Oracle { now, ..Oracle::default() }
    }

    // Time.

    pub(crate) fn pass(&mut self, millis: i64) {
        for _ in 0..millis {
            self.now += 1;
            self.fail_all("the lease", |state, now| matches!(state, State::Held { until, .. } if *until == now));
            for index in 0..self.records.len() {
                self.drop_if_expired(index);
            }
        }
    }

    /// In the order of delivery.
    fn fail_all(&mut self, lost: &str, is_lost: impl Fn(&State, i64) -> bool) {
        for delivery in 0..self.deliveries {
            let of_it = |record: &Record| matches!(record.state, State::Held { delivery: it, .. } if it == delivery);
            let Some(index) = self.records.iter().position(of_it) else { continue };
            if is_lost(&self.records[index].state, self.now) {
                let attempt = self.records[index].used + 1;
                let words = match lost {
                    "the lease" => format!("attempts used up: the lease of delivery {attempt} expired"),
                    _ => format!("attempts used up: the connection was lost during delivery {attempt}"),
                };
                self.fail(index, self.now, None, &words);
            }
        }
    }

    fn fail(&mut self, index: usize, due: i64, reason: Named, words: &str) {
        let most = self.policy(self.records[index].place).max_attempts;
        if i64::from(self.records[index].used + 1) >= most {
            return self.die(index, reason, words);
        }
        let record = &mut self.records[index];
        record.used += 1;
        record.reason = reason.or(record.reason);
        record.state = State::Free { due };
        self.drop_if_expired(index);
    }

    fn die(&mut self, index: usize, reason: Named, words: &str) {
        self.deaths += 1;
        let record = &mut self.records[index];
        let reason = reason.or(record.reason).unwrap_or(words).to_owned();
        record.state = State::Dead { reason, attempts: record.used + 1, at: self.now, turn: self.deaths };
    }

    fn drop_if_expired(&mut self, index: usize) {
        let record = &mut self.records[index];
        let is_over = record.expires.is_some_and(|expires| expires <= self.now);
        if is_over && matches!(record.state, State::Free { .. }) {
            record.state = State::Gone;
            self.expired.push(record.place);
        }
    }

    // Clients.

    pub(crate) fn open(&mut self, who: Who) -> Told<usize> {
        if self.open.iter().any(|(open, _)| *open == who) {
            return Err(Code::Conflict);
        }
        self.connections += 1;
        self.open.push((who, self.connections));
        Ok(self.connections)
    }

    pub(crate) fn close(&mut self, connection: usize, mode: CloseMode) -> Told<()> {
        self.is_open(connection)?;
        self.open.retain(|(_, open)| *open != connection);
        let of_it = move |state: &State| matches!(state, State::Held { connection: it, .. } if *it == connection);
        self.let_go(mode, of_it);
        Ok(())
    }

    pub(crate) fn restart(&mut self, mode: RestartMode) {
        self.open.clear();
        let mode = if mode == RestartMode::Kill { CloseMode::Abort } else { CloseMode::Graceful };
        self.let_go(mode, |state| matches!(state, State::Held { .. }));
    }

    fn let_go(&mut self, mode: CloseMode, is_let_go: impl Fn(&State) -> bool) {
        if mode == CloseMode::Abort {
            return self.fail_all("the connection", |state, _| is_let_go(state));
        }
        for index in 0..self.records.len() {
            if is_let_go(&self.records[index].state) {
                self.records[index].state = State::Free { due: self.now };
                self.drop_if_expired(index);
            }
        }
    }

    fn is_open(&self, connection: usize) -> Told<()> {
        if self.open.iter().any(|(_, open)| *open == connection) { Ok(()) } else { Err(Code::NotFound) }
    }

    pub(crate) fn is_there(&self, connection: usize, place: Where) -> Told<()> {
        self.is_open(connection)?;
        if self.policies.iter().any(|(there, _)| *there == place) { Ok(()) } else { Err(Code::NotFound) }
    }

    // Queues.

    fn policy(&self, place: Where) -> Policy {
        self.policies.iter().find(|(there, _)| *there == place).unwrap().1.clone()
    }

    pub(crate) fn declare(&mut self, connection: usize, place: Where, policy: &Policy) -> Told<()> {
        self.is_open(connection)?;
        if self.is_there(connection, place).is_ok() {
            return if self.policy(place) == *policy { Ok(()) } else { Err(Code::Conflict) };
        }
        self.policies.push((place, policy.clone()));
        self.groups.push((place, None));
        Ok(())
    }

    pub(crate) fn delete(&mut self, connection: usize, place: Where) -> Told<()> {
        self.is_there(connection, place)?;
        self.policies.retain(|(there, _)| *there != place);
        self.groups.retain(|(there, _)| *there != place);
        self.seen.retain(|(there, _, _)| *there != place);
        self.expired.retain(|there| *there != place);
        self.records.retain(|record| record.place != place);
        Ok(())
    }

    /// The messages that some group has: each once, in the order of publication.
    fn living(&self, place: Where) -> Vec<Record> {
        let is_living = |record: &&Record| matches!(record.state, State::Free { .. } | State::Held { .. });
        let mut living: Vec<Record> =
            self.records.iter().filter(|record| record.place == place).filter(is_living).cloned().collect();
        living.sort_by_key(|record| record.seq);
        living.dedup_by_key(|record| record.seq);
        living
    }

    fn is_full(&self, place: Where) -> bool {
        let length = i64::try_from(self.living(place).len()).unwrap();
        self.policy(place).max_length.is_some_and(|most| length >= most)
    }

    pub(crate) fn publish(&mut self, connection: usize, place: Where, parcel: Parcel, body: &str) -> Told<Stored> {
        self.is_there(connection, place)?;
        let policy = self.policy(place);
        named(parcel.to)?;
        let middle = (policy.max_priority + 1) / 2;
        let priority = parcel.priority.unwrap_or(middle);
        at_least(priority, 1)?;
        at_least(policy.max_priority, priority)?;
        at_least(parcel.delay_ms.unwrap_or(0), 0)?;
        at_least(parcel.ttl_ms.unwrap_or(1), 1)?;
        if self.seen.iter().any(|(there, id, until)| (*there, *id) == (place, parcel.id) && self.now < *until) {
            return Ok(Stored::Duplicate);
        }
        if self.is_full(place) {
            self.drop_oldest(place, &policy)?;
        }
        let ttl = match (parcel.ttl_ms, policy.ttl_ms) {
            (Some(own), Some(policys)) => Some(own.min(policys)),
            (own, policys) => own.or(policys),
        };
        self.seqs += 1;
        let due = self.now + parcel.delay_ms.unwrap_or(0);
        let record = Record {
            place,
            group: None,
            seq: self.seqs,
            parcel,
            priority,
            body: body.to_owned(),
            first_due: due,
            ttl,
            expires: ttl.map(|ttl| self.now + ttl),
            used: 0,
            reason: None,
            state: State::Free { due },
        };
        for (_, group) in self.groups.iter().filter(|(there, _)| *there == place) {
            self.records.push(Record { group: *group, ..record.clone() });
        }
        self.seen.push((place, parcel.id, self.now + policy.dedupe_ms));
        Ok(Stored::Stored)
    }

    fn drop_oldest(&mut self, place: Where, policy: &Policy) -> Told<()> {
        let held = |seq: usize| {
            self.records.iter().any(|record| record.seq == seq && matches!(record.state, State::Held { .. }))
        };
        let oldest = self.living(place).into_iter().find(|record| !held(record.seq));
        let (Overflow::DropOldest, Some(oldest)) = (policy.overflow, oldest) else { return Err(Code::Full) };
        for record in &mut self.records {
            if record.seq == oldest.seq && matches!(record.state, State::Free { .. }) {
                record.state = State::Gone;
            }
        }
        Ok(())
    }
}

impl Record {
    fn seen(&self) -> Seen {
        Seen { id: self.parcel.id.into(), body: self.body.clone(), priority: self.priority, attempt: self.used + 1 }
    }

    fn letter(&self) -> Letter {
        let State::Dead { reason, attempts, at, .. } = &self.state else { panic!("{self:?} is not dead") };
        Letter {
            id: Uuid::from_u128(self.parcel.id.into()),
            body: Bytes::from(self.body.clone()),
            reason: reason.clone(),
            attempts: *attempts,
            priority: Some(self.priority),
            died_at: Some(timestamp(*at)),
            group: self.group.map(str::to_owned),
        }
    }
}
