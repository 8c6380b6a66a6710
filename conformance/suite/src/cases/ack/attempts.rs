//! ACK · Settling: how often a message was tried, and that it stays the same.

use workwire_broker::{Capability, CloseMode, Fetch, Policy};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;

pub(in crate::cases) const CASES: &[Case] = &[
    Case {
        id: "ack/attempts_count_each_retry",
        clauses: &["ACK-17"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(attempts_count_each_retry(stage)),
    },
    Case {
        id: "ack/an_ended_lease_counts",
        clauses: &["ACK-18"],
        needs: &[Capability::Attempts, Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_ended_lease_counts(stage)),
    },
    Case {
        id: "ack/a_lost_connection_counts",
        clauses: &["ACK-19"],
        needs: &[Capability::Attempts],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_lost_connection_counts(stage)),
    },
    Case {
        id: "ack/a_graceful_close_does_not_count",
        clauses: &["ACK-20"],
        needs: &[Capability::Attempts],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_graceful_close_does_not_count(stage)),
    },
    Case {
        id: "ack/each_delivery_is_the_same_message",
        clauses: &["ACK-21"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(each_delivery_is_the_same_message(stage)),
    },
    Case {
        id: "ack/endless_retry_is_bounded",
        clauses: &["ACK-22"],
        needs: &[Capability::DeadLetter],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(endless_retry_is_bounded(stage)),
    },
];

/// ACK-17: Each `retry` uses an attempt up: deliveries count 1, 2, 3.
async fn attempts_count_each_retry(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 5, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("again and again");
    stage.publish(&worker, &queue, &message).await?;
    for attempt in 1..=4 {
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        stage.demand("ACK-17", &told, Expectation::Attempts { attempts: vec![attempt] });
        for delivery in stage.need(told)? {
            stage.need(worker.retry(&queue, &delivery).await)?;
        }
    }
    Ok(())
}

/// ACK-18: A lease that ends uses an attempt up.
async fn an_ended_lease_counts(stage: &mut Stage) -> Result<(), Stop> {
    let lease = stage.ms(150);
    let queue = stage.queue("tasks", &Policy { lease_ms: lease, max_attempts: 9, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("always too late");
    stage.publish(&worker, &queue, &message).await?;
    for attempt in 1..=3 {
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        stage.demand("ACK-18", &told, Expectation::Attempts { attempts: vec![attempt] });
    }
    Ok(())
}

/// ACK-19: A lost connection uses an attempt up.
async fn a_lost_connection_counts(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &short_where_leases_end(stage)).await?;
    let planner = stage.client("planner").await?;
    let message = stage.message("kills who takes it");
    stage.publish(&planner, &queue, &message).await?;
    for attempt in 1..=3 {
        let victim = stage.client("victim").await?;
        let told = stage.take(&victim, &queue, Fetch::up_to(1), 1).await;
        stage.demand("ACK-19", &told, Expectation::Attempts { attempts: vec![attempt] });
        stage.need(victim.close(CloseMode::Abort).await)?;
    }
    Ok(())
}

/// ACK-20: A connection that is closed gracefully uses no attempt up.
async fn a_graceful_close_does_not_count(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let planner = stage.client("planner").await?;
    let message = stage.message("handed on");
    stage.publish(&planner, &queue, &message).await?;
    // More often than there are attempts.
    for _ in 0..5 {
        let passer = stage.client("passer").await?;
        let told = stage.take(&passer, &queue, Fetch::up_to(1), 1).await;
        stage.demand("ACK-20", &told, Expectation::Attempts { attempts: vec![1] });
        stage.need(passer.close(CloseMode::Graceful).await)?;
    }
    Ok(())
}

/// What a lost client held comes back at the latest when its lease ends.
fn short_where_leases_end(stage: &Stage) -> Policy {
    let policy = Policy { max_attempts: 9, ..stage.policy() };
    if stage.claims(Capability::Lease) { Policy { lease_ms: stage.ms(300), ..policy } } else { policy }
}

/// ACK-21: Every delivery of a message bears the same id and the same bytes.
async fn each_delivery_is_the_same_message(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 9, ..stage.policy() }).await?;
    let (worker, other) = (stage.client("worker").await?, stage.client("other").await?);
    let message = stage.message((0..=255).rev().collect::<Vec<u8>>());
    stage.publish(&worker, &queue, &message).await?;
    for client in [&worker, &other, &worker, &other] {
        let told = stage.take(client, &queue, Fetch::up_to(1), 1).await;
        stage.demand("ACK-21", &told, Expectation::shows(message.id));
        stage.demand("ACK-21", &told, Expectation::SameBytes);
        for delivery in stage.need(told)? {
            stage.need(client.retry(&queue, &delivery).await)?;
        }
    }
    // Also when it comes back from a client that is gone.
    stage.take_one(&worker, &queue).await?;
    stage.need(worker.close(CloseMode::Graceful).await)?;
    let told = stage.take(&other, &queue, Fetch::up_to(1), 1).await;
    stage.demand("ACK-21", &told, Expectation::shows(message.id));
    stage.demand("ACK-21", &told, Expectation::SameBytes);
    Ok(())
}

/// ACK-22: A message that is retried again and again is delivered `max_attempts` times and no more.
async fn endless_retry_is_bounded(stage: &mut Stage) -> Result<(), Stop> {
    for max_attempts in [1, 2, 4] {
        let queue = stage.queue(&format!("tasks-{max_attempts}"), &Policy { max_attempts, ..stage.policy() }).await?;
        let worker = stage.client("worker").await?;
        let message = stage.message("always wrong");
        stage.publish(&worker, &queue, &message).await?;
        for _ in 0..max_attempts {
            let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
            stage.demand("ACK-22", &told, Expectation::shows(message.id));
            for delivery in stage.need(told)? {
                stage.need(worker.retry(&queue, &delivery).await)?;
            }
        }
        let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
        stage.demand("ACK-22", &told, Expectation::nothing());
    }
    Ok(())
}
