//! When messages expire.

use workwire_broker::{Fetch, Message, Peek, Policy, RestartMode};

use crate::case::{Stage, Stop};
use crate::demand::Expectation;
use crate::recorder::Actor;

/// That nothing comes says something only of a broker that delivers.
pub(super) async fn delivers(stage: &mut Stage, by: &Actor) -> Result<(), Stop> {
    let policy = stage.policy();
    let control = stage.queue("control", &policy).await?;
    let message = stage.message("for ever");
    stage.publish(by, &control, &message).await?;
    stage.take_one(by, &control).await.map(drop)
}

/// EXP-1: A message is not delivered once its ttl is over.
pub(super) async fn not_after_its_time(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(150);
    let message = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    stage.publish(&worker, &queue, &message).await?;
    stage.pass(stage.ms(160)).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("EXP-1", &told, Expectation::nothing());
    delivers(stage, &worker).await
}

/// EXP-2: A message is delivered until its ttl is over.
pub(super) async fn until_its_time(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(600);
    let message = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    let published = stage.publish(&worker, &queue, &message).await?;
    stage.pass(stage.ms(400)).await;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.premise(&told, Expectation::By { moment: published.after_asking(ttl) });
    stage.demand("EXP-2", &told, Expectation::shows(message.id));
    Ok(())
}

/// EXP-3: A message without a ttl of its own lives for that of its queue.
pub(super) async fn the_ttl_of_the_queue(stage: &mut Stage) -> Result<(), Stop> {
    let ttl = stage.ms(150);
    let queue = stage.queue("tasks", &Policy { ttl_ms: Some(ttl), ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("says nothing of time");
    stage.publish(&worker, &queue, &message).await?;
    stage.pass(stage.ms(160)).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("EXP-3", &told, Expectation::nothing());
    delivers(stage, &worker).await
}

/// EXP-4: Of a message's ttl and its queue's, the shorter one counts.
pub(super) async fn a_message_shorter_than_its_queue(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { ttl_ms: Some(stage.ms(60_000)), ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(150);
    let message = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    stage.publish(&worker, &queue, &message).await?;
    stage.pass(stage.ms(160)).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("EXP-4", &told, Expectation::nothing());
    delivers(stage, &worker).await
}

/// EXP-4: Of a message's ttl and its queue's, the shorter one counts.
pub(super) async fn a_queue_shorter_than_its_message(stage: &mut Stage) -> Result<(), Stop> {
    let ttl = stage.ms(150);
    let queue = stage.queue("tasks", &Policy { ttl_ms: Some(ttl), ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = Message { ttl_ms: Some(stage.ms(60_000)), ..stage.message("longer than it may") };
    stage.publish(&worker, &queue, &message).await?;
    stage.pass(stage.ms(160)).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("EXP-4", &told, Expectation::nothing());
    delivers(stage, &worker).await
}

/// EXP-5: A message expires at its own time, also behind one that lives longer.
pub(super) async fn a_short_one_behind_a_long_one(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(150);
    let long = Message { ttl_ms: Some(stage.ms(60_000)), ..stage.message("for long") };
    let short = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    stage.publish_all(&worker, &queue, &[long.clone(), short]).await?;
    stage.pass(stage.ms(160)).await;
    stage.demand_soon("EXP-5", Expectation::ready(1), || worker.depth(&queue, None)).await;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("EXP-5", &told, Expectation::shows(long.id));
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("EXP-5", &told, Expectation::nothing());
    Ok(())
}

/// EXP-6: A retry gives a message no more time.
pub(super) async fn no_more_time_by_a_retry(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(400);
    let message = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    let published = stage.publish(&worker, &queue, &message).await?;
    stage.pass(stage.ms(200)).await;
    let delivery = stage.take_one(&worker, &queue).await?;
    let told = worker.retry(&queue, &delivery).await;
    stage.premise(&told, Expectation::By { moment: published.after_asking(ttl) });
    stage.need(told)?;
    stage.pass(stage.ms(210)).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("EXP-6", &told, Expectation::nothing());
    Ok(())
}

/// EXP-7: A message that expires while it is held is not delivered again when it comes back.
pub(super) async fn expired_in_somebodys_hands(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(200);
    let message = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.pass(stage.ms(210)).await;
    // Taken or refused: it has expired either way.
    worker.retry(&queue, &delivery).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("EXP-7", &told, Expectation::nothing());
    Ok(())
}

/// EXP-8: A message that expires while it is held can still be settled.
pub(super) async fn settled_after_its_time(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(200);
    let message = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.pass(stage.ms(210)).await;
    let told = worker.done(&queue, &delivery).await;
    stage.demand("EXP-8", &told, Expectation::Accepted);
    Ok(())
}

/// EXP-14: A message that is published with a ttl of 0 or less is refused or never delivered.
pub(super) async fn expired_already_at_publish(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    for ttl in [0, -1] {
        let message = Message { ttl_ms: Some(ttl), ..stage.message("too late") };
        // Whether it is refused is not the question.
        worker.publish(&queue, &message).await;
    }
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(2)).await;
    stage.demand("EXP-14", &told, Expectation::nothing());
    delivers(stage, &worker).await
}

/// EXP-15: A message whose ttl is over before its delay is refused or never delivered.
pub(super) async fn over_before_it_is_due(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let (ttl, delay) = (stage.ms(150), stage.ms(250));
    let message = Message { ttl_ms: Some(ttl), delay_ms: Some(delay), ..stage.message("never") };
    // Whether it is refused is not the question.
    worker.publish(&queue, &message).await;
    stage.pass(delay).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("EXP-15", &told, Expectation::nothing());
    delivers(stage, &worker).await
}

/// EXP-16: An expired message is not shown by a peek.
pub(super) async fn an_expired_one_is_not_shown(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(150);
    let message = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    stage.publish(&worker, &queue, &message).await?;
    stage.pass(stage.ms(160)).await;
    let told = worker.peek(&queue, Peek { max: 10, ..Peek::default() }).await;
    stage.demand("EXP-16", &told, Expectation::nothing());
    delivers(stage, &worker).await
}

/// EXP-17: An expired message cannot be taken by its id.
pub(super) async fn an_expired_one_is_not_taken_by_id(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(150);
    let message = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    stage.publish(&worker, &queue, &message).await?;
    stage.pass(stage.ms(160)).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1).only(message.id)).await;
    stage.demand("EXP-17", &told, Expectation::nothing());
    delivers(stage, &worker).await
}

/// EXP-18: A restart gives a message no more time.
pub(super) async fn no_more_time_by_a_restart(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(400);
    let message = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    stage.publish(&worker, &queue, &message).await?;
    stage.pass(stage.ms(250)).await;
    stage.restart(RestartMode::Graceful).await?;
    let worker = stage.client("worker").await?;
    stage.pass(stage.ms(160)).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("EXP-18", &told, Expectation::nothing());
    delivers(stage, &worker).await
}
