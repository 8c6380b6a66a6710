//! What goes to the server by itself: one statement for each question.

use bytes::Bytes;
use uuid::Uuid;

use super::Shared;
use super::link::Params;
use super::tag;
use crate::clock::timestamp;
use crate::contract::{Depth, Letter, Peek, Peeked, Purge, Tag};
use crate::error::BrokerError;
use crate::policy::{Overflow, Policy};
use crate::presence::{AgentState, Update};
use crate::queue::Queue;

/// The most messages in one answer, however small they are.
const MAX_COUNT: u32 = 65_536;

/// How many messages of a group one statement brings to the present at most.
const PART: u64 = 20_000;

async fn ask(
    shared: &Shared,
    queue: &Queue,
    sql: &str,
    params: Params<'_>,
) -> Result<Vec<tokio_postgres::Row>, BrokerError> {
    shared.link.query(sql, params).await.map_err(|trouble| trouble.told_of(queue, "there is no such letter"))
}

fn tenant(queue: &Queue) -> &str {
    queue.tenant().unwrap_or("")
}

fn silent() -> BrokerError {
    BrokerError::unavailable("the server answered without a row")
}

pub(super) async fn declare(shared: &Shared, queue: &Queue, policy: &Policy) -> Result<(), BrokerError> {
    let text = serde_json::to_string(policy)
        .map_err(|broken| BrokerError::invalid(format!("the policy cannot be written: {broken}")))?;
    let drop_oldest = policy.overflow == Overflow::DropOldest;
    let rows = ask(
        shared,
        queue,
        "SELECT ww.declare($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            &tenant(queue),
            &queue.name(),
            &text,
            &policy.max_priority,
            &policy.max_attempts,
            &policy.lease_ms,
            &policy.backoff_ms,
            &policy.ttl_ms,
            &policy.max_length,
            &drop_oldest,
            &policy.dedupe_ms,
        ],
    )
    .await?;
    let there: String = rows.first().ok_or_else(silent)?.get(0);
    let there: Policy = serde_json::from_str(&there)
        .map_err(|broken| BrokerError::unavailable(format!("the policy of queue {queue} cannot be read: {broken}")))?;
    if there == *policy {
        return Ok(());
    }
    let message = format!("queue {queue} is declared with another policy: expected {there:?}, found {policy:?}");
    Err(BrokerError::conflict(message))
}

/// Whether a queue is there.
pub(super) async fn check_declared(shared: &Shared, queue: &Queue) -> Result<(), BrokerError> {
    ask(shared, queue, "SELECT ww.require($1, $2)", &[&tenant(queue), &queue.name()]).await.map(drop)
}

pub(super) async fn make_group(shared: &Shared, queue: &Queue, group: &str) -> Result<(), BrokerError> {
    ask(shared, queue, "SELECT ww.make_group($1, $2, $3)", &[&tenant(queue), &queue.name(), &group]).await.map(drop)
}

pub(super) async fn extend(
    shared: &Shared,
    queue: &Queue,
    tag: &Tag,
    client: i64,
    lease_ms: i64,
) -> Result<(), BrokerError> {
    let (place, seq, delivery) = tag::read(tag).unwrap_or((0, 0, 0));
    let rows = ask(
        shared,
        queue,
        "SELECT ww.extend($1, $2, $3, $4, $5, $6, $7, $8)",
        &[&shared.session, &tenant(queue), &queue.name(), &place, &seq, &delivery, &client, &lease_ms],
    )
    .await?;
    if !rows.first().ok_or_else(silent)?.get::<_, bool>(0) {
        return Err(BrokerError::stale());
    }
    shared.hub.due_in(queue, lease_ms);
    Ok(())
}

pub(super) async fn depth(shared: &Shared, queue: &Queue, group: Option<&str>) -> Result<Depth, BrokerError> {
    let sql = "SELECT ready, leased, resting, dead FROM ww.depth($1, $2, $3)";
    let rows = ask(shared, queue, sql, &[&tenant(queue), &queue.name(), &group.unwrap_or("")]).await?;
    let row = rows.first().ok_or_else(silent)?;
    let count = |at: usize| u64::try_from(row.get::<_, i64>(at)).unwrap_or(0);
    Ok(Depth { ready: count(0), leased: Some(count(1)), delayed: Some(count(2)), dead: Some(count(3)) })
}

pub(super) async fn peek(shared: &Shared, queue: &Queue, peek: &Peek) -> Result<Vec<Peeked>, BrokerError> {
    let (group, recipient) = (peek.group.as_deref().unwrap_or(""), peek.recipient.as_deref().unwrap_or(""));
    let max = i64::from(peek.max.min(MAX_COUNT));
    let sql = "SELECT id, priority, attempt, body FROM ww.peek($1, $2, $3, $4, $5, $6)";
    let rows = ask(shared, queue, sql, &[&tenant(queue), &queue.name(), &group, &recipient, &max, &peek.after]).await?;
    let peeked = rows.iter().map(|row| Peeked {
        id: row.get(0),
        body: Bytes::copy_from_slice(row.get(3)),
        priority: i64::from(row.get::<_, i32>(1)),
        attempt: u32::try_from(row.get::<_, i32>(2)).unwrap_or(u32::MAX),
    });
    Ok(peeked.collect())
}

