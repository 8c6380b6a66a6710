//! LIM · Limits.

mod names;

use bytes::Bytes;
use workwire_broker::{Capability, Code, Fetch, Message, Overflow, Policy, Queue, Verdict};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;
use crate::recorder::Actor;

pub(super) use names::CASES as NAMES;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "lim/a_full_queue_refuses",
        clauses: &["LIM-1"],
        needs: &[Capability::MaxLength],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_full_queue_refuses(stage)),
    },
    Case {
        id: "lim/what_was_refused_is_never_delivered",
        clauses: &["LIM-2"],
        needs: &[Capability::MaxLength],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(what_was_refused_is_never_delivered(stage)),
    },
    Case {
        id: "lim/a_queue_that_was_full_accepts_again",
        clauses: &["LIM-3"],
        needs: &[Capability::MaxLength],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_queue_that_was_full_accepts_again(stage)),
    },
    Case {
        id: "lim/what_is_held_counts",
        clauses: &["LIM-4"],
        needs: &[Capability::MaxLength],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(what_is_held_counts(stage)),
    },
    Case {
        id: "lim/what_rests_counts",
        clauses: &["LIM-5"],
        needs: &[Capability::MaxLength, Capability::Delay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(what_rests_counts(stage)),
    },
    Case {
        id: "lim/letters_do_not_count",
        clauses: &["LIM-6"],
        needs: &[Capability::MaxLength, Capability::DeadLetter],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(letters_do_not_count(stage)),
    },
    Case {
        id: "lim/the_oldest_gives_way",
        clauses: &["LIM-7", "LIM-8"],
        needs: &[Capability::MaxLength],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(the_oldest_gives_way(stage)),
    },
    Case {
        id: "lim/what_is_held_does_not_give_way",
        clauses: &["LIM-10"],
        needs: &[Capability::MaxLength],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(what_is_held_does_not_give_way(stage)),
    },
    Case {
        id: "lim/nothing_gives_way_where_all_is_held",
        clauses: &["LIM-9"],
        needs: &[Capability::MaxLength],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(nothing_gives_way_where_all_is_held(stage)),
    },
    Case {
        id: "lim/a_duplicate_is_one_also_when_full",
        clauses: &["LIM-11"],
        needs: &[Capability::MaxLength, Capability::Dedupe],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_duplicate_is_one_also_when_full(stage)),
    },
    Case {
        id: "lim/a_replay_to_a_full_queue",
        clauses: &["LIM-12"],
        needs: &[Capability::MaxLength, Capability::DeadLetter, Capability::Replay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_replay_to_a_full_queue(stage)),
    },
    Case {
        id: "lim/a_body_over_the_limit_is_refused",
        clauses: &["LIM-13", "LIM-14"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_body_over_the_limit_is_refused(stage)),
    },
    Case {
        id: "lim/a_body_at_the_limit_comes_back_whole",
        clauses: &["LIM-15"],
        needs: &[Capability::Large],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_body_at_the_limit_comes_back_whole(stage)),
    },
    Case {
        id: "lim/a_priority_out_of_range_is_refused",
        clauses: &["LIM-16"],
        needs: &[Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_priority_out_of_range_is_refused(stage)),
    },
    Case {
        id: "lim/a_ttl_out_of_range_is_refused",
        clauses: &["LIM-17"],
        needs: &[Capability::Ttl],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_ttl_out_of_range_is_refused(stage)),
    },
    Case {
        id: "lim/a_delay_out_of_range_is_refused",
        clauses: &["LIM-18"],
        needs: &[Capability::Delay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_delay_out_of_range_is_refused(stage)),
    },
    Case {
        id: "lim/a_retry_out_of_range_is_refused",
        clauses: &["LIM-19"],
        needs: &[Capability::Delay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_retry_out_of_range_is_refused(stage)),
    },
    Case {
        id: "lim/a_fetch_of_nothing_is_refused",
        clauses: &["LIM-20"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_fetch_of_nothing_is_refused(stage)),
    },
    Case {
        id: "lim/an_extension_out_of_range_is_refused",
        clauses: &["LIM-21"],
        needs: &[Capability::Extend, Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_extension_out_of_range_is_refused(stage)),
    },
    Case {
        id: "lim/a_refused_policy_declares_nothing",
        clauses: &["LIM-22"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_refused_policy_declares_nothing(stage)),
    },
];

