//! Settling: what is done goes, what failed is sent again or to the dead letters, and only then goes.
//!
//! A copy is stored before the original is removed: who is killed in between leaves two, never none.

use std::sync::Arc;

use super::desk::{Desk, Held};
use super::parcel::Parcel;
use super::publisher::Sent;
use crate::clock::{Clock as _, SystemClock};
use crate::contract::{Tag, Verdict};
use crate::demand::{End, check_verdict, kept_reason};
use crate::error::{BrokerError, Code};
use crate::queue::Queue;

/// Settles one delivery of this client.
pub(super) async fn settle(desk: &Arc<Desk>, queue: &Queue, tag: &Tag, verdict: Verdict) -> Result<(), BrokerError> {
    desk.check_open()?;
    queue.check()?;
    check_verdict(&verdict)?;
    let Some(held) = desk.claim(queue, tag) else {
        desk.declared(queue, desk.deadline()).await?;
        return Err(BrokerError::stale());
    };
    if verdict == Verdict::Done {
        return remove(desk, &held).await;
    }
    // Goes on to its end, also where the caller gives up.
    let (desk, tag) = (Arc::clone(desk), tag.clone());
    let settling = tokio::spawn(async move { move_on(&desk, tag, held, verdict).await });
    settling.await.unwrap_or_else(|_| Err(BrokerError::unavailable("settling was broken off")))
}

/// Sends a delivery where its verdict says, and removes it.
async fn move_on(desk: &Desk, tag: Tag, held: Held, verdict: Verdict) -> Result<(), BrokerError> {
    let (policy, attempt) = (&held.declared.policy, held.parcel.attempt);
    let sent = match verdict {
        Verdict::Done => Ok(Sent::Stored),
        Verdict::Retry { reason, .. } if i64::from(attempt) >= policy.max_attempts => {
            bury(desk, &held, reason, End::Retried).await
        }
        Verdict::Retry { delay_ms, reason } => {
            let rest = delay_ms.unwrap_or_else(|| policy.backoff(attempt));
            let again = held.parcel.again(reason.as_deref().map(kept_reason), rest);
            let key = held.declared.names.only(held.group.as_deref(), &held.declared.life);
            desk.send(&held.declared, &key, &again, desk.deadline()).await
        }
        Verdict::Dead { reason } => bury(desk, &held, reason, End::GivenUp).await,
    };
    match sent {
        Ok(Sent::Stored) => remove(desk, &held).await,
        Ok(Sent::Unroutable) => Err(gone(desk, &held)),
        Err(error) => {
            desk.keep(tag, held);
            Err(error)
        }
    }
}

/// Writes a dead letter.
async fn bury(desk: &Desk, held: &Held, reason: Option<String>, end: End) -> Result<Sent, BrokerError> {
    let Held { declared, group, parcel, .. } = held;
    let reason = reason.as_deref().map(kept_reason).or_else(|| parcel.reason.clone());
    let reason = reason.unwrap_or_else(|| end.reason(parcel.attempt));
    let queue = declared.queue.to_string();
    let properties = parcel.dead(&reason, &queue, group.as_deref(), SystemClock.now());
    let Parcel { body, .. } = parcel;
    desk.publisher.send("", &declared.names.dead(), body, properties, desk.deadline()).await
}

async fn remove(desk: &Desk, held: &Held) -> Result<(), BrokerError> {
    match held.intake.done(held.delivery, desk.deadline()).await {
        Ok(()) => {
            if let Some(copy) = &held.copy {
                copy.settled();
            }
            Ok(())
        }
        Err(error) if error.code() == Code::NotFound => Err(gone(desk, held)),
        Err(error) => Err(error),
    }
}

/// The queue was deleted meanwhile, and the delivery with it.
fn gone(desk: &Desk, held: &Held) -> BrokerError {
    desk.shared.register.forget(&held.declared);
    BrokerError::no_queue(&held.declared.queue)
}
