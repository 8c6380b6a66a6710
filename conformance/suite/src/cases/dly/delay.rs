//! Messages published for later.

use workwire_broker::{Fetch, Message, Peek, Policy, RestartMode};

use crate::case::{Stage, Stop};
use crate::demand::Expectation;
use crate::recorder::Actor;

/// A message for later.
fn later(stage: &mut Stage, delay_ms: i64) -> Message {
    Message { delay_ms: Some(delay_ms), ..stage.message("for later") }
}

/// That nothing comes says something only of a broker that delivers.
async fn delivers(stage: &mut Stage, by: &Actor) -> Result<(), Stop> {
    let policy = stage.policy();
    let control = stage.queue("control", &policy).await?;
    let message = stage.message("for ever");
    stage.publish(by, &control, &message).await?;
    stage.take_one(by, &control).await.map(drop)
}

/// DLY-1: A message published with a delay is not delivered before the delay is over.
/// DLY-2: A message published with a delay is delivered once the delay is over.
pub(super) async fn not_before_its_time_and_then(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let delay = stage.ms(300);
    let message = later(stage, delay);
    let published = stage.publish(&worker, &queue, &message).await?;
    let told = stage.take_after(&worker, &queue, Fetch::up_to(1), 1, delay).await;
    stage.demand("DLY-2", &told, Expectation::shows(message.id));
    if told.is_something() {
        stage.demand("DLY-1", &told, Expectation::NotBefore { moment: published.after_asking(delay) });
    }
    Ok(())
}

/// DLY-3: A delay of 0 is none.
pub(super) async fn a_delay_of_nothing(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = later(stage, 0);
    let told = worker.publish(&queue, &message).await;
    stage.demand("DLY-3", &told, Expectation::stored());
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DLY-3", &told, Expectation::shows(message.id));
    Ok(())
}

/// DLY-4: A short delay ends at its own time, also behind a longer one.
pub(super) async fn a_short_delay_behind_a_long_one(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let long = later(stage, stage.ms(60_000));
    let short = later(stage, stage.ms(150));
    stage.publish_all(&worker, &queue, &[long, short.clone()]).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DLY-4", &told, Expectation::shows(short.id));
    Ok(())
}

/// DLY-5: A resting message does not hold up those published after it.
pub(super) async fn others_are_not_held_up(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let resting = later(stage, stage.ms(60_000));
    let plain = stage.messages(3);
    stage.publish(&worker, &queue, &resting).await?;
    stage.publish_all(&worker, &queue, &plain).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(3), 3).await;
    stage.demand("DLY-5", &told, Expectation::in_any_order(plain.iter().map(|message| message.id)));
    Ok(())
}

/// DLY-6: A message whose delay is longer than its queue's lease is delivered once, as attempt 1.
pub(super) async fn longer_than_a_lease(stage: &mut Stage) -> Result<(), Stop> {
    let lease = stage.ms(150);
    let queue = stage.queue("tasks", &Policy { lease_ms: lease, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = later(stage, stage.ms(400));
    stage.publish(&worker, &queue, &message).await?;
    stage.pass(stage.ms(400)).await;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DLY-6", &told, Expectation::shows(message.id));
    stage.demand("DLY-6", &told, Expectation::Attempts { attempts: vec![1] });
    for delivery in told.clone().into_answer().unwrap_or_default() {
        let settled = worker.done(&queue, &delivery).await;
        stage.premise(&settled, Expectation::By { moment: told.after_answer(lease) });
        stage.need(settled)?;
    }
    stage.pass(lease).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("DLY-6", &told, Expectation::nothing());
    Ok(())
}

/// DLY-7: A resting message is counted as delayed and not as ready.
pub(super) async fn counted_as_delayed(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let resting = later(stage, stage.ms(60_000));
    let plain = stage.message("for now");
    stage.publish_all(&worker, &queue, &[resting, plain]).await?;
    let expect = Expectation::Depth { ready: Some(1), leased: None, delayed: Some(1), dead: None };
    stage.demand_soon("DLY-7", expect, || worker.depth(&queue, None)).await;
    Ok(())
}

/// DLY-8: A waiting fetch gets a message that falls due meanwhile.
pub(super) async fn a_waiting_fetch_gets_what_falls_due(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = later(stage, stage.ms(200));
    stage.publish(&worker, &queue, &message).await?;
    let told = worker.fetch(&queue, Fetch::up_to(1).waiting(stage.patience())).await;
    stage.demand("DLY-8", &told, Expectation::shows(message.id));
    Ok(())
}

/// DLY-9: A message that has fallen due does not go before more urgent ones.
pub(super) async fn due_and_not_urgent(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let low = later(stage, stage.ms(150));
    let urgent = Message { priority: Some(policy.max_priority), ..stage.message("urgent") };
    stage.publish_all(&worker, &queue, &[low.clone(), urgent.clone()]).await?;
    stage.pass(stage.ms(160)).await;
    let told = stage.take(&worker, &queue, Fetch::up_to(2), 2).await;
    stage.demand("DLY-9", &told, Expectation::in_order([urgent.id, low.id]));
    Ok(())
}

/// DLY-10: A resting message cannot be taken by its id.
pub(super) async fn a_resting_one_is_not_taken_by_id(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = later(stage, stage.ms(60_000));
    stage.publish(&worker, &queue, &message).await?;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1).only(message.id)).await;
    stage.demand("DLY-10", &told, Expectation::nothing());
    delivers(stage, &worker).await
}

/// DLY-11: A resting message is not shown by a peek.
pub(super) async fn a_resting_one_is_not_shown(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = later(stage, stage.ms(60_000));
    stage.publish(&worker, &queue, &message).await?;
    let told = worker.peek(&queue, Peek { max: 10, ..Peek::default() }).await;
    stage.demand("DLY-11", &told, Expectation::nothing());
    delivers(stage, &worker).await
}

/// DLY-12: A restart does not make a delay shorter.
pub(super) async fn a_restart_makes_it_no_shorter(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let delay = stage.ms(600);
    let message = later(stage, delay);
    let published = stage.publish(&worker, &queue, &message).await?;
    stage.restart(RestartMode::Graceful).await?;
    let worker = stage.client("worker").await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.need_that(&told, Expectation::shows(message.id))?;
    stage.demand("DLY-12", &told, Expectation::NotBefore { moment: published.after_asking(delay) });
    Ok(())
}

/// DLY-13: A message that rests when the broker is restarted is delivered afterwards.
pub(super) async fn due_while_the_broker_was_away(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages: Vec<_> = [20, 200].map(|delay| later(stage, stage.ms(delay))).to_vec();
    stage.publish_all(&worker, &queue, &messages).await?;
    stage.restart(RestartMode::Graceful).await?;
    let worker = stage.client("worker").await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(2), 2).await;
    stage.demand("DLY-13", &told, Expectation::in_any_order(messages.iter().map(|message| message.id)));
    Ok(())
}

/// DLY-14: A message that rests when the broker is killed is delivered afterwards, and not before its time.
pub(super) async fn a_delay_survives_a_kill(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let delay = stage.ms(600);
    let message = later(stage, delay);
    let published = stage.publish(&worker, &queue, &message).await?;
    stage.restart(RestartMode::Kill).await?;
    let worker = stage.client("worker").await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("DLY-14", &told, Expectation::shows(message.id));
    if told.is_something() {
        stage.demand("DLY-14", &told, Expectation::NotBefore { moment: published.after_asking(delay) });
    }
    Ok(())
}