/// A queue of so many messages.
fn bounded(stage: &Stage, most: i64, overflow: Overflow) -> Policy {
    Policy { max_length: Some(most), overflow, ..stage.policy() }
}

/// Publishes one more, which has to be refused.
async fn refused(stage: &mut Stage, clause: &'static str, by: &Actor, queue: &Queue) -> Message {
    let message = stage.message("one too many");
    let told = by.publish(queue, &message).await;
    stage.demand(clause, &told, Expectation::refused(Code::Full));
    message
}

/// LIM-1: A queue that holds `max_length` messages refuses the next one as `full`.
async fn a_full_queue_refuses(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &bounded(stage, 5, Overflow::Reject)).await?;
    let worker = stage.client("worker").await?;
    for message in stage.messages(5) {
        let told = worker.publish(&queue, &message).await;
        stage.demand("LIM-1", &told, Expectation::stored());
    }
    refused(stage, "LIM-1", &worker, &queue).await;
    Ok(())
}

/// LIM-2: What was refused as `full` is never delivered.
async fn what_was_refused_is_never_delivered(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &bounded(stage, 2, Overflow::Reject)).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(2);
    stage.publish_all(&worker, &queue, &messages).await?;
    let message = stage.message("one too many");
    stage.need_that(&worker.publish(&queue, &message).await, Expectation::refused(Code::Full))?;
    for _ in 0..2 {
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.done(&queue, &delivery).await)?;
    }
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("LIM-2", &told, Expectation::nothing());
    Ok(())
}

/// LIM-3: A queue that was full accepts again when one of its messages is done.
async fn a_queue_that_was_full_accepts_again(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &bounded(stage, 2, Overflow::Reject)).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(2);
    stage.publish_all(&worker, &queue, &messages).await?;
    let message = stage.message("one too many");
    stage.need_that(&worker.publish(&queue, &message).await, Expectation::refused(Code::Full))?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.done(&queue, &delivery).await)?;
    let message = stage.message("one more");
    stage.demand_soon("LIM-3", Expectation::stored(), || worker.publish(&queue, &message)).await;
    Ok(())
}

/// LIM-4: What is held counts towards `max_length`.
async fn what_is_held_counts(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &bounded(stage, 2, Overflow::Reject)).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(2);
    stage.publish_all(&worker, &queue, &messages).await?;
    stage.take_one(&worker, &queue).await?;
    refused(stage, "LIM-4", &worker, &queue).await;
    Ok(())
}

/// LIM-5: What rests counts towards `max_length`.
async fn what_rests_counts(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &bounded(stage, 2, Overflow::Reject)).await?;
    let worker = stage.client("worker").await?;
    for message in stage.messages(2) {
        stage.publish(&worker, &queue, &Message { delay_ms: Some(60_000), ..message }).await?;
    }
    refused(stage, "LIM-5", &worker, &queue).await;
    Ok(())
}

/// LIM-6: Dead letters do not count towards `max_length`.
async fn letters_do_not_count(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &bounded(stage, 2, Overflow::Reject)).await?;
    let worker = stage.client("worker").await?;
    for message in stage.messages(2) {
        stage.publish(&worker, &queue, &message).await?;
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.dead(&queue, &delivery, "no good").await)?;
    }
    for message in stage.messages(2) {
        stage.demand_soon("LIM-6", Expectation::stored(), || worker.publish(&queue, &message)).await;
    }
    Ok(())
}

/// LIM-7: Where `overflow` is `drop-oldest`, the oldest message that nobody holds gives way to the
/// new one.
/// LIM-8: A message that gave way is counted no more.
async fn the_oldest_gives_way(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &bounded(stage, 3, Overflow::DropOldest)).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(5);
    for message in &messages {
        let told = worker.publish(&queue, message).await;
        stage.demand("LIM-7", &told, Expectation::stored());
    }
    stage.demand_soon("LIM-8", Expectation::ready(3), || worker.depth(&queue, None)).await;
    let told = stage.take(&worker, &queue, Fetch::up_to(10), 3).await;
    stage.demand("LIM-7", &told, Expectation::in_any_order(messages[2..].iter().map(|message| message.id)));
    Ok(())
}

