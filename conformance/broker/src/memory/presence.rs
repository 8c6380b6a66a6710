//! Who is there, for each tenant and for nobody.

use std::collections::BTreeMap;

use crate::clock::{Millis, timestamp};
use crate::presence::{AgentState, Update};

#[derive(Debug, Clone, Default)]
pub(crate) struct Presence {
    known: BTreeMap<(Option<String>, String), Known>,
}

#[derive(Debug, Clone)]
struct Known {
    update: Update,
    arrived: Millis,
}

impl Presence {
    /// An update that is older than the last known changes nothing, also not how long the agent was
    /// silent.
    pub(crate) fn heartbeat(&mut self, now: Millis, update: Update, tenant: Option<&str>) {
        let agent = (tenant.map(str::to_owned), update.agent());
        let new = Known { update, arrived: now };
        match self.known.get(&agent) {
            Some(known) if new.moment() < known.moment() => {}
            _ => drop(self.known.insert(agent, new)),
        }
    }

    /// The agents of a tenant, or of nobody, by their ids.
    pub(crate) fn agents(&self, now: Millis, offline_after_ms: i64, tenant: Option<&str>) -> Vec<AgentState> {
        let of_tenant = self.known.iter().filter(|((of, _), _)| of.as_deref() == tenant);
        of_tenant.map(|(_, known)| known.state(now, offline_after_ms)).collect()
    }
}

impl Known {
    /// When it was so: as the update says, else when it arrived.
    fn moment(&self) -> workwire::Timestamp {
        self.update.timestamp().unwrap_or_else(|| timestamp(self.arrived))
    }

    fn state(&self, now: Millis, offline_after_ms: i64) -> AgentState {
        let is_silent = now - self.arrived >= offline_after_ms;
        AgentState::of(&self.update, timestamp(self.arrived), is_silent)
    }
}
