//! BRW · Browse.

use bytes::Bytes;
use workwire_broker::{Capability, Fetch, Message, Peek, Verdict};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "brw/a_look_takes_nothing",
        clauses: &["BRW-1"],
        needs: &[Capability::Browse],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_look_takes_nothing(stage)),
    },
    Case {
        id: "brw/a_look_uses_up_no_attempt",
        clauses: &["BRW-2"],
        needs: &[Capability::Browse],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_look_uses_up_no_attempt(stage)),
    },
    Case {
        id: "brw/a_look_shows_the_more_urgent_first",
        clauses: &["BRW-3"],
        needs: &[Capability::Browse, Capability::Priority],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_look_shows_the_more_urgent_first(stage)),
    },
    Case {
        id: "brw/a_look_shows_the_older_first",
        clauses: &["BRW-4"],
        needs: &[Capability::Browse, Capability::Fifo],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_look_shows_the_older_first(stage)),
    },
    Case {
        id: "brw/a_look_shows_the_message_as_it_is",
        clauses: &["BRW-5"],
        needs: &[Capability::Browse],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_look_shows_the_message_as_it_is(stage)),
    },
    Case {
        id: "brw/a_look_shows_no_more_than_max",
        clauses: &["BRW-6"],
        needs: &[Capability::Browse],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_look_shows_no_more_than_max(stage)),
    },
    Case {
        id: "brw/page_after_page_shows_all_once",
        clauses: &["BRW-7"],
        needs: &[Capability::Browse],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(page_after_page_shows_all_once(stage)),
    },
    Case {
        id: "brw/a_look_does_not_show_what_is_held",
        clauses: &["BRW-8"],
        needs: &[Capability::Browse],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_look_does_not_show_what_is_held(stage)),
    },
    Case {
        id: "brw/a_look_does_not_show_what_rests",
        clauses: &["BRW-9"],
        needs: &[Capability::Browse, Capability::Delay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_look_does_not_show_what_rests(stage)),
    },
    Case {
        id: "brw/a_look_does_not_show_what_has_expired",
        clauses: &["BRW-10"],
        needs: &[Capability::Browse, Capability::Ttl],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_look_does_not_show_what_has_expired(stage)),
    },
    Case {
        id: "brw/a_fetch_by_id_takes_that_one",
        clauses: &["BRW-11"],
        needs: &[Capability::Browse],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_fetch_by_id_takes_that_one(stage)),
    },
    Case {
        id: "brw/a_fetch_by_id_takes_that_one_or_nothing",
        clauses: &["BRW-12"],
        needs: &[Capability::Browse],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_fetch_by_id_takes_that_one_or_nothing(stage)),
    },
    Case {
        id: "brw/of_two_takers_of_one_id_one_gets_it",
        clauses: &["BRW-13"],
        needs: &[Capability::Browse],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(of_two_takers_of_one_id_one_gets_it(stage)),
    },
    Case {
        id: "brw/the_second_taker_is_told_at_once",
        clauses: &["BRW-14"],
        needs: &[Capability::Browse],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(the_second_taker_is_told_at_once(stage)),
    },
    Case {
        id: "brw/a_fetch_by_id_does_not_cross_recipients",
        clauses: &["BRW-15"],
        needs: &[Capability::Browse, Capability::Addressing],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_fetch_by_id_does_not_cross_recipients(stage)),
    },
    Case {
        id: "brw/a_look_as_a_recipient",
        clauses: &["BRW-16"],
        needs: &[Capability::Browse, Capability::Addressing],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_look_as_a_recipient(stage)),
    },
    Case {
        id: "brw/a_look_of_a_group",
        clauses: &["BRW-17"],
        needs: &[Capability::Browse, Capability::Groups],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_look_of_a_group(stage)),
    },
    Case {
        id: "brw/a_look_makes_no_group",
        clauses: &["BRW-18"],
        needs: &[Capability::Browse, Capability::Groups],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_look_makes_no_group(stage)),
    },
];

/// Up to a hundred of the unnamed group.
const LOOK: Peek = Peek { max: 100, group: None, recipient: None, after: None };

