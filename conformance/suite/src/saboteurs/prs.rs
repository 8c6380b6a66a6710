//! Saboteurs of presence.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use workwire::{StatusUpdate, Timestamp};
use workwire_broker::clock::{Clock, RuntimeClock, timestamp};
use workwire_broker::{AgentState, Answer, CloseMode, Health, MAX_MS, Update};

use super::{Defect, Inner, Saboteur};

pub(super) mod closer;

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "every_agent_is_of_the_first_type",
        breaks: &["PRS-1"],
        about: "lists every agent with the type of the first one that it heard of",
        make: || Arc::new(Lists::with(every_agent_is_of_the_first_type)),
    },
    Saboteur {
        name: "the_busy_are_never_offline",
        breaks: &["PRS-2"],
        about: "does not count the silence of an agent that is at work",
        make: || Arc::new(TheBusyAreNeverOffline),
    },
    Saboteur {
        name: "offline_after_half_the_time",
        breaks: &["PRS-3"],
        about: "counts an agent as offline after half the time",
        make: || Arc::new(OfflineAfterHalfTheTime),
    },
    Saboteur {
        name: "once_offline_always_offline",
        breaks: &["PRS-4"],
        about: "lists an agent as offline for ever that it has once listed so",
        make: || Arc::new(Lists::with(once_offline_always_offline)),
    },
    Saboteur {
        name: "takes_seconds_for_milliseconds",
        breaks: &["PRS-5"],
        about: "takes its 180 seconds for milliseconds where no time is named",
        make: || Arc::new(TakesSecondsForMilliseconds),
    },
    Saboteur {
        name: "lists_an_agent_for_each_connection",
        breaks: &["PRS-6"],
        about: "lists an agent once for each connection over which it was heard",
        make: || Arc::new(ListsAnAgentForEachConnection::default()),
    },
    Saboteur {
        name: "the_last_to_arrive_wins",
        breaks: &["PRS-7", "PRS-8"],
        about: "takes every update as it arrives, whatever time it names",
        make: || Arc::new(Heartbeats::with(the_last_to_arrive_wins)),
    },
    Saboteur {
        name: "any_update_ends_the_silence",
        breaks: &["PRS-8"],
        about: "drops an older update, and counts its arrival as a sign of life",
        make: || Arc::new(Heartbeats::with(any_update_ends_the_silence)),
    },
    Saboteur {
        name: "drops_what_is_not_newer",
        breaks: &["PRS-9"],
        about: "drops an update of the same time as the last known",
        make: || Arc::new(DropsWhatIsNotNewer::default()),
    },
    Saboteur {
        name: "tells_the_time_of_arrival",
        breaks: &["PRS-10"],
        about: "tells when an update arrived instead of the time that it names",
        make: || Arc::new(TellsAnotherTime::with(|_, arrived| arrived)),
    },
    Saboteur {
        name: "silence_by_the_agents_clock",
        breaks: &["PRS-11"],
        about: "measures silence by the times that updates name",
        make: || Arc::new(SilenceByTheAgentsClock(RuntimeClock::new())),
    },
    Saboteur {
        name: "a_task_stays",
        breaks: &["PRS-12"],
        about: "keeps the last task of an agent that works on nothing any more",
        make: || Arc::new(Lists::with(a_task_stays)),
    },
    Saboteur {
        name: "resources_stay",
        breaks: &["PRS-12"],
        about: "keeps the resources of an agent's first update",
        make: || Arc::new(Lists::with(resources_stay)),
    },
    Saboteur {
        name: "counts_are_added_up",
        breaks: &["PRS-13"],
        about: "adds up the counts of an agent on channels",
        make: || Arc::new(CountsAreAddedUp::default()),
    },
    Saboteur {
        name: "agents_go_with_their_connection",
        breaks: &["PRS-14"],
        about: "forgets the agents of a connection that is closed",
        make: || Arc::new(AgentsGoWithTheirConnection::default()),
    },
    Saboteur {
        name: "knows_sixty_four_agents",
        breaks: &["PRS-15"],
        about: "knows the last sixty-four agents that it heard of",
        make: || Arc::new(KnowsSixtyFourAgents::default()),
    },
];

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Changes what is listed, by what was listed before.
struct Lists {
    before: Mutex<HashMap<String, AgentState>>,
    change: fn(&mut HashMap<String, AgentState>, &mut AgentState),
}

impl Lists {
    fn with(change: fn(&mut HashMap<String, AgentState>, &mut AgentState)) -> Self {
        Lists { before: Mutex::default(), change }
    }
}

impl Defect for Lists {
    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        Box::pin(async move {
            let mut agents = inner.client.agents(offline_after_ms, tenant).await?;
            let mut before = locked(&self.before);
            for agent in &mut agents {
                (self.change)(&mut before, agent);
            }
            Ok(agents)
        })
    }
}

