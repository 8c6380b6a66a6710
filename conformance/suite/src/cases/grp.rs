//! GRP · Groups.

use workwire_broker::{Capability, Code, Fetch, Message, NewGroup, Purge, Queue};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;
use crate::recorder::Actor;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "grp/every_group_sees_every_message",
        clauses: &["GRP-1"],
        needs: &[Capability::Groups],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(every_group_sees_every_message(stage)),
    },
    Case {
        id: "grp/within_a_group_each_goes_to_one",
        clauses: &["GRP-2"],
        needs: &[Capability::Groups],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(within_a_group_each_goes_to_one(stage)),
    },
    Case {
        id: "grp/a_new_group_sees_what_is_declared",
        clauses: &["GRP-3"],
        needs: &[Capability::Groups],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_new_group_sees_what_is_declared(stage)),
    },
    Case {
        id: "grp/a_group_begins_with_its_first_fetch",
        clauses: &["GRP-4"],
        needs: &[Capability::Groups],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_group_begins_with_its_first_fetch(stage)),
    },
    Case {
        id: "grp/one_groups_done_does_not_touch_anothers",
        clauses: &["GRP-5"],
        needs: &[Capability::Groups],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(one_groups_done_does_not_touch_anothers(stage)),
    },
    Case {
        id: "grp/attempts_are_each_groups_own",
        clauses: &["GRP-6"],
        needs: &[Capability::Groups],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(attempts_are_each_groups_own(stage)),
    },
    Case {
        id: "grp/one_groups_dead_message_lives_in_the_others",
        clauses: &["GRP-7"],
        needs: &[Capability::Groups, Capability::DeadLetter],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(one_groups_dead_message_lives_in_the_others(stage)),
    },
    Case {
        id: "grp/a_letter_names_its_group",
        clauses: &["GRP-8"],
        needs: &[Capability::Groups, Capability::DeadLetter],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_letter_names_its_group(stage)),
    },
    Case {
        id: "grp/letters_are_listed_by_group",
        clauses: &["GRP-9"],
        needs: &[Capability::Groups, Capability::DeadLetter],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(letters_are_listed_by_group(stage)),
    },
    Case {
        id: "grp/a_replayed_letter_goes_back_to_its_own_group",
        clauses: &["GRP-10"],
        needs: &[Capability::Groups, Capability::DeadLetter, Capability::Replay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_replayed_letter_goes_back_to_its_own_group(stage)),
    },
    Case {
        id: "grp/another_groups_letter_cannot_be_replayed",
        clauses: &["GRP-11"],
        needs: &[Capability::Groups, Capability::DeadLetter, Capability::Replay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(another_groups_letter_cannot_be_replayed(stage)),
    },
    Case {
        id: "grp/the_unnamed_group_holds_from_the_declaration_on",
        clauses: &["GRP-12"],
        needs: &[Capability::Groups],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(the_unnamed_group_holds_from_the_declaration_on(stage)),
    },
    Case {
        id: "grp/depth_makes_no_group",
        clauses: &["GRP-13"],
        needs: &[Capability::Groups],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(depth_makes_no_group(stage)),
    },
    Case {
        id: "grp/depth_of_a_group_is_its_own",
        clauses: &["GRP-14"],
        needs: &[Capability::Groups],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(depth_of_a_group_is_its_own(stage)),
    },
    Case {
        id: "grp/purge_of_one_group_spares_the_others",
        clauses: &["GRP-15"],
        needs: &[Capability::Groups, Capability::Purge],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(purge_of_one_group_spares_the_others(stage)),
    },
    Case {
        id: "grp/purge_of_all_groups",
        clauses: &["GRP-16"],
        needs: &[Capability::Groups, Capability::Purge],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(purge_of_all_groups(stage)),
    },
    Case {
        id: "grp/order_and_priority_hold_in_each_group",
        clauses: &["GRP-17"],
        needs: &[Capability::Groups, Capability::Priority, Capability::Fifo],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(order_and_priority_hold_in_each_group(stage)),
    },
];

/// What a group takes at once.
fn of(group: &str) -> Fetch {
    Fetch::up_to(10).of_group(group)
}

/// Begins groups on an empty queue.
async fn begin(stage: &Stage, by: &Actor, queue: &Queue, groups: &[&str]) -> Result<(), Stop> {
    for group in groups {
        let told = by.fetch(queue, of(group)).await;
        stage.need_that(&told, Expectation::nothing())?;
    }
    Ok(())
}

/// GRP-1: Every group sees every message that is published after the group began.
async fn every_group_sees_every_message(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    begin(stage, &worker, &queue, &["billing", "billing-2", "audit"]).await?;
    let messages = stage.messages(3);
    stage.publish_all(&worker, &queue, &messages).await?;
    for group in ["billing", "billing-2", "audit"] {
        let told = stage.take(&worker, &queue, of(group), 3).await;
        stage.demand("GRP-1", &told, Expectation::in_any_order(messages.iter().map(|message| message.id)));
        for delivery in told.into_answer().unwrap_or_default() {
            stage.need(worker.done(&queue, &delivery).await)?;
        }
    }
    Ok(())
}

