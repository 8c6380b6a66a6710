//! ACK · Settling: what ends a delivery, and what does not.

pub(super) mod attempts;
pub(super) mod rests;

use workwire_broker::{Capability, CloseMode, Code, Fetch, Policy, Tag, Verdict};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::{Edge, Expectation, Moment};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "ack/done_never_comes_back",
        clauses: &["ACK-1"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(done_never_comes_back(stage)),
    },
    Case {
        id: "ack/done_stays_done_when_the_lease_would_have_ended",
        clauses: &["ACK-1"],
        needs: &[Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(done_stays_done_when_the_lease_would_have_ended(stage)),
    },
    Case {
        id: "ack/an_unknown_tag_is_refused",
        clauses: &["ACK-2"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_unknown_tag_is_refused(stage)),
    },
    Case {
        id: "ack/retry_comes_back",
        clauses: &["ACK-3"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(retry_comes_back(stage)),
    },
    Case {
        id: "ack/dead_skips_all_retries",
        clauses: &["ACK-6"],
        needs: &[Capability::DeadLetter],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(dead_skips_all_retries(stage)),
    },
    Case {
        id: "ack/settled_twice_is_stale",
        clauses: &["ACK-7"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(settled_twice_is_stale(stage)),
    },
    Case {
        id: "ack/a_second_settling_is_harmless",
        clauses: &["ACK-8"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_second_settling_is_harmless(stage)),
    },
    Case {
        id: "ack/a_tag_is_good_for_one_delivery",
        clauses: &["ACK-9"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_tag_is_good_for_one_delivery(stage)),
    },
    Case {
        id: "ack/anothers_tag_is_stale",
        clauses: &["ACK-10"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(anothers_tag_is_stale(stage)),
    },
    Case {
        id: "ack/anothers_delivery_is_left_alone",
        clauses: &["ACK-11"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(anothers_delivery_is_left_alone(stage)),
    },
    Case {
        id: "ack/a_tag_of_another_queue_is_stale",
        clauses: &["ACK-12"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_tag_of_another_queue_is_stale(stage)),
    },
    Case {
        id: "ack/part_of_a_fetch_is_settled",
        clauses: &["ACK-13"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(part_of_a_fetch_is_settled(stage)),
    },
    Case {
        id: "ack/a_stale_tag_spares_the_others",
        clauses: &["ACK-14"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_stale_tag_spares_the_others(stage)),
    },
    Case {
        id: "ack/a_late_settling_is_stale",
        clauses: &["ACK-15"],
        needs: &[Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_late_settling_is_stale(stage)),
    },
    Case {
        id: "ack/a_late_done_takes_nothing_away",
        clauses: &["ACK-16"],
        needs: &[Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_late_done_takes_nothing_away(stage)),
    },
];

/// ACK-1: A message that was settled as `done` is never delivered again.
async fn done_never_comes_back(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (worker, other) = (stage.client("worker").await?, stage.client("other").await?);
    let messages = stage.messages(3);
    stage.publish_all(&worker, &queue, &messages).await?;
    for _ in &messages {
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.done(&queue, &delivery).await)?;
    }
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("ACK-1", &told, Expectation::nothing());
    // Also not when its client is gone, be it lost.
    stage.need(worker.close(CloseMode::Abort).await)?;
    let told = stage.take_for_a_while(&other, &queue, Fetch::up_to(1)).await;
    stage.demand("ACK-1", &told, Expectation::nothing());
    Ok(())
}

/// ACK-1: A message that was settled as `done` is never delivered again.
async fn done_stays_done_when_the_lease_would_have_ended(stage: &mut Stage) -> Result<(), Stop> {
    let lease = stage.ms(150);
    let queue = stage.queue("tasks", &Policy { lease_ms: lease, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to do");
    let published = stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    let settled = worker.done(&queue, &delivery).await;
    stage.premise(&settled, Expectation::EndsBy { moment: published.after_asking(lease) });
    stage.need(settled)?;
    stage.pass(lease).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("ACK-1", &told, Expectation::nothing());
    Ok(())
}

/// ACK-2: A tag that names no delivery is refused as `stale`.
async fn an_unknown_tag_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    for tag in ["of-nobody", "", "0", "1", "../1", "\u{1f4ee}"] {
        let told = worker.settle(&queue, &Tag(tag.to_owned()), Verdict::Done).await;
        stage.demand("ACK-2", &told, Expectation::refused(Code::Stale));
    }
    Ok(())
}

/// ACK-3: A message that was settled as `retry` is delivered again.
async fn retry_comes_back(stage: &mut Stage) -> Result<(), Stop> {
    // The lease is long: what comes back was given back.
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (worker, other) = (stage.client("worker").await?, stage.client("other").await?);
    let message = stage.message("once more");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.retry(&queue, &delivery).await)?;
    let told = stage.take(&other, &queue, Fetch::up_to(1), 1).await;
    stage.demand("ACK-3", &told, Expectation::shows(message.id));
    Ok(())
}

/// ACK-6: A message that was settled as `dead` is not delivered again, whatever attempts are left.
async fn dead_skips_all_retries(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    for verdict in [Verdict::dead("it cannot be done"), Verdict::Dead { reason: None }] {
        let message = stage.message("never will be");
        stage.publish(&worker, &queue, &message).await?;
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.settle(&queue, &delivery.tag, verdict).await)?;
        let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
        stage.demand("ACK-6", &told, Expectation::nothing());
    }
    Ok(())
}

/// ACK-7: A delivery that was settled is not settled again, but refused as `stale`.
async fn settled_twice_is_stale(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(2);
    stage.publish_all(&worker, &queue, &messages).await?;
    for first in [Verdict::Done, Verdict::retry()] {
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.settle(&queue, &delivery.tag, first).await)?;
        for second in [Verdict::Done, Verdict::retry(), Verdict::Done] {
            let told = worker.settle(&queue, &delivery.tag, second).await;
            stage.demand("ACK-7", &told, Expectation::refused(Code::Stale));
        }
    }
    Ok(())
}

/// ACK-8: A second settling changes nothing.
async fn a_second_settling_is_harmless(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("settled as done");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.done(&queue, &delivery).await)?;
    worker.retry(&queue, &delivery).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("ACK-8", &told, Expectation::nothing());

    let message = stage.message("settled as retry");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.retry(&queue, &delivery).await)?;
    worker.done(&queue, &delivery).await;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("ACK-8", &told, Expectation::shows(message.id));
    Ok(())
}

