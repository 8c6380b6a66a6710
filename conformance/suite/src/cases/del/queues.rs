//! DEL · Delivery: queues, policies and clients, and what is refused.

use workwire_broker::{Capability, CloseMode, Code, Fetch, Message, Policy, Queue, Tag, Verdict};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;

pub(in crate::cases) const CASES: &[Case] = &[
    Case {
        id: "del/queues_never_mix",
        clauses: &["DEL-14"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(queues_never_mix(stage)),
    },
    Case {
        id: "del/publishing_to_an_undeclared_queue_is_refused",
        clauses: &["DEL-26"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(publishing_to_an_undeclared_queue_is_refused(stage)),
    },
    Case {
        id: "del/an_undeclared_queue_is_not_found",
        clauses: &["DEL-27"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_undeclared_queue_is_not_found(stage)),
    },
    Case {
        id: "del/nothing_waits_for_a_queue_to_be_declared",
        clauses: &["DEL-28"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(nothing_waits_for_a_queue_to_be_declared(stage)),
    },
    Case {
        id: "del/a_refused_publish_leaves_nothing",
        clauses: &["DEL-28"],
        needs: &[Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_refused_publish_leaves_nothing(stage)),
    },
    Case {
        id: "del/what_is_no_name_is_refused",
        clauses: &["DEL-29"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(what_is_no_name_is_refused(stage)),
    },
    Case {
        id: "del/a_policy_out_of_range_is_refused",
        clauses: &["DEL-30"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_policy_out_of_range_is_refused(stage)),
    },
    Case {
        id: "del/a_refusal_names_what_is_wrong",
        clauses: &["DEL-31"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_refusal_names_what_is_wrong(stage)),
    },
    Case {
        id: "del/declared_again_it_keeps_its_messages",
        clauses: &["DEL-32"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(declared_again_it_keeps_its_messages(stage)),
    },
    Case {
        id: "del/another_policy_is_a_conflict",
        clauses: &["DEL-33"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(another_policy_is_a_conflict(stage)),
    },
    Case {
        id: "del/a_refused_policy_changes_nothing",
        clauses: &["DEL-34"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_refused_policy_changes_nothing(stage)),
    },
    Case {
        id: "del/a_client_is_open_once",
        clauses: &["DEL-35"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_client_is_open_once(stage)),
    },
    Case {
        id: "del/a_closed_client_does_nothing",
        clauses: &["DEL-36"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_closed_client_does_nothing(stage)),
    },
];

/// DEL-14: A message of one queue is never delivered from another.
async fn queues_never_mix(stage: &mut Stage) -> Result<(), Stop> {
    // Names that somebody might take for one another.
    let mut queues = Vec::new();
    for name in ["tasks", "tasks.1", "tasks-1", "tasks_1", "tasks.1.dead", "task"] {
        queues.push(stage.queue(name, &stage.policy()).await?);
    }
    let worker = stage.client("worker").await?;
    let messages = stage.messages(queues.len());
    // One of them stays empty.
    for (queue, message) in queues.iter().zip(&messages).skip(1) {
        stage.publish(&worker, queue, message).await?;
    }
    let told = stage.take_for_a_while(&worker, &queues[0], Fetch::up_to(10)).await;
    stage.demand("DEL-14", &told, Expectation::nothing());
    for (queue, message) in queues.iter().zip(&messages).skip(1).rev() {
        let told = stage.take(&worker, queue, Fetch::up_to(10), 1).await;
        stage.demand("DEL-14", &told, Expectation::shows(message.id));
        // And nothing of another queue comes behind it.
        let told = worker.fetch(queue, Fetch::up_to(10)).await;
        stage.demand("DEL-14", &told, Expectation::nothing());
    }
    Ok(())
}

/// DEL-26: A publish to a queue that nobody declared is refused as `not_found`.
async fn publishing_to_an_undeclared_queue_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let worker = stage.client("worker").await?;
    let message = stage.message("to nowhere");
    let told = worker.publish(&stage.queue_named("undeclared"), &message).await;
    stage.demand("DEL-26", &told, Expectation::refused(Code::NotFound));
    Ok(())
}

/// DEL-27: A fetch from a queue that nobody declared, a settling or a count in it is refused as `not_found`.
async fn an_undeclared_queue_is_not_found(stage: &mut Stage) -> Result<(), Stop> {
    let worker = stage.client("worker").await?;
    let queue = stage.queue_named("undeclared");
    let told = worker.fetch(&queue, Fetch::up_to(1)).await;
    stage.demand("DEL-27", &told, Expectation::refused(Code::NotFound));
    let told = worker.depth(&queue, None).await;
    stage.demand("DEL-27", &told, Expectation::refused(Code::NotFound));
    let told = worker.settle(&queue, &Tag("of-nobody".to_owned()), Verdict::Done).await;
    stage.demand("DEL-27", &told, Expectation::refused(Code::NotFound));
    Ok(())
}

/// DEL-28: A publish that was refused leaves nothing behind.
async fn nothing_waits_for_a_queue_to_be_declared(stage: &mut Stage) -> Result<(), Stop> {
    let planner = stage.client("planner").await?;
    let early = stage.message("too early");
    let told = planner.publish(&stage.queue_named("tasks"), &early).await;
    stage.need_that(&told, Expectation::refused(Code::NotFound))?;
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let told = stage.take_for_a_while(&planner, &queue, Fetch::up_to(1)).await;
    stage.demand("DEL-28", &told, Expectation::nothing());
    let told = planner.depth(&queue, None).await;
    stage.demand("DEL-28", &told, Expectation::depth(0, 0, 0, 0));
    // The id is as free as it was.
    let told = planner.publish(&queue, &early).await;
    stage.demand("DEL-28", &told, Expectation::stored());
    Ok(())
}

/// DEL-28: A publish that was refused leaves nothing behind.
async fn a_refused_publish_leaves_nothing(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let planner = stage.client("planner").await?;
    for priority in [0, policy.max_priority + 1] {
        let message = Message { priority: Some(priority), ..stage.message("out of range") };
        let told = planner.publish(&queue, &message).await;
        stage.need_that(&told, Expectation::refused(Code::Invalid))?;
    }
    let told = stage.take_for_a_while(&planner, &queue, Fetch::up_to(1)).await;
    stage.demand("DEL-28", &told, Expectation::nothing());
    let told = planner.depth(&queue, None).await;
    stage.demand("DEL-28", &told, Expectation::depth(0, 0, 0, 0));
    Ok(())
}

/// DEL-29: A queue's name outside the set of names is refused as `invalid`.
async fn what_is_no_name_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let worker = stage.client("worker").await?;
    let good = stage.name("a");
    let bad = [
        String::new(),
        format!("-{good}"),
        format!(".{good}"),
        format!("_{good}"),
        format!("{good}B"),
        format!("{good} b"),
        format!("{good}/b"),
        format!("{good}:b"),
        format!("{good}*"),
        format!("{good}#"),
        format!("{good}\u{e4}"),
        format!("{good}\n"),
        format!("{good}{}", "b".repeat(101 - good.len())),
    ];
    for name in bad {
        let queue = Queue::new(name);
        let told = worker.declare(&queue, &stage.policy()).await;
        if told.answer().is_ok() {
            stage.clean_up(&queue);
        }
        stage.demand("DEL-29", &told, Expectation::refused(Code::Invalid));
    }
    // The longest one that is a name.
    let longest = Queue::new(format!("{good}{}", "b".repeat(100 - good.len())));
    stage.clean_up(&longest);
    let told = worker.declare(&longest, &stage.policy()).await;
    stage.demand("DEL-29", &told, Expectation::Accepted);
    Ok(())
}

/// Policies with a number out of its range, as far as the broker claims to heed it, and the member.
fn bad_policies(stage: &Stage) -> Vec<(Policy, &'static str)> {
    let good = || stage.policy();
    let mut all = vec![
        (Policy { max_attempts: 0, ..good() }, "max_attempts"),
        (Policy { max_attempts: -1, ..good() }, "max_attempts"),
    ];
    if stage.claims(Capability::Priority) {
        all.push((Policy { max_priority: 0, ..good() }, "max_priority"));
        all.push((Policy { max_priority: 11, ..good() }, "max_priority"));
    }
    if stage.claims(Capability::Lease) {
        all.push((Policy { lease_ms: 0, ..good() }, "lease_ms"));
        all.push((Policy { lease_ms: -1, ..good() }, "lease_ms"));
    }
    if stage.claims(Capability::Ttl) {
        all.push((Policy { ttl_ms: Some(0), ..good() }, "ttl_ms"));
    }
    if stage.claims(Capability::Backoff) {
        all.push((Policy { backoff_ms: vec![10, -1], ..good() }, "backoff_ms"));
    }
    if stage.claims(Capability::Dedupe) {
        all.push((Policy { dedupe_ms: -1, ..good() }, "dedupe_ms"));
    }
    all
}

/// DEL-30: A policy with a number out of its range is refused as `invalid`.
async fn a_policy_out_of_range_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let worker = stage.client("worker").await?;
    for (number, (policy, _)) in bad_policies(stage).into_iter().enumerate() {
        let queue = stage.queue_named(&format!("bad-{number}"));
        stage.clean_up(&queue);
        let told = worker.declare(&queue, &policy).await;
        stage.demand("DEL-30", &told, Expectation::refused(Code::Invalid));
        // It is not there either.
        let told = worker.depth(&queue, None).await;
        stage.demand("DEL-30", &told, Expectation::refused(Code::NotFound));
    }
    Ok(())
}

/// DEL-31: A refusal as `invalid` names the member that is wrong.
async fn a_refusal_names_what_is_wrong(stage: &mut Stage) -> Result<(), Stop> {
    let worker = stage.client("worker").await?;
    for (number, (policy, member)) in bad_policies(stage).into_iter().enumerate() {
        let queue = stage.queue_named(&format!("bad-{number}"));
        stage.clean_up(&queue);
        let told = worker.declare(&queue, &policy).await;
        stage.demand("DEL-31", &told, Expectation::Says { part: member.to_owned() });
    }
    Ok(())
}

/// DEL-32: A queue that is declared again with the same policy keeps its messages.
async fn declared_again_it_keeps_its_messages(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let (worker, other) = (stage.client("worker").await?, stage.client("other").await?);
    let messages = stage.messages(3);
    stage.publish_all(&worker, &queue, &messages).await?;
    for client in [&worker, &other] {
        let told = client.declare(&queue, &policy).await;
        stage.demand("DEL-32", &told, Expectation::Accepted);
    }
    let told = stage.take(&worker, &queue, Fetch::up_to(3), 3).await;
    stage.demand("DEL-32", &told, Expectation::in_any_order(messages.iter().map(|message| message.id)));
    Ok(())
}

/// DEL-33: A queue that is declared again with another policy is refused as `conflict`.
async fn another_policy_is_a_conflict(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let told = worker.declare(&queue, &Policy { max_attempts: policy.max_attempts + 1, ..policy }).await;
    stage.demand("DEL-33", &told, Expectation::refused(Code::Conflict));
    Ok(())
}

/// DEL-34: A queue keeps its policy when another one was refused.
async fn a_refused_policy_changes_nothing(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let other = Policy { max_attempts: policy.max_attempts + 1, ..policy.clone() };
    let told = worker.declare(&queue, &other).await;
    stage.need_that(&told, Expectation::refused(Code::Conflict))?;
    let told = worker.declare(&queue, &policy).await;
    stage.demand("DEL-34", &told, Expectation::Accepted);
    let told = worker.declare(&queue, &other).await;
    stage.demand("DEL-34", &told, Expectation::refused(Code::Conflict));
    Ok(())
}

/// DEL-35: A client that is open is not opened again, but refused as `conflict`.
async fn a_client_is_open_once(stage: &mut Stage) -> Result<(), Stop> {
    let name = stage.name("worker");
    let first = stage.open(&name).await;
    let first = stage.need(first)?;
    let told = stage.open(&name).await;
    stage.demand("DEL-35", &told, Expectation::refused(Code::Conflict));
    // Once it is closed, the name is free.
    if let Some(first) = first {
        stage.need(first.close(CloseMode::Graceful).await)?;
    }
    let told = stage.open(&name).await;
    stage.demand("DEL-35", &told, Expectation::Accepted);
    Ok(())
}

/// DEL-36: An operation of a client that was closed is refused as `not_found`.
async fn a_closed_client_does_nothing(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (gone, there) = (stage.client("gone").await?, stage.client("there").await?);
    let messages = stage.messages(2);
    stage.publish(&gone, &queue, &messages[0]).await?;
    stage.need(gone.close(CloseMode::Graceful).await)?;
    let told = gone.publish(&queue, &messages[1]).await;
    stage.demand("DEL-36", &told, Expectation::refused(Code::NotFound));
    let told = gone.fetch(&queue, Fetch::up_to(1)).await;
    stage.demand("DEL-36", &told, Expectation::refused(Code::NotFound));
    let told = stage.take(&there, &queue, Fetch::up_to(2), 1).await;
    stage.demand("DEL-36", &told, Expectation::shows(messages[0].id));
    Ok(())
}
