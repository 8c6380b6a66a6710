//! LSE · Leases: leases that are made longer, or shorter.

use workwire_broker::{Capability, Code, Fetch, Tag};

use super::{after_asking, leased, take_and_tell};
use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;

pub(in crate::cases) const CASES: &[Case] = &[
    Case {
        id: "lse/an_extended_lease_ends_later",
        clauses: &["LSE-6"],
        needs: &[Capability::Extend, Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_extended_lease_ends_later(stage)),
    },
    Case {
        id: "lse/an_extended_lease_ends",
        clauses: &["LSE-7"],
        needs: &[Capability::Extend, Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_extended_lease_ends(stage)),
    },
    Case {
        id: "lse/an_extension_may_shorten",
        clauses: &["LSE-8"],
        needs: &[Capability::Extend, Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_extension_may_shorten(stage)),
    },
    Case {
        id: "lse/an_extension_is_for_one_delivery",
        clauses: &["LSE-9"],
        needs: &[Capability::Extend, Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_extension_is_for_one_delivery(stage)),
    },
    Case {
        id: "lse/an_ended_lease_is_not_extended",
        clauses: &["LSE-10"],
        needs: &[Capability::Extend, Capability::Lease],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_ended_lease_is_not_extended(stage)),
    },
    Case {
        id: "lse/only_who_holds_it_extends_it",
        clauses: &["LSE-11"],
        needs: &[Capability::Extend],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(only_who_holds_it_extends_it(stage)),
    },
    Case {
        id: "lse/an_extension_by_nothing_is_refused",
        clauses: &["LSE-12"],
        needs: &[Capability::Extend],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(an_extension_by_nothing_is_refused(stage)),
    },
];

/// LSE-6: A message whose lease was extended is not delivered before its new end.
async fn an_extended_lease_ends_later(stage: &mut Stage) -> Result<(), Stop> {
    let (lease, longer) = (stage.ms(300), stage.ms(900));
    let queue = stage.queue("tasks", &leased(stage, lease)).await?;
    let (holder, other) = (stage.client("holder").await?, stage.client("other").await?);
    let message = stage.message("takes its time");
    stage.publish(&holder, &queue, &message).await?;
    let (delivery, taken) = take_and_tell(stage, &holder, &queue).await?;
    let extended = holder.extend(&queue, &delivery.tag, longer).await;
    stage.premise(&extended, Expectation::EndsBy { moment: after_asking(taken, lease) });
    stage.demand("LSE-6", &extended, Expectation::Accepted);
    let told = stage.take_after(&other, &queue, Fetch::up_to(1), 1, longer).await;
    stage.need_that(&told, Expectation::shows(message.id))?;
    stage.demand("LSE-6", &told, Expectation::NotBefore { moment: extended.after_asking(longer) });
    Ok(())
}

/// LSE-7: A message whose lease was extended is delivered again after its new end.
async fn an_extended_lease_ends(stage: &mut Stage) -> Result<(), Stop> {
    let (lease, longer) = (stage.ms(300), stage.ms(500));
    let queue = stage.queue("tasks", &leased(stage, lease)).await?;
    let (holder, other) = (stage.client("holder").await?, stage.client("other").await?);
    let message = stage.message("not for ever");
    stage.publish(&holder, &queue, &message).await?;
    let (delivery, taken) = take_and_tell(stage, &holder, &queue).await?;
    let extended = holder.extend(&queue, &delivery.tag, longer).await;
    stage.premise(&extended, Expectation::EndsBy { moment: after_asking(taken, lease) });
    stage.need(extended)?;
    let told = stage.take_after(&other, &queue, Fetch::up_to(1), 1, longer).await;
    stage.demand("LSE-7", &told, Expectation::shows(message.id));
    Ok(())
}

/// LSE-8: An extension counts from now, so that it may shorten.
async fn an_extension_may_shorten(stage: &mut Stage) -> Result<(), Stop> {
    // The lease is long: what comes back was shortened.
    let queue = stage.queue("tasks", &leased(stage, stage.ms(60_000))).await?;
    let (holder, other) = (stage.client("holder").await?, stage.client("other").await?);
    let message = stage.message("nearly ready");
    stage.publish(&holder, &queue, &message).await?;
    let (delivery, _) = take_and_tell(stage, &holder, &queue).await?;
    let shorter = stage.ms(150);
    let extended = holder.extend(&queue, &delivery.tag, shorter).await;
    stage.demand("LSE-8", &extended, Expectation::Accepted);
    let told = stage.take_after(&other, &queue, Fetch::up_to(1), 1, shorter).await;
    stage.demand("LSE-8", &told, Expectation::shows(message.id));
    stage.demand("LSE-8", &told, Expectation::NotBefore { moment: extended.after_asking(shorter) });
    Ok(())
}