/// ACK-9: A tag is good for one delivery: it is `stale` for the next one of the same message.
async fn a_tag_is_good_for_one_delivery(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("taken twice");
    stage.publish(&worker, &queue, &message).await?;
    let first = stage.take_one(&worker, &queue).await?;
    stage.need(worker.retry(&queue, &first).await)?;
    let second = stage.take_one(&worker, &queue).await?;
    let told = worker.done(&queue, &first).await;
    stage.demand("ACK-9", &told, Expectation::refused(Code::Stale));
    // The second delivery is as it was.
    let told = worker.retry(&queue, &second).await;
    stage.demand("ACK-9", &told, Expectation::Accepted);
    Ok(())
}

/// ACK-10: A tag of another client's delivery is refused as `stale`.
async fn anothers_tag_is_stale(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (owner, thief) = (stage.client("owner").await?, stage.client("thief").await?);
    let message = stage.message("mine");
    stage.publish(&owner, &queue, &message).await?;
    let delivery = stage.take_one(&owner, &queue).await?;
    for verdict in [Verdict::Done, Verdict::retry()] {
        let told = thief.settle(&queue, &delivery.tag, verdict).await;
        stage.demand("ACK-10", &told, Expectation::refused(Code::Stale));
    }
    Ok(())
}

/// ACK-11: What a client says of another one's delivery changes nothing.
async fn anothers_delivery_is_left_alone(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (owner, thief) = (stage.client("owner").await?, stage.client("thief").await?);
    let message = stage.message("mine");
    stage.publish(&owner, &queue, &message).await?;
    let delivery = stage.take_one(&owner, &queue).await?;
    thief.retry(&queue, &delivery).await;
    let told = stage.take_for_a_while(&thief, &queue, Fetch::up_to(1)).await;
    stage.demand("ACK-11", &told, Expectation::nothing());
    thief.done(&queue, &delivery).await;
    let told = owner.retry(&queue, &delivery).await;
    stage.demand("ACK-11", &told, Expectation::Accepted);
    let told = stage.take(&owner, &queue, Fetch::up_to(1), 1).await;
    stage.demand("ACK-11", &told, Expectation::shows(message.id));
    Ok(())
}

