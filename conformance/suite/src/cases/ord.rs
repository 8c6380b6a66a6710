//! ORD · Order: first in, first out.

use uuid::Uuid;
use workwire_broker::{Capability, CloseMode, Fetch, Message, Policy, RestartMode, RetryPlace, Verdict};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "ord/first_in_first_out",
        clauses: &["ORD-1"],
        needs: &[Capability::Fifo],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(first_in_first_out(stage)),
    },
    Case {
        id: "ord/a_fetch_of_several_is_in_order",
        clauses: &["ORD-2"],
        needs: &[Capability::Fifo],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_fetch_of_several_is_in_order(stage)),
    },
    Case {
        id: "ord/ids_and_bytes_do_not_matter",
        clauses: &["ORD-3"],
        needs: &[Capability::Fifo],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(ids_and_bytes_do_not_matter(stage)),
    },
    Case {
        id: "ord/each_publishers_order_is_kept",
        clauses: &["ORD-4"],
        needs: &[Capability::Fifo],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(each_publishers_order_is_kept(stage)),
    },
    Case {
        id: "ord/later_ones_come_later",
        clauses: &["ORD-5"],
        needs: &[Capability::Fifo],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(later_ones_come_later(stage)),
    },
    Case {
        id: "ord/a_batch_is_in_order",
        clauses: &["ORD-6"],
        needs: &[Capability::Batch, Capability::Fifo],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_batch_is_in_order(stage)),
    },
    Case {
        id: "ord/order_survives_a_restart",
        clauses: &["ORD-7"],
        needs: &[Capability::Durable, Capability::Fifo, Capability::Restart],
        checks: &[],
        alone: Alone::Yes,
        run: |stage| Box::pin(order_survives_a_restart(stage)),
    },
    Case {
        id: "ord/a_retry_has_its_declared_place",
        clauses: &["ORD-8"],
        needs: &[Capability::Fifo],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_retry_has_its_declared_place(stage)),
    },
    Case {
        id: "ord/a_retry_does_not_reorder_the_rest",
        clauses: &["ORD-9"],
        needs: &[Capability::Fifo],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_retry_does_not_reorder_the_rest(stage)),
    },
    Case {
        id: "ord/what_comes_back_does_not_reorder_the_rest",
        clauses: &["ORD-10"],
        needs: &[Capability::Fifo],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(what_comes_back_does_not_reorder_the_rest(stage)),
    },
    Case {
        id: "ord/an_ended_lease_does_not_reorder_the_rest",
        clauses: &["ORD-11"],
        needs: &[Capability::Fifo, Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_ended_lease_does_not_reorder_the_rest(stage)),
    },
    Case {
        id: "ord/a_held_message_blocks_nobody",
        clauses: &["ORD-12"],
        needs: &[Capability::Fifo],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_held_message_blocks_nobody(stage)),
    },
    Case {
        id: "ord/a_resting_message_blocks_nobody",
        clauses: &["ORD-13"],
        needs: &[Capability::Delay, Capability::Fifo],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_resting_message_blocks_nobody(stage)),
    },
];

/// The ids of messages, in their order.
fn ids(messages: &[Message]) -> impl Iterator<Item = Uuid> + '_ {
    messages.iter().map(|message| message.id)
}

/// ORD-1: One consumer gets the messages of one priority in the order in which they were published.
async fn first_in_first_out(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    // More than ten and more than a dozen: some brokers sort numbers as texts.
    let messages = stage.messages(24);
    stage.publish_all(&worker, &queue, &messages).await?;
    let mut numbers = Vec::new();
    for _ in &messages {
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        numbers.extend_from_slice(told.numbers());
        for delivery in stage.need(told)? {
            stage.need(worker.done(&queue, &delivery).await)?;
        }
    }
    stage.demand_of("ORD-1", &numbers, Expectation::in_order(ids(&messages)));
    Ok(())
}

/// ORD-2: A fetch of several is answered with them in their order.
async fn a_fetch_of_several_is_in_order(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(24);
    stage.publish_all(&worker, &queue, &messages).await?;
    let mut numbers = Vec::new();
    for max in [5, 1, 11, 7] {
        let told = stage.take(&worker, &queue, Fetch::up_to(max), usize::try_from(max).unwrap_or(1)).await;
        numbers.extend_from_slice(told.numbers());
        stage.need(told)?;
    }
    stage.demand_of("ORD-2", &numbers, Expectation::in_order(ids(&messages)));
    Ok(())
}

