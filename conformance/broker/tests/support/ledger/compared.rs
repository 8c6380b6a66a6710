//! The ledger beside the tables: once when the process has ended, and once when all times are over.

use std::collections::BTreeMap;
use std::path::Path;

use uuid::Uuid;

use super::core::{Change, Core};
use super::life::{Life, State};
use super::{Ask, Kind, Ledger};
use crate::support::desk::{DEDUPE_MS, Desk, LONG_DELAY_MS, Note, TTL_MS};
use crate::support::found::{Found, Seen};

impl Ledger {
    /// The process has ended: what is in the tables must be one of the things that may have become
    /// of it. From here on it is this.
    pub(crate) fn ended(&mut self, at: i64, file: &Path) {
        match Found::read(file) {
            Ok(found) => self.ended_with(at, &found),
            Err(error) => self.fault(Kind::Counts, format!("the file cannot be read: {error}")),
        }
    }

    fn ended_with(&mut self, at: i64, found: &Found) {
        self.sums.unanswered += self.open.len() as u64;
        let fetches: Vec<(u64, i64, Desk, u32)> = std::mem::take(&mut self.open)
            .into_iter()
            .filter_map(|(call, (asked_at, what))| match what {
                Ask::Fetch { desk, max } => Some((call, asked_at + desk.policy().lease_ms, desk, max)),
                _ => None,
            })
            .collect();
        let mut took: BTreeMap<Desk, u64> = BTreeMap::new();
        for ((id, desk), mut life) in std::mem::take(&mut self.lives) {
            // A fetch that nobody heard the answer of may have taken it.
            for (call, until, _, _) in fetches.iter().filter(|(_, _, at, _)| *at == desk) {
                life.asked(*call, Change::Take { until: *until });
            }
            life.reach(at);
            let takes = |state: &State| fetches.iter().filter(|(call, ..)| state.has(*call)).count();
            let (note, published_at) = &self.notes[&id];
            let seen = found.lives.get(&(id, desk));
            let is_known = found.known.contains(&(desk.name(), id));
            let may_be_forgotten = at - published_at >= DEDUPE_MS;
            let agreeing = life.states.iter().filter(|state| match (&state.core, seen) {
                (Core::Absent, None) => !is_known,
                (Core::Gone, None) => is_known || may_be_forgotten,
                (core, Some(seen)) => agrees(core, seen, note, at),
                (_, None) => false,
            });
            match agreeing.map(takes).min() {
                Some(count) => *took.entry(desk).or_default() += count as u64,
                None => self.disagrees(id, desk, seen, is_known, &life),
            }
            let core = seen.map_or(if is_known { Core::Gone } else { Core::Absent }, Seen::core);
            let is_over = core == Core::Absent || (core == Core::Gone && may_be_forgotten);
            if !is_over {
                self.lives.insert((id, desk), Life::at(core));
            }
        }
        for (desk, count) in took {
            let most: u64 = fetches.iter().filter(|(_, _, at, _)| *at == desk).map(|(.., max)| u64::from(*max)).sum();
            if count > most {
                self.fault(Kind::Wrong, format!("fetches at {desk:?} of {most} in all took {count}"));
            }
        }
        for (id, desk) in found.lives.keys().filter(|key| !self.lives.contains_key(key)) {
            self.faults.push(super::Fault {
                kind: Kind::Wrong,
                what: format!("{id} at {desk:?} is there, and nobody published it"),
            });
        }
        for fault in &found.faults {
            self.fault(Kind::Counts, fault.clone());
        }
    }

    fn disagrees(&mut self, id: Uuid, desk: Desk, seen: Option<&Seen>, is_known: bool, life: &Life) {
        let kind = match seen {
            None if life.cores().all(Core::is_there) => Kind::Lost,
            Some(_) if life.cores().all(|core| *core == Core::Gone) => Kind::Twice,
            _ => Kind::Wrong,
        };
        let known = if is_known { "known" } else { "not known" };
        self.fault(kind, format!("{id} at {desk:?}: found {seen:?}, {known}; expected one of {:?}", life.states));
    }

    /// All leases, rests and lives are over. Says how many messages expired, by queue.
    pub(crate) fn all_times_end(&mut self) -> BTreeMap<&'static str, u64> {
        let mut expired = BTreeMap::new();
        for ((id, desk), life) in &mut self.lives {
            life.all_times_end();
            if self.notes[id].0.mortal && matches!(life.core(), Core::Waiting { .. }) {
                *expired.entry(desk.name()).or_default() += 1;
                *life = Life::at(Core::Gone);
            }
        }
        expired
    }

    /// What is at a desk, when nothing is under way.
    pub(crate) fn at(&self, desk: Desk) -> impl Iterator<Item = (&Note, &Core)> {
        let here = self.lives.iter().filter(move |((_, at), _)| *at == desk);
        here.map(|((id, _), life)| (&self.notes[id].0, life.core()))
    }

    /// How many letters a queue has.
    pub(crate) fn letters(&self, desk: Desk) -> u64 {
        let all = desk.groups().iter().flat_map(|desk| self.at(*desk));
        all.filter(|(_, core)| matches!(core, Core::Letter { .. })).count() as u64
    }

    pub(crate) fn letters_are_gone(&mut self, desk: Desk) {
        for ((_, at), life) in &mut self.lives {
            if desk.groups().contains(at) && matches!(life.core(), Core::Letter { .. }) {
                *life = Life::at(Core::Gone);
            }
        }
    }

    /// What was first published at this time, or later.
    pub(crate) fn published_since(&self, moment: i64) -> Vec<Note> {
        self.notes.values().filter(|(_, at)| *at >= moment).map(|(note, _)| note.clone()).collect()
    }
}

/// Whether this possibility is what was found.
fn agrees(core: &Core, seen: &Seen, note: &Note, at: i64) -> bool {
    match (core, seen) {
        (
            Core::Waiting { used, reason, not_before },
            Seen::Waiting { used: seen_used, reason: seen_reason, wake_at },
        ) => {
            let in_time = match wake_at {
                // A mortal message wakes to die, too.
                Some(wake_at) => {
                    let first = if note.mortal { (*not_before).min(at - LONG_DELAY_MS + TTL_MS) } else { *not_before };
                    (first..=at + LONG_DELAY_MS).contains(wake_at)
                }
                None => *not_before <= at,
            };
            used == seen_used && reason == seen_reason && in_time
        }
        (
            Core::Held { attempt, reason, until },
            Seen::Held { attempt: seen_attempt, reason: seen_reason, until: seen_until },
        ) => attempt == seen_attempt && reason == seen_reason && seen_until >= until,
        (Core::Letter { attempts, reason }, Seen::Letter { attempts: seen_attempts, reason: seen_reason }) => {
            attempts == seen_attempts && reason == seen_reason
        }
        _ => false,
    }
}
