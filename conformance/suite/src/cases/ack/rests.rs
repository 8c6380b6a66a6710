//! ACK · Settling: how long a message rests before it is tried again.

use workwire_broker::{Capability, Code, Delivery, Fetch, Queue, Verdict};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;
use crate::recorder::{Actor, Told};

pub(in crate::cases) const CASES: &[Case] = &[
    Case {
        id: "ack/retry_with_a_delay_is_not_early",
        clauses: &["ACK-4"],
        needs: &[Capability::Delay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(retry_with_a_delay_is_not_early(stage)),
    },
    Case {
        id: "ack/retry_with_a_delay_comes_back",
        clauses: &["ACK-5"],
        needs: &[Capability::Delay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(retry_with_a_delay_comes_back(stage)),
    },
    Case {
        id: "ack/a_delay_below_0_is_refused",
        clauses: &["ACK-23"],
        needs: &[Capability::Delay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_delay_below_0_is_refused(stage)),
    },
    Case {
        id: "ack/an_invalid_settling_changes_nothing",
        clauses: &["ACK-24"],
        needs: &[Capability::Delay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_invalid_settling_changes_nothing(stage)),
    },
];

/// Once more, after this rest.
fn after(delay_ms: i64) -> Verdict {
    Verdict::Retry { delay_ms: Some(delay_ms), reason: None }
}

/// Takes the only message, and settles it so; says how that was answered.
async fn take_and_settle(stage: &Stage, by: &Actor, queue: &Queue, verdict: Verdict) -> Result<Told<()>, Stop> {
    let delivery: Delivery = stage.take_one(by, queue).await?;
    let told = by.settle(queue, &delivery.tag, verdict).await;
    stage.need_that(&told, Expectation::Accepted)?;
    Ok(told)
}

/// ACK-4: A message that was settled as `retry` with a delay is not delivered before it is over.
async fn retry_with_a_delay_is_not_early(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("not yet");
    stage.publish(&worker, &queue, &message).await?;
    let delay = stage.ms(200);
    let settled = take_and_settle(stage, &worker, &queue, after(delay)).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.need_that(&told, Expectation::shows(message.id))?;
    stage.demand("ACK-4", &told, Expectation::NotBefore { moment: settled.after_asking(delay) });
    Ok(())
}

/// ACK-5: A message that was settled as `retry` with a delay is delivered once it is over.
async fn retry_with_a_delay_comes_back(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("a little later");
    stage.publish(&worker, &queue, &message).await?;
    let delay = stage.ms(200);
    take_and_settle(stage, &worker, &queue, after(delay)).await?;
    let told = stage.take_after(&worker, &queue, Fetch::up_to(1), 1, delay).await;
    stage.demand("ACK-5", &told, Expectation::shows(message.id));
    Ok(())
}

/// ACK-23: A `retry` with a delay below 0 is refused as `invalid`.
async fn a_delay_below_0_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("before it failed");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    let told = worker.settle(&queue, &delivery.tag, after(-1)).await;
    stage.demand("ACK-23", &told, Expectation::refused(Code::Invalid));
    Ok(())
}

/// ACK-24: A settling that was refused as `invalid` leaves the delivery as it was.
async fn an_invalid_settling_changes_nothing(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("still mine");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    let told = worker.settle(&queue, &delivery.tag, after(-1)).await;
    stage.need_that(&told, Expectation::refused(Code::Invalid))?;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("ACK-24", &told, Expectation::nothing());
    let told = worker.done(&queue, &delivery).await;
    stage.demand("ACK-24", &told, Expectation::Accepted);
    Ok(())
}
