//! What comes back by a replay, and how often.

use workwire_broker::{Code, Fetch, Message, Policy, Queue, Verdict};

use crate::case::{Stage, Stop};
use crate::demand::Expectation;
use crate::recorder::Actor;

/// Replays alone, with nothing that remembers ids: that has a case of its own.
pub(super) fn policy(stage: &Stage) -> Policy {
    Policy { dedupe_ms: 0, ..stage.policy() }
}

/// Publishes a message, which is the only one there, and gives it up.
pub(super) async fn dies(stage: &Stage, by: &Actor, queue: &Queue, message: &Message) -> Result<(), Stop> {
    stage.publish(by, queue, message).await?;
    let delivery = stage.take_one(by, queue).await?;
    stage.need(by.dead(queue, &delivery, "hopeless").await)?;
    stage.letter(by, queue, None, message.id).await
}

/// RPL-1: A replayed letter is delivered again from the queue in which it died, whether it was given up or its
/// attempts were used up.
pub(super) async fn dead_letters_come_back(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 2, ..policy(stage) }).await?;
    let other = stage.queue("others", &policy(stage)).await?;
    let worker = stage.client("worker").await?;
    let given_up = stage.message("given up");
    dies(stage, &worker, &queue, &given_up).await?;
    let used_up = stage.message("attempts used up");
    stage.publish(&worker, &queue, &used_up).await?;
    for _ in 1..=2 {
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.retry(&queue, &delivery).await)?;
    }
    stage.letter(&worker, &queue, None, used_up.id).await?;
    for message in [given_up, used_up] {
        let told = worker.replay(&queue, message.id, None).await;
        stage.demand("RPL-1", &told, Expectation::Accepted);
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        stage.demand("RPL-1", &told, Expectation::shows(message.id));
    }
    let told = worker.fetch(&other, Fetch::up_to(1)).await;
    stage.demand("RPL-1", &told, Expectation::nothing());
    Ok(())
}

/// RPL-2: The first delivery after a replay is attempt 1.
pub(super) async fn attempts_begin_again(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &policy(stage)).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to fail");
    stage.publish(&worker, &queue, &message).await?;
    for verdict in [Verdict::retry(), Verdict::dead("hopeless")] {
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.settle(&queue, &delivery.tag, verdict).await)?;
    }
    stage.letter(&worker, &queue, None, message.id).await?;
    stage.need(worker.replay(&queue, message.id, None).await)?;
    for attempt in 1..=2 {
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        stage.need_that(&told, Expectation::shows(message.id))?;
        stage.demand("RPL-2", &told, Expectation::Attempts { attempts: vec![attempt] });
        for delivery in told.into_answer().unwrap_or_default() {
            stage.need(worker.retry(&queue, &delivery).await)?;
        }
    }
    Ok(())
}

/// RPL-3: After a replay a message has all the attempts that its queue allows.
pub(super) async fn all_attempts_again(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 3, ..policy(stage) }).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to fail");
    stage.publish(&worker, &queue, &message).await?;
    for _ in 1..=3 {
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.retry(&queue, &delivery).await)?;
    }
    stage.letter(&worker, &queue, None, message.id).await?;
    stage.need(worker.replay(&queue, message.id, None).await)?;
    for _ in 1..=3 {
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        stage.demand("RPL-3", &told, Expectation::shows(message.id));
        for delivery in told.into_answer().unwrap_or_default() {
            stage.need(worker.retry(&queue, &delivery).await)?;
        }
    }
    Ok(())
}

/// RPL-4: A replayed message has the id and the bytes that it was published with.
pub(super) async fn replayed_with_id_and_bytes(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &policy(stage)).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message((0..=255).rev().collect::<Vec<u8>>());
    dies(stage, &worker, &queue, &message).await?;
    stage.need(worker.replay(&queue, message.id, None).await)?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("RPL-4", &told, Expectation::shows(message.id));
    stage.demand("RPL-4", &told, Expectation::SameBytes);
    Ok(())
}

/// RPL-5: A replayed message has the priority that it was published with.
pub(super) async fn replayed_with_its_priority(stage: &mut Stage) -> Result<(), Stop> {
    let policy = policy(stage);
    let (queue, most) = (stage.queue("tasks", &policy).await?, policy.max_priority);
    let worker = stage.client("worker").await?;
    let urgent = Message { priority: Some(most), ..stage.message("urgent") };
    let low = Message { priority: Some(1), ..stage.message("low") };
    dies(stage, &worker, &queue, &low).await?;
    dies(stage, &worker, &queue, &urgent).await?;
    for id in [low.id, urgent.id] {
        stage.need(worker.replay(&queue, id, None).await)?;
    }
    let told = stage.take(&worker, &queue, Fetch::up_to(2), 2).await;
    stage.need_that(&told, Expectation::in_any_order([low.id, urgent.id]))?;
    stage.demand("RPL-5", &told, Expectation::in_order([urgent.id, low.id]));
    stage.demand("RPL-5", &told, Expectation::Priorities { priorities: vec![most, 1] });
    Ok(())
}