fn every_agent_is_of_the_first_type(before: &mut HashMap<String, AgentState>, agent: &mut AgentState) {
    if agent.agent_type.is_some() {
        let first = before.entry("first".to_owned()).or_insert_with(|| agent.clone());
        agent.agent_type.clone_from(&first.agent_type);
    }
}

fn once_offline_always_offline(before: &mut HashMap<String, AgentState>, agent: &mut AgentState) {
    if agent.status == "offline" {
        before.insert(agent.agent_id.clone(), agent.clone());
    } else if before.contains_key(&agent.agent_id) {
        "offline".clone_into(&mut agent.status);
    }
}

fn a_task_stays(before: &mut HashMap<String, AgentState>, agent: &mut AgentState) {
    match &agent.current_task_id {
        Some(_) => drop(before.insert(agent.agent_id.clone(), agent.clone())),
        None => agent.current_task_id = before.get(&agent.agent_id).and_then(|last| last.current_task_id.clone()),
    }
}

fn resources_stay(before: &mut HashMap<String, AgentState>, agent: &mut AgentState) {
    let first = before.entry(agent.agent_id.clone()).or_insert_with(|| agent.clone());
    agent.resources.clone_from(&first.resources);
}

struct TheBusyAreNeverOffline;

impl Defect for TheBusyAreNeverOffline {
    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        Box::pin(async move {
            let said = inner.client.agents(Some(MAX_MS), tenant).await?;
            let mut agents = inner.client.agents(offline_after_ms, tenant).await?;
            for (agent, said) in agents.iter_mut().zip(said) {
                if said.status == "busy" && said.agent_id == agent.agent_id {
                    agent.status = said.status;
                }
            }
            Ok(agents)
        })
    }
}

struct OfflineAfterHalfTheTime;

impl Defect for OfflineAfterHalfTheTime {
    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        let half = offline_after_ms.map(|silence| if silence > 1 { silence / 2 } else { silence });
        inner.client.agents(half, tenant)
    }
}

struct TakesSecondsForMilliseconds;

impl Defect for TakesSecondsForMilliseconds {
    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        inner.client.agents(offline_after_ms.or(Some(180)), tenant)
    }
}

/// Over which connections each agent was heard.
#[derive(Default)]
struct ListsAnAgentForEachConnection(Mutex<HashMap<String, HashSet<Arc<str>>>>);

impl Defect for ListsAnAgentForEachConnection {
    fn heartbeat<'a>(&'a self, inner: &'a Inner, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        locked(&self.0).entry(update.agent()).or_default().insert(Arc::clone(&inner.name));
        inner.client.heartbeat(update, tenant)
    }

    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        Box::pin(async move {
            let agents = inner.client.agents(offline_after_ms, tenant).await?;
            let heard = locked(&self.0);
            let times = |agent: &AgentState| heard.get(&agent.agent_id).map_or(1, HashSet::len);
            Ok(agents.into_iter().flat_map(|agent| std::iter::repeat_n(agent.clone(), times(&agent))).collect())
        })
    }
}

/// Changes an update that is older than the last known one of its agent.
struct Heartbeats {
    last: Mutex<HashMap<String, Update>>,
    /// From the last known and the late one to what is taken.
    older: fn(&Update, Update) -> Update,
}

impl Heartbeats {
    fn with(older: fn(&Update, Update) -> Update) -> Self {
        Heartbeats { last: Mutex::default(), older }
    }
}

impl Defect for Heartbeats {
    fn heartbeat<'a>(&'a self, inner: &'a Inner, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        let mut last = locked(&self.last);
        let update = match last.get(&update.agent()) {
            Some(known) if update.timestamp() < known.timestamp() => (self.older)(known, update),
            _ => update,
        };
        last.insert(update.agent(), update.clone());
        inner.client.heartbeat(update, tenant)
    }
}

fn the_last_to_arrive_wins(known: &Update, late: Update) -> Update {
    let Some(at) = known.timestamp() else { return late };
    match late {
        Update::Agent(late) => Update::Agent(retimed(&late, at).unwrap_or(late)),
        Update::Channel(late) => Update::Channel(Health { timestamp: Some(at), ..late }),
    }
}

fn retimed(update: &StatusUpdate, at: Timestamp) -> Option<StatusUpdate> {
    let same = StatusUpdate::builder().agent_id(*update.agent_id()).agent_type(*update.agent_type());
    same.status(*update.status()).resources(update.resources().clone()).timestamp(at).build().ok()
}

fn any_update_ends_the_silence(known: &Update, _late: Update) -> Update {
    known.clone()
}

