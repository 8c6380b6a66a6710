//! Replays where something else has a word: ttl, dedupe, length, recipients, groups, a kill.

use workwire_broker::{Code, Fetch, Message, Policy, RestartMode, Verdict};

use super::back::{dies, policy};
use crate::case::{Stage, Stop};
use crate::demand::Expectation;

/// RPL-13: A replayed message has its whole ttl again.
pub(super) async fn the_whole_ttl_again(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &policy(stage)).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(500);
    let message = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    dies(stage, &worker, &queue, &message).await?;
    stage.pass(stage.ms(400)).await;
    let replayed = worker.replay(&queue, message.id, None).await;
    stage.need(replayed.clone())?;
    stage.pass(stage.ms(200)).await;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.premise(&told, Expectation::By { moment: replayed.after_asking(ttl) });
    stage.demand("RPL-13", &told, Expectation::shows(message.id));
    Ok(())
}

/// RPL-14: A replayed message expires when its ttl is over for the second time.
pub(super) async fn it_expires_all_the_same(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &policy(stage)).await?;
    let worker = stage.client("worker").await?;
    let ttl = stage.ms(300);
    let message = Message { ttl_ms: Some(ttl), ..stage.message("not for long") };
    let published = stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one_alive(&worker, &queue, &published, ttl).await?;
    stage.need(worker.dead(&queue, &delivery, "hopeless").await)?;
    stage.letter(&worker, &queue, None, message.id).await?;
    stage.need(worker.replay(&queue, message.id, None).await)?;
    stage.pass(stage.ms(320)).await;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("RPL-14", &told, Expectation::nothing());
    Ok(())
}

/// RPL-15: A replay is not taken for a duplicate of the publish before it.
pub(super) async fn a_replay_is_no_duplicate(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { dedupe_ms: 300_000, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to do again");
    dies(stage, &worker, &queue, &message).await?;
    let told = worker.replay(&queue, message.id, None).await;
    stage.demand("RPL-15", &told, Expectation::Accepted);
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("RPL-15", &told, Expectation::shows(message.id));
    Ok(())
}

/// RPL-16: A replay into a full queue is refused as `full`.
/// RPL-17: A letter whose replay was refused stays among the letters.
pub(super) async fn into_a_full_queue(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_length: Some(1), ..policy(stage) }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to do again");
    dies(stage, &worker, &queue, &message).await?;
    let waiting = stage.message("in its place");
    stage.publish(&worker, &queue, &waiting).await?;
    let told = worker.replay(&queue, message.id, None).await;
    stage.demand("RPL-16", &told, Expectation::refused(Code::Full));
    let told = worker.dead_letters(&queue, 100, None).await;
    stage.demand("RPL-17", &told, Expectation::shows(message.id));
    Ok(())
}

/// RPL-18: A replayed message is for the recipient that it was published for, and for no other.
pub(super) async fn to_the_same_recipient(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &policy(stage)).await?;
    let worker = stage.client("worker").await?;
    let message = Message { to: Some("coder".to_owned()), ..stage.message("for the coder") };
    stage.publish(&worker, &queue, &message).await?;
    let for_coder = Fetch::up_to(1).for_recipient("coder");
    let told = stage.take(&worker, &queue, for_coder.clone(), 1).await;
    stage.need_that(&told, Expectation::shows(message.id))?;
    for delivery in told.into_answer().unwrap_or_default() {
        stage.need(worker.dead(&queue, &delivery, "hopeless").await)?;
    }
    stage.letter(&worker, &queue, None, message.id).await?;
    stage.need(worker.replay(&queue, message.id, None).await)?;
    for other in [Fetch::up_to(1), Fetch::up_to(1).for_recipient("reviewer")] {
        let told = stage.take_for_a_while(&worker, &queue, other).await;
        stage.demand("RPL-18", &told, Expectation::nothing());
    }
    let told = stage.take(&worker, &queue, for_coder, 1).await;
    stage.demand("RPL-18", &told, Expectation::shows(message.id));
    Ok(())
}

/// RPL-19: A replayed letter goes back to the group in which it died, and to no other.
pub(super) async fn to_the_group_in_which_it_died(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &policy(stage)).await?;
    let worker = stage.client("worker").await?;
    let [audit, billing] = ["audit", "billing"].map(|group| Fetch::up_to(1).of_group(group));
    for group in [&audit, &billing] {
        stage.need(worker.fetch(&queue, group.clone()).await)?;
    }
    let message = stage.message("for every group");
    stage.publish(&worker, &queue, &message).await?;
    for (group, dies) in [(&audit, true), (&billing, false)] {
        let told = stage.take(&worker, &queue, group.clone(), 1).await;
        stage.need_that(&told, Expectation::shows(message.id))?;
        for delivery in told.into_answer().unwrap_or_default() {
            let verdict = if dies { Verdict::dead("hopeless") } else { Verdict::Done };
            stage.need(worker.settle(&queue, &delivery.tag, verdict).await)?;
        }
    }
    stage.letter(&worker, &queue, None, message.id).await?;
    stage.need(worker.replay(&queue, message.id, Some("audit")).await)?;
    let told = stage.take(&worker, &queue, audit, 1).await;
    stage.demand("RPL-19", &told, Expectation::shows(message.id));
    let told = stage.take_for_a_while(&worker, &queue, billing).await;
    stage.demand("RPL-19", &told, Expectation::nothing());
    Ok(())
}

/// RPL-20: A replay that was answered survives a kill: the message is in its queue, and the letter is gone.
pub(super) async fn a_replay_survives_a_kill(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &policy(stage)).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to do again");
    dies(stage, &worker, &queue, &message).await?;
    stage.need(worker.replay(&queue, message.id, None).await)?;
    stage.restart(RestartMode::Kill).await?;
    let worker = stage.client("worker").await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("RPL-20", &told, Expectation::shows(message.id));
    let told = worker.dead_letters(&queue, 100, None).await;
    stage.demand("RPL-20", &told, Expectation::nothing());
    Ok(())
}
