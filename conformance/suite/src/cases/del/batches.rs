//! DEL · Delivery: many messages at once.

use workwire_broker::{Batch, Capability, Code, Fetch, Message};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;

pub(in crate::cases) const CASES: &[Case] = &[
    Case {
        id: "del/a_batch_is_delivered",
        clauses: &["DEL-37"],
        needs: &[Capability::Batch],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_batch_is_delivered(stage)),
    },
    Case {
        id: "del/one_bad_message_in_a_batch",
        clauses: &["DEL-38"],
        needs: &[Capability::Batch, Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(one_bad_message_in_a_batch(stage)),
    },
];

/// DEL-37: Every message of a batch that was answered `stored` is delivered.
async fn a_batch_is_delivered(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(60);
    for told in worker.publish_batch(&queue, &messages).await {
        stage.demand("DEL-37", &told, Expectation::stored());
    }
    let told = stage.take(&worker, &queue, Fetch::up_to(100), messages.len()).await;
    stage.demand("DEL-37", &told, Expectation::in_any_order(messages.iter().map(|message| message.id)));
    stage.demand("DEL-37", &told, Expectation::SameBytes);
    Ok(())
}

/// DEL-38: One bad message spares its batch or keeps all of it out, as the broker declares.
async fn one_bad_message_in_a_batch(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let mut messages = stage.messages(5);
    messages[2] = Message { priority: Some(policy.max_priority + 1), ..stage.message("out of range") };
    let answers = worker.publish_batch(&queue, &messages).await;
    let stored: Vec<usize> = match stage.about().choices.batch {
        Batch::Each => vec![0, 1, 3, 4],
        Batch::AllOrNone => Vec::new(),
    };
    for (place, told) in answers.iter().enumerate() {
        let expect = match place {
            2 => Expectation::refused(Code::Invalid),
            place if stored.contains(&place) => Expectation::stored(),
            _ => Expectation::NotAccepted,
        };
        stage.demand("DEL-38", told, expect);
    }
    if stored.is_empty() {
        let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(10)).await;
        stage.demand("DEL-38", &told, Expectation::nothing());
    } else {
        let told = stage.take(&worker, &queue, Fetch::up_to(10), stored.len()).await;
        stage.demand("DEL-38", &told, Expectation::in_any_order(stored.iter().map(|place| messages[*place].id)));
        let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(10)).await;
        stage.demand("DEL-38", &told, Expectation::nothing());
    }
    Ok(())
}
