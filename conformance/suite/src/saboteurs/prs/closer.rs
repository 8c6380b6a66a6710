//! Saboteurs of presence that only a closer look finds: wrong about one member, or on one side of now.

use std::collections::HashMap;
use std::sync::Arc;

use workwire_broker::clock::{Clock, RuntimeClock, timestamp};
use workwire_broker::{AgentState, Answer, Update};

use super::{Defect, Heartbeats, Inner, Lists, Saboteur, TellsAnotherTime, the_last_to_arrive_wins};

pub(in crate::saboteurs) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "forgives_ten_seconds",
        breaks: &["PRS-7"],
        about: "takes an update for the newest that is older than the last known by less than ten seconds",
        make: || Arc::new(Heartbeats::with(forgives_ten_seconds)),
    },
    Saboteur {
        name: "tells_the_later_time",
        breaks: &["PRS-10"],
        about: "tells when an update arrived where that is later than the time that it names",
        make: || Arc::new(TellsAnotherTime::with(Ord::max)),
    },
    Saboteur {
        name: "silence_since_the_earlier_time",
        breaks: &["PRS-11"],
        about: "measures silence from the arrival of an update or from the time that it names, whichever is earlier",
        make: || Arc::new(SilenceSinceTheEarlier(RuntimeClock::new())),
    },
    Saboteur {
        name: "the_first_task_stays",
        breaks: &["PRS-13"],
        about: "keeps the task of an agent's first health",
        make: || {
            Arc::new(Lists::with(|before, agent| {
                let first = first(before, agent).current_task_id;
                agent.current_task_id = first;
            }))
        },
    },
    Saboteur {
        name: "what_pends_stays",
        breaks: &["PRS-13"],
        about: "keeps how many messages were pending by an agent's first health",
        make: || Arc::new(Lists::with(|before, agent| agent.messages_pending = first(before, agent).messages_pending)),
    },
    Saboteur {
        name: "errors_stay",
        breaks: &["PRS-13"],
        about: "keeps how many errors an agent's first health counted",
        make: || Arc::new(Lists::with(|before, agent| agent.error_count = first(before, agent).error_count)),
    },
];

/// How an agent on channels was first listed; any other as it is.
fn first(before: &mut HashMap<String, AgentState>, agent: &AgentState) -> AgentState {
    if agent.messages_processed.is_none() {
        return agent.clone();
    }
    before.entry(agent.agent_id.clone()).or_insert_with(|| agent.clone()).clone()
}

fn forgives_ten_seconds(known: &Update, late: Update) -> Update {
    let ms = |update: &Update| update.timestamp().map(|at| at.as_datetime().timestamp_millis());
    match ms(known).zip(ms(&late)) {
        Some((known_ms, late_ms)) if known_ms - late_ms < 10_000 => the_last_to_arrive_wins(known, late),
        _ => late,
    }
}

struct SilenceSinceTheEarlier(RuntimeClock);

impl Defect for SilenceSinceTheEarlier {
    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        Box::pin(async move {
            let mut agents = inner.client.agents(offline_after_ms, tenant).await?;
            let limit = timestamp(self.0.now() - offline_after_ms.unwrap_or(180_000));
            for agent in agents.iter_mut().filter(|agent| agent.last_heartbeat <= limit) {
                "offline".clone_into(&mut agent.status);
            }
            Ok(agents)
        })
    }
}