/// GRP-2: Within a group each message is given to one consumer alone while that delivery lasts.
async fn within_a_group_each_goes_to_one(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let (ada, ben) = (stage.client("ada").await?, stage.client("ben").await?);
    begin(stage, &ada, &queue, &["audit"]).await?;
    let messages = stage.messages(4);
    stage.publish_all(&ada, &queue, &messages).await?;
    let first = stage.take(&ada, &queue, of("audit"), 2).await;
    let second = stage.take(&ben, &queue, of("audit"), 2).await;
    let both: Vec<_> = [first.numbers(), second.numbers()].concat();
    stage.demand_of("GRP-2", &both, Expectation::in_any_order(messages.iter().map(|message| message.id)));
    let told = stage.take_for_a_while(&ben, &queue, of("audit")).await;
    stage.demand("GRP-2", &told, Expectation::nothing());
    Ok(())
}

/// GRP-3: A new group sees what the broker declares: all messages that are still there, also those
/// that another group holds, or only what is published from then on.
async fn a_new_group_sees_what_is_declared(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(3);
    stage.publish_all(&worker, &queue, &messages[..2]).await?;
    stage.take_one(&worker, &queue).await?;
    if stage.about().choices.new_group == NewGroup::All {
        let told = stage.take(&worker, &queue, of("late"), 2).await;
        stage.demand("GRP-3", &told, Expectation::in_any_order([messages[0].id, messages[1].id]));
    } else {
        let told = stage.take_for_a_while(&worker, &queue, of("late")).await;
        stage.demand("GRP-3", &told, Expectation::nothing());
        stage.publish(&worker, &queue, &messages[2]).await?;
        let told = stage.take(&worker, &queue, of("late"), 1).await;
        stage.demand("GRP-3", &told, Expectation::shows(messages[2].id));
    }
    Ok(())
}

/// GRP-4: A group begins with the first fetch that names it, also where that fetch finds nothing.
async fn a_group_begins_with_its_first_fetch(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    begin(stage, &worker, &queue, &["audit"]).await?;
    let message = stage.message("to see");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.done(&queue, &delivery).await)?;
    let told = stage.take(&worker, &queue, of("audit"), 1).await;
    stage.demand("GRP-4", &told, Expectation::shows(message.id));
    Ok(())
}

/// GRP-5: A message that one group has settled as `done` is delivered to the others all the same.
async fn one_groups_done_does_not_touch_anothers(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    begin(stage, &worker, &queue, &["billing", "audit"]).await?;
    let message = stage.message("to see");
    stage.publish(&worker, &queue, &message).await?;
    for delivery in stage.need(stage.take(&worker, &queue, of("billing"), 1).await)? {
        stage.need(worker.done(&queue, &delivery).await)?;
    }
    let told = stage.take(&worker, &queue, of("audit"), 1).await;
    stage.demand("GRP-5", &told, Expectation::shows(message.id));
    Ok(())
}

/// GRP-6: The attempts of a message are counted in each group for itself.
async fn attempts_are_each_groups_own(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    begin(stage, &worker, &queue, &["billing", "audit"]).await?;
    let message = stage.message("to see");
    stage.publish(&worker, &queue, &message).await?;
    for delivery in stage.need(stage.take(&worker, &queue, of("billing"), 1).await)? {
        stage.need(worker.retry(&queue, &delivery).await)?;
    }
    let told = stage.take(&worker, &queue, of("audit"), 1).await;
    stage.demand("GRP-6", &told, Expectation::Attempts { attempts: vec![1] });
    let told = stage.take(&worker, &queue, of("billing"), 1).await;
    stage.demand("GRP-6", &told, Expectation::Attempts { attempts: vec![2] });
    Ok(())
}

/// Has messages die in a group, one after the other.
async fn die(stage: &Stage, by: &Actor, queue: &Queue, group: &str, count: usize) -> Result<(), Stop> {
    let told = stage.take(by, queue, of(group), count).await;
    stage.need_that(&told, Expectation::count(u64::try_from(count).unwrap_or(u64::MAX)))?;
    for delivery in stage.need(told)? {
        stage.need(by.dead(queue, &delivery, &format!("of no use to {group}")).await)?;
    }
    Ok(())
}

/// GRP-7: A message that dies in one group is delivered to the others all the same.
async fn one_groups_dead_message_lives_in_the_others(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    begin(stage, &worker, &queue, &["billing", "audit"]).await?;
    let message = stage.message("to see");
    stage.publish(&worker, &queue, &message).await?;
    die(stage, &worker, &queue, "billing", 1).await?;
    let told = stage.take(&worker, &queue, of("audit"), 1).await;
    stage.demand("GRP-7", &told, Expectation::shows(message.id));
    Ok(())
}

