//! What time does to a queue: leases end, what rests is due, spent claims are removed.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::json;
use tokio::time::Instant;

use super::index::{Chosen, Hold, Index};
use super::moving::Step;
use super::opened::OpenQueue;
use crate::clock::Millis;
use crate::demand::End;

/// How many leases are ended at once.
const AT_ONCE: usize = 64;
/// How often spent claims are removed.
const TIDY: Duration = Duration::from_secs(2);
/// How long to rest when a lease could not be ended.
const REST: Duration = Duration::from_millis(200);
/// The longest sleep, so that a clock that is set does not matter for long.
const LONGEST: Millis = 1_000;

/// Does what time demands until the queue is gone.
pub(super) async fn keep(open: Arc<OpenQueue>) {
    let mut tidied = Instant::now();
    while !open.is_closed() {
        let alarm = open.alarm.notified();
        tokio::pin!(alarm);
        // Listens before it looks, so that nothing in between is missed.
        alarm.as_mut().enable();
        if end_leases(&open).await.is_err() {
            tokio::time::sleep(REST).await;
        }
        if tidied.elapsed() >= TIDY {
            tidy(&open).await;
            tidied = Instant::now();
        }
        let (next, now) = open.change(|index, now| (index.next_moment(), now));
        let rest = next.map_or(LONGEST, |next| (next - now).clamp(1, LONGEST));
        tokio::select! {
            () = alarm => {}
            () = tokio::time::sleep(Duration::from_millis(rest.unsigned_abs())) => {}
        }
    }
}

/// Moves on what came to its lease's end.
pub(super) async fn end_leases(open: &OpenQueue) -> Result<(), ()> {
    let ended = open.change(Index::take_ended);
    let steps = stream::iter(ended).map(|chosen| async move {
        let at = until(open, &chosen);
        let step = open.end_lease(&chosen, End::LeaseEnded, at).await;
        open.change(|index, now| index.set_busy(now, chosen.seq, false));
        step
    });
    let steps: Vec<_> = steps.buffer_unordered(AT_ONCE).collect().await;
    if steps.iter().all(|step| matches!(step, Ok(Step::Taken | Step::Overtaken))) { Ok(()) } else { Err(()) }
}

/// When the lease ended; now where nobody knows any more.
fn until(open: &OpenQueue, chosen: &Chosen) -> Millis {
    match open.change(|index, _| index.claim_of(chosen.seq)).map(|claim| claim.kind) {
        Some(Hold::Until(until)) => until,
        _ => open.now(),
    }
}

/// Removes the claims that nobody needs: all below the first that somebody may need, and of those above
/// what is this process's own.
async fn tidy(open: &OpenQueue) {
    /// A long lease holds back what was claimed behind it; so many of those are removed one by one.
    const ONE_BY_ONE: usize = 2_000;
    let spent = std::mem::take(&mut *open.spent.lock().unwrap_or_else(PoisonError::into_inner));
    let Some(last) = spent.iter().max().copied() else { return };
    let (needed, told) = open.change(|index, _| (index.oldest_claim(), index.claims_told));
    // Behind what was told there may be claims that this process does not know yet.
    let first_needed = needed.unwrap_or(last + 1).min(last + 1).min(told + 1);
    let stream = &open.names.claims;
    // What is left standing goes with its time; removing it earlier only saves room.
    drop(open.api.call(&format!("STREAM.PURGE.{stream}"), &json!({ "seq": first_needed })).await);
    let mut behind = spent.into_iter().filter(|claim| *claim >= first_needed);
    for claim in behind.by_ref().take(ONE_BY_ONE) {
        let method = format!("STREAM.MSG.DELETE.{stream}");
        drop(open.api.call(&method, &json!({ "seq": claim, "no_erase": true })).await);
    }
    let rest: Vec<u64> = behind.collect();
    open.spent.lock().unwrap_or_else(PoisonError::into_inner).extend(rest);
}