/// BRW-1: A look takes nothing: what was shown can be fetched as before.
async fn a_look_takes_nothing(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (worker, observer) = (stage.client("worker").await?, stage.client("observer").await?);
    let messages = stage.messages(3);
    let ids = Expectation::in_any_order(messages.iter().map(|message| message.id));
    stage.publish_all(&worker, &queue, &messages).await?;
    for _ in 0..2 {
        stage.demand_soon("BRW-1", ids.clone(), || stage.look(&observer, &queue, &LOOK, 3)).await;
    }
    stage.demand_soon("BRW-1", Expectation::depth(3, 0, 0, 0), || observer.depth(&queue, None)).await;
    // Also while the one who looked is still there.
    let told = stage.take_within(&worker, &queue, Fetch::up_to(10), 3, stage.ms(1_000)).await;
    stage.demand("BRW-1", &told, ids);
    Ok(())
}

/// BRW-2: A look uses up no attempt.
async fn a_look_uses_up_no_attempt(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to do");
    stage.publish(&worker, &queue, &message).await?;
    for _ in 0..2 {
        let told = stage.until(&Expectation::count(1), || worker.peek(&queue, LOOK)).await;
        stage.need_that(&told, Expectation::shows(message.id))?;
    }
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("BRW-2", &told, Expectation::Attempts { attempts: vec![1] });
    Ok(())
}

/// BRW-3: A look shows the more urgent first, as they would be fetched.
async fn a_look_shows_the_more_urgent_first(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let queue = stage.queue("tasks", &policy).await?;
    let worker = stage.client("worker").await?;
    let mut messages = stage.messages(usize::try_from(policy.max_priority).unwrap_or(1));
    for (priority, message) in (1..).zip(&mut messages) {
        message.priority = Some(priority);
    }
    stage.publish_all(&worker, &queue, &messages).await?;
    let order = Expectation::in_order(messages.iter().rev().map(|message| message.id));
    stage.demand_soon("BRW-3", order, || stage.look(&worker, &queue, &LOOK, messages.len())).await;
    Ok(())
}

/// BRW-4: A look shows the older of one priority first, as they would be fetched.
async fn a_look_shows_the_older_first(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(5);
    stage.publish_all(&worker, &queue, &messages).await?;
    let order = Expectation::in_order(messages.iter().map(|message| message.id));
    stage.demand_soon("BRW-4", order, || stage.look(&worker, &queue, &LOOK, 5)).await;
    Ok(())
}

/// BRW-5: A look shows id, bytes and priority as they were published, and the attempt that the next
/// delivery will be.
async fn a_look_shows_the_message_as_it_is(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let mut message = stage.message((0..=255).collect::<Bytes>());
    if stage.claims(Capability::Priority) {
        message.priority = Some(2);
    }
    stage.publish(&worker, &queue, &message).await?;
    let shown = Expectation::shows(message.id);
    for attempt in [1, 2] {
        let told = stage.demand_soon("BRW-5", shown.clone(), || worker.peek(&queue, LOOK)).await;
        stage.demand("BRW-5", &told, Expectation::SameBytes);
        stage.demand("BRW-5", &told, Expectation::Attempts { attempts: vec![attempt] });
        if let Some(priority) = message.priority {
            stage.demand("BRW-5", &told, Expectation::Priorities { priorities: vec![priority] });
        }
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.retry(&queue, &delivery).await)?;
    }
    Ok(())
}

/// BRW-6: A look shows no more than `max`.
async fn a_look_shows_no_more_than_max(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(5);
    stage.publish_all(&worker, &queue, &messages).await?;
    let some = Expectation::Count { least: 1, most: 2 };
    stage.demand_soon("BRW-6", some, || worker.peek(&queue, Peek { max: 2, ..LOOK })).await;
    Ok(())
}

/// BRW-7: A look with `after` goes on behind that message, so that page after page shows every
/// message once.
async fn page_after_page_shows_all_once(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(7);
    stage.publish_all(&worker, &queue, &messages).await?;
    let pages = Peek { max: 3, ..LOOK };
    let all = Expectation::in_any_order(messages.iter().map(|message| message.id));
    // One more than there are: until a page is empty.
    stage.demand_soon("BRW-7", all, || stage.look(&worker, &queue, &pages, 8)).await;
    Ok(())
}

