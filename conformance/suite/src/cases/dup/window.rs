//! One id, again and again, in one queue.

use workwire_broker::{Capability, Code, Fetch, Message, Policy, RestartMode, SameId};

use crate::case::{Stage, Stop};
use crate::demand::Expectation;

/// DUP-1: A message published twice with one id is delivered once.
pub(super) async fn twice_published_once_delivered(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("once");
    stage.publish(&worker, &queue, &message).await?;
    stage.need(worker.publish(&queue, &message).await)?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DUP-1", &told, Expectation::shows(message.id));
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("DUP-1", &told, Expectation::nothing());
    Ok(())
}

/// DUP-2: The second publish of an id is answered with `duplicate`.
pub(super) async fn the_second_is_a_duplicate(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let other = stage.client("other").await?;
    let message = stage.message("once");
    stage.publish(&worker, &queue, &message).await?;
    // Whoever publishes it.
    for by in [&worker, &other] {
        let told = by.publish(&queue, &message).await;
        stage.demand("DUP-2", &told, Expectation::duplicate());
    }
    Ok(())
}

/// DUP-3: Publishes of one id at the same time make one message.
pub(super) async fn four_at_the_same_time(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let (a, b) = (stage.client("left").await?, stage.client("right").await?);
    let message = stage.message("once");
    let told = tokio::join!(
        a.publish(&queue, &message),
        b.publish(&queue, &message),
        a.publish(&queue, &message),
        b.publish(&queue, &message),
    );
    for told in [told.0, told.1, told.2, told.3] {
        stage.need(told)?;
    }
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DUP-3", &told, Expectation::shows(message.id));
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(4)).await;
    stage.demand("DUP-3", &told, Expectation::nothing());
    Ok(())
}