/// GRP-8: A letter names the group in which its message died, and none where that was the unnamed
/// one.
async fn a_letter_names_its_group(stage: &mut Stage) -> Result<(), Stop> {
    let worker = stage.client("worker").await?;
    let [of_a_group, of_none] = ["events", "tasks"].map(|name| stage.queue_named(name));
    for queue in [&of_a_group, &of_none] {
        stage.clean_up(queue);
        stage.need(worker.declare(queue, &stage.policy()).await)?;
    }
    begin(stage, &worker, &of_a_group, &["billing", "audit"]).await?;
    for queue in [&of_a_group, &of_none] {
        let message = stage.message("of no use");
        stage.publish(&worker, queue, &message).await?;
    }
    die(stage, &worker, &of_a_group, "audit", 1).await?;
    let delivery = stage.take_one(&worker, &of_none).await?;
    stage.need(worker.dead(&of_none, &delivery, "of no use to anybody").await)?;
    for (queue, group) in [(&of_a_group, Some("audit".to_owned())), (&of_none, None)] {
        let told = stage.until(&Expectation::count(1), || worker.dead_letters(queue, 10, None)).await;
        stage.need_that(&told, Expectation::count(1))?;
        stage.demand("GRP-8", &told, Expectation::OfGroup { group });
    }
    Ok(())
}

/// GRP-9: `dead_letters` lists the letters of the group that is named, and those of all groups
/// where none is.
async fn letters_are_listed_by_group(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    begin(stage, &worker, &queue, &["billing"]).await?;
    let messages = stage.messages(2);
    stage.publish(&worker, &queue, &messages[0]).await?;
    die(stage, &worker, &queue, "billing", 1).await?;
    begin_with(stage, &worker, &queue, "audit", &messages[0]).await?;
    stage.publish(&worker, &queue, &messages[1]).await?;
    die(stage, &worker, &queue, "audit", 1).await?;
    for (group, number) in [("billing", 0), ("audit", 1)] {
        let wanted = Expectation::shows(messages[number].id);
        stage.demand_soon("GRP-9", wanted, || worker.dead_letters(&queue, 10, Some(group))).await;
    }
    let both = Expectation::in_any_order(messages.iter().map(|message| message.id));
    stage.demand_soon("GRP-9", both, || worker.dead_letters(&queue, 10, None)).await;
    Ok(())
}

/// Begins a group on a queue that holds this message: seen, it is settled.
async fn begin_with(stage: &Stage, by: &Actor, queue: &Queue, group: &str, message: &Message) -> Result<(), Stop> {
    if stage.about().choices.new_group == NewGroup::New {
        return begin(stage, by, queue, &[group]).await;
    }
    let told = stage.take(by, queue, of(group), 1).await;
    stage.need_that(&told, Expectation::shows(message.id))?;
    for delivery in stage.need(told)? {
        stage.need(by.done(queue, &delivery).await)?;
    }
    Ok(())
}

/// GRP-10: A replayed letter goes back to the group in which it died, and to no other.
async fn a_replayed_letter_goes_back_to_its_own_group(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    begin(stage, &worker, &queue, &["billing", "audit"]).await?;
    let message = stage.message("to see");
    stage.publish(&worker, &queue, &message).await?;
    die(stage, &worker, &queue, "billing", 1).await?;
    for delivery in stage.need(stage.take(&worker, &queue, of("audit"), 1).await)? {
        stage.need(worker.done(&queue, &delivery).await)?;
    }
    stage.letter(&worker, &queue, Some("billing"), message.id).await?;
    stage.need(worker.replay(&queue, message.id, Some("billing")).await)?;
    let told = stage.take(&worker, &queue, of("billing"), 1).await;
    stage.demand("GRP-10", &told, Expectation::shows(message.id));
    let told = stage.take_for_a_while(&worker, &queue, of("audit")).await;
    stage.demand("GRP-10", &told, Expectation::nothing());
    Ok(())
}

/// GRP-11: `replay` with a group is refused as `not_found` where the letter is another group's.
async fn another_groups_letter_cannot_be_replayed(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    begin(stage, &worker, &queue, &["billing", "audit"]).await?;
    let message = stage.message("to see");
    stage.publish(&worker, &queue, &message).await?;
    die(stage, &worker, &queue, "billing", 1).await?;
    // It is there, and another's.
    stage.letter(&worker, &queue, Some("billing"), message.id).await?;
    let told = worker.replay(&queue, message.id, Some("audit")).await;
    stage.demand("GRP-11", &told, Expectation::refused(Code::NotFound));
    let told = worker.dead_letters(&queue, 10, Some("billing")).await;
    stage.demand("GRP-11", &told, Expectation::shows(message.id));
    Ok(())
}