/// LSE-9: An extension is for one delivery, and leaves the others of its client as they are.
async fn an_extension_is_for_one_delivery(stage: &mut Stage) -> Result<(), Stop> {
    let (lease, longer) = (stage.ms(300), stage.ms(60_000));
    let queue = stage.queue("tasks", &leased(stage, lease)).await?;
    let (holder, other) = (stage.client("holder").await?, stage.client("other").await?);
    let messages = stage.messages(3);
    stage.publish_all(&holder, &queue, &messages).await?;
    let told = stage.take(&holder, &queue, Fetch::up_to(3), 3).await;
    stage.need_that(&told, Expectation::count(3))?;
    let first_taken = told.numbers().first().copied().ok_or(Stop)?;
    let held = stage.need(told)?;
    let extended = holder.extend(&queue, &held[1].tag, longer).await;
    stage.premise(&extended, Expectation::EndsBy { moment: after_asking(first_taken, lease) });
    stage.need(extended)?;
    let told = stage.take(&other, &queue, Fetch::up_to(3), 2).await;
    stage.demand("LSE-9", &told, Expectation::in_any_order([held[0].id, held[2].id]));
    Ok(())
}

/// LSE-10: A lease that has ended is not extended: the tag is `stale`.
async fn an_ended_lease_is_not_extended(stage: &mut Stage) -> Result<(), Stop> {
    let lease = stage.ms(150);
    let queue = stage.queue("tasks", &leased(stage, lease)).await?;
    let (late, next) = (stage.client("late").await?, stage.client("next").await?);
    let messages = stage.messages(2);
    stage.publish(&late, &queue, &messages[0]).await?;
    // Nobody has taken it meanwhile.
    let (delivery, _) = take_and_tell(stage, &late, &queue).await?;
    stage.pass(lease).await;
    let told = late.extend(&queue, &delivery.tag, stage.ms(10_000)).await;
    stage.demand("LSE-10", &told, Expectation::refused(Code::Stale));
    // Somebody has.
    let told = stage.take(&next, &queue, Fetch::up_to(1), 1).await;
    stage.demand("LSE-10", &told, Expectation::shows(messages[0].id));
    let told = late.extend(&queue, &delivery.tag, stage.ms(10_000)).await;
    stage.demand("LSE-10", &told, Expectation::refused(Code::Stale));
    Ok(())
}

/// LSE-11: A tag that names no delivery, a settled one or another client's is not extended, but refused as `stale`.
async fn only_who_holds_it_extends_it(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let (holder, other) = (stage.client("holder").await?, stage.client("other").await?);
    let message = stage.message("mine");
    stage.publish(&holder, &queue, &message).await?;
    let delivery = stage.take_one(&holder, &queue).await?;
    let lease = stage.ms(10_000);
    let told = other.extend(&queue, &delivery.tag, lease).await;
    stage.demand("LSE-11", &told, Expectation::refused(Code::Stale));
    let told = holder.extend(&queue, &Tag("of-nobody".to_owned()), lease).await;
    stage.demand("LSE-11", &told, Expectation::refused(Code::Stale));
    let told = holder.done(&queue, &delivery).await;
    stage.demand("LSE-11", &told, Expectation::Accepted);
    let told = holder.extend(&queue, &delivery.tag, lease).await;
    stage.demand("LSE-11", &told, Expectation::refused(Code::Stale));
    Ok(())
}

/// LSE-12: An extension of less than a millisecond is refused as `invalid`.
async fn an_extension_by_nothing_is_refused(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("held");
    stage.publish(&worker, &queue, &message).await?;
    let delivery = stage.take_one(&worker, &queue).await?;
    for lease in [0, -1] {
        let told = worker.extend(&queue, &delivery.tag, lease).await;
        stage.demand("LSE-12", &told, Expectation::refused(Code::Invalid));
    }
    // It is held as before.
    let told = worker.done(&queue, &delivery).await;
    stage.demand("LSE-12", &told, Expectation::Accepted);
    Ok(())
}
