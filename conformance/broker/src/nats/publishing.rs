//! Storing messages.

use std::sync::Arc;

use async_nats::HeaderMap;
use bytes::Bytes;
use uuid::Uuid;

use super::api::{Ack, Expected, Fault};
use super::index::{Chosen, Index};
use super::moving::{ClaimKind, Step};
use super::opened::OpenQueue;
use super::record::{KEPT, MESSAGE_ID, Record, State, put_flow};
use crate::clock::Millis;
use crate::contract::{About, Message, Stored};
use crate::demand::Terms;
use crate::error::BrokerError;
use crate::policy::Overflow;

/// How often a publish is tried anew that others overtook.
const TRIES: usize = 200;
/// The server's own window of dedupe, the shortest that it takes. It saves a round trip where a publish
/// is sent twice at once; what counts is what stands in the stream.
pub(super) const WINDOW_MS: i64 = 100;
/// How much longer the server keeps an expired message, so that who holds it can still settle it and
/// `sweep` can count it.
const EXPIRED_KEPT_S: i64 = 3_600;

struct New {
    record: Record,
    headers: HeaderMap,
    body: Bytes,
}

/// Stores a message in a queue, once within its window.
pub(super) async fn publish(open: &Arc<OpenQueue>, about: &About, message: Message) -> Result<Stored, BrokerError> {
    let new = prepare(open, about, message)?;
    if open.policy.max_length.is_some() {
        return publish_bounded(open, new).await;
    }
    let mut after = 0;
    for _ in 0..TRIES {
        match try_once(open, &new, after, None).await? {
            Tried::Stored(_) => return Ok(Stored::Stored),
            Tried::Duplicate => return Ok(Stored::Duplicate),
            Tried::Overtaken { after: last } => after = last,
        }
    }
    Err(contended(open))
}

fn prepare(open: &OpenQueue, about: &About, message: Message) -> Result<New, BrokerError> {
    let now = open.now();
    let terms = Terms::of(&message, &open.policy, about, now)?;
    let record = Record {
        subject: open.names.subject(terms.priority, message.id, message.to.as_deref()),
        id: message.id,
        priority: terms.priority,
        to: message.to,
        state: State::Live,
        attempts: 0,
        place: None,
        due_at: if terms.due_at > now { terms.due_at } else { Millis::MIN },
        expires_at: terms.expires_at,
        ttl_ms: terms.ttl_ms,
        published_at: now,
        reason: None,
        died_at: None,
        is_replayed: false,
    };
    let mut headers = record.headers(None);
    put_flow(&mut headers, record.id, &message.body);
    if open.policy.dedupe_ms >= WINDOW_MS {
        headers.insert(MESSAGE_ID, record.id.to_string());
    }
    if let Some(ttl_ms) = terms.ttl_ms {
        let kept = ttl_ms / 1_000 + 2 * open.policy.lease_ms / 1_000 + EXPIRED_KEPT_S;
        headers.insert(KEPT, format!("{kept}s"));
    }
    Ok(New { record, headers, body: message.body })
}

enum Tried {
    Stored(u64),
    Duplicate,
    /// Something else was stored before; of its id the last number is this.
    Overtaken {
        after: u64,
    },
}

/// Stores it if nothing of its id was stored behind `after`, nor anything behind `last`.
async fn try_once(open: &OpenQueue, new: &New, after: u64, last: Option<u64>) -> Result<Tried, BrokerError> {
    let is_once = open.policy.dedupe_ms > 0;
    let under = is_once.then(|| (Some(open.names.subjects_of(new.record.id)), after));
    let expected = Expected { under, last };
    let (subject, body) = (new.record.subject.clone(), new.body.clone());
    match open.api.publish(subject, new.headers.clone(), body, &expected).await {
        Ok(Ack { duplicate: true, .. }) => Ok(Tried::Duplicate),
        Ok(Ack { seq, .. }) => {
            open.apply(new.record.clone(), seq, new.body.len());
            Ok(Tried::Stored(seq))
        }
        Err(fault) if fault.is_overtaken() && is_once => {
            let known = last_of_id(open, new.record.id).await.map_err(|fault| open.error(fault))?;
            Ok(match known {
                Some((_, published_at)) if is_remembered(open, published_at) => Tried::Duplicate,
                known => Tried::Overtaken { after: known.map_or(0, |(seq, _)| seq) },
            })
        }
        Err(fault) if fault.is_overtaken() => Ok(Tried::Overtaken { after: 0 }),
        Err(fault) => Err(open.error(fault)),
    }
}