/// RPL-6: A replayed letter is no longer among the letters.
pub(super) async fn the_letter_is_gone(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &policy(stage)).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to do again");
    dies(stage, &worker, &queue, &message).await?;
    stage.need(worker.replay(&queue, message.id, None).await)?;
    let letters = || worker.dead_letters(&queue, 100, None);
    stage.demand_soon("RPL-6", Expectation::nothing(), letters).await;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.done(&queue, &delivery).await)?;
    let told = worker.dead_letters(&queue, 100, None).await;
    stage.demand("RPL-6", &told, Expectation::nothing());
    Ok(())
}

/// RPL-7: Two replays of one letter at the same time make one message.
pub(super) async fn two_replays_at_once(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &policy(stage)).await?;
    let (left, right) = (stage.client("left").await?, stage.client("right").await?);
    let message = stage.message("to do again");
    dies(stage, &left, &queue, &message).await?;
    // What the second is told does not matter, but what comes of it.
    let _ = tokio::join!(left.replay(&queue, message.id, None), right.replay(&queue, message.id, None));
    let told = stage.take(&left, &queue, Fetch::up_to(1), 1).await;
    stage.demand("RPL-7", &told, Expectation::shows(message.id));
    let told = stage.take_for_a_while(&right, &queue, Fetch::up_to(1)).await;
    stage.demand("RPL-7", &told, Expectation::nothing());
    let told = left.dead_letters(&queue, 100, None).await;
    stage.demand("RPL-7", &told, Expectation::nothing());
    Ok(())
}

/// RPL-8: A letter that was replayed already is refused as `not_found` and makes no second message.
pub(super) async fn replayed_only_once(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &policy(stage)).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to do again");
    dies(stage, &worker, &queue, &message).await?;
    stage.need(worker.replay(&queue, message.id, None).await)?;
    let told = worker.replay(&queue, message.id, None).await;
    stage.demand("RPL-8", &told, Expectation::refused(Code::NotFound));
    stage.take_one(&worker, &queue).await?;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("RPL-8", &told, Expectation::nothing());
    Ok(())
}

/// RPL-9: A replay of an id that no letter has is refused as `not_found`.
pub(super) async fn an_unknown_letter(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &policy(stage)).await?;
    let worker = stage.client("worker").await?;
    let waiting = stage.message("no letter, but a message");
    stage.publish(&worker, &queue, &waiting).await?;
    for id in [stage.id(), waiting.id] {
        let told = worker.replay(&queue, id, None).await;
        stage.demand("RPL-9", &told, Expectation::refused(Code::NotFound));
    }
    Ok(())
}

/// RPL-10: A replay leaves all other letters where they are.
pub(super) async fn other_letters_stay(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &policy(stage)).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(3);
    for message in &messages {
        dies(stage, &worker, &queue, message).await?;
    }
    stage.need(worker.replay(&queue, messages[1].id, None).await)?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.done(&queue, &delivery).await)?;
    let told = worker.dead_letters(&queue, 100, None).await;
    let all = Expectation::Includes { ids: vec![messages[0].id, messages[2].id] };
    stage.demand("RPL-10", &told, all);
    Ok(())
}

/// RPL-11: Of two letters with one id, the older one is replayed.
pub(super) async fn of_two_letters_the_older(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &policy(stage)).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("twice");
    for reason in ["first", "second"] {
        stage.publish(&worker, &queue, &message).await?;
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.dead(&queue, &delivery, reason).await)?;
        stage.pass(stage.ms(20)).await;
    }
    let told = stage.until(&Expectation::count(2), || worker.dead_letters(&queue, 100, None)).await;
    stage.need_that(&told, Expectation::count(2))?;
    stage.need(worker.replay(&queue, message.id, None).await)?;
    let younger = Expectation::Reasons { reasons: vec!["second".to_owned()] };
    stage.demand_soon("RPL-11", younger, || worker.dead_letters(&queue, 100, None)).await;
    Ok(())
}

/// RPL-12: A replayed message goes behind those of its priority that wait already.
pub(super) async fn behind_those_that_wait(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &policy(stage)).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(3);
    dies(stage, &worker, &queue, &messages[0]).await?;
    stage.publish_all(&worker, &queue, &messages[1..]).await?;
    stage.need(worker.replay(&queue, messages[0].id, None).await)?;
    let told = stage.take(&worker, &queue, Fetch::up_to(3), 3).await;
    stage.demand("RPL-12", &told, Expectation::in_order([messages[1].id, messages[2].id, messages[0].id]));
    Ok(())
}
