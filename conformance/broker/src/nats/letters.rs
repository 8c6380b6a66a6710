//! Dead letters, and what removes many messages at once.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use uuid::Uuid;

use super::api::Fault;
use super::client::AT_ONCE;
use super::index::{Chosen, Index};
use super::moving::Step;
use super::opened::OpenQueue;
use super::publishing::{full, is_full, remove_free};
use super::record::{Record, State};
use crate::clock::{Millis, timestamp};
use crate::contract::Letter;
use crate::error::BrokerError;

/// Looks at the letters, the oldest first.
pub(super) async fn dead_letters(open: &Arc<OpenQueue>, max: u32) -> Result<Vec<Letter>, BrokerError> {
    open.settle_down().await?;
    let chosen = open.change(|index, _| index.letters(max));
    let bodies = stream::iter(chosen).map(|chosen| async move { (open.body(chosen.seq).await, chosen) });
    let bodies: Vec<_> = bodies.buffered(AT_ONCE).collect().await;
    let mut letters = Vec::with_capacity(bodies.len());
    for (held, Chosen { record, .. }) in bodies {
        // What is not there any more was replayed or purged meanwhile.
        if let Some(held) = held.map_err(|fault| open.error(fault))? {
            letters.push(Letter {
                id: record.id,
                body: held.body,
                reason: record.reason.unwrap_or_default(),
                attempts: record.attempts,
                priority: Some(record.priority),
                died_at: record.died_at.map(timestamp),
                group: None,
            });
        }
    }
    Ok(letters)
}

/// Sends the oldest letter of an id back, as new.
pub(super) async fn replay(open: &Arc<OpenQueue>, id: Uuid) -> Result<(), BrokerError> {
    open.settle_down().await?;
    let _one_at_a_time = match open.policy.max_length {
        Some(_) => Some(open.door.lock().await),
        None => None,
    };
    // Who is overtaken looks for the next letter of this id.
    while let Some(letter) = open.change(|index, _| index.letter(id)) {
        if is_full(open) {
            return Err(full(open));
        }
        if back(open, &letter).await.map_err(|fault| open.error(fault))? == Step::Taken {
            return Ok(());
        }
    }
    Err(BrokerError::not_found(format!("no dead letter has the id {id}")))
}

async fn back(open: &OpenQueue, letter: &Chosen) -> Result<Step, Fault> {
    let Some(held) = open.body(letter.seq).await? else {
        open.change(|index, _| index.forget(letter.seq));
        return Ok(Step::Overtaken);
    };
    let record = Record {
        state: State::Live,
        attempts: 0,
        place: None,
        due_at: Millis::MIN,
        expires_at: letter.record.ttl_ms.map(|ttl| open.now().saturating_add(ttl)),
        reason: None,
        died_at: None,
        is_replayed: true,
        ..letter.record.clone()
    };
    let back = open.replace_record(letter.seq, record, Some(&held.headers), held.body).await?;
    Ok(back.map_or(Step::Overtaken, |_| Step::Taken))
}

/// Removes the ready messages, and says how many.
pub(super) async fn purge_ready(open: &Arc<OpenQueue>) -> Result<u64, BrokerError> {
    open.settle_down().await?;
    let ready = open.change(Index::take_ready);
    remove_all(open, ready).await
}

/// Removes what has expired and nobody holds, and says how many.
pub(super) async fn sweep(open: &Arc<OpenQueue>) -> Result<u64, BrokerError> {
    open.settle_down().await?;
    let expired = open.change(Index::take_expired);
    remove_all(open, expired).await
}

async fn remove_all(open: &Arc<OpenQueue>, chosen: Vec<Chosen>) -> Result<u64, BrokerError> {
    let each = stream::iter(chosen).map(|chosen| async move { remove_free(open, &chosen).await });
    count(open, each.buffer_unordered(AT_ONCE).collect().await)
}

/// Removes the letters, and says how many.
pub(super) async fn purge_letters(open: &Arc<OpenQueue>) -> Result<u64, BrokerError> {
    open.settle_down().await?;
    let letters = open.change(|index, _| index.letters(u32::MAX));
    let each = stream::iter(letters).map(|letter| async move {
        let ended = open.end(letter.seq, &letter.record).await?;
        Ok(ended == Step::Taken)
    });
    count(open, each.buffer_unordered(AT_ONCE).collect().await)
}

fn count(open: &OpenQueue, removed: Vec<Result<bool, Fault>>) -> Result<u64, BrokerError> {
    let mut number = 0;
    for removed in removed {
        number += u64::from(removed.map_err(|fault| open.error(fault))?);
    }
    Ok(number)
}
