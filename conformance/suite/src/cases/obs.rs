//! OBS · Observability.

use workwire_broker::{
    Capability, Code, Fetch, Health, HealthStatus, Message, Peek, Policy, Purge, Queue, Update, Verdict,
};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;
use crate::recorder::{Actor, Told};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "obs/ready_is_what_can_be_fetched",
        clauses: &["OBS-1"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(ready_is_what_can_be_fetched(stage)),
    },
    Case {
        id: "obs/leased_is_what_is_held",
        clauses: &["OBS-2"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(leased_is_what_is_held(stage)),
    },
    Case {
        id: "obs/delayed_is_what_rests",
        clauses: &["OBS-3"],
        needs: &[Capability::Delay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(delayed_is_what_rests(stage)),
    },
    Case {
        id: "obs/dead_is_how_many_letters_there_are",
        clauses: &["OBS-4"],
        needs: &[Capability::DeadLetter],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(dead_is_how_many_letters_there_are(stage)),
    },
    Case {
        id: "obs/depth_adds_up_at_every_quiet_point",
        clauses: &["OBS-5"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(depth_adds_up_at_every_quiet_point(stage)),
    },
    Case {
        id: "obs/a_deleted_queue_comes_back_empty",
        clauses: &["OBS-6"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_deleted_queue_comes_back_empty(stage)),
    },
    Case {
        id: "obs/a_deleted_queue_is_not_found",
        clauses: &["OBS-7"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_deleted_queue_is_not_found(stage)),
    },
    Case {
        id: "obs/a_deleted_queue_takes_another_policy",
        clauses: &["OBS-8"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_deleted_queue_takes_another_policy(stage)),
    },
    Case {
        id: "obs/a_deleted_queue_has_no_letters",
        clauses: &["OBS-9"],
        needs: &[Capability::DeadLetter],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_deleted_queue_has_no_letters(stage)),
    },
    Case {
        id: "obs/a_deleted_queue_has_no_groups",
        clauses: &["OBS-10"],
        needs: &[Capability::Groups],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_deleted_queue_has_no_groups(stage)),
    },
    Case {
        id: "obs/a_deleted_queue_knows_no_ids",
        clauses: &["OBS-11"],
        needs: &[Capability::Dedupe],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_deleted_queue_knows_no_ids(stage)),
    },
    Case {
        id: "obs/a_purge_says_what_it_removed",
        clauses: &["OBS-12"],
        needs: &[Capability::Purge],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_purge_says_what_it_removed(stage)),
    },
    Case {
        id: "obs/what_was_purged_never_comes",
        clauses: &["OBS-13"],
        needs: &[Capability::Purge],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(what_was_purged_never_comes(stage)),
    },
    Case {
        id: "obs/a_purge_leaves_what_is_held",
        clauses: &["OBS-14"],
        needs: &[Capability::Purge],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_purge_leaves_what_is_held(stage)),
    },
    Case {
        id: "obs/a_purge_leaves_what_rests",
        clauses: &["OBS-15"],
        needs: &[Capability::Purge, Capability::Delay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_purge_leaves_what_rests(stage)),
    },
    Case {
        id: "obs/a_purge_leaves_the_letters",
        clauses: &["OBS-16"],
        needs: &[Capability::Purge, Capability::DeadLetter],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_purge_leaves_the_letters(stage)),
    },
    Case {
        id: "obs/a_purge_of_letters_leaves_the_messages",
        clauses: &["OBS-17"],
        needs: &[Capability::Purge, Capability::DeadLetter],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_purge_of_letters_leaves_the_messages(stage)),
    },
    Case {
        id: "obs/what_is_claimed_works_and_what_is_not_errs",
        clauses: &["OBS-18", "OBS-19"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(what_is_claimed_works_and_what_is_not_errs(stage)),
    },
];

const NOTHING_COUNTED: Expectation = Expectation::Depth { ready: None, leased: None, delayed: None, dead: None };

/// As many messages as there are, each published.
async fn published(stage: &mut Stage, by: &Actor, queue: &Queue, count: usize) -> Result<Vec<Message>, Stop> {
    let messages = stage.messages(count);
    stage.publish_all(by, queue, &messages).await?;
    Ok(messages)
}

/// OBS-1: `ready` counts what can be fetched, and nothing else.
async fn ready_is_what_can_be_fetched(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    stage.demand_soon("OBS-1", Expectation::ready(0), || worker.depth(&queue, None)).await;
    published(stage, &worker, &queue, 3).await?;
    stage.demand_soon("OBS-1", Expectation::ready(3), || worker.depth(&queue, None)).await;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.demand_soon("OBS-1", Expectation::ready(2), || worker.depth(&queue, None)).await;
    stage.need(worker.retry(&queue, &delivery).await)?;
    stage.demand_soon("OBS-1", Expectation::ready(3), || worker.depth(&queue, None)).await;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.done(&queue, &delivery).await)?;
    stage.demand_soon("OBS-1", Expectation::ready(2), || worker.depth(&queue, None)).await;
    Ok(())
}