#[derive(Default)]
struct DropsWhatIsNotNewer(Mutex<HashMap<(String, Option<String>), Timestamp>>);

impl Defect for DropsWhatIsNotNewer {
    fn heartbeat<'a>(&'a self, inner: &'a Inner, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        if let Some(at) = update.timestamp() {
            let last = locked(&self.0).insert((update.agent(), tenant.map(str::to_owned)), at);
            if last == Some(at) {
                return Box::pin(std::future::ready(Ok(())));
            }
        }
        inner.client.heartbeat(update, tenant)
    }
}

struct TellsAnotherTime {
    clock: RuntimeClock,
    arrived: Mutex<HashMap<String, Timestamp>>,
    /// From the time that an update names and that of its arrival to what is told.
    told: fn(Timestamp, Timestamp) -> Timestamp,
}

impl TellsAnotherTime {
    fn with(told: fn(Timestamp, Timestamp) -> Timestamp) -> Self {
        TellsAnotherTime { clock: RuntimeClock::new(), arrived: Mutex::default(), told }
    }
}

impl Defect for TellsAnotherTime {
    fn heartbeat<'a>(&'a self, inner: &'a Inner, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        locked(&self.arrived).insert(update.agent(), timestamp(self.clock.now()));
        inner.client.heartbeat(update, tenant)
    }

    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        Box::pin(async move {
            let mut agents = inner.client.agents(offline_after_ms, tenant).await?;
            let arrived = locked(&self.arrived);
            for agent in &mut agents {
                if let Some(arrived) = arrived.get(&agent.agent_id) {
                    agent.last_heartbeat = (self.told)(agent.last_heartbeat, *arrived);
                }
            }
            Ok(agents)
        })
    }
}

struct SilenceByTheAgentsClock(RuntimeClock);

impl Defect for SilenceByTheAgentsClock {
    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        Box::pin(async move {
            let mut agents = inner.client.agents(Some(MAX_MS), tenant).await?;
            let limit = timestamp(self.0.now() - offline_after_ms.unwrap_or(180_000));
            for agent in agents.iter_mut().filter(|agent| agent.last_heartbeat <= limit) {
                "offline".clone_into(&mut agent.status);
            }
            Ok(agents)
        })
    }
}

/// What was processed so far.
#[derive(Default)]
struct CountsAreAddedUp(Mutex<HashMap<String, u64>>);

impl Defect for CountsAreAddedUp {
    fn heartbeat<'a>(&'a self, inner: &'a Inner, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        let agent = update.agent();
        let update = match update {
            Update::Channel(health) => {
                let mut sums = locked(&self.0);
                let sum = sums.entry(agent).or_default();
                *sum += health.messages_processed.unwrap_or(0);
                Update::Channel(Health { messages_processed: health.messages_processed.map(|_| *sum), ..health })
            }
            update @ Update::Agent(_) => update,
        };
        inner.client.heartbeat(update, tenant)
    }
}

/// Which agents were heard over which connection, and which of them are gone.
#[derive(Default)]
struct AgentsGoWithTheirConnection {
    heard: Mutex<HashMap<String, Arc<str>>>,
    gone: Mutex<HashSet<String>>,
}

impl Defect for AgentsGoWithTheirConnection {
    fn heartbeat<'a>(&'a self, inner: &'a Inner, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        locked(&self.gone).remove(&update.agent());
        locked(&self.heard).insert(update.agent(), Arc::clone(&inner.name));
        inner.client.heartbeat(update, tenant)
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        let heard = locked(&self.heard);
        let gone = heard.iter().filter(|(_, over)| **over == inner.name).map(|(agent, _)| agent.clone());
        locked(&self.gone).extend(gone);
        inner.client.close(mode)
    }

    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        Box::pin(async move {
            let mut agents = inner.client.agents(offline_after_ms, tenant).await?;
            agents.retain(|agent| !locked(&self.gone).contains(&agent.agent_id));
            Ok(agents)
        })
    }
}

/// The agents, the last heard of at the end.
#[derive(Default)]
struct KnowsSixtyFourAgents(Mutex<Vec<String>>);

impl Defect for KnowsSixtyFourAgents {
    fn heartbeat<'a>(&'a self, inner: &'a Inner, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        let agent = update.agent();
        let mut known = locked(&self.0);
        known.retain(|other| *other != agent);
        known.push(agent);
        inner.client.heartbeat(update, tenant)
    }

    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        Box::pin(async move {
            let mut agents = inner.client.agents(offline_after_ms, tenant).await?;
            let known = locked(&self.0);
            let last = &known[known.len().saturating_sub(64)..];
            agents.retain(|agent| last.contains(&agent.agent_id));
            Ok(agents)
        })
    }
}