/// ORD-3: The order is that of the publishes, whatever the ids and bytes of the messages are.
async fn ids_and_bytes_do_not_matter(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    // Ids that fall, and bytes that do: whoever sorts by them gets it wrong.
    let mut messages = stage.messages(8);
    messages.sort_by_key(|message| std::cmp::Reverse(message.id));
    for (place, message) in messages.iter_mut().enumerate() {
        message.body = vec![b'z' - u8::try_from(place).unwrap_or(0); 20 - 2 * place].into();
    }
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(8), messages.len()).await;
    stage.demand("ORD-3", &told, Expectation::in_order(ids(&messages)));
    // And the other way round.
    let mut messages = stage.messages(8);
    messages.sort_by_key(|message| message.id);
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(8), messages.len()).await;
    stage.demand("ORD-3", &told, Expectation::in_order(ids(&messages)));
    Ok(())
}

/// ORD-4: The messages of several publishers come in the order in which each of them published its own.
async fn each_publishers_order_is_kept(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (first, second) = (stage.client("first").await?, stage.client("second").await?);
    let worker = stage.client("worker").await?;
    let (of_first, of_second) = (stage.messages(10), stage.messages(10));
    let (one, other) =
        tokio::join!(stage.publish_all(&first, &queue, &of_first), stage.publish_all(&second, &queue, &of_second));
    one.and(other)?;
    let told = stage.take(&worker, &queue, Fetch::up_to(20), 20).await;
    stage.demand("ORD-4", &told, Expectation::count(20));
    stage.demand("ORD-4", &told, Expectation::keep_order(ids(&of_first)));
    stage.demand("ORD-4", &told, Expectation::keep_order(ids(&of_second)));
    Ok(())
}

/// ORD-5: Messages that are published while others are fetched come behind those that were there.
async fn later_ones_come_later(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(12);
    let mut numbers = Vec::new();
    stage.publish_all(&worker, &queue, &messages[..4]).await?;
    for next in messages[4..].chunks(2) {
        let told = stage.take(&worker, &queue, Fetch::up_to(2), 2).await;
        numbers.extend_from_slice(told.numbers());
        // What is fetched is at work while the next ones come.
        stage.publish_all(&worker, &queue, next).await?;
        for delivery in stage.need(told)? {
            stage.need(worker.done(&queue, &delivery).await)?;
        }
    }
    let told = stage.take(&worker, &queue, Fetch::up_to(4), 4).await;
    numbers.extend_from_slice(told.numbers());
    stage.demand_of("ORD-5", &numbers, Expectation::in_order(ids(&messages)));
    Ok(())
}

/// ORD-6: The messages of a batch come in the order of the batch.
async fn a_batch_is_in_order(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(40);
    for batch in messages.chunks(25) {
        for told in worker.publish_batch(&queue, batch).await {
            stage.need_that(&told, Expectation::stored())?;
        }
    }
    let told = stage.take(&worker, &queue, Fetch::up_to(40), messages.len()).await;
    stage.demand("ORD-6", &told, Expectation::in_order(ids(&messages)));
    Ok(())
}

/// ORD-7: The order survives a restart.
async fn order_survives_a_restart(stage: &mut Stage) -> Result<(), Stop> {
    for (name, mode) in [("asked", RestartMode::Graceful), ("killed", RestartMode::Kill)] {
        let queue = stage.queue(name, &stage.policy()).await?;
        let planner = stage.client("planner").await?;
        let messages = stage.messages(14);
        stage.publish_all(&planner, &queue, &messages[..12]).await?;
        stage.restart(mode).await?;
        let worker = stage.client("worker").await?;
        // Those that come after it stand behind those from before.
        stage.publish_all(&worker, &queue, &messages[12..]).await?;
        let told = stage.take(&worker, &queue, Fetch::up_to(14), messages.len()).await;
        stage.demand("ORD-7", &told, Expectation::in_order(ids(&messages)));
    }
    Ok(())
}

/// ORD-8: A retried message keeps its place or goes behind its priority, as the broker declares.
async fn a_retry_has_its_declared_place(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(4);
    stage.publish_all(&worker, &queue, &messages).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.retry(&queue, &delivery).await)?;
    let place = match stage.about().choices.retry_place {
        RetryPlace::Keeps => [0, 1, 2, 3],
        RetryPlace::Back => [1, 2, 3, 0],
    };
    // What was given back is there again before the others are taken.
    let told = stage.until(&Expectation::ready(4), || worker.depth(&queue, None)).await;
    stage.need_that(&told, Expectation::ready(4))?;
    let told = stage.take(&worker, &queue, Fetch::up_to(4), 4).await;
    stage.demand("ORD-8", &told, Expectation::in_order(place.map(|place| messages[place].id)));
    Ok(())
}

