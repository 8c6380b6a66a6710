//! What a group sees, and what becomes of what was taken.

use super::{Code, Ending, Named, Oracle, Record, Seen, State, Taking, Told, Where, at_least, named};

impl Oracle {
    fn as_new(&self, place: Where, group: Named) -> Vec<Record> {
        let mut records = self.living(place);
        records.retain(|record| record.expires.is_none_or(|expires| self.now < expires));
        for record in &mut records {
            (record.group, record.used, record.reason) = (group, 0, None);
            record.state = State::Free { due: record.first_due };
        }
        records
    }

    /// The records of a group, also of one that is not there.
    pub(super) fn of_group(&self, place: Where, group: Named) -> Vec<Record> {
        if !self.groups.contains(&(place, group)) {
            return self.as_new(place, group);
        }
        self.records.iter().filter(|record| (record.place, record.group) == (place, group)).cloned().collect()
    }

    fn ready(&self, place: Where, taking: Taking) -> Vec<Record> {
        let mut ready = self.of_group(place, taking.group);
        ready.retain(|record| {
            let is_due = matches!(record.state, State::Free { due } if due <= self.now);
            is_due && (record.parcel.to.is_none() || record.parcel.to == taking.recipient)
        });
        ready.sort_by_key(|record| (-record.priority, record.seq));
        ready
    }

    pub(crate) fn fetch(&mut self, connection: usize, place: Where, taking: Taking) -> Told<Vec<Seen>> {
        at_least(taking.max.into(), 1)?;
        named(taking.group).and(named(taking.recipient))?;
        self.is_there(connection, place)?;
        if !self.groups.contains(&(place, taking.group)) {
            self.records.extend(self.as_new(place, taking.group));
            self.groups.push((place, taking.group));
        }
        let mut ready = self.ready(place, taking);
        if let Some(id) = taking.id {
            ready.retain(|record| record.parcel.id == id);
            ready.sort_by_key(|record| record.seq);
            ready.truncate(1);
        }
        ready.truncate(usize::try_from(taking.max).unwrap());
        let until = self.now + self.policy(place).lease_ms;
        for taken in &ready {
            let is_it = |record: &&mut Record| (record.seq, record.group) == (taken.seq, taken.group);
            let record = self.records.iter_mut().find(is_it).unwrap();
            record.state = State::Held { delivery: self.deliveries, connection, until };
            self.deliveries += 1;
        }
        Ok(ready.iter().map(Record::seen).collect())
    }

    pub(crate) fn peek(&self, connection: usize, place: Where, taking: Taking) -> Told<Vec<Seen>> {
        at_least(taking.max.into(), 1)?;
        named(taking.group).and(named(taking.recipient))?;
        self.is_there(connection, place)?;
        let mut ready = self.ready(place, taking);
        if let Some(after) = taking.id {
            let behind =
                ready.iter().rposition(|record| record.parcel.id == after).map_or(ready.len(), |index| index + 1);
            ready.drain(..behind);
        }
        ready.truncate(usize::try_from(taking.max).unwrap());
        Ok(ready.iter().map(Record::seen).collect())
    }

    /// The deliveries that are held.
    pub(crate) fn live(&self) -> Vec<usize> {
        let of_it = |record: &Record| match record.state {
            State::Held { delivery, .. } => Some(delivery),
            _ => None,
        };
        let mut live: Vec<usize> = self.records.iter().filter_map(of_it).collect();
        live.sort_unstable();
        live
    }

    fn held(&self, connection: usize, place: Where, delivery: Option<usize>) -> Told<usize> {
        self.is_there(connection, place)?;
        let is_it = |record: &Record| match record.state {
            State::Held { delivery: it, connection: holder, .. } => {
                record.place == place && Some(it) == delivery && holder == connection
            }
            _ => false,
        };
        self.records.iter().position(is_it).ok_or(Code::Stale)
    }

    pub(crate) fn settle(
        &mut self,
        connection: usize,
        place: Where,
        delivery: Option<usize>,
        ending: &Ending,
    ) -> Told<()> {
        if let Ending::Retry { delay_ms: Some(delay), .. } = ending {
            at_least(*delay, 0)?;
        }
        let index = self.held(connection, place, delivery)?;
        let attempt = self.records[index].used + 1;
        match *ending {
            Ending::Done => self.records[index].state = State::Gone,
            Ending::Retry { delay_ms, reason } => {
                let backoff = self.policy(place).backoff_ms;
                let nth = backoff.len().min(usize::try_from(attempt).unwrap());
                let policys = if nth == 0 { 0 } else { backoff[nth - 1] };
                let due = self.now + delay_ms.unwrap_or(policys);
                self.fail(index, due, reason, &format!("attempts used up: {attempt} deliveries ended in retry"));
            }
            Ending::Dead { reason } => {
                self.die(index, reason, &format!("given up at delivery {attempt}, without a reason"));
            }
        }
        Ok(())
    }

    pub(crate) fn extend(
        &mut self,
        connection: usize,
        place: Where,
        delivery: Option<usize>,
        lease_ms: i64,
    ) -> Told<()> {
        at_least(lease_ms, 1)?;
        let index = self.held(connection, place, delivery)?;
        if let State::Held { until, .. } = &mut self.records[index].state {
            *until = self.now + lease_ms;
        }
        Ok(())
    }
}
