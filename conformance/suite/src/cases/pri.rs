//! PRI · Priority: the more urgent one first.

use uuid::Uuid;
use workwire_broker::{Capability, CloseMode, Code, Delivery, Fetch, Message, Policy, Queue};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;
use crate::recorder::Actor;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "pri/published_1_3_5_2_4_comes_out_5_4_3_2_1",
        clauses: &["PRI-1"],
        needs: &[Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(published_1_3_5_2_4_comes_out_5_4_3_2_1(stage)),
    },
    Case {
        id: "pri/high_priority_before_low",
        clauses: &["PRI-1"],
        needs: &[Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(high_priority_before_low(stage)),
    },
    Case {
        id: "pri/a_fetch_of_several_takes_the_most_urgent",
        clauses: &["PRI-2"],
        needs: &[Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_fetch_of_several_takes_the_most_urgent(stage)),
    },
    Case {
        id: "pri/within_a_priority_order_is_kept",
        clauses: &["PRI-3"],
        needs: &[Capability::Fifo, Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(within_a_priority_order_is_kept(stage)),
    },
    Case {
        id: "pri/an_urgent_one_goes_next",
        clauses: &["PRI-4"],
        needs: &[Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_urgent_one_goes_next(stage)),
    },
    Case {
        id: "pri/the_default_is_the_middle",
        clauses: &["PRI-5"],
        needs: &[Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(the_default_is_the_middle(stage)),
    },
    Case {
        id: "pri/the_default_stands_in_the_middle",
        clauses: &["PRI-5"],
        needs: &[Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(the_default_stands_in_the_middle(stage)),
    },
    Case {
        id: "pri/out_of_range_is_refused",
        clauses: &["PRI-6"],
        needs: &[Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(out_of_range_is_refused(stage)),
    },
    Case {
        id: "pri/each_queue_has_its_own_range",
        clauses: &["PRI-7"],
        needs: &[Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(each_queue_has_its_own_range(stage)),
    },
    Case {
        id: "pri/priority_is_kept_on_redelivery",
        clauses: &["PRI-8"],
        needs: &[Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(priority_is_kept_on_redelivery(stage)),
    },
    Case {
        id: "pri/what_comes_back_has_its_urgency",
        clauses: &["PRI-9"],
        needs: &[Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(what_comes_back_has_its_urgency(stage)),
    },
    Case {
        id: "pri/priority_is_kept_on_replay",
        clauses: &["PRI-10"],
        needs: &[Capability::DeadLetter, Capability::Priority, Capability::Replay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(priority_is_kept_on_replay(stage)),
    },
    Case {
        id: "pri/the_least_urgent_is_served",
        clauses: &["PRI-11"],
        needs: &[Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(the_least_urgent_is_served(stage)),
    },
];

/// A message of this priority.
fn message(stage: &mut Stage, priority: i64) -> Message {
    Message { priority: Some(priority), ..stage.message(format!("of priority {priority}")) }
}

/// Messages of these priorities, as far as the queue has so many.
fn messages(stage: &mut Stage, policy: &Policy, priorities: &[i64]) -> Vec<Message> {
    let there = priorities.iter().filter(|priority| **priority <= policy.max_priority);
    there.map(|priority| message(stage, *priority)).collect()
}

/// Their ids, the most urgent first, and those of one priority in their order.
fn by_urgency(messages: &[Message]) -> Vec<Uuid> {
    let mut all: Vec<&Message> = messages.iter().collect();
    all.sort_by_key(|message| std::cmp::Reverse(message.priority));
    all.into_iter().map(|message| message.id).collect()
}

/// Takes all of them one by one, settles each as done, and says by which operations.
async fn take_one_by_one(
    stage: &Stage,
    by: &Actor,
    queue: &Queue,
    count: usize,
) -> Result<Vec<crate::history::Number>, Stop> {
    let mut numbers = Vec::new();
    for _ in 0..count {
        let told = stage.take(by, queue, Fetch::up_to(1), 1).await;
        numbers.extend_from_slice(told.numbers());
        for delivery in stage.need(told)? {
            stage.need(by.done(queue, &delivery).await)?;
        }
    }
    Ok(numbers)
}

/// PRI-1: A more urgent message is delivered before a less urgent one, whichever was published first.
async fn published_1_3_5_2_4_comes_out_5_4_3_2_1(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let messages = messages(stage, &policy, &[1, 3, 5, 2, 4]);
    stage.publish_all(&worker, &queue, &messages).await?;
    let numbers = take_one_by_one(stage, &worker, &queue, messages.len()).await?;
    stage.demand_of("PRI-1", &numbers, Expectation::in_order(by_urgency(&messages)));
    Ok(())
}

/// PRI-1: A more urgent message is delivered before a less urgent one, whichever was published first.
async fn high_priority_before_low(stage: &mut Stage) -> Result<(), Stop> {
    // With as many priorities as the broker has.
    let policy = Policy { max_priority: stage.about().limits.max_priority.min(10), ..stage.policy() };
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    // Some brokers compare 10 and 2 as texts.
    let low = message(stage, 2.min(policy.max_priority));
    let high = message(stage, policy.max_priority);
    stage.publish_all(&worker, &queue, &[low.clone(), high.clone()]).await?;
    let numbers = take_one_by_one(stage, &worker, &queue, 2).await?;
    stage.demand_of("PRI-1", &numbers, Expectation::in_order(by_urgency(&[low, high])));
    Ok(())
}

/// PRI-2: A fetch of several takes the most urgent ones, the most urgent first.
async fn a_fetch_of_several_takes_the_most_urgent(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let messages = messages(stage, &policy, &[2, 1, 4, 5, 3]);
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(2), 2.min(messages.len())).await;
    let urgent = by_urgency(&messages);
    stage.demand("PRI-2", &told, Expectation::in_order(urgent[..2.min(urgent.len())].to_vec()));
    Ok(())
}

/// PRI-3: Within one priority, messages come in the order of their publishing, whatever is published between them.
async fn within_a_priority_order_is_kept(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let messages = messages(stage, &policy, &[3, 1, 3, 5, 1, 3, 5, 1, 5, 3, 1, 3]);
    stage.publish_all(&worker, &queue, &messages).await?;
    let numbers = take_one_by_one(stage, &worker, &queue, messages.len()).await?;
    stage.demand_of("PRI-3", &numbers, Expectation::in_order(by_urgency(&messages)));
    Ok(())
}

/// PRI-4: An urgent message that is published while others wait is next.
async fn an_urgent_one_goes_next(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let waiting: Vec<Message> = (0..8).map(|_| message(stage, 1)).collect();
    stage.publish_all(&worker, &queue, &waiting).await?;
    // Some of them are at work already.
    let told = stage.take(&worker, &queue, Fetch::up_to(3), 3).await;
    stage.need_that(&told, Expectation::count(3))?;
    for _ in 0..2 {
        let urgent = message(stage, policy.max_priority);
        stage.publish(&worker, &queue, &urgent).await?;
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        if policy.max_priority > 1 {
            stage.demand("PRI-4", &told, Expectation::shows(urgent.id));
        }
    }
    Ok(())
}

/// PRI-5: A message without a priority has the middle one: 3 of 5, 5 of 10, 1 of 1.
async fn the_default_is_the_middle(stage: &mut Stage) -> Result<(), Stop> {
    for max_priority in [1, 5, 10] {
        if max_priority > stage.about().limits.max_priority {
            break;
        }
        let policy = Policy { max_priority, ..stage.policy() };
        let queue = stage.queue(&format!("tasks-{max_priority}"), &policy).await?;
        let worker = stage.client("worker").await?;
        let message = stage.message("of no priority");
        stage.publish(&worker, &queue, &message).await?;
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        let middle = policy.default_priority();
        stage.demand("PRI-5", &told, Expectation::Priorities { priorities: vec![middle] });
    }
    Ok(())
}

/// PRI-5: A message without a priority has the middle one: 3 of 5, 5 of 10, 1 of 1.
async fn the_default_stands_in_the_middle(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let plain = stage.message("of no priority");
    let middle = policy.default_priority();
    let less: Vec<Message> = (1..middle).map(|priority| message(stage, priority)).collect();
    let more: Vec<Message> = (middle + 1..=policy.max_priority).map(|priority| message(stage, priority)).collect();
    let all: Vec<Message> = less.iter().chain([&plain]).chain(&more).cloned().collect();
    stage.publish_all(&worker, &queue, &all).await?;
    let numbers = take_one_by_one(stage, &worker, &queue, all.len()).await?;
    stage.demand_of("PRI-5", &numbers, Expectation::in_order(all.iter().rev().map(|message| message.id)));
    Ok(())
}

/// PRI-6: A priority out of the queue's range is refused as `invalid`, not taken for the nearest one.
async fn out_of_range_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    // The last one is 1 where only 32 bits of it are looked at.
    for priority in [0, -1, policy.max_priority + 1, 11, 1_000, 4_294_967_297] {
        let told = worker.publish(&queue, &message(stage, priority)).await;
        stage.demand("PRI-6", &told, Expectation::refused(Code::Invalid));
    }
    Ok(())
}

/// PRI-7: The range is the queue's own: each queue has the priorities of its policy.
async fn each_queue_has_its_own_range(stage: &mut Stage) -> Result<(), Stop> {
    let most = stage.about().limits.max_priority.min(10);
    let narrow = stage.queue("narrow", &Policy { max_priority: 1, ..stage.policy() }).await?;
    let wide = stage.queue("wide", &Policy { max_priority: most, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let told = worker.publish(&narrow, &message(stage, 1)).await;
    stage.demand("PRI-7", &told, Expectation::stored());
    let told = worker.publish(&narrow, &message(stage, 2)).await;
    stage.demand("PRI-7", &told, Expectation::refused(Code::Invalid));
    let told = worker.publish(&wide, &message(stage, most)).await;
    stage.demand("PRI-7", &told, Expectation::stored());
    Ok(())
}

/// PRI-8: A message that comes again bears the priority with which it was published.
async fn priority_is_kept_on_redelivery(stage: &mut Stage) -> Result<(), Stop> {
    let policy = Policy { max_attempts: 9, ..stage.policy() };
    let queue = stage.queue("tasks", &policy).await?;
    let (worker, other) = (stage.client("worker").await?, stage.client("other").await?);
    for priority in 1..=policy.max_priority {
        let message = message(stage, priority);
        stage.publish(&worker, &queue, &message).await?;
        for _ in 0..3 {
            let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
            stage.demand("PRI-8", &told, Expectation::Priorities { priorities: vec![priority] });
            for delivery in stage.need(told)? {
                stage.need(worker.retry(&queue, &delivery).await)?;
            }
        }
        let passer = stage.client("passer").await?;
        stage.take_one(&passer, &queue).await?;
        stage.need(passer.close(CloseMode::Graceful).await)?;
        let told = stage.take(&other, &queue, Fetch::up_to(1), 1).await;
        stage.demand("PRI-8", &told, Expectation::Priorities { priorities: vec![priority] });
        for delivery in stage.need(told)? {
            stage.need(other.done(&queue, &delivery).await)?;
        }
    }
    Ok(())
}

/// PRI-9: A message that comes back is delivered before less urgent ones and behind more urgent ones.
async fn what_comes_back_has_its_urgency(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let (worker, passer) = (stage.client("worker").await?, stage.client("passer").await?);
    let messages = messages(stage, &policy, &[1, 2, 3, 4]);
    let Some((last, rest)) = messages.split_last() else { return Err(Stop) };
    // The two most urgent but one come back, one from a retry and one from a client that left.
    stage.publish_all(&worker, &queue, rest).await?;
    let retried: Delivery = stage.take_one(&worker, &queue).await?;
    if rest.len() > 1 {
        stage.take_one(&passer, &queue).await?;
    }
    stage.publish(&worker, &queue, last).await?;
    stage.need(worker.retry(&queue, &retried).await)?;
    stage.need(passer.close(CloseMode::Graceful).await)?;
    let all = Expectation::ready(u64::try_from(messages.len()).unwrap_or(0));
    let told = stage.until(&all, || worker.depth(&queue, None)).await;
    stage.need_that(&told, all)?;
    let numbers = take_one_by_one(stage, &worker, &queue, messages.len()).await?;
    stage.demand_of("PRI-9", &numbers, Expectation::in_order(by_urgency(&messages)));
    Ok(())
}

/// PRI-10: A replayed message has the priority with which it was published.
async fn priority_is_kept_on_replay(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let middle = policy.default_priority();
    for priority in [1, policy.max_priority] {
        let message = message(stage, priority);
        stage.publish(&worker, &queue, &message).await?;
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.dead(&queue, &delivery, "once more later").await)?;
        // Others are there, whose place it might take.
        let plain = stage.message("of the middle");
        stage.publish(&worker, &queue, &plain).await?;
        stage.letter(&worker, &queue, None, message.id).await?;
        stage.need(worker.replay(&queue, message.id, None).await)?;
        let told = stage.until(&Expectation::ready(2), || worker.depth(&queue, None)).await;
        stage.need_that(&told, Expectation::ready(2))?;
        let told = stage.take(&worker, &queue, Fetch::up_to(2), 2).await;
        let replayed_first = priority > middle;
        let (ids, priorities) = if replayed_first {
            ([message.id, plain.id], vec![priority, middle])
        } else {
            ([plain.id, message.id], vec![middle, priority])
        };
        stage.demand("PRI-10", &told, Expectation::in_order(ids));
        stage.demand("PRI-10", &told, Expectation::Priorities { priorities });
        for delivery in stage.need(told)? {
            stage.need(worker.done(&queue, &delivery).await)?;
        }
    }
    Ok(())
}

/// PRI-11: The least urgent message is served within a bound while more is taken than is published.
async fn the_least_urgent_is_served(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let patient = message(stage, 1);
    stage.publish(&worker, &queue, &patient).await?;
    for _ in 0..3 {
        let urgent = message(stage, policy.max_priority);
        stage.publish(&worker, &queue, &urgent).await?;
    }
    // In each round one more comes, and two are taken: after a few there is nothing left before it.
    let mut numbers = Vec::new();
    for _ in 0..8 {
        let urgent = message(stage, policy.max_priority);
        stage.publish(&worker, &queue, &urgent).await?;
        let told = stage.take_within(&worker, &queue, Fetch::up_to(2), 2, stage.a_while()).await;
        numbers.extend_from_slice(told.numbers());
        for delivery in stage.need(told)? {
            stage.need(worker.done(&queue, &delivery).await)?;
        }
    }
    stage.demand_of("PRI-11", &numbers, Expectation::Includes { ids: vec![patient.id] });
    Ok(())
}
