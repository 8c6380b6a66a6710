//! Who is there: a bucket of keys and values, as JetStream's own tools read it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use serde_json::json;

use super::Shared;
use super::api::{Expected, Fault, Held, number};
use super::feed::{Feed, Heard};
use crate::clock::timestamp;
use crate::error::BrokerError;
use crate::presence::{AgentState, Update};

/// How long an agent is known that says nothing.
const FORGOTTEN: Duration = Duration::from_hours(7 * 24);
/// How often an update is tried that others overtook.
const TRIES: usize = 100;

/// The bucket's stream, which is made when it is first needed.
async fn bucket(shared: &Shared) -> Result<&str, BrokerError> {
    let made = shared.bucket.get_or_try_init(|| async {
        let bucket = format!("{}-agents", shared.options.namespace);
        let stream = format!("KV_{bucket}");
        let wanted = json!({
            "name": stream,
            "subjects": [format!("$KV.{bucket}.>")],
            "storage": "file",
            "retention": "limits",
            "discard": "new",
            "max_msgs_per_subject": 1,
            "max_age": u64::try_from(FORGOTTEN.as_nanos()).unwrap_or(0),
            "allow_rollup_hdrs": true,
            "deny_delete": true,
            "allow_direct": true,
            "num_replicas": shared.options.replicas,
        });
        match shared.api.create(&stream, &wanted).await {
            // Another process may have made it with other options.
            Err(fault) if !fault.is(number::OTHER_STREAM) => Err(fault.about("presence")),
            _ => Ok(bucket),
        }
    });
    made.await.map(String::as_str)
}

/// A key of the bucket. Its dots would be levels, and `=` is in no name.
fn key(bucket: &str, tenant: Option<&str>, agent: &str) -> String {
    format!("$KV.{bucket}.{}.{}", tenant.unwrap_or("-"), agent.replace('.', "="))
}

/// An update that is older than the last known changes nothing, also not how long the agent was silent.
pub(super) async fn heartbeat(shared: &Arc<Shared>, update: Update, tenant: Option<&str>) -> Result<(), BrokerError> {
    let bucket = bucket(shared).await?;
    let key = key(bucket, tenant, &update.agent());
    let value = serde_json::to_vec(&update).map_err(|error| BrokerError::invalid(error.to_string()))?;
    for _ in 0..TRIES {
        let last = shared.api.last(&format!("KV_{bucket}"), &key).await.map_err(|fault| missing(shared, fault))?;
        let known = last.as_ref().and_then(read);
        if known.is_some_and(|known| is_older(&update, &known, shared)) {
            return Ok(());
        }
        let expected = Expected::own(last.map_or(0, |held| held.seq));
        match shared.api.publish(key.clone(), HeaderMap::new(), value.clone().into(), &expected).await {
            Ok(_) => return Ok(()),
            Err(fault) if fault.is_overtaken() => {}
            Err(fault) => return Err(missing(shared, fault)),
        }
    }
    Err(BrokerError::forbidden(format!("agent {}: others were always faster; nothing was stored", update.agent())))
}

struct Known {
    update: Update,
    arrived: workwire::Timestamp,
    arrived_ms: crate::clock::Millis,
}

fn read(held: &Held) -> Option<Known> {
    let update = serde_json::from_slice(&held.body).ok()?;
    Some(Known { update, arrived: timestamp(held.stored_at), arrived_ms: held.stored_at })
}

fn is_older(update: &Update, known: &Known, shared: &Shared) -> bool {
    let moment = update.timestamp().unwrap_or_else(|| timestamp(shared.clock.now()));
    moment < known.update.timestamp().unwrap_or(known.arrived)
}

/// The agents of a tenant, or of nobody, by their ids.
pub(super) async fn agents(
    shared: &Arc<Shared>,
    offline_after_ms: i64,
    tenant: Option<&str>,
) -> Result<Vec<AgentState>, BrokerError> {
    let bucket = bucket(shared).await?;
    let subjects = format!("$KV.{bucket}.{}.>", tenant.unwrap_or("-"));
    let mut agents = Vec::new();
    let feed = Feed::start(&shared.api, &format!("KV_{bucket}"), Some(&subjects)).await;
    let mut feed = feed.map_err(|fault| missing(shared, fault))?;
    let mut state = super::streams::state(&shared.api, &format!("KV_{bucket}")).await;
    if let Ok(state) = &mut state {
        shared.clock.set(state.time);
    }
    while feed.left > 0 {
        let told = match feed.next().await.map_err(|fault| missing(shared, fault))? {
            Heard::Told(told) => told,
            Heard::Nothing => continue,
            Heard::Missed => return Err(BrokerError::unavailable("presence: the server fell silent")),
        };
        let held = Held {
            subject: told.subject,
            seq: told.seq,
            stored_at: told.stored_at,
            headers: told.headers.unwrap_or_default(),
            body: told.body,
        };
        if let Some(known) = read(&held) {
            let is_silent = shared.clock.now() - known.arrived_ms >= offline_after_ms;
            agents.push(AgentState::of(&known.update, known.arrived, is_silent));
        }
    }
    agents.sort_by(|one, other| one.agent_id.cmp(&other.agent_id));
    // An agent that was updated while it was read is there twice; the later one counts.
    agents.reverse();
    agents.dedup_by(|one, other| one.agent_id == other.agent_id);
    agents.reverse();
    Ok(agents)
}

fn missing(shared: &Shared, fault: Fault) -> BrokerError {
    if fault.is_missing() {
        BrokerError::unavailable(format!("presence: the bucket {}-agents is gone", shared.options.namespace))
    } else {
        fault.about("presence")
    }
}
