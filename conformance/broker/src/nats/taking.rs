//! Taking messages, and looking at them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future;
use futures_util::stream;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::api::Fault;
use super::client::{AT_ONCE, Caller, Holding, give_back};
use super::index::Chosen;
use super::moving::ClaimKind;
use super::opened::OpenQueue;
use crate::contract::{Delivery, Fetch, Peek, Peeked, Tag};
use crate::error::BrokerError;
use crate::policy::MAX_MS;

/// Who has waited so long has been told all that was there when it came.
const LONG: Duration = Duration::from_millis(500);

/// Takes what is next, as soon as there is something.
pub(super) async fn fetch(
    caller: &Arc<Caller>,
    open: &Arc<OpenQueue>,
    fetch: &Fetch,
) -> Result<Vec<Delivery>, BrokerError> {
    let came = Instant::now();
    let wait = Duration::from_millis(u64::try_from(fetch.wait_ms).unwrap_or(0));
    let end = came.checked_add(wait);
    let mut closing = caller.closing();
    let mut has_looked = wait >= LONG;
    open.follow().await?;
    loop {
        let news = open.news.notified();
        tokio::pin!(news);
        // Listens before it looks, so that nothing in between is missed.
        news.as_mut().enable();
        if *closing.borrow_and_update() {
            return Err(BrokerError::unavailable("the client was closed while it waited"));
        }
        let chosen = open.change(|index, now| index.choose(now, fetch));
        if !chosen.is_empty() {
            let taken = take(caller, open, chosen).await?;
            if !taken.is_empty() {
                return Ok(taken);
            }
            continue;
        }
        if open.is_closed() {
            return Err(BrokerError::no_queue(&open.queue));
        }
        if end.is_some_and(|end| Instant::now() >= end) {
            if has_looked {
                return Ok(Vec::new());
            }
            // Another process may have stored something of which this one was not told yet.
            has_looked = true;
            open.settle_down().await?;
            continue;
        }
        tokio::select! {
            () = news => {}
            _ = closing.changed() => {}
            () = sleep_until(end) => {}
        }
    }
}

async fn sleep_until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// Takes what was chosen. It goes on when nobody waits for it any more, and then gives all back.
async fn take(caller: &Arc<Caller>, open: &Arc<OpenQueue>, chosen: Vec<Chosen>) -> Result<Vec<Delivery>, BrokerError> {
    let (reply, answer) = oneshot::channel();
    let (caller, open) = (Arc::clone(caller), Arc::clone(open));
    let queue = open.queue.clone();
    tokio::spawn(async move {
        let answer = take_all(&caller, &open, chosen).await;
        if let Err(Ok(unheard)) = reply.send(answer) {
            let tags = unheard.iter().map(|delivery| &delivery.tag);
            let unheard = tags.filter_map(|tag| caller.let_go(&open.queue, tag).ok());
            super::client::give_up(unheard.collect(), crate::contract::CloseMode::Graceful).await;
        }
    });
    answer.await.unwrap_or_else(|_| Err(BrokerError::unavailable(format!("queue {queue}: the fetch was broken off"))))
}

async fn take_all(
    caller: &Arc<Caller>,
    open: &Arc<OpenQueue>,
    chosen: Vec<Chosen>,
) -> Result<Vec<Delivery>, BrokerError> {
    let each = stream::iter(chosen).map(|chosen| async move {
        let taken = take_one(caller, open, &chosen).await;
        open.change(|index, now| index.set_busy(now, chosen.seq, false));
        taken
    });
    let taken: Vec<Result<Option<Delivery>, Fault>> = each.buffered(AT_ONCE).collect().await;
    let mut deliveries = Vec::with_capacity(taken.len());
    let mut failed = None;
    for taken in taken {
        match taken {
            Ok(delivery) => deliveries.extend(delivery),
            Err(fault) => failed = Some(fault),
        }
    }
    match failed {
        Some(fault) if deliveries.is_empty() => Err(open.error(fault)),
        _ => Ok(deliveries),
    }
}