/// OBS-2: `leased` counts what is held, and nothing else.
async fn leased_is_what_is_held(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    published(stage, &worker, &queue, 3).await?;
    let leased = |number| Expectation::Depth { ready: None, leased: Some(number), delayed: None, dead: None };
    stage.demand_soon("OBS-2", leased(0), || worker.depth(&queue, None)).await;
    let (first, second) = (stage.take_one(&worker, &queue).await?, stage.take_one(&worker, &queue).await?);
    stage.demand_soon("OBS-2", leased(2), || worker.depth(&queue, None)).await;
    stage.need(worker.done(&queue, &first).await)?;
    stage.demand_soon("OBS-2", leased(1), || worker.depth(&queue, None)).await;
    stage.need(worker.retry(&queue, &second).await)?;
    stage.demand_soon("OBS-2", leased(0), || worker.depth(&queue, None)).await;
    Ok(())
}

/// OBS-3: What rests is counted as `delayed`, and not as `ready`.
async fn delayed_is_what_rests(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let later = Message { delay_ms: Some(60_000), ..stage.message("for later") };
    stage.publish(&worker, &queue, &later).await?;
    let resting =
        |ready, delayed| Expectation::Depth { ready: Some(ready), delayed: Some(delayed), leased: None, dead: None };
    stage.demand_soon("OBS-3", resting(0, 1), || worker.depth(&queue, None)).await;
    published(stage, &worker, &queue, 1).await?;
    stage.demand_soon("OBS-3", resting(1, 1), || worker.depth(&queue, None)).await;
    let delivery = stage.take_one(&worker, &queue).await?;
    let rest = Verdict::Retry { delay_ms: Some(60_000), reason: None };
    stage.need(worker.settle(&queue, &delivery.tag, rest).await)?;
    stage.demand_soon("OBS-3", resting(0, 2), || worker.depth(&queue, None)).await;
    Ok(())
}

/// OBS-4: `dead` counts the letters, however they died.
async fn dead_is_how_many_letters_there_are(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { max_attempts: 1, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    published(stage, &worker, &queue, 2).await?;
    let dead = |number| Expectation::Depth { ready: None, leased: None, delayed: None, dead: Some(number) };
    stage.demand_soon("OBS-4", dead(0), || worker.depth(&queue, None)).await;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.dead(&queue, &delivery, "no good").await)?;
    stage.demand_soon("OBS-4", dead(1), || worker.depth(&queue, None)).await;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.retry(&queue, &delivery).await)?;
    stage.demand_soon("OBS-4", dead(2), || worker.depth(&queue, None)).await;
    Ok(())
}

