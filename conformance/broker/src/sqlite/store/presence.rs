//! Who is there.

use rusqlite::{OptionalExtension as _, params};

use super::Store;
use crate::clock::{Millis, timestamp};
use crate::error::BrokerError;
use crate::presence::{AgentState, Update};
use crate::sqlite::trouble::Done;

impl Store<'_> {
    pub(crate) fn heartbeat(&mut self, update: &Update, tenant: Option<&str>, now: Millis) -> Done<()> {
        let (tenant, agent) = (tenant.unwrap_or(""), update.agent());
        if let Some((arrived_at, known)) = self.known_update(tenant, &agent)? {
            let at = |update: &Update, arrived| update.timestamp().unwrap_or_else(|| timestamp(arrived));
            if at(update, now) < at(&known, arrived_at) {
                return Ok(());
            }
        }
        let report = serde_json::to_string(update)
            .map_err(|broken| BrokerError::invalid(format!("the update cannot be written: {broken}")))?;
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO agent (tenant, agent, arrived_at, report) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![tenant, agent, now, report])?;
        Ok(())
    }

    fn known_update(&self, tenant: &str, agent: &str) -> Done<Option<(Millis, Update)>> {
        let mut select =
            self.connection.prepare_cached("SELECT arrived_at, report FROM agent WHERE tenant = ?1 AND agent = ?2")?;
        let found: Option<(Millis, String)> =
            select.query_row([tenant, agent], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        found.map(|(arrived_at, report)| Ok((arrived_at, read(&report)?))).transpose()
    }

    pub(crate) fn agents(&mut self, offline_after: i64, tenant: Option<&str>, now: Millis) -> Done<Vec<AgentState>> {
        let mut select =
            self.connection.prepare_cached("SELECT arrived_at, report FROM agent WHERE tenant = ?1 ORDER BY agent")?;
        let rows = select.query_map([tenant.unwrap_or("")], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        let mut agents = Vec::new();
        for row in rows {
            let (arrived_at, report): (Millis, String) = row?;
            let offline = now - arrived_at >= offline_after;
            agents.push(AgentState::of(&read(&report)?, timestamp(arrived_at), offline));
        }
        Ok(agents)
    }
}

fn read(report: &str) -> Done<Update> {
    serde_json::from_str(report)
        .map_err(|broken| BrokerError::unavailable(format!("an agent's report cannot be read: {broken}")).into())
}