/// LIM-10: A message that somebody holds gives way to nothing.
async fn what_is_held_does_not_give_way(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &bounded(stage, 2, Overflow::DropOldest)).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(3);
    stage.publish(&worker, &queue, &messages[0]).await?;
    let held = stage.take_one(&worker, &queue).await?;
    stage.publish(&worker, &queue, &messages[1]).await?;
    stage.publish(&worker, &queue, &messages[2]).await?;
    let told = worker.done(&queue, &held).await;
    stage.demand("LIM-10", &told, Expectation::Accepted);
    let told = stage.take(&worker, &queue, Fetch::up_to(10), 1).await;
    stage.demand("LIM-10", &told, Expectation::shows(messages[2].id));
    Ok(())
}

/// LIM-9: Where `overflow` is `drop-oldest` and everything is held, the new message is refused as
/// `full`.
async fn nothing_gives_way_where_all_is_held(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &bounded(stage, 2, Overflow::DropOldest)).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(2);
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(10), 2).await;
    stage.need_that(&told, Expectation::count(2))?;
    refused(stage, "LIM-9", &worker, &queue).await;
    Ok(())
}

/// LIM-11: A duplicate is answered `duplicate` also where the queue is full.
async fn a_duplicate_is_one_also_when_full(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &bounded(stage, 2, Overflow::Reject)).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(2);
    stage.publish_all(&worker, &queue, &messages).await?;
    for message in &messages {
        let told = worker.publish(&queue, message).await;
        stage.demand("LIM-11", &told, Expectation::duplicate());
    }
    Ok(())
}

/// LIM-12: A replay to a full queue is refused as `full`, and the letter stays.
async fn a_replay_to_a_full_queue(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &bounded(stage, 1, Overflow::Reject)).await?;
    let worker = stage.client("worker").await?;
    let (dead, other) = (stage.message("dead"), stage.message("in its place"));
    stage.publish(&worker, &queue, &dead).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.dead(&queue, &delivery, "no good").await)?;
    stage.letter(&worker, &queue, None, dead.id).await?;
    let told = stage.until(&Expectation::stored(), || worker.publish(&queue, &other)).await;
    stage.need_that(&told, Expectation::stored())?;
    let told = worker.replay(&queue, dead.id, None).await;
    stage.demand("LIM-12", &told, Expectation::refused(Code::Full));
    let told = worker.dead_letters(&queue, 10, None).await;
    stage.demand("LIM-12", &told, Expectation::shows(dead.id));
    Ok(())
}

/// The longest body that every way to a broker carries.
const CARRIED: u64 = 8 * 1_048_576;

/// LIM-13: A body over the broker's limit is refused as `invalid`.
/// LIM-14: The refusal of a body names the limit, in bytes.
async fn a_body_over_the_limit_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let limit = stage.about().limits.max_message_bytes;
    // A limit beyond what can be sent cannot be reached: then nothing is demanded, and nothing known.
    if limit >= CARRIED {
        return Ok(());
    }
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message(body(limit + 1));
    let told = worker.publish(&queue, &message).await;
    stage.demand("LIM-13", &told, Expectation::refused(Code::Invalid));
    stage.demand("LIM-14", &told, Expectation::Says { part: limit.to_string() });
    Ok(())
}

/// LIM-15: A body as long as the limit is accepted, and comes back whole.
async fn a_body_at_the_limit_comes_back_whole(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message(body(stage.about().limits.max_message_bytes.min(CARRIED)));
    let told = worker.publish(&queue, &message).await;
    stage.demand("LIM-15", &told, Expectation::stored());
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("LIM-15", &told, Expectation::SameBytes);
    Ok(())
}

/// So many bytes, the last of which is no other's.
fn body(bytes: u64) -> Bytes {
    let mut body = vec![b'a'; usize::try_from(bytes).unwrap_or(usize::MAX)];
    body.last_mut().into_iter().for_each(|last| *last = b'z');
    body.into()
}

/// LIM-16: A priority below 1 or above the queue's `max_priority` is refused as `invalid`.
async fn a_priority_out_of_range_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let (queue, most) = (stage.queue("tasks", &policy).await?, policy.max_priority);
    let worker = stage.client("worker").await?;
    // The last one is 1 where only 32 bits of it are looked at.
    for priority in [0, -1, most + 1, 4_294_967_297] {
        let message = Message { priority: Some(priority), ..stage.message("of no priority") };
        let told = worker.publish(&queue, &message).await;
        stage.demand("LIM-16", &told, Expectation::refused(Code::Invalid));
    }
    for priority in [1, most] {
        let message = Message { priority: Some(priority), ..stage.message("of a priority") };
        let told = worker.publish(&queue, &message).await;
        stage.demand("LIM-16", &told, Expectation::stored());
    }
    Ok(())
}

