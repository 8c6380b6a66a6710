//! DEL · Delivery: fetches that wait.

use workwire_broker::{Capability, CloseMode, Fetch, Queue, RestartMode};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;

pub(in crate::cases) const CASES: &[Case] = &[
    Case {
        id: "del/a_wait_is_not_cut_short",
        clauses: &["DEL-15"],
        needs: &[Capability::Wait],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_wait_is_not_cut_short(stage)),
    },
    Case {
        id: "del/a_wait_ends_in_time",
        clauses: &["DEL-16"],
        needs: &[Capability::Wait],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_wait_ends_in_time(stage)),
    },
    Case {
        id: "del/a_wait_sees_what_is_published",
        clauses: &["DEL-17"],
        needs: &[Capability::Wait],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_wait_sees_what_is_published(stage)),
    },
    Case {
        id: "del/a_wait_ends_soon_after_the_publish",
        clauses: &["DEL-18"],
        needs: &[Capability::Wait],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_wait_ends_soon_after_the_publish(stage)),
    },
    Case {
        id: "del/a_wait_is_for_one_not_for_all",
        clauses: &["DEL-19"],
        needs: &[Capability::Wait],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_wait_is_for_one_not_for_all(stage)),
    },
    Case {
        id: "del/every_waiter_wakes",
        clauses: &["DEL-20"],
        needs: &[Capability::Wait],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(every_waiter_wakes(stage)),
    },
    Case {
        id: "del/a_publish_right_behind_a_wait_is_seen",
        clauses: &["DEL-21"],
        needs: &[Capability::Wait],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_publish_right_behind_a_wait_is_seen(stage)),
    },
    Case {
        id: "del/a_restart_right_behind_a_wait_ends_it",
        clauses: &["DEL-22"],
        needs: &[Capability::Wait, Capability::Restart],
        checks: &[],
        alone: Alone::Yes,
        run: |stage| Box::pin(a_restart_right_behind_a_wait_ends_it(stage)),
    },
    Case {
        id: "del/a_wait_ends_with_its_client",
        clauses: &["DEL-23"],
        needs: &[Capability::Wait],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_wait_ends_with_its_client(stage)),
    },
    Case {
        id: "del/who_left_while_waiting_takes_nothing",
        clauses: &["DEL-24"],
        needs: &[Capability::Wait],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(who_left_while_waiting_takes_nothing(stage)),
    },
    Case {
        id: "del/a_wait_does_not_hold_up_its_client",
        clauses: &["DEL-25"],
        needs: &[Capability::Wait],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_wait_does_not_hold_up_its_client(stage)),
    },
];

/// A wait that no case lets pass.
const LONG_MS: i64 = 20_000;

/// A queue of whose work one message is done: what is empty then is so because it was emptied.
async fn queue_at_work(stage: &mut Stage) -> Result<Queue, Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let before = stage.client("before").await?;
    let message = stage.message("done before");
    stage.publish(&before, &queue, &message).await?;
    let delivery = stage.take_one(&before, &queue).await?;
    stage.need(before.done(&queue, &delivery).await)?;
    Ok(queue)
}

/// DEL-15: A waiting fetch to which nothing comes is not answered before its time is over.
async fn a_wait_is_not_cut_short(stage: &mut Stage) -> Result<(), Stop> {
    let queue = queue_at_work(stage).await?;
    let worker = stage.client("worker").await?;
    let wait = stage.ms(200);
    let told = worker.fetch(&queue, Fetch::up_to(1).waiting(wait)).await;
    stage.demand("DEL-15", &told, Expectation::nothing());
    stage.demand("DEL-15", &told, Expectation::NotBefore { moment: told.after_asking(wait) });
    Ok(())
}

/// DEL-16: A waiting fetch to which nothing comes is answered when its time is over.
async fn a_wait_ends_in_time(stage: &mut Stage) -> Result<(), Stop> {
    let queue = queue_at_work(stage).await?;
    let worker = stage.client("worker").await?;
    let wait = stage.ms(200);
    let told = worker.fetch_for(&queue, Fetch::up_to(1).waiting(wait), wait + 2 * stage.patience()).await;
    stage.demand("DEL-16", &told, Expectation::EndsBy { moment: told.after_asking(wait + stage.patience()) });
    stage.demand("DEL-16", &told, Expectation::nothing());
    Ok(())
}