/// ACK-12: A tag of a delivery from another queue is refused as `stale`.
async fn a_tag_of_another_queue_is_stale(stage: &mut Stage) -> Result<(), Stop> {
    let here = stage.queue("here", &stage.policy()).await?;
    let there = stage.queue("there", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(2);
    stage.publish(&worker, &here, &messages[0]).await?;
    stage.publish(&worker, &there, &messages[1]).await?;
    let of_here = stage.take_one(&worker, &here).await?;
    stage.take_one(&worker, &there).await?;
    let told = worker.done(&there, &of_here).await;
    stage.demand("ACK-12", &told, Expectation::refused(Code::Stale));
    let told = worker.done(&here, &of_here).await;
    stage.demand("ACK-12", &told, Expectation::Accepted);
    Ok(())
}

/// ACK-13: Settling a part of what was fetched settles just that part.
async fn part_of_a_fetch_is_settled(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (worker, other) = (stage.client("worker").await?, stage.client("other").await?);
    let messages = stage.messages(6);
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(6), 6).await;
    stage.need_that(&told, Expectation::count(6))?;
    let taken = stage.need(told)?;
    // Not the first ones, and not in one piece.
    let (done, open): (Vec<_>, Vec<_>) = taken.iter().enumerate().partition(|(place, _)| [1, 2, 4].contains(place));
    let done: Vec<_> = done.into_iter().map(|(_, delivery)| (delivery.tag.clone(), Verdict::Done)).collect();
    for told in worker.settle_many(&queue, &done).await {
        stage.demand("ACK-13", &told, Expectation::Accepted);
    }
    stage.need(worker.close(CloseMode::Graceful).await)?;
    let told = stage.take(&other, &queue, Fetch::up_to(10), open.len()).await;
    stage.demand("ACK-13", &told, Expectation::in_any_order(open.into_iter().map(|(_, delivery)| delivery.id)));
    let told = stage.take_for_a_while(&other, &queue, Fetch::up_to(10)).await;
    stage.demand("ACK-13", &told, Expectation::nothing());
    Ok(())
}

/// ACK-14: A tag that is `stale` spares the other deliveries that are settled with it.
async fn a_stale_tag_spares_the_others(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (worker, other) = (stage.client("worker").await?, stage.client("other").await?);
    let messages = stage.messages(3);
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(3), 3).await;
    stage.need_that(&told, Expectation::count(3))?;
    let mut settled: Vec<_> = stage.need(told)?.into_iter().map(|delivery| (delivery.tag, Verdict::Done)).collect();
    settled.insert(1, (Tag("of-nobody".to_owned()), Verdict::Done));
    for (place, told) in worker.settle_many(&queue, &settled).await.iter().enumerate() {
        let expect = if place == 1 { Expectation::refused(Code::Stale) } else { Expectation::Accepted };
        stage.demand("ACK-14", told, expect);
    }
    // And they are done with.
    stage.need(worker.close(CloseMode::Graceful).await)?;
    let told = stage.take_for_a_while(&other, &queue, Fetch::up_to(1)).await;
    stage.demand("ACK-14", &told, Expectation::nothing());
    Ok(())
}

/// ACK-15: A delivery whose lease has ended is not settled, but refused as `stale`.
async fn a_late_settling_is_stale(stage: &mut Stage) -> Result<(), Stop> {
    let lease = stage.ms(150);
    let queue = stage.queue("tasks", &Policy { lease_ms: lease, ..stage.policy() }).await?;
    let (late, next) = (stage.client("late").await?, stage.client("next").await?);
    let messages = stage.messages(2);
    stage.publish_all(&late, &queue, &messages).await?;
    let told = stage.take(&late, &queue, Fetch::up_to(2), 2).await;
    stage.need_that(&told, Expectation::count(2))?;
    let held = stage.need(told)?;
    // Once others hold them, nobody doubts that the leases have ended.
    let told = stage.take(&next, &queue, Fetch::up_to(2), 2).await;
    stage.need_that(&told, Expectation::count(2))?;
    for (delivery, verdict) in held.iter().zip([Verdict::Done, Verdict::retry()]) {
        let told = late.settle(&queue, &delivery.tag, verdict).await;
        stage.demand("ACK-15", &told, Expectation::refused(Code::Stale));
    }
    Ok(())
}

/// ACK-16: A late `done` leaves the message to whoever holds it now.
async fn a_late_done_takes_nothing_away(stage: &mut Stage) -> Result<(), Stop> {
    let lease = stage.ms(250);
    let queue = stage.queue("tasks", &Policy { lease_ms: lease, max_attempts: 9, ..stage.policy() }).await?;
    let (late, next) = (stage.client("late").await?, stage.client("next").await?);
    let message = stage.message("takes longer than one thinks");
    stage.publish(&late, &queue, &message).await?;
    let first = stage.take_one(&late, &queue).await?;
    let taken = stage.take(&next, &queue, Fetch::up_to(1), 1).await;
    stage.need_that(&taken, Expectation::shows(message.id))?;
    let held_since = taken.numbers().last().copied().ok_or(Stop)?;
    let second = stage.need(taken)?;
    late.done(&queue, &first).await;
    // Who holds it now can still give it back.
    let told = next.retry(&queue, &second[0]).await;
    stage.premise(&told, Expectation::EndsBy { moment: Moment { of: held_since, edge: Edge::Began, ms: lease } });
    stage.demand("ACK-16", &told, Expectation::Accepted);
    let told = stage.take(&next, &queue, Fetch::up_to(1), 1).await;
    stage.demand("ACK-16", &told, Expectation::shows(message.id));
    Ok(())
}