/// BRW-8: A look does not show what somebody holds.
async fn a_look_does_not_show_what_is_held(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (worker, observer) = (stage.client("worker").await?, stage.client("observer").await?);
    let messages = stage.messages(2);
    stage.publish_all(&worker, &queue, &messages).await?;
    let held = stage.take_one(&worker, &queue).await?;
    let told = stage.until(&Expectation::count(1), || observer.peek(&queue, LOOK)).await;
    stage.demand("BRW-8", &told, Expectation::ShowsNone { ids: vec![held.id] });
    stage.demand("BRW-8", &told, Expectation::count(1));
    Ok(())
}

/// BRW-9: A look does not show what rests.
async fn a_look_does_not_show_what_rests(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let later = Message { delay_ms: Some(60_000), ..stage.message("later") };
    let now = stage.message("now");
    stage.publish(&worker, &queue, &later).await?;
    stage.publish(&worker, &queue, &now).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    let rest = Verdict::Retry { delay_ms: Some(60_000), reason: None };
    stage.need(worker.settle(&queue, &delivery.tag, rest).await)?;
    let told = worker.peek(&queue, LOOK).await;
    stage.demand("BRW-9", &told, Expectation::nothing());
    Ok(())
}

/// BRW-10: A look does not show what has expired.
async fn a_look_does_not_show_what_has_expired(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let short = Message { ttl_ms: Some(stage.ms(100)), ..stage.message("for now") };
    let long = stage.message("for long");
    stage.publish(&worker, &queue, &short).await?;
    stage.publish(&worker, &queue, &long).await?;
    stage.pass(stage.ms(150)).await;
    stage.demand_soon("BRW-10", Expectation::shows(long.id), || worker.peek(&queue, LOOK)).await;
    Ok(())
}

/// BRW-11: A fetch by id takes that message and no other, though others stand before it.
async fn a_fetch_by_id_takes_that_one(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let messages = stage.messages(4);
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(10).only(messages[2].id), 1).await;
    stage.demand("BRW-11", &told, Expectation::shows(messages[2].id));
    stage.demand("BRW-11", &told, Expectation::SameBytes);
    let rest = [0, 1, 3].map(|number: usize| messages[number].id);
    let told = stage.take(&worker, &queue, Fetch::up_to(10), 3).await;
    stage.demand("BRW-11", &told, Expectation::in_any_order(rest));
    Ok(())
}

/// BRW-12: A fetch by the id of a message that is not ready takes nothing.
async fn a_fetch_by_id_takes_that_one_or_nothing(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let (done, waiting) = (stage.message("done"), stage.message("still there"));
    stage.publish(&worker, &queue, &done).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    stage.need(worker.done(&queue, &delivery).await)?;
    stage.publish(&worker, &queue, &waiting).await?;
    for id in [done.id, stage.id()] {
        let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(10).only(id)).await;
        stage.demand("BRW-12", &told, Expectation::nothing());
    }
    Ok(())
}

/// BRW-13: Of two who fetch by one id, one is given the message.
async fn of_two_takers_of_one_id_one_gets_it(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (ada, ben) = (stage.client("ada").await?, stage.client("ben").await?);
    for message in stage.messages(5) {
        stage.publish(&ada, &queue, &message).await?;
        let wanted = Fetch::up_to(1).only(message.id);
        let told = stage.until(&Expectation::count(1), || ada.peek(&queue, LOOK)).await;
        stage.need_that(&told, Expectation::shows(message.id))?;
        let (hers, his) = tokio::join!(ada.fetch(&queue, wanted.clone()), ben.fetch(&queue, wanted));
        let both: Vec<_> = [hers.numbers(), his.numbers()].concat();
        stage.demand_of("BRW-13", &both, Expectation::count(1));
        for (taker, told) in [(&ada, hers), (&ben, his)] {
            for delivery in stage.need(told)? {
                stage.need(taker.done(&queue, &delivery).await)?;
            }
        }
    }
    Ok(())
}