/// DEL-17: A waiting fetch is answered with what is published while it waits.
async fn a_wait_sees_what_is_published(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (worker, planner) = (stage.client("worker").await?, stage.client("planner").await?);
    let message = stage.message("awaited");
    let wait = stage.ms(2_000);
    let publish = async {
        stage.pass(stage.ms(50)).await;
        stage.publish(&planner, &queue, &message).await
    };
    let (told, published) = tokio::join!(worker.fetch(&queue, Fetch::up_to(1).waiting(wait)), publish);
    stage.premise(&published?, Expectation::By { moment: told.after_asking(wait / 2) });
    stage.demand("DEL-17", &told, Expectation::shows(message.id));
    Ok(())
}

/// DEL-18: A waiting fetch is answered within half a second of a publish.
async fn a_wait_ends_soon_after_the_publish(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (worker, planner) = (stage.client("worker").await?, stage.client("planner").await?);
    let message = stage.message("awaited");
    let wait = stage.ms(2_000);
    let publish = async {
        stage.pass(stage.ms(50)).await;
        stage.publish(&planner, &queue, &message).await
    };
    let (told, published) = tokio::join!(worker.fetch(&queue, Fetch::up_to(1).waiting(wait)), publish);
    let published = published?;
    stage.premise(&published, Expectation::By { moment: told.after_asking(wait / 2) });
    stage.need_that(&told, Expectation::shows(message.id))?;
    stage.demand("DEL-18", &told, Expectation::By { moment: published.after_answer(stage.ms(500)) });
    Ok(())
}

/// DEL-19: A waiting fetch is answered with one message without waiting for as many as it may take.
async fn a_wait_is_for_one_not_for_all(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (worker, planner) = (stage.client("worker").await?, stage.client("planner").await?);
    let there = stage.message("there already");
    stage.publish(&planner, &queue, &there).await?;
    let wait = stage.ms(LONG_MS);
    let patience = stage.patience();
    let told = worker.fetch_for(&queue, Fetch::up_to(10).waiting(wait), 2 * patience).await;
    stage.demand("DEL-19", &told, Expectation::EndsBy { moment: told.after_asking(patience) });
    stage.demand("DEL-19", &told, Expectation::shows(there.id));
    Ok(())
}

/// DEL-20: Of several waiting fetches each is answered for which there is a message.
async fn every_waiter_wakes(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (first, second, third) =
        (stage.client("first").await?, stage.client("second").await?, stage.client("third").await?);
    let planner = stage.client("planner").await?;
    let messages = stage.messages(3);
    let wait = stage.ms(2_000);
    let fetch = || Fetch::up_to(1).waiting(wait);
    let publish = async {
        stage.pass(stage.ms(50)).await;
        stage.publish_all(&planner, &queue, &messages[1..]).await?;
        stage.publish(&planner, &queue, &messages[0]).await
    };
    let (one, two, three, published) = tokio::join!(
        first.fetch(&queue, fetch()),
        second.fetch(&queue, fetch()),
        third.fetch(&queue, fetch()),
        publish
    );
    stage.premise(&published?, Expectation::By { moment: one.after_asking(wait / 2) });
    let mut numbers = Vec::new();
    for told in [&one, &two, &three] {
        numbers.extend_from_slice(told.numbers());
        stage.demand("DEL-20", told, Expectation::count(1));
    }
    stage.demand_of("DEL-20", &numbers, Expectation::in_any_order(messages.iter().map(|message| message.id)));
    Ok(())
}

