//! LSE · Leases: how long a delivery is held, and what comes back.

pub(super) mod extending;

use workwire_broker::{Capability, CloseMode, Delivery, Fetch, Policy, Queue, Verdict};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::{Edge, Expectation, Moment};
use crate::history::Number;
use crate::recorder::Actor;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "lse/an_ended_lease_delivers_again",
        clauses: &["LSE-1"],
        needs: &[Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_ended_lease_delivers_again(stage)),
    },
    Case {
        id: "lse/never_before_the_lease_ends",
        clauses: &["LSE-2"],
        needs: &[Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(never_before_the_lease_ends(stage)),
    },
    Case {
        id: "lse/an_ending_lease_wakes_who_waits",
        clauses: &["LSE-3"],
        needs: &[Capability::Lease, Capability::Wait],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_ending_lease_wakes_who_waits(stage)),
    },
    Case {
        id: "lse/a_lease_begins_with_the_delivery",
        clauses: &["LSE-4"],
        needs: &[Capability::Lease, Capability::Wait],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_lease_begins_with_the_delivery(stage)),
    },
    Case {
        id: "lse/each_delivery_has_a_whole_lease",
        clauses: &["LSE-5"],
        needs: &[Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(each_delivery_has_a_whole_lease(stage)),
    },
    Case {
        id: "lse/an_aborted_clients_messages_come_back",
        clauses: &["LSE-13"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_aborted_clients_messages_come_back(stage)),
    },
    Case {
        id: "lse/what_a_vanished_client_held_comes_back",
        clauses: &["LSE-13"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(what_a_vanished_client_held_comes_back(stage)),
    },
    Case {
        id: "lse/a_graceful_close_gives_back_at_once",
        clauses: &["LSE-14"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_graceful_close_gives_back_at_once(stage)),
    },
    Case {
        id: "lse/what_was_settled_stays_settled",
        clauses: &["LSE-15"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(what_was_settled_stays_settled(stage)),
    },
    Case {
        id: "lse/a_slow_consumer_holds_up_nobody",
        clauses: &["LSE-16"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_slow_consumer_holds_up_nobody(stage)),
    },
];

/// A policy whose leases are so long, and whose attempts do not matter.
pub(super) fn leased(stage: &Stage, lease_ms: i64) -> Policy {
    Policy { lease_ms, max_attempts: 9, ..stage.policy() }
}

/// Takes the only message, and says by which fetch: no lease of it began before that was asked.
pub(super) async fn take_and_tell(stage: &Stage, by: &Actor, queue: &Queue) -> Result<(Delivery, Number), Stop> {
    let told = stage.take(by, queue, Fetch::up_to(1), 1).await;
    stage.need_that(&told, Expectation::count(1))?;
    let number = told.numbers().last().copied().ok_or(Stop)?;
    Ok((stage.need(told)?.pop().ok_or(Stop)?, number))
}

/// So many milliseconds after an operation was asked.
pub(super) fn after_asking(of: Number, ms: i64) -> Moment {
    Moment { of, edge: Edge::Began, ms }
}

/// LSE-1: A message whose lease has ended is delivered again.
async fn an_ended_lease_delivers_again(stage: &mut Stage) -> Result<(), Stop> {
    let lease = stage.ms(150);
    let queue = stage.queue("tasks", &leased(stage, lease)).await?;
    let (slow, other) = (stage.client("slow").await?, stage.client("other").await?);
    let messages = stage.messages(3);
    stage.publish_all(&slow, &queue, &messages).await?;
    let told = stage.take(&slow, &queue, Fetch::up_to(3), 3).await;
    stage.need_that(&told, Expectation::count(3))?;
    // Also when nobody has asked meanwhile.
    stage.pass(lease).await;
    let told = stage.take(&other, &queue, Fetch::up_to(3), 3).await;
    stage.demand("LSE-1", &told, Expectation::in_any_order(messages.iter().map(|message| message.id)));
    Ok(())
}

/// LSE-2: A message is delivered to nobody else before its lease has ended.
async fn never_before_the_lease_ends(stage: &mut Stage) -> Result<(), Stop> {
    let lease = stage.ms(300);
    let queue = stage.queue("tasks", &leased(stage, lease)).await?;
    let (holder, other) = (stage.client("holder").await?, stage.client("other").await?);
    let message = stage.message("held");
    stage.publish(&holder, &queue, &message).await?;
    let (_, taken) = take_and_tell(stage, &holder, &queue).await?;
    let told = stage.take(&other, &queue, Fetch::up_to(1), 1).await;
    stage.need_that(&told, Expectation::shows(message.id))?;
    stage.demand("LSE-2", &told, Expectation::NotBefore { moment: after_asking(taken, lease) });
    Ok(())
}

/// LSE-3: A waiting fetch is answered with a message whose lease ends meanwhile.
async fn an_ending_lease_wakes_who_waits(stage: &mut Stage) -> Result<(), Stop> {
    let lease = stage.ms(200);
    let queue = stage.queue("tasks", &leased(stage, lease)).await?;
    let (slow, waiting) = (stage.client("slow").await?, stage.client("waiting").await?);
    let message = stage.message("comes back");
    stage.publish(&slow, &queue, &message).await?;
    stage.take_one(&slow, &queue).await?;
    // Patience lasts much longer than a lease: nobody says that it was nearly over.
    let told = waiting.fetch(&queue, Fetch::up_to(1).waiting(stage.patience())).await;
    stage.demand("LSE-3", &told, Expectation::shows(message.id));
    Ok(())
}

/// LSE-4: The lease of what a waiting fetch is answered with begins when it is delivered.
async fn a_lease_begins_with_the_delivery(stage: &mut Stage) -> Result<(), Stop> {
    let lease = stage.ms(300);
    let queue = stage.queue("tasks", &leased(stage, lease)).await?;
    let (holder, other) = (stage.client("holder").await?, stage.client("other").await?);
    let message = stage.message("awaited");
    let publish = async {
        // As long as most of a lease.
        stage.pass(stage.ms(200)).await;
        stage.publish(&other, &queue, &message).await
    };
    let fetch = holder.fetch(&queue, Fetch::up_to(1).waiting(stage.ms(3_000)));
    let (told, published) = tokio::join!(fetch, publish);
    stage.need_that(&told, Expectation::shows(message.id))?;
    let told = stage.take(&other, &queue, Fetch::up_to(1), 1).await;
    stage.need_that(&told, Expectation::shows(message.id))?;
    stage.demand("LSE-4", &told, Expectation::NotBefore { moment: published?.after_asking(lease) });
    Ok(())
}

/// LSE-5: Each delivery has a lease of its own, as long as the first one's.
async fn each_delivery_has_a_whole_lease(stage: &mut Stage) -> Result<(), Stop> {
    let lease = stage.ms(200);
    let queue = stage.queue("tasks", &leased(stage, lease)).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("too slow for everybody");
    stage.publish(&worker, &queue, &message).await?;
    let (_, mut taken) = take_and_tell(stage, &worker, &queue).await?;
    for _ in 0..3 {
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        stage.demand("LSE-5", &told, Expectation::shows(message.id));
        stage.demand("LSE-5", &told, Expectation::NotBefore { moment: after_asking(taken, lease) });
        taken = told.numbers().last().copied().ok_or(Stop)?;
    }
    Ok(())
}

/// What a lost client held comes back at the latest when its lease ends.
fn short_where_leases_end(stage: &Stage) -> Policy {
    let policy = leased(stage, stage.policy().lease_ms);
    if stage.claims(Capability::Lease) { Policy { lease_ms: stage.ms(1_000), ..policy } } else { policy }
}

/// LSE-13: What a lost client held is delivered to others, at the latest when its lease ends.
async fn an_aborted_clients_messages_come_back(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &short_where_leases_end(stage)).await?;
    let (lost, heir) = (stage.client("lost").await?, stage.client("heir").await?);
    let messages = stage.messages(4);
    stage.publish_all(&heir, &queue, &messages).await?;
    let told = stage.take(&lost, &queue, Fetch::up_to(4), 4).await;
    stage.need_that(&told, Expectation::count(4))?;
    stage.need(lost.close(CloseMode::Abort).await)?;
    let told = stage.take(&heir, &queue, Fetch::up_to(4), 4).await;
    stage.demand("LSE-13", &told, Expectation::in_any_order(messages.iter().map(|message| message.id)));
    Ok(())
}

/// LSE-13: What a lost client held is delivered to others, at the latest when its lease ends.
async fn what_a_vanished_client_held_comes_back(stage: &mut Stage) -> Result<(), Stop> {
    // Nobody closes it: it is there no more, as after a crash.
    let queue = stage.queue("tasks", &short_where_leases_end(stage)).await?;
    let (lost, heir) = (stage.client("lost").await?, stage.client("heir").await?);
    let message = stage.message("left behind");
    stage.publish(&heir, &queue, &message).await?;
    stage.take_one(&lost, &queue).await?;
    drop(lost);
    let told = stage.take(&heir, &queue, Fetch::up_to(1), 1).await;
    stage.demand("LSE-13", &told, Expectation::shows(message.id));
    Ok(())
}

/// LSE-14: What a client held that is closed gracefully is delivered to others at once.
async fn a_graceful_close_gives_back_at_once(stage: &mut Stage) -> Result<(), Stop> {
    // The lease is long: what comes back was given back.
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (leaves, heir) = (stage.client("leaves").await?, stage.client("heir").await?);
    let messages = stage.messages(4);
    stage.publish_all(&heir, &queue, &messages).await?;
    let told = stage.take(&leaves, &queue, Fetch::up_to(4), 4).await;
    stage.need_that(&told, Expectation::count(4))?;
    stage.need(leaves.close(CloseMode::Graceful).await)?;
    let told = stage.take(&heir, &queue, Fetch::up_to(4), 4).await;
    stage.demand("LSE-14", &told, Expectation::in_any_order(messages.iter().map(|message| message.id)));
    Ok(())
}

/// LSE-15: What a client has settled does not come back with what it still held.
async fn what_was_settled_stays_settled(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &short_where_leases_end(stage)).await?;
    let heir = stage.client("heir").await?;
    for mode in [CloseMode::Graceful, CloseMode::Abort] {
        let worker = stage.client("worker").await?;
        let messages = stage.messages(3);
        stage.publish_all(&worker, &queue, &messages).await?;
        let told = stage.take(&worker, &queue, Fetch::up_to(3), 3).await;
        stage.need_that(&told, Expectation::count(3))?;
        let held = stage.need(told)?;
        let settled = worker.settle(&queue, &held[1].tag, Verdict::Done).await;
        stage.premise(&settled, Expectation::Accepted);
        stage.need(worker.close(mode).await)?;
        let told = stage.take(&heir, &queue, Fetch::up_to(10), 2).await;
        stage.demand("LSE-15", &told, Expectation::in_any_order([held[0].id, held[2].id]));
        for delivery in stage.need(told)? {
            heir.done(&queue, &delivery).await;
        }
        let told = stage.take_for_a_while(&heir, &queue, Fetch::up_to(10)).await;
        stage.demand("LSE-15", &told, Expectation::ShowsNone { ids: vec![held[1].id] });
    }
    Ok(())
}

/// LSE-16: Who settles slowly does not keep others from what is ready.
async fn a_slow_consumer_holds_up_nobody(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (slow, quick) = (stage.client("slow").await?, stage.client("quick").await?);
    let messages = stage.messages(30);
    stage.publish_all(&slow, &queue, &messages).await?;
    let told = stage.take(&slow, &queue, Fetch::up_to(5), 5).await;
    stage.need_that(&told, Expectation::count(5))?;
    let held: Vec<_> = stage.need(told)?.iter().map(|delivery| delivery.id).collect();
    let rest = || messages.iter().map(|message| message.id).filter(|id| !held.contains(id));
    let told = stage.take(&quick, &queue, Fetch::up_to(100), rest().count()).await;
    stage.demand("LSE-16", &told, Expectation::in_any_order(rest()));
    Ok(())
}