pub(super) async fn dead_letters(
    shared: &Shared,
    queue: &Queue,
    max: u32,
    group: Option<&str>,
) -> Result<Vec<Letter>, BrokerError> {
    let sql = "SELECT id, body, reason, attempts, priority, died_ms, group_name FROM ww.letters($1, $2, $3, $4)";
    let max = i64::from(max.min(MAX_COUNT));
    let rows = ask(shared, queue, sql, &[&tenant(queue), &queue.name(), &group, &max]).await?;
    let letters = rows.iter().map(|row| Letter {
        id: row.get(0),
        body: Bytes::copy_from_slice(row.get(1)),
        reason: String::from_utf8_lossy(row.get(2)).into_owned(),
        attempts: u32::try_from(row.get::<_, i32>(3)).unwrap_or(u32::MAX),
        priority: Some(i64::from(row.get::<_, i32>(4))),
        died_at: Some(timestamp(row.get(5))),
        group: Some(row.get(6)).filter(|name: &String| !name.is_empty()),
    });
    Ok(letters.collect())
}

pub(super) async fn replay(shared: &Shared, queue: &Queue, id: Uuid, group: Option<&str>) -> Result<(), BrokerError> {
    let params: Params<'_> = &[&shared.session, &tenant(queue), &queue.name(), &group, &id];
    let replayed = shared.link.query("SELECT ww.replay($1, $2, $3, $4, $5)", params).await;
    replayed.map_err(|trouble| trouble.told_of(queue, &format!("queue {queue} has no dead letter {id}")))?;
    shared.hub.wake(queue, 1);
    Ok(())
}

pub(super) async fn purge(shared: &Shared, queue: &Queue, what: Purge<'_>) -> Result<u64, BrokerError> {
    let params: Params<'_> = &[&tenant(queue), &queue.name(), &what.group, &what.dead];
    let rows = ask(shared, queue, "SELECT ww.purge($1, $2, $3, $4)", params).await?;
    Ok(u64::try_from(rows.first().ok_or_else(silent)?.get::<_, i64>(0)).unwrap_or(0))
}

pub(super) async fn delete(shared: &Shared, queue: &Queue) -> Result<(), BrokerError> {
    ask(shared, queue, "SELECT ww.remove($1, $2, $3)", &[&tenant(queue), &queue.name(), &shared.session]).await?;
    // Who waits for its messages has to hear that it is gone.
    shared.hub.wake_all(queue);
    Ok(())
}

pub(super) async fn sweep(shared: &Shared, queue: &Queue) -> Result<u64, BrokerError> {
    let mut all = 0;
    loop {
        let rows = ask(shared, queue, "SELECT ww.sweep($1, $2)", &[&tenant(queue), &queue.name()]).await?;
        let swept = u64::try_from(rows.first().ok_or_else(silent)?.get::<_, i64>(0)).unwrap_or(0);
        all += swept;
        // Of very many, one statement does a part.
        if swept < PART {
            return Ok(all);
        }
    }
}

pub(super) async fn heartbeat(shared: &Shared, update: &Update, tenant: Option<&str>) -> Result<(), BrokerError> {
    let report = serde_json::to_string(update)
        .map_err(|broken| BrokerError::invalid(format!("the update cannot be written: {broken}")))?;
    let said_us = update.timestamp().map(|said| said.as_datetime().timestamp_micros());
    let params: Params<'_> = &[&tenant.unwrap_or(""), &update.agent(), &said_us, &report.as_bytes()];
    let told = shared.link.query("SELECT ww.heartbeat($1, $2, $3, $4)", params).await;
    told.map(drop).map_err(|trouble| trouble.told())
}

pub(super) async fn agents(
    shared: &Shared,
    offline_after_ms: i64,
    tenant: Option<&str>,
) -> Result<Vec<AgentState>, BrokerError> {
    let sql = "SELECT arrived_ms, is_offline, report FROM ww.agents($1, $2)";
    let rows = shared.link.query(sql, &[&tenant.unwrap_or(""), &offline_after_ms]).await;
    let rows = rows.map_err(|trouble| trouble.told())?;
    let states = rows.iter().map(|row| {
        let update: Update = serde_json::from_slice(row.get(2))
            .map_err(|broken| BrokerError::unavailable(format!("an agent's report cannot be read: {broken}")))?;
        Ok(AgentState::of(&update, timestamp(row.get(0)), row.get(1)))
    });
    states.collect()
}
