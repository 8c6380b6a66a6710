//! How many are where, the dead, and the way back; and who is there.

use workwire_broker::clock::timestamp;
use workwire_broker::{AgentState, Depth, Letter, Update};

use super::{Code, Named, Oracle, State, Told, Where, at_least, named};

impl Oracle {
    pub(crate) fn depth(&self, connection: usize, place: Where, group: Named) -> Told<Depth> {
        named(group)?;
        self.is_there(connection, place)?;
        let mut depth = Depth { ready: 0, leased: Some(0), delayed: Some(0), dead: Some(0) };
        for record in self.of_group(place, group) {
            match record.state {
                State::Free { due } if due <= self.now => depth.ready += 1,
                State::Free { .. } => depth.delayed = depth.delayed.map(|delayed| delayed + 1),
                State::Held { .. } => depth.leased = depth.leased.map(|leased| leased + 1),
                State::Dead { .. } => depth.dead = depth.dead.map(|dead| dead + 1),
                State::Gone => {}
            }
        }
        Ok(depth)
    }

    /// The dead of a queue, or of one of its groups, by their places in the list.
    fn dead(&self, place: Where, group: Named) -> Vec<usize> {
        let mut dead = Vec::new();
        for (index, record) in self.records.iter().enumerate() {
            if let State::Dead { turn, .. } = record.state
                && record.place == place
                && (group.is_none() || record.group == group)
            {
                dead.push((turn, index));
            }
        }
        dead.sort_unstable();
        dead.into_iter().map(|(_, index)| index).collect()
    }

    pub(crate) fn letters(&self, connection: usize, place: Where, max: u32, group: Named) -> Told<Vec<Letter>> {
        at_least(max.into(), 1)?;
        named(group)?;
        self.is_there(connection, place)?;
        let dead = self.dead(place, group);
        Ok(dead.iter().take(usize::try_from(max).unwrap()).map(|index| self.records[*index].letter()).collect())
    }

    /// The ids of the letters that are there.
    pub(crate) fn buried(&self, place: Where, group: Named) -> Vec<u8> {
        self.dead(place, group).into_iter().map(|index| self.records[index].parcel.id).collect()
    }

    pub(crate) fn replay(&mut self, connection: usize, place: Where, id: u8, group: Named) -> Told<()> {
        named(group)?;
        self.is_there(connection, place)?;
        let dead = self.dead(place, group).into_iter().find(|index| self.records[*index].parcel.id == id);
        let index = dead.ok_or(Code::NotFound)?;
        if self.is_full(place) {
            return Err(Code::Full);
        }
        self.seqs += 1;
        let record = &mut self.records[index];
        (record.seq, record.used, record.reason, record.first_due) = (self.seqs, 0, None, self.now);
        record.expires = record.ttl.map(|ttl| self.now + ttl);
        record.state = State::Free { due: self.now };
        Ok(())
    }

    pub(crate) fn purge(&mut self, connection: usize, place: Where, group: Named, dead: bool) -> Told<u64> {
        named(group)?;
        self.is_there(connection, place)?;
        let mut removed = 0;
        for record in &mut self.records {
            let is_it = match record.state {
                State::Free { due } => !dead && due <= self.now,
                State::Dead { .. } => dead,
                _ => false,
            };
            if is_it && record.place == place && (group.is_none() || record.group == group) {
                record.state = State::Gone;
                removed += 1;
            }
        }
        Ok(removed)
    }

    pub(crate) fn sweep(&mut self, connection: usize, place: Where) -> Told<u64> {
        self.is_there(connection, place)?;
        let before = self.expired.len();
        self.expired.retain(|there| *there != place);
        Ok(u64::try_from(before - self.expired.len()).unwrap())
    }

    pub(crate) fn heartbeat(&mut self, connection: usize, update: Update, tenant: Named) -> Told<()> {
        named(tenant)?;
        self.is_open(connection)?;
        let said = |update: &Update, arrived: i64| update.timestamp().unwrap_or(timestamp(arrived));
        let new = said(&update, self.now);
        let is_older = |(of, known, arrived): &(Named, Update, i64)| {
            *of == tenant && known.agent() == update.agent() && new < said(known, *arrived)
        };
        if !self.beats.iter().any(is_older) {
            self.beats.retain(|(of, known, _)| !(*of == tenant && known.agent() == update.agent()));
            self.beats.push((tenant, update, self.now));
        }
        Ok(())
    }

    pub(crate) fn agents(&self, connection: usize, silence: Option<i64>, tenant: Named) -> Told<Vec<AgentState>> {
        named(tenant)?;
        let silence = silence.unwrap_or(180_000);
        at_least(silence, 1)?;
        self.is_open(connection)?;
        let mut agents = Vec::new();
        for (of, update, arrived) in &self.beats {
            if *of == tenant {
                agents.push(AgentState::of(update, timestamp(*arrived), self.now - arrived >= silence));
            }
        }
        agents.sort_by(|a, b| a.agent_id.cmp(&b.agent_id));
        Ok(agents)
    }
}
