//! ACK · Settling.

use workwire_broker::{Code, Fetch, Policy, Tag, Verdict};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "ack/done_never_comes_back",
        clauses: &["ACK-1"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(done_never_comes_back(stage)),
    },
    Case {
        id: "ack/an_unknown_tag_is_refused",
        clauses: &["ACK-2"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_unknown_tag_is_refused(stage)),
    },
];

/// ACK-1: A message that was settled as `done` is never delivered again.
async fn done_never_comes_back(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { lease_ms: stage.ms(200), ..Policy::default() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to do");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.done(&queue, &delivery).await)?;
    // Also not when the lease would have ended.
    stage.pass(stage.ms(250)).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("ACK-1", &told, Expectation::nothing());
    Ok(())
}

/// ACK-2: A tag that names no delivery is refused as `stale`, and nothing changes.
async fn an_unknown_tag_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy::default()).await?;
    let worker = stage.client("worker").await?;
    let told = worker.settle(&queue, &Tag("of-nobody".to_owned()), Verdict::Done).await;
    stage.demand("ACK-2", &told, Expectation::refused(Code::Stale));
    Ok(())
}