/// ORD-9: A retry does not reorder the other messages.
async fn a_retry_does_not_reorder_the_rest(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(10);
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(4), 4).await;
    stage.need_that(&told, Expectation::count(4))?;
    // Two are given back, not in their order, and two stay held.
    let held = stage.need(told)?;
    for delivery in [&held[2], &held[0]] {
        stage.need(worker.retry(&queue, delivery).await)?;
    }
    let told = stage.take(&worker, &queue, Fetch::up_to(8), 8).await;
    stage.demand("ORD-9", &told, Expectation::count(8));
    stage.demand("ORD-9", &told, Expectation::keep_order(ids(&messages[4..])));
    Ok(())
}

/// ORD-10: What comes back from a client that is gone does not reorder the other messages.
async fn what_comes_back_does_not_reorder_the_rest(stage: &mut Stage) -> Result<(), Stop> {
    for mode in [CloseMode::Graceful, CloseMode::Abort] {
        let policy = Policy { max_attempts: 9, ..stage.policy() };
        let policy =
            if stage.claims(Capability::Lease) { Policy { lease_ms: stage.ms(1_000), ..policy } } else { policy };
        let queue = stage.queue(&format!("tasks-{mode:?}").to_ascii_lowercase(), &policy).await?;
        let (gone, heir) = (stage.client("gone").await?, stage.client("heir").await?);
        let messages = stage.messages(9);
        stage.publish_all(&heir, &queue, &messages).await?;
        let told = stage.take(&gone, &queue, Fetch::up_to(3), 3).await;
        stage.need_that(&told, Expectation::count(3))?;
        stage.need(gone.close(mode).await)?;
        let mut numbers = Vec::new();
        for _ in &messages {
            let told = stage.take(&heir, &queue, Fetch::up_to(1), 1).await;
            stage.demand("ORD-10", &told, Expectation::count(1));
            numbers.extend_from_slice(told.numbers());
            for delivery in stage.need(told)? {
                heir.done(&queue, &delivery).await;
            }
        }
        stage.demand_of("ORD-10", &numbers, Expectation::keep_order(ids(&messages[3..])));
    }
    Ok(())
}

/// ORD-11: What comes back when its lease ends does not reorder the other messages.
async fn an_ended_lease_does_not_reorder_the_rest(stage: &mut Stage) -> Result<(), Stop> {
    let lease = stage.ms(250);
    let queue = stage.queue("tasks", &Policy { lease_ms: lease, max_attempts: 9, ..stage.policy() }).await?;
    let (slow, worker) = (stage.client("slow").await?, stage.client("worker").await?);
    let messages = stage.messages(9);
    stage.publish_all(&slow, &queue, &messages).await?;
    let told = stage.take(&slow, &queue, Fetch::up_to(2), 2).await;
    stage.need_that(&told, Expectation::count(2))?;
    stage.pass(lease).await;
    let mut numbers = Vec::new();
    for _ in &messages {
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        stage.demand("ORD-11", &told, Expectation::count(1));
        numbers.extend_from_slice(told.numbers());
        for delivery in stage.need(told)? {
            worker.done(&queue, &delivery).await;
        }
    }
    stage.demand_of("ORD-11", &numbers, Expectation::keep_order(ids(&messages[2..])));
    Ok(())
}

/// ORD-12: A message that is held does not block those behind it.
async fn a_held_message_blocks_nobody(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(6);
    stage.publish_all(&worker, &queue, &messages).await?;
    let stuck = stage.take_one(&worker, &queue).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("ORD-12", &told, Expectation::shows(messages[1].id));
    stage.need(worker.settle(&queue, &stuck.tag, Verdict::Done).await)?;
    let told = stage.take(&worker, &queue, Fetch::up_to(4), 4).await;
    stage.demand("ORD-12", &told, Expectation::in_order(ids(&messages[2..])));
    Ok(())
}

/// ORD-13: A message that rests does not block those behind it.
async fn a_resting_message_blocks_nobody(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(5);
    stage.publish_all(&worker, &queue, &messages[..3]).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    let later = Verdict::Retry { delay_ms: Some(stage.ms(60_000)), reason: None };
    stage.need(worker.settle(&queue, &delivery.tag, later).await)?;
    let resting = Message { delay_ms: Some(stage.ms(60_000)), ..messages[3].clone() };
    stage.publish(&worker, &queue, &resting).await?;
    stage.publish(&worker, &queue, &messages[4]).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(5), 3).await;
    stage.demand("ORD-13", &told, Expectation::in_order([1, 2, 4].map(|place| messages[place].id)));
    Ok(())
}