/// LIM-17: A message whose `ttl_ms` is below 1 is refused as `invalid`.
async fn a_ttl_out_of_range_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    for ttl in [0, -1] {
        let message = Message { ttl_ms: Some(ttl), ..stage.message("of no time") };
        let told = worker.publish(&queue, &message).await;
        stage.demand("LIM-17", &told, Expectation::refused(Code::Invalid));
    }
    Ok(())
}

/// LIM-18: A message whose `delay_ms` is below 0 is refused as `invalid`.
async fn a_delay_out_of_range_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = Message { delay_ms: Some(-1), ..stage.message("for yesterday") };
    let told = worker.publish(&queue, &message).await;
    stage.demand("LIM-18", &told, Expectation::refused(Code::Invalid));
    let message = Message { delay_ms: Some(0), ..stage.message("for now") };
    let told = worker.publish(&queue, &message).await;
    stage.demand("LIM-18", &told, Expectation::stored());
    Ok(())
}

/// LIM-19: A retry whose `delay_ms` is below 0 is refused as `invalid`, and the delivery goes on.
async fn a_retry_out_of_range_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to do");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    let yesterday = Verdict::Retry { delay_ms: Some(-1), reason: None };
    let told = worker.settle(&queue, &delivery.tag, yesterday).await;
    stage.demand("LIM-19", &told, Expectation::refused(Code::Invalid));
    let told = worker.done(&queue, &delivery).await;
    stage.demand("LIM-19", &told, Expectation::Accepted);
    Ok(())
}

/// LIM-20: A fetch whose `max` is 0 is refused as `invalid`.
async fn a_fetch_of_nothing_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to do");
    stage.publish(&worker, &queue, &message).await?;
    let told = worker.fetch(&queue, Fetch::up_to(0)).await;
    stage.demand("LIM-20", &told, Expectation::refused(Code::Invalid));
    Ok(())
}

/// LIM-21: An extension to less than 1 ms is refused as `invalid`, and the delivery goes on.
async fn an_extension_out_of_range_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to do");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    for lease in [0, -1] {
        let told = worker.extend(&queue, &delivery.tag, lease).await;
        stage.demand("LIM-21", &told, Expectation::refused(Code::Invalid));
    }
    let told = worker.done(&queue, &delivery).await;
    stage.demand("LIM-21", &told, Expectation::Accepted);
    Ok(())
}

/// LIM-22: A policy that is refused for a number out of its range declares no queue.
async fn a_refused_policy_declares_nothing(stage: &mut Stage) -> Result<(), Stop> {
    let worker = stage.client("worker").await?;
    let queue = stage.queue_named("tasks");
    stage.clean_up(&queue);
    let right = stage.policy();
    let wrong = [
        (Capability::Core, Policy { max_attempts: 0, ..right.clone() }),
        (Capability::Priority, Policy { max_priority: 0, ..right.clone() }),
        (Capability::Priority, Policy { max_priority: 11, ..right.clone() }),
        (Capability::Lease, Policy { lease_ms: 0, ..right.clone() }),
        (Capability::Backoff, Policy { backoff_ms: vec![10, -1], ..right.clone() }),
        (Capability::Ttl, Policy { ttl_ms: Some(0), ..right.clone() }),
        (Capability::MaxLength, Policy { max_length: Some(0), ..right.clone() }),
        (Capability::Dedupe, Policy { dedupe_ms: -1, ..right.clone() }),
    ];
    for (needed, policy) in wrong {
        if stage.claims(needed) {
            let told = worker.declare(&queue, &policy).await;
            stage.need_that(&told, Expectation::refused(Code::Invalid))?;
        }
    }
    let told = worker.depth(&queue, None).await;
    stage.demand("LIM-22", &told, Expectation::refused(Code::NotFound));
    let told = worker.declare(&queue, &right).await;
    stage.demand("LIM-22", &told, Expectation::Accepted);
    Ok(())
}
