//! What may be a name, and what may not.

use workwire_broker::{Capability, Code, Fetch, Message, Peek, Purge, Queue};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;

pub(in crate::cases) const CASES: &[Case] = &[
    Case {
        id: "lim/crafted_queue_names_are_refused",
        clauses: &["LIM-23"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(crafted_queue_names_are_refused(stage)),
    },
    Case {
        id: "lim/a_refused_name_is_nobody_elses",
        clauses: &["LIM-23"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_refused_name_is_nobody_elses(stage)),
    },
    Case {
        id: "lim/names_at_their_bounds_are_names",
        clauses: &["LIM-24"],
        needs: &[],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(names_at_their_bounds_are_names(stage)),
    },
    Case {
        id: "lim/crafted_groups_are_refused",
        clauses: &["LIM-25"],
        needs: &[Capability::Groups],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(crafted_groups_are_refused(stage)),
    },
    Case {
        id: "lim/groups_at_their_bounds_are_groups",
        clauses: &["LIM-26"],
        needs: &[Capability::Groups],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(groups_at_their_bounds_are_groups(stage)),
    },
    Case {
        id: "lim/crafted_recipients_are_refused",
        clauses: &["LIM-27"],
        needs: &[Capability::Addressing],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(crafted_recipients_are_refused(stage)),
    },
];

/// What no name may hold: what means something to a store, to a shell or to a path, and letters that
/// look like others.
const CRAFTED: &[&str] = &[
    ":", "*", ">", "#", "/", "/../", "%", "%00", "'", "\"", "\0", "\n", "\\", " ", "{a}", ";", "$", "é", "а",
    "\u{200B}", "\u{301}", "１",
];

/// LIM-23: A queue's name that is none, by its characters or its length, is refused as `invalid` by
/// every operation.
async fn crafted_queue_names_are_refused(stage: &mut Stage) -> Result<(), Stop> {
    let worker = stage.client("worker").await?;
    let own = stage.name("a");
    let inside = CRAFTED.iter().map(|crafted| format!("{own}{crafted}b"));
    let other = [String::new(), format!("-{own}"), format!("_{own}"), format!(".{own}"), format!("{own}A")];
    let long = [101, 300].map(|length| format!("{own}{}", "a".repeat(length - own.len())));
    for name in inside.chain(other).chain(long) {
        let queue = Queue::new(name);
        let declared = worker.declare(&queue, &stage.policy()).await;
        if declared.answer().is_ok() {
            stage.clean_up(&queue);
        }
        stage.demand("LIM-23", &declared, Expectation::refused(Code::Invalid));
        let message = stage.message("for nowhere");
        let told = worker.publish(&queue, &message).await;
        stage.demand("LIM-23", &told, Expectation::refused(Code::Invalid));
        let told = worker.fetch(&queue, Fetch::up_to(1)).await;
        stage.demand("LIM-23", &told, Expectation::refused(Code::Invalid));
        let told = worker.depth(&queue, None).await;
        stage.demand("LIM-23", &told, Expectation::refused(Code::Invalid));
    }
    Ok(())
}

/// LIM-23: A queue's name that is none, by its characters or its length, is refused as `invalid` by
/// every operation.
async fn a_refused_name_is_nobody_elses(stage: &mut Stage) -> Result<(), Stop> {
    // Where names are cut, folded or escaped, these would be the queue that is there.
    let queue = stage.queue(&"a".repeat(80), &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("to do");
    stage.publish(&worker, &queue, &message).await?;
    let name = queue.name();
    for alike in
        [name.to_uppercase(), format!("{name} "), format!("{name}\0"), format!("{name}/."), format!("./{name}")]
    {
        let alike = Queue::new(alike);
        let told = worker.fetch(&alike, Fetch::up_to(1)).await;
        stage.demand("LIM-23", &told, Expectation::refused(Code::Invalid));
        if stage.claims(Capability::Browse) {
            let told = worker.peek(&alike, Peek { max: 1, ..Peek::default() }).await;
            stage.demand("LIM-23", &told, Expectation::refused(Code::Invalid));
        }
        if stage.claims(Capability::Purge) {
            let told = worker.purge(&alike, Purge::default()).await;
            stage.demand("LIM-23", &told, Expectation::refused(Code::Invalid));
        }
        if stage.claims(Capability::DeadLetter) {
            let told = worker.dead_letters(&alike, 1, None).await;
            stage.demand("LIM-23", &told, Expectation::refused(Code::Invalid));
        }
        let told = worker.delete(&alike).await;
        stage.demand("LIM-23", &told, Expectation::Refused { codes: vec![Code::Invalid, Code::Unsupported] });
    }
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("LIM-23", &told, Expectation::shows(message.id));
    Ok(())
}

/// LIM-24: Every name of 1 to 100 of `a-z 0-9 . _ -` that begins with a letter or a digit can be a
/// queue's.
async fn names_at_their_bounds_are_names(stage: &mut Stage) -> Result<(), Stop> {
    let own = stage.name("0").len();
    for name in ["0.b_c-d..e__f--g.".to_owned(), format!("0{}", "z".repeat(100 - own)), "0_".to_owned()] {
        let queue = stage.queue_named(&name);
        stage.clean_up(&queue);
        let worker = stage.client("worker").await?;
        let told = worker.declare(&queue, &stage.policy()).await;
        stage.demand("LIM-24", &told, Expectation::Accepted);
        let message = stage.message("to do");
        let told = worker.publish(&queue, &message).await;
        stage.demand("LIM-24", &told, Expectation::stored());
        let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
        stage.demand("LIM-24", &told, Expectation::shows(message.id));
    }
    Ok(())
}

/// What is no name of a group or a recipient.
fn no_names() -> impl Iterator<Item = String> {
    let inside = CRAFTED.iter().map(|crafted| format!("a{crafted}b"));
    inside.chain(["", "-a", "_a", ".a"].map(str::to_owned)).chain([129, 300].map(|length| "a".repeat(length)))
}

/// LIM-25: A group's name that is none is refused as `invalid`.
async fn crafted_groups_are_refused(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    for group in no_names() {
        let told = worker.fetch(&queue, Fetch::up_to(1).of_group(group.as_str())).await;
        stage.demand("LIM-25", &told, Expectation::refused(Code::Invalid));
        let told = worker.depth(&queue, Some(&group)).await;
        stage.demand("LIM-25", &told, Expectation::refused(Code::Invalid));
    }
    Ok(())
}

/// LIM-26: Every name of 1 to 128 of `A-Z a-z 0-9 . _ -` that begins with a letter or a digit can
/// be a group's.
async fn groups_at_their_bounds_are_groups(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("events", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let groups = ["0", "Audit.B_c-9", &"z".repeat(128), &"z".repeat(127)].map(str::to_owned);
    for group in &groups {
        let told = worker.fetch(&queue, Fetch::up_to(1).of_group(group.as_str())).await;
        stage.demand("LIM-26", &told, Expectation::nothing());
    }
    let message = stage.message("to see");
    stage.publish(&worker, &queue, &message).await?;
    for group in groups {
        let told = stage.take(&worker, &queue, Fetch::up_to(1).of_group(group), 1).await;
        stage.demand("LIM-26", &told, Expectation::shows(message.id));
    }
    Ok(())
}

/// LIM-27: A recipient's name that is none is refused as `invalid`, by a publish and by a fetch.
async fn crafted_recipients_are_refused(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    for recipient in no_names() {
        let message = Message { to: Some(recipient.clone()), ..stage.message("for nobody") };
        let told = worker.publish(&queue, &message).await;
        stage.demand("LIM-27", &told, Expectation::refused(Code::Invalid));
        let told = worker.fetch(&queue, Fetch::up_to(1).for_recipient(recipient)).await;
        stage.demand("LIM-27", &told, Expectation::refused(Code::Invalid));
    }
    Ok(())
}
