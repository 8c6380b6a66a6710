//! Who is there: a hash for each tenant, and one for nobody, of the last update of each agent.

use ::redis::Value;

use crate::clock::timestamp;
use crate::error::BrokerError;
use crate::presence::{AgentState, Update};
use crate::redis::reply::{array, integer, text, wrong};
use crate::redis::script::{AGENTS, HEARTBEAT};
use crate::redis::{Shared, keys};

/// Seconds from the year 1 to 1970, so that a moment is no negative number.
const BEFORE_1970: i64 = 62_135_596_800;

/// A moment that sorts as text.
fn moment(update: &Update) -> String {
    update.timestamp().map_or_else(String::new, |moment| {
        let moment = moment.as_datetime();
        format!("{:013}{:09}", moment.timestamp() + BEFORE_1970, moment.timestamp_subsec_nanos())
    })
}

impl Shared {
    pub(super) async fn heartbeat(&self, update: &Update, tenant: Option<&str>) -> Result<(), BrokerError> {
        let written = serde_json::to_string(update)
            .map_err(|error| BrokerError::invalid(format!("update: cannot be written: {error}")))?;
        let key = keys::agents(&self.options, tenant);
        self.working.run(&HEARTBEAT, &[key], &[update.agent(), moment(update), written]).await?;
        Ok(())
    }

    /// By their ids.
    pub(super) async fn agents(
        &self,
        offline_after_ms: i64,
        tenant: Option<&str>,
    ) -> Result<Vec<AgentState>, BrokerError> {
        let key = keys::agents(&self.options, tenant);
        let answer = self.working.run::<String>(&AGENTS, &[key], &[]).await?;
        let mut answer = array(answer)?.into_iter();
        let (Some(now), Some(known)) = (answer.next(), answer.next()) else { return Err(wrong("agents")) };
        let now = integer(&now)?;
        let mut known = array(known)?.into_iter();
        let mut agents = Vec::with_capacity(known.len() / 2);
        while let (Some(_), Some(kept)) = (known.next(), known.next()) {
            agents.push(state(kept, now, offline_after_ms)?);
        }
        agents.sort_by(|one, other| one.agent_id.cmp(&other.agent_id));
        Ok(agents)
    }
}

fn state(kept: Value, now: i64, offline_after_ms: i64) -> Result<AgentState, BrokerError> {
    let kept = text(kept)?;
    let mut parts = kept.splitn(3, '|').skip(1);
    let arrived: i64 = parts.next().and_then(|arrived| arrived.parse().ok()).ok_or_else(|| wrong("time"))?;
    let update: Update = serde_json::from_str(parts.next().unwrap_or_default()).map_err(|_| wrong("update"))?;
    Ok(AgentState::of(&update, timestamp(arrived), now - arrived >= offline_after_ms))
}
