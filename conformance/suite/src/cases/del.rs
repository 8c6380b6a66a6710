//! DEL · Delivery: what comes, how, and to whom.

pub(super) mod batches;
pub(super) mod queues;
pub(super) mod waiting;

use uuid::{Builder, Uuid, Version};
use workwire_broker::{Capability, Code, Fetch, MEBIBYTE, Message};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "del/published_is_delivered",
        clauses: &["DEL-1"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(published_is_delivered(stage)),
    },
    Case {
        id: "del/bytes_come_back_unchanged",
        clauses: &["DEL-2"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(bytes_come_back_unchanged(stage)),
    },
    Case {
        id: "del/an_empty_body_comes_back",
        clauses: &["DEL-3"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_empty_body_comes_back(stage)),
    },
    Case {
        id: "del/a_body_of_64_kib_comes_back_whole",
        clauses: &["DEL-4"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_body_of_64_kib_comes_back_whole(stage)),
    },
    Case {
        id: "del/a_body_of_1_mib_comes_back_whole",
        clauses: &["DEL-5"],
        needs: &[Capability::Large],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_body_of_1_mib_comes_back_whole(stage)),
    },
    Case {
        id: "del/ids_come_back_as_given",
        clauses: &["DEL-6"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(ids_come_back_as_given(stage)),
    },
    Case {
        id: "del/priorities_come_back_as_given",
        clauses: &["DEL-7"],
        needs: &[Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(priorities_come_back_as_given(stage)),
    },
    Case {
        id: "del/the_first_attempt_is_1",
        clauses: &["DEL-8"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(the_first_attempt_is_1(stage)),
    },
    Case {
        id: "del/one_holder_at_a_time",
        clauses: &["DEL-9"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(one_holder_at_a_time(stage)),
    },
    Case {
        id: "del/two_who_fetch_at_once_share",
        clauses: &["DEL-9"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(two_who_fetch_at_once_share(stage)),
    },
    Case {
        id: "del/no_more_than_asked_for",
        clauses: &["DEL-10"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(no_more_than_asked_for(stage)),
    },
    Case {
        id: "del/what_is_not_taken_stays_for_others",
        clauses: &["DEL-11"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(what_is_not_taken_stays_for_others(stage)),
    },
    Case {
        id: "del/nothing_there_is_no_error",
        clauses: &["DEL-12"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(nothing_there_is_no_error(stage)),
    },
    Case {
        id: "del/less_than_one_is_refused",
        clauses: &["DEL-13"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(less_than_one_is_refused(stage)),
    },
];

/// DEL-1: A message whose publish was answered `stored` is delivered.
async fn published_is_delivered(stage: &mut Stage) -> Result<(), Stop> {
    // Many, since some brokers lose one in a hundred.
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(120);
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(100), messages.len()).await;
    stage.demand("DEL-1", &told, Expectation::in_any_order(messages.iter().map(|message| message.id)));
    Ok(())
}

/// DEL-2: A body is delivered byte for byte, whatever bytes it is made of.
async fn bytes_come_back_unchanged(stage: &mut Stage) -> Result<(), Stop> {
    let all: Vec<u8> = (0..=255).collect();
    let backwards: Vec<u8> = (0..=255).rev().collect();
    let line_ends: &[u8] = b"\r\n\0 \n\r\n\xef\xbb\xbf \t";
    for bytes in [&all[..], &backwards[..], line_ends] {
        delivers_whole(stage, "DEL-2", bytes.to_vec()).await?;
    }
    Ok(())
}

/// DEL-3: A body of no bytes is delivered as such.
async fn an_empty_body_comes_back(stage: &mut Stage) -> Result<(), Stop> {
    delivers_whole(stage, "DEL-3", Vec::new()).await
}

/// DEL-4: A body of 64 KiB is delivered whole, where the broker's limit allows it.
async fn a_body_of_64_kib_comes_back_whole(stage: &mut Stage) -> Result<(), Stop> {
    let bytes = usize::try_from(stage.about().limits.max_message_bytes.min(65_536)).unwrap_or(65_536);
    delivers_whole(stage, "DEL-4", b"0123456789abcdef".repeat(bytes.div_ceil(16))[..bytes].to_vec()).await
}

/// DEL-5: A body of 1 MiB is delivered whole.
async fn a_body_of_1_mib_comes_back_whole(stage: &mut Stage) -> Result<(), Stop> {
    let bytes = usize::try_from(MEBIBYTE).unwrap_or(usize::MAX);
    delivers_whole(stage, "DEL-5", b"0123456789abcdef".repeat(bytes / 16)).await
}

/// A message of these bytes comes back with them.
async fn delivers_whole(stage: &mut Stage, clause: &'static str, bytes: Vec<u8>) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message(bytes);
    stage.publish(&worker, &queue, &message).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand(clause, &told, Expectation::shows(message.id));
    stage.demand(clause, &told, Expectation::SameBytes);
    for delivery in stage.need(told)? {
        stage.need(worker.done(&queue, &delivery).await)?;
    }
    Ok(())
}

/// DEL-6: A delivery bears the id under which its message was published.
async fn ids_come_back_as_given(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    // One of each version that is about, and one of none.
    let versions = [Version::Mac, Version::Random, Version::Sha1, Version::SortRand, Version::Custom];
    let of = |version| Builder::from_bytes(stage.id().into_bytes()).with_version(version).into_uuid();
    let of_versions: Vec<Uuid> = versions.map(of).to_vec();
    let of_none = Uuid::from_u64_pair(0, stage.random().u64(..));
    for id in of_versions.into_iter().chain([of_none]) {
        let message = Message::new(id, "bears an id");
        stage.publish(&worker, &queue, &message).await?;
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        stage.demand("DEL-6", &told, Expectation::shows(id));
        for delivery in stage.need(told)? {
            stage.need(worker.done(&queue, &delivery).await)?;
        }
    }
    Ok(())
}

/// DEL-7: A delivery bears the priority with which its message was published.
async fn priorities_come_back_as_given(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    for priority in 1..=policy.max_priority {
        let message = Message { priority: Some(priority), ..stage.message("bears a priority") };
        stage.publish(&worker, &queue, &message).await?;
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        stage.demand("DEL-7", &told, Expectation::Priorities { priorities: vec![priority] });
        for delivery in stage.need(told)? {
            stage.need(worker.done(&queue, &delivery).await)?;
        }
    }
    Ok(())
}

/// DEL-8: The first delivery of a message is attempt 1.
async fn the_first_attempt_is_1(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(3);
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(3), 3).await;
    stage.demand("DEL-8", &told, Expectation::Attempts { attempts: vec![1; 3] });
    Ok(())
}

/// DEL-9: A message that is held is delivered to nobody else.
async fn one_holder_at_a_time(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (first, second) = (stage.client("first").await?, stage.client("second").await?);
    let message = stage.message("for one");
    stage.publish(&first, &queue, &message).await?;
    stage.take_one(&first, &queue).await?;
    let told = stage.take_for_a_while(&second, &queue, Fetch::up_to(10)).await;
    stage.demand("DEL-9", &told, Expectation::nothing());
    // Nor to its holder once more.
    let told = stage.take_for_a_while(&first, &queue, Fetch::up_to(10)).await;
    stage.demand("DEL-9", &told, Expectation::nothing());
    Ok(())
}

/// DEL-9: A message that is held is delivered to nobody else.
async fn two_who_fetch_at_once_share(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (first, second) = (stage.client("first").await?, stage.client("second").await?);
    let messages = stage.messages(12);
    stage.publish_all(&first, &queue, &messages).await?;
    let (mut numbers, mut taken) = (Vec::new(), Vec::new());
    for _ in 0..6 {
        let (one, other) = tokio::join!(first.fetch(&queue, Fetch::up_to(1)), second.fetch(&queue, Fetch::up_to(1)));
        numbers.extend_from_slice(one.numbers());
        numbers.extend_from_slice(other.numbers());
        taken.extend(stage.need(one)?);
        taken.extend(stage.need(other)?);
    }
    // What they were not answered with, or nothing more.
    let rest = match messages.len().saturating_sub(taken.len()) {
        0 => stage.take_for_a_while(&second, &queue, Fetch::up_to(1)).await,
        missing => stage.take(&second, &queue, Fetch::up_to(10), missing).await,
    };
    numbers.extend_from_slice(rest.numbers());
    stage.demand_of("DEL-9", &numbers, Expectation::in_any_order(messages.iter().map(|message| message.id)));
    Ok(())
}

/// DEL-10: A fetch is answered with no more messages than it asks for.
async fn no_more_than_asked_for(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(8);
    stage.publish_all(&worker, &queue, &messages).await?;
    let mut taken = Vec::new();
    for max in [1, 3, 2] {
        let told = worker.fetch(&queue, Fetch::up_to(max)).await;
        stage.demand("DEL-10", &told, Expectation::Count { least: 0, most: u64::from(max) });
        taken.extend(stage.need(told)?);
    }
    let told = stage.take(&worker, &queue, Fetch::up_to(3), messages.len().saturating_sub(taken.len()).max(1)).await;
    stage.need_that(&told, Expectation::Count { least: 1, most: 8 })?;
    for number in told.numbers() {
        stage.demand_of("DEL-10", &[*number], Expectation::Count { least: 0, most: 3 });
    }
    Ok(())
}

/// DEL-11: What a fetch was not answered with stays for others.
async fn what_is_not_taken_stays_for_others(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (greedy, other) = (stage.client("greedy").await?, stage.client("other").await?);
    let messages = stage.messages(6);
    stage.publish_all(&greedy, &queue, &messages).await?;
    let told = stage.take(&greedy, &queue, Fetch::up_to(2), 2).await;
    let taken: Vec<Uuid> = stage.need(told)?.iter().map(|delivery| delivery.id).collect();
    let rest = || messages.iter().map(|message| message.id).filter(|id| !taken.contains(id));
    let told = stage.take(&other, &queue, Fetch::up_to(10), rest().count()).await;
    stage.demand("DEL-11", &told, Expectation::in_any_order(rest()));
    Ok(())
}

/// DEL-12: A fetch that finds nothing is answered with no messages, and is no error.
async fn nothing_there_is_no_error(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let told = worker.fetch(&queue, Fetch::up_to(10)).await;
    stage.demand("DEL-12", &told, Expectation::nothing());
    let message = stage.message("comes and goes");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.done(&queue, &delivery).await)?;
    let told = worker.fetch(&queue, Fetch::up_to(10)).await;
    stage.demand("DEL-12", &told, Expectation::nothing());
    Ok(())
}

/// DEL-13: A fetch of less than one message is refused as `invalid`.
async fn less_than_one_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let told = worker.fetch(&queue, Fetch::up_to(0)).await;
    stage.demand("DEL-13", &told, Expectation::refused(Code::Invalid));
    Ok(())
}
