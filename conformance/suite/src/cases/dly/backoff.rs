//! Rests that a queue's policy gives after a failure.

use workwire_broker::{CloseMode, Fetch, Policy, Queue, Verdict};

use crate::case::{Stage, Stop};
use crate::demand::Expectation;
use crate::recorder::Actor;

/// A queue whose messages rest so long after their failures, one of them, and who works on it.
async fn failing(stage: &mut Stage, rests: &[i64]) -> Result<(Queue, Actor), Stop> {
    let backoff_ms = rests.iter().map(|rest| stage.ms(*rest)).collect();
    let policy = Policy { backoff_ms, max_attempts: 10, lease_ms: stage.ms(1_000), ..stage.policy() };
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to fail");
    stage.publish(&worker, &queue, &message).await?;
    Ok((queue, worker))
}

/// DLY-15: A message retried without a delay is not delivered before the rest that the policy gives it is over.
/// DLY-16: A message retried without a delay is delivered once that rest is over.
pub(super) async fn a_rest_after_a_failure(stage: &mut Stage) -> Result<(), Stop> {
    let (queue, worker) = failing(stage, &[300]).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    let failed = worker.retry(&queue, &delivery).await;
    stage.need(failed.clone())?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DLY-16", &told, Expectation::count(1));
    if told.is_something() {
        stage.demand("DLY-15", &told, Expectation::NotBefore { moment: failed.after_asking(stage.ms(300)) });
    }
    Ok(())
}

/// Has the message fail again and again, each time with this delay, if any, and demands this rest.
async fn rests(
    stage: &mut Stage,
    clause: &'static str,
    policy: &[i64],
    turns: &[(Option<i64>, i64)],
) -> Result<(), Stop> {
    let (queue, worker) = failing(stage, policy).await?;
    let mut delivery = stage.take_one(&worker, &queue).await?;
    for (given, rest) in turns {
        let verdict = Verdict::Retry { delay_ms: given.map(|delay| stage.ms(delay)), reason: None };
        let failed = worker.settle(&queue, &delivery.tag, verdict).await;
        stage.need(failed.clone())?;
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        stage.demand(clause, &told, Expectation::shows(delivery.id));
        match told.answer().ok().and_then(|all| all.first()) {
            Some(next) => delivery = next.clone(),
            None => return Ok(()),
        }
        stage.demand(clause, &told, Expectation::NotBefore { moment: failed.after_asking(stage.ms(*rest)) });
    }
    Ok(())
}

/// DLY-17: The rest after the first attempt is the first of the policy's list, the rest after the second the second.
pub(super) async fn each_failure_has_its_rest(stage: &mut Stage) -> Result<(), Stop> {
    rests(stage, "DLY-17", &[50, 200, 60_000], &[(None, 50), (None, 200)]).await
}

/// DLY-18: When the policy's list is at its end, its last rest repeats.
pub(super) async fn the_policys_last_rest_repeats(stage: &mut Stage) -> Result<(), Stop> {
    rests(stage, "DLY-18", &[10, 150], &[(None, 10), (None, 150), (None, 150), (None, 150)]).await
}

/// DLY-19: A delay given with the retry takes the place of the policy's rest, also a delay of 0.
pub(super) async fn a_delay_instead_of_the_rest(stage: &mut Stage) -> Result<(), Stop> {
    rests(stage, "DLY-19", &[60_000], &[(Some(150), 150), (Some(0), 0)]).await
}

/// DLY-20: A message whose lease expired comes back without a rest.
pub(super) async fn no_rest_after_a_lease(stage: &mut Stage) -> Result<(), Stop> {
    let (queue, worker) = failing(stage, &[60_000]).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    // The lease ends.
    stage.pass(stage.ms(1_000)).await;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DLY-20", &told, Expectation::shows(delivery.id));
    Ok(())
}

/// DLY-21: A message whose client was lost comes back without a rest.
pub(super) async fn no_rest_after_a_lost_connection(stage: &mut Stage) -> Result<(), Stop> {
    let (queue, worker) = failing(stage, &[60_000]).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.close(CloseMode::Abort).await)?;
    let other = stage.client("worker").await?;
    let told = stage.take(&other, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DLY-21", &told, Expectation::shows(delivery.id));
    Ok(())
}

/// DLY-22: A message that rests after a retry is counted as delayed and not as ready.
pub(super) async fn resting_is_counted_as_delayed(stage: &mut Stage) -> Result<(), Stop> {
    let (queue, worker) = failing(stage, &[60_000]).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.retry(&queue, &delivery).await)?;
    let expect = Expectation::Depth { ready: Some(0), leased: Some(0), delayed: Some(1), dead: None };
    stage.demand_soon("DLY-22", expect, || worker.depth(&queue, None)).await;
    Ok(())
}
