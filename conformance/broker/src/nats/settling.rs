//! How deliveries are settled.

use super::api::Fault;
use super::client::{Caller, Holding};
use super::moving::{Failure, Step};
use crate::contract::{Tag, Verdict};
use crate::demand::{End, check_verdict};
use crate::error::BrokerError;
use crate::queue::Queue;

/// Settles a delivery, once: whoever has lost it is told so by the server, whose record is another then.
pub(super) async fn settle(caller: &Caller, queue: &Queue, tag: &Tag, verdict: Verdict) -> Result<(), BrokerError> {
    check_verdict(&verdict)?;
    // Whether the queue is there at all counts before the tag.
    caller.queue(queue).await?;
    let holding = caller.let_go(queue, tag)?;
    let (open, claim) = (holding.open.clone(), holding.claim);
    match step(&holding, verdict).await {
        Ok(Step::Taken) => {
            open.spend(claim);
            Ok(())
        }
        Ok(Step::Overtaken) => {
            open.spend(claim);
            Err(BrokerError::stale())
        }
        Err(fault) if fault.is_missing() => Err(open.error(fault)),
        Err(fault) => {
            caller.keep(tag, holding);
            Err(open.error(fault))
        }
    }
}

async fn step(holding: &Holding, verdict: Verdict) -> Result<Step, Fault> {
    let Holding { open, record, held, .. } = holding;
    match verdict {
        Verdict::Done => open.end(held.seq, record).await,
        Verdict::Retry { delay_ms, reason } => {
            let at = open.now();
            let rest = delay_ms.unwrap_or_else(|| open.policy.backoff(record.attempts + 1));
            let failure = Failure { end: End::Retried, at, due_at: at.saturating_add(rest), reason };
            open.fail(held, record, failure).await
        }
        Verdict::Dead { reason } => open.bury(held, record, End::GivenUp, open.now(), reason).await,
    }
}