async fn take_one(caller: &Arc<Caller>, open: &Arc<OpenQueue>, chosen: &Chosen) -> Result<Option<Delivery>, Fault> {
    let renewed;
    let chosen = if chosen.claim == 0 && chosen.seq <= open.bound.load(std::sync::atomic::Ordering::Relaxed) {
        match renew(open, chosen).await? {
            Some(chosen) => {
                renewed = chosen;
                &renewed
            }
            None => return Ok(None),
        }
    } else {
        chosen
    };
    let lease = open.policy.lease_ms;
    let asked = Instant::now();
    let claim = open.put_claim(chosen.seq, chosen.claim, ClaimKind::Lease(lease));
    let (claim, body) = future::join(claim, open.body(chosen.seq)).await;
    let Some(claim) = claim? else { return Ok(None) };
    let held = match body {
        Ok(Some(held)) => held,
        Ok(None) => {
            open.change(|index, _| index.forget(chosen.seq));
            open.spend(claim);
            return Ok(None);
        }
        Err(fault) => {
            // Nobody got it, so nobody shall wait for the end of its lease.
            drop(open.put_claim(chosen.seq, claim, ClaimKind::Free).await);
            return Err(fault);
        }
    };
    let attempt = chosen.record.attempts + 1;
    let (id, priority, body) = (chosen.record.id, chosen.record.priority, held.body.clone());
    let until = later(asked, lease);
    let holding = Holding { open: Arc::clone(open), record: chosen.record.clone(), held, claim, until };
    match caller.hold(holding) {
        Ok(tag) => Ok(Some(Delivery { tag, id, body, priority, attempt })),
        Err(holding) => give_back(&holding).await.map(|()| None),
    }
}

pub(super) fn later(moment: Instant, millis: i64) -> Instant {
    // No instant is further off than the longest lease.
    let wanted = Duration::from_millis(u64::try_from(millis.min(MAX_MS)).unwrap_or(0));
    moment + wanted
}

/// Writes a message anew of which nobody knows whether somebody holds it: whoever does is told so when
/// it settles.
async fn renew(open: &OpenQueue, chosen: &Chosen) -> Result<Option<Chosen>, Fault> {
    let Some(held) = open.body(chosen.seq).await? else {
        open.change(|index, _| index.forget(chosen.seq));
        return Ok(None);
    };
    let mut record = chosen.record.clone();
    record.place = Some(record.place.unwrap_or(chosen.seq));
    let written = open.replace_record(chosen.seq, record.clone(), Some(&held.headers), held.body).await?;
    Ok(written.map(|seq| Chosen { seq, bytes: chosen.bytes, record, claim: 0 }))
}

/// Looks, and takes nothing.
pub(super) async fn peek(open: &Arc<OpenQueue>, peek: &Peek) -> Result<Vec<Peeked>, BrokerError> {
    open.settle_down().await?;
    let chosen = open.change(|index, _| index.look(peek));
    let bodies = stream::iter(chosen).map(|chosen| async move { (open.body(chosen.seq).await, chosen) });
    let bodies: Vec<_> = bodies.buffered(AT_ONCE).collect().await;
    let mut peeked = Vec::with_capacity(bodies.len());
    for (held, chosen) in bodies {
        // What is not there any more was taken meanwhile.
        if let Some(held) = held.map_err(|fault| open.error(fault))? {
            let Chosen { record, .. } = chosen;
            let attempt = record.attempts + 1;
            peeked.push(Peeked { id: record.id, body: held.body, priority: record.priority, attempt });
        }
    }
    Ok(peeked)
}

/// Holds a delivery for so long from now.
pub(super) async fn extend(
    caller: &Caller,
    open: &Arc<OpenQueue>,
    tag: &Tag,
    lease_ms: i64,
) -> Result<(), BrokerError> {
    let mut holding = caller.let_go(&open.queue, tag)?;
    let asked = Instant::now();
    match open.put_claim(holding.held.seq, holding.claim, ClaimKind::Lease(lease_ms)).await {
        Ok(Some(claim)) => {
            open.spend(holding.claim);
            (holding.claim, holding.until) = (claim, later(asked, lease_ms));
            caller.keep(tag, holding);
            Ok(())
        }
        Ok(None) => Err(BrokerError::stale()),
        Err(fault) => {
            caller.keep(tag, holding);
            Err(open.error(fault))
        }
    }
}
