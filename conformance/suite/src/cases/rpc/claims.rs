//! What an adapter claims, and the order in which it begins.

use workwire_broker::{Capability, Code, Health, HealthStatus, Peek, Purge, RestartMode, Tag, Update, Verdict};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;
use crate::recorder::Told;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "rpc/claims_are_true",
        clauses: &["RPC-9", "RPC-10"],
        needs: &[],
        checks: &[],
        alone: Alone::Yes,
        run: |stage| Box::pin(claims_are_true(stage)),
    },
    Case {
        id: "rpc/begins_in_order",
        clauses: &["RPC-11"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(begins_in_order(stage)),
    },
];

/// RPC-9: The methods of a claimed capability are there.
/// RPC-10: A method of a capability that is not claimed is refused as not there or as `unsupported`.
async fn claims_are_true(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("claimed", &stage.policy()).await?;
    let ada = stage.client("ada").await?;
    let message = stage.message("taken");
    stage.publish(&ada, &queue, &message).await?;
    let taken = stage.take_one(&ada, &queue).await?;

    claimed(stage, Capability::Extend, &ada.extend(&queue, &taken.tag, stage.ms(60_000)).await, Expectation::Accepted);
    let unknown = stage.id();
    let not_found = Expectation::refused(Code::NotFound);
    claimed(stage, Capability::Replay, &ada.replay(&queue, unknown, None).await, not_found);
    let letters = ada.dead_letters(&queue, 1, None).await;
    claimed(stage, Capability::DeadLetter, &letters, Expectation::Accepted);
    let peeked = ada.peek(&queue, Peek { max: 1, ..Peek::default() }).await;
    claimed(stage, Capability::Browse, &peeked, Expectation::Accepted);
    claimed(stage, Capability::Ttl, &ada.sweep(&queue).await, Expectation::Accepted);
    let health = Health::new(stage.name("ada").parse().map_err(|_| Stop)?, HealthStatus::Idle);
    let heard = ada.heartbeat(&Update::Channel(health), None).await;
    claimed(stage, Capability::Presence, &heard, Expectation::Accepted);
    claimed(stage, Capability::Presence, &ada.agents(None, None).await, Expectation::Accepted);
    let messages = stage.messages(2);
    for told in ada.publish_batch(&queue, &messages).await {
        claimed(stage, Capability::Batch, &told, Expectation::Accepted);
    }
    claimed(stage, Capability::Purge, &ada.purge(&queue, Purge::default()).await, Expectation::Accepted);
    if !stage.claims(Capability::Restart) {
        let told = stage.try_restart(RestartMode::Graceful).await;
        claimed(stage, Capability::Restart, &told, Expectation::Accepted);
    }
    // Of the core: settling is there, and is no other's.
    stage.demand("RPC-9", &ada.done(&queue, &taken).await, Expectation::Accepted);
    let told = ada.settle(&queue, &Tag("of-nobody".to_owned()), Verdict::Done).await;
    stage.demand("RPC-9", &told, Expectation::refused(Code::Stale));
    Ok(())
}

/// Demands it where it is claimed, and else that it is not there.
fn claimed<T>(stage: &Stage, capability: Capability, told: &Told<T>, expect: Expectation) {
    if stage.claims(capability) {
        stage.demand("RPC-9", told, expect);
    } else {
        stage.demand("RPC-10", told, Expectation::refused(Code::Unsupported));
    }
}

/// RPC-11: Requests of one client are begun in the order in which they came.
async fn begins_in_order(stage: &mut Stage) -> Result<(), Stop> {
    let ada = stage.client("ada").await?;
    let policy = stage.policy();
    for name in ["first", "second", "third"] {
        let queue = stage.queue_named(name);
        stage.clean_up(&queue);
        let message = stage.message(name);
        // Nobody waits for the queue to be there.
        let (declared, published) = tokio::join!(ada.declare(&queue, &policy), ada.publish(&queue, &message));
        stage.need(declared)?;
        stage.demand("RPC-11", &published, Expectation::stored());
        let taken = stage.take_one(&ada, &queue).await?;
        stage.need(ada.done(&queue, &taken).await)?;
    }
    Ok(())
}