/// DUP-4: An id is free again when its window is over.
pub(super) async fn free_after_the_window(stage: &mut Stage) -> Result<(), Stop> {
    let window = stage.ms(200);
    let queue = stage.queue("tasks", &Policy { dedupe_ms: window, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("again");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.done(&queue, &delivery).await)?;
    stage.pass(stage.ms(210)).await;
    let told = worker.publish(&queue, &message).await;
    stage.demand("DUP-4", &told, Expectation::stored());
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DUP-4", &told, Expectation::shows(message.id));
    Ok(())
}

/// DUP-5: A duplicate does not make the window longer.
pub(super) async fn a_duplicate_prolongs_nothing(stage: &mut Stage) -> Result<(), Stop> {
    let window = stage.ms(400);
    let queue = stage.queue("tasks", &Policy { dedupe_ms: window, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("again");
    let first = stage.publish(&worker, &queue, &message).await?;
    stage.pass(stage.ms(200)).await;
    let told = worker.publish(&queue, &message).await;
    stage.premise(&told, Expectation::By { moment: first.after_asking(window) });
    stage.need_that(&told, Expectation::duplicate())?;
    stage.pass(stage.ms(210)).await;
    let told = worker.publish(&queue, &message).await;
    stage.demand("DUP-5", &told, Expectation::stored());
    Ok(())
}

/// DUP-6: An id is remembered until its window is over.
pub(super) async fn known_until_the_window_is_over(stage: &mut Stage) -> Result<(), Stop> {
    let window = stage.ms(600);
    let queue = stage.queue("tasks", &Policy { dedupe_ms: window, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("once");
    let first = stage.publish(&worker, &queue, &message).await?;
    stage.pass(stage.ms(400)).await;
    let told = worker.publish(&queue, &message).await;
    stage.premise(&told, Expectation::By { moment: first.after_asking(window) });
    stage.demand("DUP-6", &told, Expectation::duplicate());
    Ok(())
}

/// DUP-7: An id is remembered also when its message is done.
pub(super) async fn known_when_done(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("once");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.done(&queue, &delivery).await)?;
    let told = worker.publish(&queue, &message).await;
    stage.demand("DUP-7", &told, Expectation::duplicate());
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("DUP-7", &told, Expectation::nothing());
    Ok(())
}

/// DUP-8: An id is remembered also when its message is a dead letter.
pub(super) async fn known_when_dead(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("once");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.dead(&queue, &delivery, "hopeless").await)?;
    let told = worker.publish(&queue, &message).await;
    stage.demand("DUP-8", &told, Expectation::duplicate());
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("DUP-8", &told, Expectation::nothing());
    Ok(())
}

/// DUP-9: Ten thousand ids within one window are remembered.
pub(super) async fn ten_thousand_ids(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { dedupe_ms: 3_600_000, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let messages: Vec<_> = (0..10_000).map(|_| stage.message("one of many")).collect();
    if stage.claims(Capability::Batch) {
        for some in messages.chunks(500) {
            for told in worker.publish_batch(&queue, some).await {
                stage.need(told)?;
            }
        }
    } else {
        stage.publish_all(&worker, &queue, &messages).await?;
    }
    for place in [0, 1, 4_999, 9_999] {
        let told = worker.publish(&queue, &messages[place]).await;
        stage.demand("DUP-9", &told, Expectation::duplicate());
    }
    Ok(())
}

/// DUP-15: An id that comes again with other bytes is answered as the broker declares, with `duplicate` or `conflict`.
/// DUP-16: An id that comes again with other bytes makes no second message and does not change the first.
pub(super) async fn other_bytes_under_one_id(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("these bytes");
    stage.publish(&worker, &queue, &message).await?;
    let changed = Message { body: "other bytes, and more of them".into(), ..message.clone() };
    let told = worker.publish(&queue, &changed).await;
    let expect = match stage.about().choices.same_id_other_body {
        SameId::Duplicate => Expectation::duplicate(),
        SameId::Conflict => Expectation::refused(Code::Conflict),
    };
    stage.demand("DUP-15", &told, expect);
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DUP-16", &told, Expectation::shows(message.id));
    stage.demand("DUP-16", &told, Expectation::SameBytes);
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("DUP-16", &told, Expectation::nothing());
    Ok(())
}

/// DUP-17: A queue whose `dedupe_ms` is 0 takes an id again and again.
pub(super) async fn a_window_of_nothing(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { dedupe_ms: 0, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("again and again");
    for _ in 1..=3 {
        let told = worker.publish(&queue, &message).await;
        stage.demand("DUP-17", &told, Expectation::stored());
    }
    let told = stage.take(&worker, &queue, Fetch::up_to(3), 3).await;
    stage.demand("DUP-17", &told, Expectation::in_order([message.id; 3]));
    Ok(())
}

/// DUP-18: An id that stands twice in a batch is stored once.
pub(super) async fn twice_in_a_batch(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(2);
    let batch = [messages[0].clone(), messages[1].clone(), messages[0].clone()];
    let told = worker.publish_batch(&queue, &batch).await;
    for (told, expect) in told.iter().zip([Expectation::stored(), Expectation::stored(), Expectation::duplicate()]) {
        stage.demand("DUP-18", told, expect);
    }
    let told = stage.take(&worker, &queue, Fetch::up_to(2), 2).await;
    stage.demand("DUP-18", &told, Expectation::in_any_order([messages[0].id, messages[1].id]));
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("DUP-18", &told, Expectation::nothing());
    Ok(())
}

/// DUP-19: Ids are remembered after a graceful restart.
pub(super) async fn known_after_a_restart(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(2);
    stage.publish_all(&worker, &queue, &messages).await?;
    // One is done and one waits.
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.done(&queue, &delivery).await)?;
    stage.restart(RestartMode::Graceful).await?;
    let worker = stage.client("worker").await?;
    for message in &messages {
        let told = worker.publish(&queue, message).await;
        stage.demand("DUP-19", &told, Expectation::duplicate());
    }
    Ok(())
}

/// DUP-20: Ids are remembered after a kill.
pub(super) async fn known_after_a_kill(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(2);
    stage.publish_all(&worker, &queue, &messages).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.done(&queue, &delivery).await)?;
    stage.restart(RestartMode::Kill).await?;
    let worker = stage.client("worker").await?;
    for message in &messages {
        let told = worker.publish(&queue, message).await;
        stage.demand("DUP-20", &told, Expectation::duplicate());
    }
    Ok(())
}
