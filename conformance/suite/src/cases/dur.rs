//! DUR · Durability.

use std::time::Duration;

use tokio::task::JoinSet;
use workwire_broker::{Capability, CloseMode, Fetch, Message, Policy, RestartMode, Verdict};

use super::con::{Work, all_of, consume, publish_one_by_one};
use crate::case::{Alone, Case, Stage, Stop};
use crate::checkers::{CORRUPTED, DUPLICATES, LOST, PHANTOM};
use crate::demand::Expectation;

const DURABLE: &[Capability] = &[Capability::Durable, Capability::Restart];

pub(super) const CASES: &[Case] = &[
    Case {
        id: "dur/confirmed_outlives_a_kill",
        clauses: &["DUR-1"],
        needs: DURABLE,
        checks: &[],
        alone: Alone::Yes,
        run: |stage| Box::pin(confirmed_outlives_a_kill(stage)),
    },
    Case {
        id: "dur/killed_mid_publish_whole_or_absent",
        clauses: &["DUR-2"],
        needs: DURABLE,
        checks: &[(&CORRUPTED, "DUR-2"), (&PHANTOM, "DUR-2")],
        alone: Alone::Yes,
        run: |stage| Box::pin(killed_mid_publish_whole_or_absent(stage)),
    },
    Case {
        id: "dur/done_stays_done",
        clauses: &["DUR-3"],
        needs: DURABLE,
        checks: &[],
        alone: Alone::Yes,
        run: |stage| Box::pin(done_stays_done(stage)),
    },
    Case {
        id: "dur/delayed_outlives_a_kill",
        clauses: &["DUR-4"],
        needs: &[Capability::Durable, Capability::Restart, Capability::Delay],
        checks: &[],
        alone: Alone::Yes,
        run: |stage| Box::pin(delayed_outlives_a_kill(stage)),
    },
    Case {
        id: "dur/dead_letters_outlive_a_kill",
        clauses: &["DUR-5"],
        needs: &[Capability::Durable, Capability::Restart, Capability::DeadLetter],
        checks: &[],
        alone: Alone::Yes,
        run: |stage| Box::pin(dead_letters_outlive_a_kill(stage)),
    },
    Case {
        id: "dur/seen_ids_outlive_a_kill",
        clauses: &["DUR-6"],
        needs: &[Capability::Durable, Capability::Restart, Capability::Dedupe],
        checks: &[],
        alone: Alone::Yes,
        run: |stage| Box::pin(seen_ids_outlive_a_kill(stage)),
    },
    Case {
        id: "dur/what_was_held_comes_again",
        clauses: &["DUR-7"],
        needs: &[Capability::Durable, Capability::Restart, Capability::Lease],
        checks: &[],
        alone: Alone::Yes,
        run: |stage| Box::pin(what_was_held_comes_again(stage)),
    },
    Case {
        id: "dur/attempts_outlive_a_kill",
        clauses: &["DUR-8"],
        needs: DURABLE,
        checks: &[],
        alone: Alone::Yes,
        run: |stage| Box::pin(attempts_outlive_a_kill(stage)),
    },
    Case {
        id: "dur/ten_kills_under_load",
        clauses: &["DUR-9"],
        needs: DURABLE,
        checks: &[(&LOST, "DUR-9"), (&DUPLICATES, "DUR-9"), (&CORRUPTED, "DUR-9"), (&PHANTOM, "DUR-9")],
        alone: Alone::Yes,
        run: |stage| Box::pin(ten_kills_under_load(stage)),
    },
];

/// DUR-1: A message whose publish was confirmed is delivered after the broker was killed and started again.
async fn confirmed_outlives_a_kill(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let publisher = stage.client("publisher").await?;
    let messages = stage.messages(5);
    stage.publish_all(&publisher, &queue, &messages).await?;
    stage.restart(RestartMode::Kill).await?;
    let worker = stage.client("worker").await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(10), messages.len()).await;
    stage.demand("DUR-1", &told, Expectation::in_any_order(messages.iter().map(|message| message.id)));
    stage.demand("DUR-1", &told, Expectation::SameBytes);
    Ok(())
}

