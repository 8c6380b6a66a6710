//! What becomes of the expired, and how they are counted.

use workwire_broker::{Fetch, Message};

use super::time::delivers;
use crate::case::{Stage, Stop};
use crate::demand::Expectation;

/// EXP-9: An expired message is dropped and makes no dead letter.
pub(super) async fn no_letter_for_the_expired(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(150);
    let message = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    stage.publish(&worker, &queue, &message).await?;
    stage.pass(stage.ms(160)).await;
    // Somebody looks for it, so that it is dropped at the latest now.
    stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    let told = worker.dead_letters(&queue, 100, None).await;
    stage.demand("EXP-9", &told, Expectation::nothing());
    delivers(stage, &worker).await
}

/// EXP-10: An expired message is not counted as ready.
pub(super) async fn the_expired_are_not_ready(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(150);
    let short = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    let plain = stage.message("for ever");
    stage.publish_all(&worker, &queue, &[short, plain]).await?;
    stage.pass(stage.ms(160)).await;
    stage.demand_soon("EXP-10", Expectation::ready(1), || worker.depth(&queue, None)).await;
    Ok(())
}

/// EXP-11: A sweep says how many messages it removed since they had expired.
pub(super) async fn a_sweep_says_how_many(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(150);
    for _ in 0..3 {
        let message = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
        stage.publish(&worker, &queue, &message).await?;
    }
    let plain = stage.message("for ever");
    stage.publish(&worker, &queue, &plain).await?;
    stage.pass(stage.ms(160)).await;
    let told = worker.sweep(&queue).await;
    stage.demand("EXP-11", &told, Expectation::Removed { number: 3 });
    Ok(())
}

/// EXP-12: A sweep removes nothing that has not expired.
pub(super) async fn a_sweep_spares_the_living(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(150);
    let short = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    let long = Message { ttl_ms: Some(stage.ms(60_000)), ..stage.message("for long") };
    let plain = stage.message("for ever");
    stage.publish_all(&worker, &queue, &[short, long.clone(), plain.clone()]).await?;
    stage.pass(stage.ms(160)).await;
    stage.need(worker.sweep(&queue).await)?;
    let told = stage.take(&worker, &queue, Fetch::up_to(2), 2).await;
    stage.demand("EXP-12", &told, Expectation::in_any_order([long.id, plain.id]));
    Ok(())
}

/// EXP-13: What one sweep has counted, no later sweep counts again.
pub(super) async fn counted_once(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(150);
    for expired in [2, 1] {
        for _ in 0..expired {
            let message = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
            stage.publish(&worker, &queue, &message).await?;
        }
        stage.pass(stage.ms(160)).await;
        let told = worker.sweep(&queue).await;
        stage.demand("EXP-13", &told, Expectation::Removed { number: expired });
    }
    let told = worker.sweep(&queue).await;
    stage.demand("EXP-13", &told, Expectation::Removed { number: 0 });
    Ok(())
}