/// GRP-12: The unnamed group is there from the declaration on, and holds messages before anybody
/// fetched for it.
async fn the_unnamed_group_holds_from_the_declaration_on(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    begin(stage, &worker, &queue, &["audit"]).await?;
    let message = stage.message("to see");
    stage.publish(&worker, &queue, &message).await?;
    let told = stage.take(&worker, &queue, of("audit"), 1).await;
    stage.need_that(&told, Expectation::shows(message.id))?;
    let told = stage.take(&worker, &queue, Fetch::up_to(10), 1).await;
    stage.demand("GRP-12", &told, Expectation::shows(message.id));
    Ok(())
}

/// GRP-13: `depth` with a group that is not there makes no group.
async fn depth_makes_no_group(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let (before, behind) = (stage.message("to see"), stage.message("to see later"));
    stage.publish(&worker, &queue, &before).await?;
    stage.need(worker.depth(&queue, Some("late")).await)?;
    stage.publish(&worker, &queue, &behind).await?;
    // A group that began at the look would have kept what came behind it, and where new groups see all that is there
    // also what came before, though nobody else has either any more.
    for _ in [before, behind] {
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.done(&queue, &delivery).await)?;
    }
    let told = stage.take_for_a_while(&worker, &queue, of("late")).await;
    stage.demand("GRP-13", &told, Expectation::nothing());
    Ok(())
}

/// GRP-14: `depth` with a group counts what that group has to do.
async fn depth_of_a_group_is_its_own(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    begin(stage, &worker, &queue, &["billing", "audit"]).await?;
    let messages = stage.messages(3);
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, of("billing"), 2).await;
    stage.need_that(&told, Expectation::count(2))?;
    if let Some(delivery) = stage.need(told)?.first() {
        stage.need(worker.done(&queue, delivery).await)?;
    }
    stage.demand_soon("GRP-14", Expectation::depth(1, 1, 0, 0), || worker.depth(&queue, Some("billing"))).await;
    stage.demand_soon("GRP-14", Expectation::depth(3, 0, 0, 0), || worker.depth(&queue, Some("audit"))).await;
    stage.demand_soon("GRP-14", Expectation::depth(3, 0, 0, 0), || worker.depth(&queue, None)).await;
    Ok(())
}

/// GRP-15: `purge` with a group takes nothing from the others.
async fn purge_of_one_group_spares_the_others(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    begin(stage, &worker, &queue, &["billing", "audit"]).await?;
    let messages = stage.messages(2);
    stage.publish_all(&worker, &queue, &messages).await?;
    stage.need(worker.purge(&queue, Purge { group: Some("billing"), dead: false }).await)?;
    let told = stage.take(&worker, &queue, of("audit"), 2).await;
    stage.demand("GRP-15", &told, Expectation::in_any_order(messages.iter().map(|message| message.id)));
    let told = stage.take_for_a_while(&worker, &queue, of("billing")).await;
    stage.demand("GRP-15", &told, Expectation::nothing());
    Ok(())
}

/// GRP-16: `purge` without a group empties every group.
async fn purge_of_all_groups(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    begin(stage, &worker, &queue, &["billing", "audit"]).await?;
    let messages = stage.messages(2);
    stage.publish_all(&worker, &queue, &messages).await?;
    stage.need(worker.purge(&queue, Purge::default()).await)?;
    for fetch in [of("billing"), of("audit"), Fetch::up_to(10)] {
        let told = stage.take_for_a_while(&worker, &queue, fetch).await;
        stage.demand("GRP-16", &told, Expectation::nothing());
    }
    // The groups themselves are still there.
    let message = stage.message("to see");
    stage.publish(&worker, &queue, &message).await?;
    for fetch in [of("billing"), of("audit"), Fetch::up_to(10)] {
        let told = stage.take(&worker, &queue, fetch, 1).await;
        stage.demand("GRP-16", &told, Expectation::shows(message.id));
    }
    Ok(())
}

/// GRP-17: Each group has the whole order of the queue: the more urgent first, and of one priority
/// the older.
async fn order_and_priority_hold_in_each_group(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    begin(stage, &worker, &queue, &["billing", "audit"]).await?;
    let mut messages = stage.messages(4);
    for (message, priority) in messages.iter_mut().zip([1, 2, 1, 2]) {
        message.priority = Some(priority);
    }
    stage.publish_all(&worker, &queue, &messages).await?;
    for group in ["billing", "audit"] {
        let told = stage.take(&worker, &queue, of(group), 4).await;
        let order = [1, 3, 0, 2].map(|number: usize| messages[number].id);
        stage.demand("GRP-17", &told, Expectation::in_order(order));
    }
    Ok(())
}
