//! Where one message may be for one group, after all that has been said.

use std::collections::BTreeMap;

use super::core::{Change, Core};

/// One possibility.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) core: Core,
    /// Which of the unanswered calls have done what they were to do; of a fetch, for which attempt.
    pub(crate) applied: BTreeMap<u64, Option<u32>>,
}

impl State {
    pub(crate) fn has(&self, call: u64) -> bool {
        self.applied.contains_key(&call)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Life {
    pub(crate) states: Vec<State>,
    /// What was asked for and not answered.
    pub(crate) pending: Vec<(u64, Change)>,
}

impl Life {
    pub(crate) fn at(core: Core) -> Self {
        Life { states: vec![State { core, applied: BTreeMap::new() }], pending: Vec::new() }
    }

    pub(crate) fn asked(&mut self, call: u64, change: Change) {
        let asked = (call, change);
        if !self.pending.contains(&asked) {
            self.pending.push(asked);
        }
    }

    /// Adds all that may have become of it by now.
    pub(crate) fn reach(&mut self, now: i64) {
        let mut next = 0;
        while next < self.states.len() {
            let State { core, applied } = self.states[next].clone();
            for (call, change) in &self.pending {
                if !applied.contains_key(call)
                    && let Some(core) = core.after(change, now)
                {
                    let mut applied = applied.clone();
                    let attempt = match (change, &core) {
                        (Change::Take { .. }, Core::Held { attempt, .. }) => Some(*attempt),
                        _ => None,
                    };
                    applied.insert(*call, attempt);
                    add(&mut self.states, State { core, applied });
                }
            }
            if let Some(core) = core.lease_ended(now) {
                add(&mut self.states, State { core, applied });
            }
            next += 1;
        }
    }

    /// Keeps what agrees with an answer. False where nothing does.
    pub(crate) fn answered(&mut self, call: u64, now: i64, agrees: impl Fn(&State) -> bool) -> bool {
        self.reach(now);
        let agrees = self.states.iter().any(&agrees).then_some(agrees);
        if let Some(agrees) = &agrees {
            self.states.retain(agrees);
        }
        self.pending.retain(|(pending, _)| *pending != call);
        for state in std::mem::take(&mut self.states) {
            let State { core, mut applied } = state;
            applied.remove(&call);
            add(&mut self.states, State { core, applied });
        }
        agrees.is_some()
    }

    /// Its lease has ended, and it has rested: what is left is one possibility.
    pub(crate) fn all_times_end(&mut self) {
        for state in std::mem::take(&mut self.states) {
            let mut core = state.core.lease_ended(i64::MAX).unwrap_or(state.core);
            if let Core::Waiting { not_before, .. } = &mut core {
                *not_before = 0;
            }
            add(&mut self.states, State { core, applied: state.applied });
        }
    }

    /// Where it is, when nothing is under way.
    pub(crate) fn core(&self) -> &Core {
        let [state] = self.states.as_slice() else { panic!("something is under way: {self:?}") };
        &state.core
    }

    pub(crate) fn cores(&self) -> impl Iterator<Item = &Core> {
        self.states.iter().map(|state| &state.core)
    }
}

fn add(states: &mut Vec<State>, state: State) {
    if !states.contains(&state) {
        states.push(state);
    }
}