/// DEL-21: A publish right behind the beginning of a waiting fetch is not missed by it.
async fn a_publish_right_behind_a_wait_is_seen(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (worker, planner) = (stage.client("worker").await?, stage.client("planner").await?);
    let wait = stage.ms(2_000);
    for turns in [0, 1, 2, 3].repeat(3) {
        let message = stage.message(format!("right behind, by {turns} turns"));
        let publish = async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            stage.publish(&planner, &queue, &message).await
        };
        let (told, published) = tokio::join!(worker.fetch(&queue, Fetch::up_to(1).waiting(wait)), publish);
        stage.premise(&published?, Expectation::By { moment: told.after_asking(wait / 2) });
        stage.demand("DEL-21", &told, Expectation::shows(message.id));
        for delivery in stage.need(told)? {
            stage.need(worker.done(&queue, &delivery).await)?;
        }
    }
    Ok(())
}

/// DEL-22: A waiting fetch that a restart breaks off ends by its time.
async fn a_restart_right_behind_a_wait_ends_it(stage: &mut Stage) -> Result<(), Stop> {
    let queue = queue_at_work(stage).await?;
    // A restart may take much longer than the wait.
    let (wait, patience, most) = (stage.ms(500), stage.patience(), stage.ms(30_000));
    for mode in [RestartMode::Graceful, RestartMode::Kill] {
        let worker = stage.client("worker").await?;
        let restart = async {
            tokio::task::yield_now().await;
            stage.restart(mode).await
        };
        let fetch = worker.fetch_for(&queue, Fetch::up_to(1).waiting(wait), most);
        let (told, restarted) = tokio::join!(fetch, restart);
        // While it restarts, nobody can be answered.
        let bound = restarted?.after_answer(wait + patience);
        stage.demand("DEL-22", &told, Expectation::EndsBy { moment: bound });
    }
    Ok(())
}

/// DEL-23: A waiting fetch ends when its client is closed.
async fn a_wait_ends_with_its_client(stage: &mut Stage) -> Result<(), Stop> {
    let queue = queue_at_work(stage).await?;
    let (wait, patience) = (stage.ms(LONG_MS), stage.patience());
    for mode in [CloseMode::Graceful, CloseMode::Abort] {
        let worker = stage.client("worker").await?;
        let close = async {
            stage.pass(stage.ms(30)).await;
            worker.close(mode).await
        };
        let fetch = worker.fetch_for(&queue, Fetch::up_to(1).waiting(wait), 3 * patience);
        let (told, closed) = tokio::join!(fetch, close);
        stage.demand("DEL-23", &told, Expectation::EndsBy { moment: closed.after_answer(patience) });
    }
    Ok(())
}

/// DEL-24: A fetch whose client was closed while it waited takes nothing any more.
async fn who_left_while_waiting_takes_nothing(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (leaves, stays) = (stage.client("leaves").await?, stage.client("stays").await?);
    let (wait, patience) = (stage.ms(LONG_MS), stage.patience());
    let message = stage.message("for who is there");
    let story = async {
        stage.pass(stage.ms(30)).await;
        stage.need(leaves.close(CloseMode::Graceful).await)?;
        stage.publish(&stays, &queue, &message).await?;
        Ok(stage.take(&stays, &queue, Fetch::up_to(1), 1).await)
    };
    let fetch = leaves.fetch_for(&queue, Fetch::up_to(1).waiting(wait), 3 * patience);
    let (_, told) = tokio::join!(fetch, story);
    stage.demand("DEL-24", &told?, Expectation::shows(message.id));
    Ok(())
}

/// DEL-25: A waiting fetch does not hold up other operations of its client.
async fn a_wait_does_not_hold_up_its_client(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let other = stage.queue("others", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("beside the waiting");
    let (wait, patience) = (stage.ms(2 * LONG_MS), stage.patience());
    let beside = async {
        stage.pass(stage.ms(30)).await;
        let published = worker.publish(&other, &message).await;
        let taken = stage.take(&worker, &other, Fetch::up_to(1), 1).await;
        (published, taken, worker.close(CloseMode::Graceful).await)
    };
    let fetch = worker.fetch_for(&queue, Fetch::up_to(1).waiting(wait), 3 * patience);
    let (_, (published, taken, _)) = tokio::join!(fetch, beside);
    stage.demand("DEL-25", &published, Expectation::EndsBy { moment: published.after_asking(patience) });
    stage.demand("DEL-25", &published, Expectation::stored());
    stage.demand("DEL-25", &taken, Expectation::shows(message.id));
    Ok(())
}
