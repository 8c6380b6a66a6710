//! What becomes of letters: nothing, unless somebody asks for it.

use std::collections::HashSet;

use uuid::Uuid;
use workwire_broker::{Fetch, Message, Policy, Purge, Queue, RestartMode};

use crate::case::{Stage, Stop};
use crate::demand::Expectation;
use crate::recorder::Actor;

/// Publishes so many messages, and gives them up.
async fn so_many_die(stage: &mut Stage, by: &Actor, queue: &Queue, count: usize) -> Result<Vec<Message>, Stop> {
    let messages = stage.messages(count);
    stage.publish_all(by, queue, &messages).await?;
    for delivery in stage.need(stage.take(by, queue, Fetch::up_to(10), count).await)? {
        stage.need(by.dead(queue, &delivery, "hopeless").await)?;
    }
    let all = Expectation::in_any_order(messages.iter().map(|message| message.id));
    let told = stage.until(&all, || by.dead_letters(queue, 100, None)).await;
    stage.need_that(&told, all)?;
    Ok(messages)
}

/// DLQ-22: A letter does not expire, neither by the ttl of its message nor by that of its queue.
pub(super) async fn letters_do_not_expire(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { ttl_ms: Some(stage.ms(300)), ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let plain = stage.message("lives as long as the queue lets it");
    let short = Message { ttl_ms: Some(stage.ms(200)), ..stage.message("lives shorter") };
    for message in [&plain, &short] {
        let published = stage.publish(&worker, &queue, message).await?;
        let delivery = stage.take_one_alive(&worker, &queue, &published, stage.ms(200)).await?;
        let told = worker.dead(&queue, &delivery, "hopeless").await;
        stage.premise(&told, Expectation::By { moment: published.after_asking(stage.ms(200)) });
        stage.need(told)?;
    }
    stage.pass(stage.ms(350)).await;
    let letters = || worker.dead_letters(&queue, 100, None);
    stage.demand_soon("DLQ-22", Expectation::in_any_order([plain.id, short.id]), letters).await;
    Ok(())
}

/// DLQ-23: Letters are still there after a graceful restart.
pub(super) async fn ten_letters_survive_a_restart(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = so_many_die(stage, &worker, &queue, 10).await?;
    stage.restart(RestartMode::Graceful).await?;
    let worker = stage.client("worker").await?;
    let ids = messages.iter().map(|message| message.id);
    let letters = || worker.dead_letters(&queue, 100, None);
    stage.demand_soon("DLQ-23", Expectation::in_any_order(ids), letters).await;
    Ok(())
}

/// DLQ-24: A letter is still there after a kill, once the settlement that made it was answered.
pub(super) async fn letters_survive_a_kill(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 1, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let mut messages = so_many_die(stage, &worker, &queue, 5).await?;
    // One more, killed right behind the answer.
    let last = stage.message("the last one");
    stage.publish(&worker, &queue, &last).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.retry(&queue, &delivery).await)?;
    messages.push(last);
    stage.restart(RestartMode::Kill).await?;
    let worker = stage.client("worker").await?;
    let ids = messages.iter().map(|message| message.id).collect();
    let letters = || worker.dead_letters(&queue, 100, None);
    stage.demand_soon("DLQ-24", Expectation::Includes { ids }, letters).await;
    Ok(())
}

/// DLQ-25: A message that is on its way to the dead letters when the broker is killed is in its queue or among the
/// letters afterwards.
pub(super) async fn none_is_lost_on_its_way(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { lease_ms: stage.ms(300), ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(12);
    stage.publish_all(&worker, &queue, &messages).await?;
    let taken = stage.need(stage.take(&worker, &queue, Fetch::up_to(12), 12).await)?;
    let dying = async {
        for delivery in &taken {
            // Whether it is answered before the kill, or never, is all the same.
            worker.dead(&queue, delivery, "hopeless").await;
        }
    };
    let ((), restarted) = tokio::join!(dying, stage.restart(RestartMode::Kill));
    restarted?;
    let worker = stage.client("worker").await?;
    let told = worker.dead_letters(&queue, 100, None).await;
    let mut seen = told.numbers().to_vec();
    let letters = stage.need(told)?;
    let mut missing: HashSet<Uuid> = messages.iter().map(|message| message.id).collect();
    for letter in letters {
        missing.remove(&letter.id);
    }
    // A kill may leave second copies, which say nothing of those that are still missing.
    while !missing.is_empty() {
        let told = stage.take(&worker, &queue, Fetch::up_to(12), 1).await;
        seen.extend_from_slice(told.numbers());
        let taken = told.into_answer().unwrap_or_default();
        if taken.is_empty() {
            seen.extend_from_slice(worker.dead_letters(&queue, 100, None).await.numbers());
            break;
        }
        for delivery in taken {
            missing.remove(&delivery.id);
        }
    }
    let ids = messages.iter().map(|message| message.id).collect();
    stage.demand_of("DLQ-25", &seen, Expectation::Includes { ids });
    Ok(())
}

/// DLQ-26: A purge of the letters removes all of them and says how many they were.
pub(super) async fn a_purge_of_the_letters(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    so_many_die(stage, &worker, &queue, 3).await?;
    let told = worker.purge(&queue, Purge { group: None, dead: true }).await;
    stage.demand("DLQ-26", &told, Expectation::Removed { number: 3 });
    let letters = || worker.dead_letters(&queue, 100, None);
    stage.demand_soon("DLQ-26", Expectation::nothing(), letters).await;
    Ok(())
}

/// DLQ-27: A purge of the letters removes no message that can still be delivered.
pub(super) async fn a_purge_of_the_letters_spares_the_living(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    so_many_die(stage, &worker, &queue, 2).await?;
    let living = stage.message("to do");
    stage.publish(&worker, &queue, &living).await?;
    stage.need(worker.purge(&queue, Purge { group: None, dead: true }).await)?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DLQ-27", &told, Expectation::shows(living.id));
    Ok(())
}

/// DLQ-28: A purge of the messages removes no letter.
pub(super) async fn a_purge_of_the_messages_spares_the_letters(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let dead = so_many_die(stage, &worker, &queue, 2).await?;
    let living = stage.message("to do");
    stage.publish(&worker, &queue, &living).await?;
    stage.need(worker.purge(&queue, Purge::default()).await)?;
    let told = worker.dead_letters(&queue, 100, None).await;
    stage.demand("DLQ-28", &told, Expectation::in_any_order(dead.iter().map(|message| message.id)));
    Ok(())
}
