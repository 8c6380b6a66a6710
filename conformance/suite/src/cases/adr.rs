//! ADR · Addressing.

use workwire_broker::{Capability, Fetch, Message, Policy};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "adr/a_message_for_one_is_never_anothers",
        clauses: &["ADR-1"],
        needs: &[Capability::Addressing],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_message_for_one_is_never_anothers(stage)),
    },
    Case {
        id: "adr/who_names_no_recipient_sees_nothing_addressed",
        clauses: &["ADR-2"],
        needs: &[Capability::Addressing],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(who_names_no_recipient_sees_nothing_addressed(stage)),
    },
    Case {
        id: "adr/a_message_reaches_its_recipient",
        clauses: &["ADR-3"],
        needs: &[Capability::Addressing],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_message_reaches_its_recipient(stage)),
    },
    Case {
        id: "adr/a_message_for_nobody_goes_to_one",
        clauses: &["ADR-4"],
        needs: &[Capability::Addressing],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_message_for_nobody_goes_to_one(stage)),
    },
    Case {
        id: "adr/order_holds_across_addressed_and_unaddressed",
        clauses: &["ADR-5"],
        needs: &[Capability::Addressing, Capability::Fifo],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(order_holds_across_addressed_and_unaddressed(stage)),
    },
    Case {
        id: "adr/priority_holds_across_addressed_and_unaddressed",
        clauses: &["ADR-6"],
        needs: &[Capability::Addressing, Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(priority_holds_across_addressed_and_unaddressed(stage)),
    },
    Case {
        id: "adr/unread_ones_do_not_block_others",
        clauses: &["ADR-7"],
        needs: &[Capability::Addressing],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(unread_ones_do_not_block_others(stage)),
    },
    Case {
        id: "adr/a_retried_message_keeps_its_recipient",
        clauses: &["ADR-8"],
        needs: &[Capability::Addressing],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_retried_message_keeps_its_recipient(stage)),
    },
    Case {
        id: "adr/an_expired_lease_keeps_the_recipient",
        clauses: &["ADR-8"],
        needs: &[Capability::Addressing, Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_expired_lease_keeps_the_recipient(stage)),
    },
    Case {
        id: "adr/a_replayed_letter_keeps_its_recipient",
        clauses: &["ADR-9"],
        needs: &[Capability::Addressing, Capability::DeadLetter, Capability::Replay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_replayed_letter_keeps_its_recipient(stage)),
    },
    Case {
        id: "adr/a_waiting_recipient_is_reached",
        clauses: &["ADR-10"],
        needs: &[Capability::Addressing, Capability::Wait],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_waiting_recipient_is_reached(stage)),
    },
];

fn by(recipient: &str) -> Fetch {
    Fetch::up_to(10).for_recipient(recipient)
}

fn to(recipient: &str, message: Message) -> Message {
    Message { to: Some(recipient.to_owned()), ..message }
}

/// ADR-1: A message for one recipient is never delivered to another, however alike their names are.
async fn a_message_for_one_is_never_anothers(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = to("ada", stage.message("for ada"));
    stage.publish(&worker, &queue, &message).await?;
    for other in ["ben", "ada-2", "ad", "Ada", "a.a"] {
        let told = stage.take_for_a_while(&worker, &queue, by(other)).await;
        stage.demand("ADR-1", &told, Expectation::nothing());
    }
    let told = stage.take(&worker, &queue, by("ada"), 1).await;
    stage.demand("ADR-1", &told, Expectation::shows(message.id));
    Ok(())
}

/// ADR-2: A fetch that names no recipient is given nothing that is for somebody.
async fn who_names_no_recipient_sees_nothing_addressed(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let (for_ada, for_nobody) = (to("ada", stage.message("for ada")), stage.message("for nobody"));
    stage.publish(&worker, &queue, &for_ada).await?;
    stage.publish(&worker, &queue, &for_nobody).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(10), 1).await;
    stage.demand("ADR-2", &told, Expectation::shows(for_nobody.id));
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(10)).await;
    stage.demand("ADR-2", &told, Expectation::nothing());
    Ok(())
}

/// ADR-3: A message for a recipient is delivered to it, whatever name of the allowed characters
/// that is.
async fn a_message_reaches_its_recipient(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    for recipient in ["ada", "Ada.B_c-9", "0", &"z".repeat(128)] {
        let message = to(recipient, stage.message(format!("for {recipient}")));
        stage.publish(&worker, &queue, &message).await?;
        let told = stage.take(&worker, &queue, by(recipient), 1).await;
        stage.demand("ADR-3", &told, Expectation::shows(message.id));
        stage.demand("ADR-3", &told, Expectation::SameBytes);
    }
    Ok(())
}

/// ADR-4: A message for nobody in particular goes to exactly one of all who fetch.
async fn a_message_for_nobody_goes_to_one(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(3);
    stage.publish_all(&worker, &queue, &messages).await?;
    let mut numbers = Vec::new();
    for fetch in [by("ada"), by("ben"), Fetch::up_to(10)] {
        numbers.extend_from_slice(stage.take(&worker, &queue, fetch, 1).await.numbers());
    }
    stage.demand_of("ADR-4", &numbers, Expectation::in_any_order(messages.iter().map(|message| message.id)));
    for fetch in [by("ada"), by("ben"), Fetch::up_to(10)] {
        let told = stage.take_for_a_while(&worker, &queue, fetch).await;
        stage.demand("ADR-4", &told, Expectation::nothing());
    }
    Ok(())
}

