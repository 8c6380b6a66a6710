//! Ids in other queues, and of publishes that were refused.

use workwire_broker::{Code, Fetch, Message, Policy};

use crate::case::{Stage, Stop};
use crate::demand::Expectation;

/// DUP-10: An id of one queue is no duplicate in another.
pub(super) async fn not_across_queues(stage: &mut Stage) -> Result<(), Stop> {
    let tasks = stage.queue("tasks", &stage.policy()).await?;
    let replies = stage.queue("replies", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("in both");
    stage.publish(&worker, &tasks, &message).await?;
    let told = worker.publish(&replies, &message).await;
    stage.demand("DUP-10", &told, Expectation::stored());
    let told = stage.take(&worker, &replies, Fetch::up_to(1), 1).await;
    stage.demand("DUP-10", &told, Expectation::shows(message.id));
    Ok(())
}

/// DUP-11: An id of one tenant's queue is no duplicate in the queue of that name of another tenant.
pub(super) async fn not_across_tenants(stage: &mut Stage) -> Result<(), Stop> {
    let left = stage.tenant_queue("left", "tasks", &stage.policy()).await?;
    let right = stage.tenant_queue("right", "tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("in both");
    stage.publish(&worker, &left, &message).await?;
    let told = worker.publish(&right, &message).await;
    stage.demand("DUP-11", &told, Expectation::stored());
    let told = stage.take(&worker, &right, Fetch::up_to(1), 1).await;
    stage.demand("DUP-11", &told, Expectation::shows(message.id));
    Ok(())
}

/// DUP-12: A publish that was refused as `invalid` leaves its id free.
pub(super) async fn a_refused_publish_burns_no_id(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("at last");
    let wrong = Message { priority: Some(0), ..message.clone() };
    let told = worker.publish(&queue, &wrong).await;
    stage.need_that(&told, Expectation::refused(Code::Invalid))?;
    let told = worker.publish(&queue, &message).await;
    stage.demand("DUP-12", &told, Expectation::stored());
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DUP-12", &told, Expectation::shows(message.id));
    Ok(())
}

/// DUP-13: A publish that was refused as `full` leaves its id free.
pub(super) async fn a_full_queue_burns_no_id(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_length: Some(1), ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(2);
    stage.publish(&worker, &queue, &messages[0]).await?;
    let told = worker.publish(&queue, &messages[1]).await;
    stage.need_that(&told, Expectation::refused(Code::Full))?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.done(&queue, &delivery).await)?;
    let told = worker.publish(&queue, &messages[1]).await;
    stage.demand("DUP-13", &told, Expectation::stored());
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DUP-13", &told, Expectation::shows(messages[1].id));
    Ok(())
}

/// DUP-14: A duplicate is answered with `duplicate` also where the queue is full.
pub(super) async fn a_duplicate_in_a_full_queue(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_length: Some(1), ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("fills it");
    stage.publish(&worker, &queue, &message).await?;
    let told = worker.publish(&queue, &message).await;
    stage.demand("DUP-14", &told, Expectation::duplicate());
    Ok(())
}
