//! The streams of a queue: made, found, and removed.

use std::sync::Arc;

use async_nats::HeaderMap;
use bytes::Bytes;
use serde_json::{Value, json};

use super::Shared;
use super::api::{Api, Expected, Fault, millis, number};
use super::names::Names;
use super::opened::{OpenQueue, Phase};
use super::publishing::WINDOW_MS;
use crate::clock::Millis;
use crate::error::BrokerError;
use crate::policy::Policy;
use crate::queue::Queue;

/// Where a queue's policy stands in its stream's metadata.
const POLICY: &str = "workwire.policy";
/// Up to which message the stream of claims knows nothing of who holds it.
const BOUND: &str = "workwire.bound";

/// What a stream says of itself.
#[derive(Debug, Clone)]
pub(super) struct StreamState {
    pub(super) last_seq: u64,
    pub(super) time: Millis,
    config: Value,
}

impl StreamState {
    fn metadata(&self, name: &str) -> Option<&str> {
        self.config["metadata"][name].as_str()
    }
}

pub(super) async fn state(api: &Api, stream: &str) -> Result<StreamState, Fault> {
    let mut answer = api.call(&format!("STREAM.INFO.{stream}"), &Value::Null).await?;
    Ok(StreamState {
        last_seq: answer["state"]["last_seq"].as_u64().unwrap_or(0),
        time: answer["ts"].as_str().and_then(millis).unwrap_or_default(),
        config: answer["config"].take(),
    })
}

/// The queue as this process uses it. It must have been declared.
pub(super) async fn open(shared: &Arc<Shared>, queue: &Queue) -> Result<Arc<OpenQueue>, BrokerError> {
    if let Some(open) = shared.opened(queue) {
        return Ok(open);
    }
    let names = Names::of(&shared.options.namespace, queue);
    let state = state(&shared.api, &names.stream).await.map_err(|fault| fault.about(queue))?;
    shared.clock.set(state.time);
    let policy = policy_of(&state, queue)?;
    Ok(keep(shared, queue, names, policy))
}

fn keep(shared: &Arc<Shared>, queue: &Queue, names: Names, policy: Policy) -> Arc<OpenQueue> {
    shared.keep(OpenQueue::new(
        Arc::clone(&shared.api),
        Arc::clone(&shared.clock),
        queue.clone(),
        names,
        policy,
        shared.options.replicas,
        shared.epoch.clone(),
    ))
}

fn policy_of(state: &StreamState, queue: &Queue) -> Result<Policy, BrokerError> {
    let policy = state.metadata(POLICY).and_then(|policy| serde_json::from_str(policy).ok());
    policy.ok_or_else(|| {
        BrokerError::conflict(format!(
            "queue {queue}: its stream is there and was not made by Workwire: it says nothing of a policy"
        ))
    })
}

pub(super) async fn declare(shared: &Arc<Shared>, queue: &Queue, policy: &Policy) -> Result<(), BrokerError> {
    if let Some(open) = shared.opened(queue) {
        // Another process may have deleted it, and made another.
        let state = state(&shared.api, &open.names.stream).await;
        if open.policy == *policy && state.is_ok_and(|state| policy_of(&state, queue).is_ok_and(|it| it == *policy)) {
            return Ok(());
        }
    }
    let names = Names::of(&shared.options.namespace, queue);
    let written = serde_json::to_string(policy).map_err(|error| BrokerError::invalid(error.to_string()))?;
    let mut wanted = config(&names.stream, &names.subjects(), "file", shared.options.replicas);
    wanted["metadata"] = json!({ POLICY: written });
    wanted["duplicate_window"] = json!(WINDOW_MS * 1_000_000);
    match shared.api.create(&names.stream, &wanted).await {
        Ok(answer) if answer["did_create"] == true => {
            if let Some(former) = shared.opened(queue) {
                former.set_phase(Phase::Closed);
                former.stop();
                shared.forget(queue);
            }
            // It is empty, and costs nothing to follow. Who takes from it first does not wait then.
            let open = keep(shared, queue, names, policy.clone());
            claims(&open).await.map_err(|fault| fault.about(queue))?;
            open.begin_to_follow();
            return Ok(());
        }
        Ok(_) => {}
        Err(fault) if fault.is(number::OTHER_STREAM) => {}
        Err(fault) if fault.is(number::SUBJECTS_OVERLAP) => {
            return Err(BrokerError::conflict(format!(
                "queue {queue}: another stream takes the subjects {}: choose another ?ns=",
                names.subjects()
            )));
        }
        Err(fault) => return Err(fault.about(queue)),
    }
    let state = state(&shared.api, &names.stream).await.map_err(|fault| fault.about(queue))?;
    if policy_of(&state, queue)? == *policy {
        return Ok(());
    }
    Err(BrokerError::conflict(format!("queue {queue} is declared with another policy")))
}

fn config(name: &str, subjects: &str, storage: &str, replicas: u32) -> Value {
    json!({
        "name": name,
        "subjects": [subjects],
        "storage": storage,
        "retention": "limits",
        // What was stored is never given up for what comes.
        "discard": "new",
        "max_msgs_per_subject": 1,
        "allow_direct": true,
        "allow_msg_ttl": true,
        "num_replicas": replicas,
    })
}

/// Makes sure that the stream of claims is there; answers its bound.
///
/// It is in memory, and gone with the server. What was held then may still be in somebody's hands: a
/// new one says up to which message that may be so. Whoever takes such a message writes it anew first,
/// by which the old hand's tag is good for nothing.
pub(super) async fn claims(open: &OpenQueue) -> Result<u64, Fault> {
    let names = &open.names;
    for _ in 0..5 {
        match state(&open.api, &names.claims).await {
            Ok(state) => return Ok(state.metadata(BOUND).and_then(|bound| bound.parse().ok()).unwrap_or(u64::MAX)),
            Err(fault) if fault.is(number::STREAM_NOT_FOUND) => {}
            Err(fault) => return Err(fault),
        }
        // Read behind the look that found none, so that nothing that was claimed before is above it.
        let bound = state(&open.api, &names.stream).await?.last_seq;
        let mut wanted = config(&names.claims, &names.claim_subjects(), "memory", open.replicas);
        wanted["metadata"] = json!({ BOUND: bound.to_string() });
        match open.api.create(&names.claims, &wanted).await {
            Ok(_) => return Ok(bound),
            // Another process was faster: what it wrote counts.
            Err(fault) if fault.is(number::OTHER_STREAM) => {}
            Err(fault) => return Err(fault),
        }
    }
    Err(Fault::Silent("the stream of claims comes and goes".to_owned()))
}

pub(super) async fn delete(shared: &Arc<Shared>, queue: &Queue) -> Result<(), BrokerError> {
    let open = open(shared, queue).await?;
    // Other processes hear of it so, and look anew for what is there. Who does not hear finds out.
    let (farewell, anything) = (open.names.farewell(), Expected::default());
    drop(shared.api.publish(farewell, HeaderMap::new(), Bytes::new(), &anything).await);
    // The messages first: without them the claims mean nothing.
    let deleted = shared.api.call(&format!("STREAM.DELETE.{}", open.names.stream), &Value::Null).await;
    open.set_phase(Phase::Closed);
    open.stop();
    shared.forget(queue);
    deleted.map_err(|fault| fault.about(queue))?;
    match shared.api.call(&format!("STREAM.DELETE.{}", open.names.claims), &Value::Null).await {
        Err(fault) if !fault.is_missing() => Err(fault.about(queue)),
        _ => Ok(()),
    }
}