/// ADR-5: What is for a recipient and what is for nobody comes to it in one order, the older first.
async fn order_holds_across_addressed_and_unaddressed(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let mut messages = stage.messages(6);
    for (number, recipient) in [(1, "ada"), (2, "ben"), (4, "ada")] {
        messages[number].to = Some(recipient.to_owned());
    }
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, by("ada"), 5).await;
    let order = [0, 1, 3, 4, 5].map(|number: usize| messages[number].id);
    stage.demand("ADR-5", &told, Expectation::in_order(order));
    Ok(())
}

/// ADR-6: What is for a recipient and what is for nobody comes to it in one order, the more urgent
/// first.
async fn priority_holds_across_addressed_and_unaddressed(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let mut messages = stage.messages(usize::try_from(policy.max_priority).unwrap_or(1));
    // The least urgent is for her, the next one for nobody, and so on.
    let recipients = [Some("ada".to_owned()), None].into_iter().cycle();
    for ((priority, message), to) in (1..).zip(&mut messages).zip(recipients) {
        message.priority = Some(priority);
        message.to = to;
    }
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, by("ada"), messages.len()).await;
    stage.demand("ADR-6", &told, Expectation::in_order(messages.iter().rev().map(|message| message.id)));
    Ok(())
}

/// ADR-7: Messages that their recipient does not fetch hold up nobody else's, however many they
/// are.
async fn unread_ones_do_not_block_others(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    for message in stage.messages(120) {
        stage.publish(&worker, &queue, &to("away", message)).await?;
    }
    let (for_ben, for_nobody) = (to("ben", stage.message("for ben")), stage.message("for nobody"));
    stage.publish(&worker, &queue, &for_ben).await?;
    stage.publish(&worker, &queue, &for_nobody).await?;
    let told = stage.take(&worker, &queue, by("ben"), 2).await;
    stage.demand("ADR-7", &told, Expectation::in_any_order([for_ben.id, for_nobody.id]));
    Ok(())
}

/// ADR-8: A message that comes back is still for its recipient alone.
async fn a_retried_message_keeps_its_recipient(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = to("ada", stage.message("for ada"));
    stage.publish(&worker, &queue, &message).await?;
    for delivery in stage.need(stage.take(&worker, &queue, by("ada"), 1).await)? {
        stage.need(worker.retry(&queue, &delivery).await)?;
    }
    for fetch in [by("ben"), Fetch::up_to(10)] {
        let told = stage.take_for_a_while(&worker, &queue, fetch).await;
        stage.demand("ADR-8", &told, Expectation::nothing());
    }
    let told = stage.take(&worker, &queue, by("ada"), 1).await;
    stage.demand("ADR-8", &told, Expectation::shows(message.id));
    Ok(())
}

/// ADR-8: A message that comes back is still for its recipient alone.
async fn an_expired_lease_keeps_the_recipient(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy { lease_ms: stage.ms(200), ..stage.policy() }).await?;
    let worker = stage.client("worker").await?;
    let message = to("ada", stage.message("for ada"));
    stage.publish(&worker, &queue, &message).await?;
    let told = stage.take(&worker, &queue, by("ada"), 1).await;
    stage.need_that(&told, Expectation::shows(message.id))?;
    stage.pass(stage.ms(250)).await;
    let told = stage.take_for_a_while(&worker, &queue, by("ben")).await;
    stage.demand("ADR-8", &told, Expectation::nothing());
    let told = stage.take(&worker, &queue, by("ada"), 1).await;
    stage.demand("ADR-8", &told, Expectation::shows(message.id));
    Ok(())
}

/// ADR-9: A replayed letter is still for its recipient alone.
async fn a_replayed_letter_keeps_its_recipient(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = to("ada", stage.message("for ada"));
    stage.publish(&worker, &queue, &message).await?;
    for delivery in stage.need(stage.take(&worker, &queue, by("ada"), 1).await)? {
        stage.need(worker.dead(&queue, &delivery, "not now").await)?;
    }
    stage.letter(&worker, &queue, None, message.id).await?;
    stage.need(worker.replay(&queue, message.id, None).await)?;
    let told = stage.take_for_a_while(&worker, &queue, by("ben")).await;
    stage.demand("ADR-9", &told, Expectation::nothing());
    let told = stage.take(&worker, &queue, by("ada"), 1).await;
    stage.demand("ADR-9", &told, Expectation::shows(message.id));
    Ok(())
}

/// ADR-10: A message for a recipient that waits reaches it though others wait for theirs.
async fn a_waiting_recipient_is_reached(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (ada, ben) = (stage.client("ada").await?, stage.client("ben").await?);
    let planner = stage.client("planner").await?;
    let message = to("ada", stage.message("for ada"));
    let publish = async {
        // Both wait by then, he in front of her.
        stage.pass(stage.ms(100)).await;
        stage.publish(&planner, &queue, &message).await
    };
    let after = async |ms: i64| stage.pass(stage.ms(ms)).await;
    let (his, hers, published) = tokio::join!(
        ben.fetch(&queue, by("ben").waiting(stage.patience())),
        async {
            after(20).await;
            ada.fetch(&queue, by("ada").waiting(stage.patience())).await
        },
        publish,
    );
    let published = published?;
    stage.demand("ADR-10", &hers, Expectation::shows(message.id));
    stage.demand("ADR-10", &hers, Expectation::By { moment: published.after_answer(stage.ms(1_500)) });
    stage.demand("ADR-10", &his, Expectation::nothing());
    Ok(())
}