/// BRW-14: Who fetches by the id of a message that somebody holds is told at once that there is
/// nothing.
async fn the_second_taker_is_told_at_once(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (ada, ben) = (stage.client("ada").await?, stage.client("ben").await?);
    let message = stage.message("to do");
    stage.publish(&ada, &queue, &message).await?;
    let delivery = stage.take_one(&ada, &queue).await?;
    let told = ben.fetch(&queue, Fetch::up_to(1).only(message.id)).await;
    stage.demand("BRW-14", &told, Expectation::nothing());
    stage.demand("BRW-14", &told, Expectation::By { moment: told.after_asking(stage.ms(1_000)) });
    stage.need(ada.done(&queue, &delivery).await)?;
    Ok(())
}

/// BRW-15: A fetch by id is not given what is for another recipient.
async fn a_fetch_by_id_does_not_cross_recipients(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = Message { to: Some("ada".to_owned()), ..stage.message("for ada") };
    stage.publish(&worker, &queue, &message).await?;
    let wanted = Fetch::up_to(1).only(message.id);
    for fetch in [wanted.clone().for_recipient("ben"), wanted.clone()] {
        let told = stage.take_for_a_while(&worker, &queue, fetch).await;
        stage.demand("BRW-15", &told, Expectation::nothing());
    }
    let told = stage.take(&worker, &queue, wanted.for_recipient("ada"), 1).await;
    stage.demand("BRW-15", &told, Expectation::shows(message.id));
    Ok(())
}

/// BRW-16: A look as a recipient shows what is for it and what is for nobody, and nothing else.
async fn a_look_as_a_recipient(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let mut messages = stage.messages(3);
    messages[0].to = Some("ada".to_owned());
    messages[1].to = Some("ben".to_owned());
    stage.publish_all(&worker, &queue, &messages).await?;
    for (recipient, own) in [(Some("ada"), vec![0, 2]), (Some("ben"), vec![1, 2]), (None, vec![2])] {
        let as_it = Peek { recipient: recipient.map(str::to_owned), ..LOOK };
        let own = Expectation::in_any_order(own.into_iter().map(|number: usize| messages[number].id));
        stage.demand_soon("BRW-16", own, || stage.look(&worker, &queue, &as_it, 2)).await;
    }
    Ok(())
}

/// BRW-17: A look with a group shows what that group would be given.
async fn a_look_of_a_group(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let nothing = worker.fetch(&queue, Fetch::up_to(1).of_group("audit")).await;
    stage.need_that(&nothing, Expectation::nothing())?;
    let messages = stage.messages(2);
    stage.publish_all(&worker, &queue, &messages).await?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1).of_group("audit").only(messages[0].id), 1).await;
    for delivery in stage.need(told)? {
        stage.need(worker.done(&queue, &delivery).await)?;
    }
    let of_audit = Peek { group: Some("audit".to_owned()), ..LOOK };
    stage.demand_soon("BRW-17", Expectation::shows(messages[1].id), || worker.peek(&queue, of_audit.clone())).await;
    let both = Expectation::in_any_order(messages.iter().map(|message| message.id));
    stage.demand_soon("BRW-17", both, || stage.look(&worker, &queue, &LOOK, 2)).await;
    Ok(())
}

/// BRW-18: A look with a group that is not there makes no group.
async fn a_look_makes_no_group(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let (before, behind) = (stage.message("to see"), stage.message("to see later"));
    stage.publish(&worker, &queue, &before).await?;
    stage.need(worker.peek(&queue, Peek { group: Some("late".to_owned()), ..LOOK }).await)?;
    stage.publish(&worker, &queue, &behind).await?;
    // A group that began at the look would have kept what came behind it, and where new groups see all that is there
    // also what came before, though nobody else has either any more.
    for _ in [before, behind] {
        let delivery = stage.take_one(&worker, &queue).await?;
        stage.need(worker.done(&queue, &delivery).await)?;
    }
    let told = stage.take_for_a_while(&worker, &queue, Fetch::up_to(1).of_group("late")).await;
    stage.demand("BRW-18", &told, Expectation::nothing());
    Ok(())
}
