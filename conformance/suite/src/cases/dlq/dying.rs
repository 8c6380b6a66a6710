//! When a message dies, and when it does not.

use workwire_broker::{CloseMode, Fetch, Policy};

use crate::case::{Stage, Stop};
use crate::demand::Expectation;

/// DLQ-1: A message whose last attempt ends in `retry` goes to the dead letters.
pub(super) async fn attempts_used_up(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 3, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to fail");
    stage.publish(&worker, &queue, &message).await?;
    for _ in 1..=3 {
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.retry(&queue, &delivery).await)?;
    }
    let letters = || worker.dead_letters(&queue, 100, None);
    stage.demand_soon("DLQ-1", Expectation::Includes { ids: vec![message.id] }, letters).await;
    Ok(())
}

/// DLQ-1: A message whose last attempt ends in `retry` goes to the dead letters.
/// DLQ-2: A message that has attempts left and was not settled as `dead` is no dead letter.
pub(super) async fn one_attempt_is_one_delivery(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 1, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to fail");
    stage.publish(&worker, &queue, &message).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DLQ-2", &told, Expectation::shows(message.id));
    for delivery in told.into_answer().unwrap_or_default() {
        stage.need(worker.retry(&queue, &delivery).await)?;
    }
    let letters = || worker.dead_letters(&queue, 100, None);
    stage.demand_soon("DLQ-1", Expectation::Includes { ids: vec![message.id] }, letters).await;
    Ok(())
}

/// DLQ-2: A message that has attempts left and was not settled as `dead` is no dead letter.
pub(super) async fn alive_until_the_last_attempt(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 4, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to fail");
    stage.publish(&worker, &queue, &message).await?;
    for _ in 1..=3 {
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        stage.demand("DLQ-2", &told, Expectation::shows(message.id));
        for delivery in told.into_answer().unwrap_or_default() {
            stage.need(worker.retry(&queue, &delivery).await)?;
        }
    }
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DLQ-2", &told, Expectation::shows(message.id));
    let told = worker.dead_letters(&queue, 100, None).await;
    stage.demand("DLQ-2", &told, Expectation::nothing());
    Ok(())
}

/// DLQ-3: A message settled as `dead` goes to the dead letters at once, however many attempts it has left.
pub(super) async fn given_up_at_once(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 5, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("hopeless");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.dead(&queue, &delivery, "hopeless").await)?;
    let letters = || worker.dead_letters(&queue, 100, None);
    stage.demand_soon("DLQ-3", Expectation::shows(message.id), letters).await;
    Ok(())
}

/// DLQ-4: A dead letter is delivered to nobody.
pub(super) async fn the_dead_are_not_delivered(stage: &mut Stage) -> Result<(), Stop> {
    let policy = Policy { max_attempts: 2, lease_ms: stage.ms(200), ..stage.policy() };
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(2);
    stage.publish(&worker, &queue, &messages[0]).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.dead(&queue, &delivery, "hopeless").await)?;
    stage.publish(&worker, &queue, &messages[1]).await?;
    for _ in 1..=2 {
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.retry(&queue, &delivery).await)?;
    }
    // Also not when the last lease would have ended.
    stage.pass(stage.ms(250)).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("DLQ-4", &told, Expectation::nothing());
    Ok(())
}

/// DLQ-12: A message that dies makes one letter, not two.
pub(super) async fn one_death_one_letter(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 2, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(2);
    stage.publish(&worker, &queue, &messages[0]).await?;
    for _ in 1..=2 {
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.retry(&queue, &delivery).await)?;
    }
    stage.publish(&worker, &queue, &messages[1]).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.dead(&queue, &delivery, "hopeless").await)?;
    let ids = [messages[0].id, messages[1].id];
    let all = Expectation::Includes { ids: ids.to_vec() };
    let told = stage.until(&all, || worker.dead_letters(&queue, 100, None)).await;
    stage.need_that(&told, all)?;
    // A second letter may come a little later.
    stage.pass(stage.a_while()).await;
    let told = worker.dead_letters(&queue, 100, None).await;
    stage.demand("DLQ-12", &told, Expectation::in_any_order(ids));
    Ok(())
}