/// DUR-2: A message in the midst of whose publish the broker was killed is there whole, or not at all.
async fn killed_mid_publish_whole_or_absent(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let mut crowd = JoinSet::new();
    for _ in 0..4 {
        let publisher = stage.client("publisher").await?;
        let messages: Vec<Message> = (0..10).map(|_| stage.message(vec![b'x'; 20_000])).collect();
        crowd.spawn(publish_one_by_one(publisher, queue.clone(), messages));
    }
    // One that was stored whole shows that bodies can be told at all.
    let first = stage.client("first").await?;
    let whole = stage.message(vec![b'y'; 20_000]);
    stage.publish(&first, &queue, &whole).await?;
    stage.restart(RestartMode::Kill).await?;
    all_of(crowd).await;
    let reader = stage.client("reader").await?;
    loop {
        let told = stage.take_for_a_while(&reader, &queue, Fetch::up_to(1)).await;
        let Some(taken) = stage.need(told.clone())?.pop() else {
            break;
        };
        stage.demand("DUR-2", &told, Expectation::SameBytes);
        stage.need(reader.done(&queue, &taken).await)?;
    }
    // And the next one is whole.
    let next = stage.message(vec![b'z'; 20_000]);
    stage.publish(&reader, &queue, &next).await?;
    let told = stage.take(&reader, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DUR-2", &told, Expectation::shows(next.id));
    stage.demand("DUR-2", &told, Expectation::SameBytes);
    Ok(())
}

/// DUR-3: A message whose `done` was confirmed does not come back when the broker is killed.
async fn done_stays_done(stage: &mut Stage) -> Result<(), Stop> {
    let policy = Policy { lease_ms: stage.ms(200), ..stage.policy() };
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    for message in stage.messages(3) {
        stage.publish(&worker, &queue, &message).await?;
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.done(&queue, &delivery).await)?;
    }
    stage.restart(RestartMode::Kill).await?;
    // Also not when the lease would have ended.
    stage.pass(stage.ms(250)).await;
    let next = stage.client("next").await?;
    let told = stage.take_for_a_while(&next, &queue, Fetch::up_to(10)).await;
    stage.demand("DUR-3", &told, Expectation::nothing());
    Ok(())
}

/// DUR-4: A delayed message outlives a kill, and is delivered after it no sooner than its delay says.
async fn delayed_outlives_a_kill(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let publisher = stage.client("publisher").await?;
    let delay_ms = stage.ms(400);
    let message = Message { delay_ms: Some(delay_ms), ..stage.message("later") };
    let published = stage.publish(&publisher, &queue, &message).await?;
    stage.restart(RestartMode::Kill).await?;
    let worker = stage.client("worker").await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DUR-4", &told, Expectation::shows(message.id));
    if told.is_something() {
        stage.demand("DUR-4", &told, Expectation::NotBefore { moment: published.after_asking(delay_ms) });
    }
    Ok(())
}

/// DUR-5: A dead letter outlives a kill, with its bytes, reason and attempts.
async fn dead_letters_outlive_a_kill(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("hopeless");
    stage.publish(&worker, &queue, &message).await?;
    let first = stage.take_one(&worker, &queue).await?;
    stage.need(worker.retry(&queue, &first).await)?;
    let second = stage.take_one(&worker, &queue).await?;
    stage.need(worker.dead(&queue, &second, "it cannot be read").await)?;
    stage.restart(RestartMode::Kill).await?;
    let keeper = stage.client("keeper").await?;
    let letters = || keeper.dead_letters(&queue, 10, None);
    let told = stage.demand_soon("DUR-5", Expectation::shows(message.id), letters).await;
    stage.demand("DUR-5", &told, Expectation::SameBytes);
    stage.demand("DUR-5", &told, Expectation::Reasons { reasons: vec!["it cannot be read".to_owned()] });
    stage.demand("DUR-5", &told, Expectation::Attempts { attempts: vec![2] });
    Ok(())
}