/// OBS-5: Whenever nothing is under way, the counts add up to what was stored and is not done.
async fn depth_adds_up_at_every_quiet_point(stage: &mut Stage) -> Result<(), Stop> {
    // So many that none is used up, whichever are retried.
    let queue = stage.queue("tasks", &Policy { max_attempts: 24, ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    published(stage, &worker, &queue, 5).await?;
    let (mut ready, mut leased, mut dead) = (5, 0, 0);
    let mut held = Vec::new();
    for _ in 0..24 {
        if ready > 0 && (held.is_empty() || stage.random().bool()) {
            held.push(stage.take_one(&worker, &queue).await?);
            (ready, leased) = (ready - 1, leased + 1);
        } else if !held.is_empty() {
            let delivery = held.swap_remove(stage.random().usize(..held.len()));
            leased -= 1;
            match stage.random().u8(..4) {
                0 => stage.need(worker.done(&queue, &delivery).await)?,
                1 if stage.claims(Capability::DeadLetter) => {
                    stage.need(worker.dead(&queue, &delivery, "no good").await)?;
                    dead += 1;
                }
                _ => {
                    stage.need(worker.retry(&queue, &delivery).await)?;
                    ready += 1;
                }
            }
        }
        let counted = Expectation::depth(ready, leased, 0, dead);
        stage.demand_soon("OBS-5", counted, || worker.depth(&queue, None)).await;
    }
    Ok(())
}

/// Deletes a queue. Where that cannot be done, nothing more is demanded.
async fn deleted(stage: &Stage, clause: &'static str, by: &Actor, queue: &Queue) -> Result<bool, Stop> {
    let told = by.delete(queue).await;
    if told.answer().is_err_and(|error| error.code() == Code::Unsupported) {
        stage.demand(clause, &told, Expectation::NotAccepted);
        return Ok(false);
    }
    stage.need(told)?;
    Ok(true)
}

/// OBS-6: A queue that was deleted and is declared anew is empty.
async fn a_deleted_queue_comes_back_empty(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    published(stage, &worker, &queue, 3).await?;
    stage.take_one(&worker, &queue).await?;
    if deleted(stage, "OBS-6", &worker, &queue).await? {
        stage.need(worker.declare(&queue, &stage.policy()).await)?;
        stage.demand_soon("OBS-6", Expectation::depth(0, 0, 0, 0), || worker.depth(&queue, None)).await;
        let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
        stage.demand("OBS-6", &told, Expectation::nothing());
    }
    Ok(())
}

/// OBS-7: A queue that was deleted is not declared: who uses it is told `not_found`.
async fn a_deleted_queue_is_not_found(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    if deleted(stage, "OBS-7", &worker, &queue).await? {
        let message = stage.message("for nowhere");
        let told = worker.publish(&queue, &message).await;
        stage.demand("OBS-7", &told, Expectation::refused(Code::NotFound));
        let told = worker.fetch(&queue, Fetch::up_to(1)).await;
        stage.demand("OBS-7", &told, Expectation::refused(Code::NotFound));
        let told = worker.depth(&queue, None).await;
        stage.demand("OBS-7", &told, Expectation::refused(Code::NotFound));
    }
    Ok(())
}

/// OBS-8: A queue that was deleted takes another policy.
async fn a_deleted_queue_takes_another_policy(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    if deleted(stage, "OBS-8", &worker, &queue).await? {
        let told = worker.declare(&queue, &Policy { max_attempts: 2, ..stage.policy() }).await;
        stage.demand("OBS-8", &told, Expectation::Accepted);
        let told = worker.declare(&queue, &stage.policy()).await;
        stage.demand("OBS-8", &told, Expectation::refused(Code::Conflict));
    }
    Ok(())
}

/// OBS-9: A queue that was deleted and is declared anew has no letters.
async fn a_deleted_queue_has_no_letters(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    published(stage, &worker, &queue, 1).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.dead(&queue, &delivery, "no good").await)?;
    if deleted(stage, "OBS-9", &worker, &queue).await? {
        stage.need(worker.declare(&queue, &stage.policy()).await)?;
        let told = worker.dead_letters(&queue, 10, None).await;
        stage.demand("OBS-9", &told, Expectation::nothing());
    }
    Ok(())
}

/// OBS-10: A queue that was deleted and is declared anew has no named groups.
async fn a_deleted_queue_has_no_groups(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let audit = Fetch::up_to(1).of_group("audit");
    stage.need_that(&worker.fetch(&queue, audit.clone()).await, Expectation::nothing())?;
    if deleted(stage, "OBS-10", &worker, &queue).await? {
        stage.need(worker.declare(&queue, &stage.policy()).await)?;
        published(stage, &worker, &queue, 1).await?;
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.done(&queue, &delivery).await)?;
        // The group begins here, behind a message that nobody has any more.
        let told = stage.take_for_a_while(&worker, &queue, audit).await;
        stage.demand("OBS-10", &told, Expectation::nothing());
    }
    Ok(())
}

/// OBS-11: A queue that was deleted and is declared anew knows no ids.
async fn a_deleted_queue_knows_no_ids(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = published(stage, &worker, &queue, 1).await?;
    if deleted(stage, "OBS-11", &worker, &queue).await? {
        stage.need(worker.declare(&queue, &stage.policy()).await)?;
        let told = worker.publish(&queue, &messages[0]).await;
        stage.demand("OBS-11", &told, Expectation::stored());
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        stage.demand("OBS-11", &told, Expectation::shows(messages[0].id));
    }
    Ok(())
}

/// OBS-12: `purge` says how many ready messages it removed.
async fn a_purge_says_what_it_removed(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    published(stage, &worker, &queue, 4).await?;
    stage.take_one(&worker, &queue).await?;
    let told = worker.purge(&queue, Purge::default()).await;
    stage.demand("OBS-12", &told, Expectation::Removed { number: 3 });
    let told = worker.purge(&queue, Purge::default()).await;
    stage.demand("OBS-12", &told, Expectation::Removed { number: 0 });
    Ok(())
}

/// OBS-13: What was purged is never delivered.
async fn what_was_purged_never_comes(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    published(stage, &worker, &queue, 3).await?;
    stage.need(worker.purge(&queue, Purge::default()).await)?;
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1)).await;
    stage.demand("OBS-13", &told, Expectation::nothing());
    let messages = published(stage, &worker, &queue, 1).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("OBS-13", &told, Expectation::shows(messages[0].id));
    Ok(())
}