/// DLQ-16: Every message that dies makes a letter, also when ten die in a row.
pub(super) async fn ten_malformed_make_ten_letters(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages: Vec<_> = (0..10).map(|number| stage.message(format!("{{ malformed {number}"))).collect();
    stage.publish_all(&worker, &queue, &messages).await?;
    let taken = stage.need(stage.take(&worker, &queue, Fetch::up_to(10), 10).await)?;
    for delivery in taken {
        stage.need(worker.dead(&queue, &delivery, "malformed").await)?;
    }
    let ids = messages.iter().map(|message| message.id);
    let letters = || worker.dead_letters(&queue, 100, None);
    stage.demand_soon("DLQ-16", Expectation::in_any_order(ids), letters).await;
    Ok(())
}

/// DLQ-17: Messages behind one that dies are delivered as if it had never been there.
pub(super) async fn the_queue_goes_on_behind_a_poison_message(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(4);
    stage.publish_all(&worker, &queue, &messages).await?;
    // Whichever comes first is the poison.
    let poison = stage.take_one(&worker, &queue).await?;
    stage.need(worker.dead(&queue, &poison, "malformed").await)?;
    let told = stage.take(&worker, &queue, Fetch::up_to(10), 3).await;
    let others = messages.iter().map(|message| message.id).filter(|id| *id != poison.id);
    stage.demand("DLQ-17", &told, Expectation::in_any_order(others));
    for delivery in told.into_answer().unwrap_or_default() {
        let told = worker.done(&queue, &delivery).await;
        stage.demand("DLQ-17", &told, Expectation::Accepted);
    }
    Ok(())
}

/// DLQ-19: A message whose last attempt ends in an expired lease goes to the dead letters.
pub(super) async fn an_expired_lease_uses_up_the_last_attempt(stage: &mut Stage) -> Result<(), Stop> {
    let policy = Policy { max_attempts: 2, lease_ms: stage.ms(150), ..stage.policy() };
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("too slow");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.retry(&queue, &delivery).await)?;
    stage.take_one(&worker, &queue).await?;
    stage.pass(stage.ms(160)).await;
    let letters = || worker.dead_letters(&queue, 100, None);
    stage.demand_soon("DLQ-19", Expectation::Includes { ids: vec![message.id] }, letters).await;
    Ok(())
}

/// DLQ-20: A message whose last attempt ends in a lost connection goes to the dead letters.
pub(super) async fn a_lost_connection_uses_up_the_last_attempt(stage: &mut Stage) -> Result<(), Stop> {
    let policy = Policy { max_attempts: 2, lease_ms: stage.ms(300), ..stage.policy() };
    let queue = stage.queue("tasks", &policy).await?;
    let message = stage.message("crashes who takes it");
    let worker = stage.client("worker").await?;
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.retry(&queue, &delivery).await)?;
    stage.take_one(&worker, &queue).await?;
    stage.need(worker.close(CloseMode::Abort).await)?;
    let other = stage.client("worker").await?;
    let letters = || other.dead_letters(&queue, 100, None);
    stage.demand_soon("DLQ-20", Expectation::Includes { ids: vec![message.id] }, letters).await;
    Ok(())
}

/// DLQ-21: A graceful close uses up no attempt, so a message held in its last attempt comes back and is no dead
/// letter.
pub(super) async fn a_graceful_close_in_the_last_attempt(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 1, ..stage.policy() }).await?;
    let message = stage.message("for whoever comes next");
    let worker = stage.client("worker").await?;
    stage.publish(&worker, &queue, &message).await?;
    stage.take_one(&worker, &queue).await?;
    stage.need(worker.close(CloseMode::Graceful).await)?;
    let other = stage.client("worker").await?;
    let told = stage.take(&other, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DLQ-21", &told, Expectation::shows(message.id));
    let told = other.dead_letters(&queue, 100, None).await;
    stage.demand("DLQ-21", &told, Expectation::nothing());
    Ok(())
}