/// DUR-6: An id that was seen before a kill is a duplicate after it, within its window.
async fn seen_ids_outlive_a_kill(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let publisher = stage.client("publisher").await?;
    let message = stage.message("once");
    stage.publish(&publisher, &queue, &message).await?;
    let delivery = stage.take_one(&publisher, &queue).await?;
    stage.need(publisher.done(&queue, &delivery).await)?;
    stage.need(publisher.close(CloseMode::Graceful).await)?;
    stage.restart(RestartMode::Kill).await?;
    let again = stage.client("again").await?;
    let told = again.publish(&queue, &message).await;
    stage.demand("DUR-6", &told, Expectation::duplicate());
    let told = stage.take_for_a_while(&again, &queue, Fetch::up_to(1)).await;
    stage.demand("DUR-6", &told, Expectation::nothing());
    Ok(())
}

/// DUR-7: What was held when the broker was killed is delivered again, at the latest when its lease would have ended.
async fn what_was_held_comes_again(stage: &mut Stage) -> Result<(), Stop> {
    let policy = Policy { lease_ms: stage.ms(300), ..stage.policy() };
    let queue = stage.queue("tasks", &policy).await?;
    let holder = stage.client("holder").await?;
    let messages = stage.messages(3);
    stage.publish_all(&holder, &queue, &messages).await?;
    let held = stage.take(&holder, &queue, Fetch::up_to(3), 3).await;
    stage.need_that(&held, Expectation::count(3))?;
    let restarted = stage.restart(RestartMode::Kill).await?;
    let next = stage.client("next").await?;
    let told = stage.take(&next, &queue, Fetch::up_to(3), 3).await;
    stage.demand("DUR-7", &told, Expectation::in_any_order(messages.iter().map(|message| message.id)));
    if told.is_something() {
        let latest = policy.lease_ms + stage.patience();
        stage.demand("DUR-7", &told, Expectation::By { moment: restarted.after_answer(latest) });
    }
    Ok(())
}

/// DUR-8: Attempts that were used up before a kill are counted after it.
async fn attempts_outlive_a_kill(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 5, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("tried");
    stage.publish(&worker, &queue, &message).await?;
    for _ in 0..2 {
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.settle(&queue, &delivery.tag, Verdict::retry()).await)?;
    }
    stage.restart(RestartMode::Kill).await?;
    let next = stage.client("next").await?;
    let told = stage.take(&next, &queue, Fetch::up_to(1), 1).await;
    stage.need_that(&told, Expectation::shows(message.id))?;
    stage.demand("DUR-8", &told, Expectation::Attempts { attempts: vec![3] });
    Ok(())
}

/// DUR-9: Ten kills, while several publish and take, lose nothing that was confirmed and bring back nothing that was
/// done.
async fn ten_kills_under_load(stage: &mut Stage) -> Result<(), Stop> {
    // What a kill takes from a consumer's hands may count as an attempt.
    let policy = Policy { lease_ms: stage.ms(300), max_attempts: 1_000, ..stage.policy() };
    let queue = stage.queue("tasks", &policy).await?;
    for _ in 0..10 {
        let mut crowd = JoinSet::new();
        let work = Work::new(stage, usize::MAX).slowly(1);
        for _ in 0..2 {
            let (publisher, messages) = (stage.client("publisher").await?, stage.messages(6));
            crowd.spawn(publish_one_by_one(publisher, queue.clone(), messages));
        }
        crowd.spawn(consume(stage.client("consumer").await?, queue.clone(), 2, work));
        let load = Duration::from_micros(stage.random().u64(0..4_000));
        tokio::time::sleep(load).await;
        stage.restart(RestartMode::Kill).await?;
        all_of(crowd).await;
    }
    let last = stage.client("last").await?;
    stage.drain(&last, &queue, None, policy.lease_ms).await?;
    stage.need(last.close(CloseMode::Graceful).await)?;
    Ok(())
}
