//! What a letter tells, and what a look at the letters shows.

use workwire_broker::{Fetch, Message, Policy, Verdict};

use crate::case::{Stage, Stop};
use crate::demand::Expectation;

/// DLQ-5: A letter has the id and the bytes of its message.
pub(super) async fn id_and_bytes_are_kept(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message((0..=255).collect::<Vec<u8>>());
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.dead(&queue, &delivery, "no text").await)?;
    let letters = || worker.dead_letters(&queue, 100, None);
    let told = stage.demand_soon("DLQ-5", Expectation::shows(message.id), letters).await;
    stage.demand("DLQ-5", &told, Expectation::SameBytes);
    Ok(())
}

/// DLQ-6: A letter that tells a priority tells that of its message.
pub(super) async fn the_priority_is_kept(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let (queue, most) = (stage.queue("tasks", &policy).await?, policy.max_priority);
    let worker = stage.client("worker").await?;
    for priority in [1, most] {
        let message = stage.message("hopeless");
        stage.publish(&worker, &queue, &Message { priority: Some(priority), ..message }).await?;
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.dead(&queue, &delivery, "hopeless").await)?;
    }
    let expect = Expectation::Priorities { priorities: vec![1, most] };
    stage.demand_soon("DLQ-6", expect, || worker.dead_letters(&queue, 100, None)).await;
    Ok(())
}

/// DLQ-7: The reason of a letter is the one that came with the settlement that ended it.
pub(super) async fn the_reason_is_the_one_given(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 1, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let reasons = ["wrong shape: \"größe\" at /data/0 → expected 3", "the tool's answer: <b>'no'</b> & \\n"];
    let verdicts = [
        Verdict::dead(reasons[0]),
        // Of the last attempt.
        Verdict::Retry { delay_ms: None, reason: Some(reasons[1].to_owned()) },
    ];
    for verdict in verdicts {
        let message = stage.message("hopeless");
        stage.publish(&worker, &queue, &message).await?;
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.settle(&queue, &delivery.tag, verdict).await)?;
    }
    let expect = Expectation::Reasons { reasons: reasons.map(str::to_owned).to_vec() };
    stage.demand_soon("DLQ-7", expect, || worker.dead_letters(&queue, 100, None)).await;
    Ok(())
}

/// DLQ-8: Where that settlement came without a reason, it is the last that came with a `retry`.
pub(super) async fn the_reason_of_the_last_retry(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 3, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let retry = |reason: Option<&str>| Verdict::Retry { delay_ms: None, reason: reason.map(str::to_owned) };
    let lives = [
        vec![retry(Some("busy")), retry(Some("time out")), retry(None)],
        vec![retry(Some("no such tool")), Verdict::Dead { reason: None }],
    ];
    for life in lives {
        let message = stage.message("to fail");
        stage.publish(&worker, &queue, &message).await?;
        for verdict in life {
            let delivery = stage.take_one(&worker, &queue).await?;
            stage.need(worker.settle(&queue, &delivery.tag, verdict).await)?;
        }
    }
    let expect = Expectation::Reasons { reasons: vec!["time out".to_owned(), "no such tool".to_owned()] };
    stage.demand_soon("DLQ-8", expect, || worker.dead_letters(&queue, 100, None)).await;
    Ok(())
}

/// DLQ-9: A letter for which nobody gave a reason has one in words of the broker's own.
pub(super) async fn a_reason_where_none_was_given(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 1, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    for verdict in [Verdict::retry(), Verdict::Dead { reason: None }] {
        let message = stage.message("hopeless");
        stage.publish(&worker, &queue, &message).await?;
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.settle(&queue, &delivery.tag, verdict).await)?;
    }
    let told = stage.until(&Expectation::count(2), || worker.dead_letters(&queue, 100, None)).await;
    stage.need_that(&told, Expectation::count(2))?;
    stage.demand("DLQ-9", &told, Expectation::SomeReason);
    Ok(())
}

/// DLQ-10: The attempts of a letter are the number of its message's last delivery.
pub(super) async fn attempts_are_those_of_the_last_delivery(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 3, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let dead = || Verdict::dead("hopeless");
    let lives =
        [vec![dead()], vec![Verdict::retry(), dead()], vec![Verdict::retry(), Verdict::retry(), Verdict::retry()]];
    for life in lives {
        let message = stage.message("to fail");
        stage.publish(&worker, &queue, &message).await?;
        for verdict in life {
            let delivery = stage.take_one(&worker, &queue).await?;
            stage.need(worker.settle(&queue, &delivery.tag, verdict).await)?;
        }
    }
    let expect = Expectation::Attempts { attempts: vec![1, 2, 3] };
    stage.demand_soon("DLQ-10", expect, || worker.dead_letters(&queue, 100, None)).await;
    Ok(())
}