/// The last record of an id, and when its message was published.
async fn last_of_id(open: &OpenQueue, id: Uuid) -> Result<Option<(u64, Millis)>, Fault> {
    let last = open.api.last(&open.names.stream, &open.names.subjects_of(id)).await?;
    Ok(last.and_then(|held| {
        let record = Record::read(&held.subject, Some(&held.headers), held.stored_at)?;
        Some((held.seq, record.published_at))
    }))
}

fn is_remembered(open: &OpenQueue, published_at: Millis) -> bool {
    open.now() < published_at.saturating_add(open.policy.dedupe_ms)
}

/// The same where the queue may be full. Whoever counts has to know all that was stored, so that a
/// message is stored only behind the last one that was counted.
async fn publish_bounded(open: &Arc<OpenQueue>, new: New) -> Result<Stored, BrokerError> {
    open.follow().await?;
    let mut known = open.door.lock().await;
    let mut after = 0;
    for _ in 0..TRIES {
        let last = open.change(|index, _| index.told).max(*known);
        if is_full(open) {
            open.settle_down().await?;
            if is_full(open) {
                if open.policy.dedupe_ms > 0
                    && let Some((_, published_at)) =
                        last_of_id(open, new.record.id).await.map_err(|fault| open.error(fault))?
                    && is_remembered(open, published_at)
                {
                    return Ok(Stored::Duplicate);
                }
                drop_oldest(open).await?;
            }
            continue;
        }
        match try_once(open, &new, after, Some(last)).await? {
            Tried::Stored(seq) => {
                *known = seq;
                return Ok(Stored::Stored);
            }
            Tried::Duplicate => return Ok(Stored::Duplicate),
            Tried::Overtaken { after: last } => {
                after = last;
                open.catch_up().await?;
            }
        }
    }
    Err(contended(open))
}

fn contended(open: &OpenQueue) -> BrokerError {
    BrokerError::forbidden(format!("queue {}: others were always faster; nothing was stored", open.queue))
}

pub(super) fn is_full(open: &OpenQueue) -> bool {
    let most = open.policy.max_length.and_then(|most| usize::try_from(most).ok());
    most.is_some_and(|most| open.change(|index, _| index.length()) >= most)
}

pub(super) fn full(open: &OpenQueue) -> BrokerError {
    let most = open.policy.max_length.unwrap_or(i64::MAX);
    BrokerError::full(format!("the queue holds {most} messages, as many as its max_length allows"))
}

async fn drop_oldest(open: &OpenQueue) -> Result<(), BrokerError> {
    if open.policy.overflow == Overflow::Reject {
        return Err(full(open));
    }
    let oldest = open.change(Index::take_oldest_free).ok_or_else(|| full(open))?;
    remove_free(open, &oldest).await.map(drop).map_err(|fault| open.error(fault))
}

/// For how long what is being removed is held.
const REMOVING_MS: Millis = 10_000;

/// Removes what nobody holds: claims it first, so that nobody takes it meanwhile.
pub(super) async fn remove_free(open: &OpenQueue, chosen: &Chosen) -> Result<bool, Fault> {
    let removed = async {
        let Some(claim) = open.put_claim(chosen.seq, chosen.claim, ClaimKind::Lease(REMOVING_MS)).await? else {
            return Ok(false);
        };
        open.spend(claim);
        Ok(open.end(chosen.seq, &chosen.record).await? == Step::Taken)
    };
    let removed = removed.await;
    open.change(|index, now| index.set_busy(now, chosen.seq, false));
    removed
}