/// OBS-14: `purge` leaves what is held in its holder's hands.
async fn a_purge_leaves_what_is_held(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    published(stage, &worker, &queue, 3).await?;
    let (first, second) = (stage.take_one(&worker, &queue).await?, stage.take_one(&worker, &queue).await?);
    stage.need(worker.purge(&queue, Purge::default()).await)?;
    let told = worker.done(&queue, &first).await;
    stage.demand("OBS-14", &told, Expectation::Accepted);
    let told = worker.retry(&queue, &second).await;
    stage.demand("OBS-14", &told, Expectation::Accepted);
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("OBS-14", &told, Expectation::shows(second.id));
    Ok(())
}

/// OBS-15: `purge` leaves what rests.
async fn a_purge_leaves_what_rests(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let later = Message { delay_ms: Some(stage.ms(400)), ..stage.message("for later") };
    let resting = stage.publish(&worker, &queue, &later).await?;
    published(stage, &worker, &queue, 1).await?;
    let purged = worker.purge(&queue, Purge::default()).await;
    stage.premise(&purged, Expectation::By { moment: resting.after_asking(stage.ms(400) - 1) });
    stage.need(purged)?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("OBS-15", &told, Expectation::shows(later.id));
    Ok(())
}

/// A queue with a letter and a ready message.
async fn letter_and_message(stage: &mut Stage, by: &Actor) -> Result<(Queue, [Message; 2]), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (dead, ready) = (stage.message("no good"), stage.message("to do"));
    stage.publish(by, &queue, &dead).await?;
    let delivery = stage.take_one(by, &queue).await?;
    stage.need(by.dead(&queue, &delivery, "no good").await)?;
    stage.publish(by, &queue, &ready).await?;
    let told = stage.until(&Expectation::count(1), || by.dead_letters(&queue, 10, None)).await;
    stage.need_that(&told, Expectation::shows(dead.id))?;
    Ok((queue, [dead, ready]))
}

/// OBS-16: `purge` leaves the letters.
async fn a_purge_leaves_the_letters(stage: &mut Stage) -> Result<(), Stop> {
    let worker = stage.client("worker").await?;
    let (queue, [dead, _]) = letter_and_message(stage, &worker).await?;
    stage.need(worker.purge(&queue, Purge::default()).await)?;
    let told = worker.dead_letters(&queue, 10, None).await;
    stage.demand("OBS-16", &told, Expectation::shows(dead.id));
    Ok(())
}

/// OBS-17: `purge` of the letters removes them, says how many they were, and leaves the messages.
async fn a_purge_of_letters_leaves_the_messages(stage: &mut Stage) -> Result<(), Stop> {
    let worker = stage.client("worker").await?;
    let (queue, [_, ready]) = letter_and_message(stage, &worker).await?;
    let told = worker.purge(&queue, Purge { group: None, dead: true }).await;
    stage.demand("OBS-17", &told, Expectation::Removed { number: 1 });
    stage.demand_soon("OBS-17", Expectation::nothing(), || worker.dead_letters(&queue, 10, None)).await;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("OBS-17", &told, Expectation::shows(ready.id));
    Ok(())
}

/// OBS-18: No operation of a capability that is claimed is refused as `unsupported`.
/// OBS-19: Every operation of a capability that is not claimed is refused as `unsupported`.
async fn what_is_claimed_works_and_what_is_not_errs(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    published(stage, &worker, &queue, 1).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    let ada = Health::new(stage.name("ada").parse().map_err(|_| Stop)?, HealthStatus::Idle);
    let look = Peek { max: 1, ..Peek::default() };
    tell(stage, Capability::Extend, &worker.extend(&queue, &delivery.tag, stage.ms(30_000)).await);
    tell(stage, Capability::Browse, &worker.peek(&queue, look).await);
    tell(stage, Capability::DeadLetter, &worker.dead_letters(&queue, 1, None).await);
    tell(stage, Capability::Replay, &worker.replay(&queue, delivery.id, None).await);
    tell(stage, Capability::Purge, &worker.purge(&queue, Purge::default()).await);
    tell(stage, Capability::Ttl, &worker.sweep(&queue).await);
    tell(stage, Capability::Presence, &worker.heartbeat(&Update::Channel(ada), None).await);
    tell(stage, Capability::Presence, &worker.agents(None, None).await);
    // What every broker does is there anyway.
    let told = worker.depth(&queue, None).await;
    stage.demand("OBS-18", &told, NOTHING_COUNTED);
    Ok(())
}

/// Demands of an operation what its capability is worth.
fn tell<T>(stage: &Stage, capability: Capability, told: &Told<T>) {
    if !stage.claims(capability) {
        stage.demand("OBS-19", told, Expectation::refused(Code::Unsupported));
    } else if told.answer().is_ok() {
        stage.demand("OBS-18", told, Expectation::Accepted);
    } else {
        // There is no such letter; that is said, and not that it cannot be replayed.
        stage.demand("OBS-18", told, Expectation::refused(Code::NotFound));
    }
}