/// DLQ-11: A letter that tells when it died tells the time of the settlement that ended it.
pub(super) async fn the_time_of_death(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("dies later");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    // Clocks may differ by a second, so that life and death lie further apart.
    stage.pass(2_500).await;
    let least = stage.time_of_day();
    stage.need(worker.dead(&queue, &delivery, "hopeless").await)?;
    let most = stage.time_of_day();
    stage.pass(2_500).await;
    let told = stage.until(&Expectation::count(1), || worker.dead_letters(&queue, 100, None)).await;
    stage.need_that(&told, Expectation::count(1))?;
    stage.demand("DLQ-11", &told, Expectation::DiedBetween { least, most });
    Ok(())
}

/// DLQ-13: A look at the letters takes none of them away.
pub(super) async fn looking_takes_none_away(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(3);
    stage.publish_all(&worker, &queue, &messages).await?;
    for delivery in stage.need(stage.take(&worker, &queue, Fetch::up_to(3), 3).await)? {
        stage.need(worker.dead(&queue, &delivery, "hopeless").await)?;
    }
    let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
    let all = Expectation::in_any_order(ids);
    let told = stage.until(&all, || worker.dead_letters(&queue, 100, None)).await;
    stage.need_that(&told, all.clone())?;
    let told = worker.dead_letters(&queue, 100, None).await;
    stage.demand("DLQ-13", &told, all.clone());
    // Nor for somebody else.
    let other = stage.client("other").await?;
    let told = other.dead_letters(&queue, 100, None).await;
    stage.demand("DLQ-13", &told, all);
    Ok(())
}

/// DLQ-14: Letters are listed in the order in which they died, the oldest first.
pub(super) async fn the_oldest_letter_first(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(3);
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(3), 3).await;
    stage.need_that(&told, Expectation::count(3))?;
    let mut taken = stage.need(told)?;
    // They die in another order than they came.
    taken.rotate_left(2);
    for delivery in &taken {
        stage.need(worker.dead(&queue, delivery, "hopeless").await)?;
        stage.pass(stage.ms(20)).await;
    }
    let ids = taken.iter().map(|delivery| delivery.id);
    stage.demand_soon("DLQ-14", Expectation::in_order(ids), || worker.dead_letters(&queue, 100, None)).await;
    Ok(())
}

/// DLQ-15: A look at the letters shows no more of them than it asks for.
pub(super) async fn no_more_letters_than_asked_for(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(5);
    stage.publish_all(&worker, &queue, &messages).await?;
    for delivery in stage.need(stage.take(&worker, &queue, Fetch::up_to(5), 5).await)? {
        stage.need(worker.dead(&queue, &delivery, "hopeless").await)?;
    }
    let told = stage.until(&Expectation::count(5), || worker.dead_letters(&queue, 100, None)).await;
    stage.need_that(&told, Expectation::count(5))?;
    let told = worker.dead_letters(&queue, 2, None).await;
    stage.demand("DLQ-15", &told, Expectation::Count { least: 1, most: 2 });
    Ok(())
}

/// DLQ-18: The letters of a queue are those of its own messages and of no other queue's.
pub(super) async fn letters_of_its_own_queue(stage: &mut Stage) -> Result<(), Stop> {
    let tasks = stage.queue("tasks", &stage.policy()).await?;
    let replies = stage.queue("replies", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    for queue in [&tasks, &replies] {
        let message = stage.message("hopeless");
        stage.publish(&worker, queue, &message).await?;
        let delivery = stage.take_one(&worker, queue).await?;
        stage.need(worker.dead(queue, &delivery, "hopeless").await)?;
        let told = stage.until(&Expectation::count(1), || worker.dead_letters(queue, 100, None)).await;
        stage.demand("DLQ-18", &told, Expectation::shows(message.id));
    }
    let told = worker.dead_letters(&tasks, 100, None).await;
    stage.demand("DLQ-18", &told, Expectation::count(1));
    Ok(())
}
