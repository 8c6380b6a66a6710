//! TEN · Tenancy.

use workwire_broker::{
    Capability, Code, Delivery, Fetch, Health, HealthStatus, Message, Peek, Policy, Purge, Queue, Update,
};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;
use crate::recorder::Actor;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "ten/a_fetch_does_not_cross_tenants",
        clauses: &["TEN-1"],
        needs: &[Capability::Tenancy],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_fetch_does_not_cross_tenants(stage)),
    },
    Case {
        id: "ten/a_look_does_not_cross_tenants",
        clauses: &["TEN-2"],
        needs: &[Capability::Tenancy, Capability::Browse],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_look_does_not_cross_tenants(stage)),
    },
    Case {
        id: "ten/depth_does_not_cross_tenants",
        clauses: &["TEN-3"],
        needs: &[Capability::Tenancy],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(depth_does_not_cross_tenants(stage)),
    },
    Case {
        id: "ten/a_tag_does_not_cross_tenants",
        clauses: &["TEN-4"],
        needs: &[Capability::Tenancy],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_tag_does_not_cross_tenants(stage)),
    },
    Case {
        id: "ten/letters_do_not_cross_tenants",
        clauses: &["TEN-5"],
        needs: &[Capability::Tenancy, Capability::DeadLetter],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(letters_do_not_cross_tenants(stage)),
    },
    Case {
        id: "ten/a_replay_does_not_cross_tenants",
        clauses: &["TEN-6"],
        needs: &[Capability::Tenancy, Capability::DeadLetter, Capability::Replay],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_replay_does_not_cross_tenants(stage)),
    },
    Case {
        id: "ten/a_purge_does_not_cross_tenants",
        clauses: &["TEN-7"],
        needs: &[Capability::Tenancy, Capability::Purge],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_purge_does_not_cross_tenants(stage)),
    },
    Case {
        id: "ten/a_delete_does_not_cross_tenants",
        clauses: &["TEN-8"],
        needs: &[Capability::Tenancy],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(a_delete_does_not_cross_tenants(stage)),
    },
    Case {
        id: "ten/agents_are_their_tenants",
        clauses: &["TEN-9"],
        needs: &[Capability::Tenancy, Capability::Presence],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(agents_are_their_tenants(stage)),
    },
    Case {
        id: "ten/one_id_in_two_tenants_is_two_messages",
        clauses: &["TEN-10"],
        needs: &[Capability::Tenancy, Capability::Dedupe],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(one_id_in_two_tenants_is_two_messages(stage)),
    },
    Case {
        id: "ten/who_names_no_tenant_reaches_none",
        clauses: &["TEN-11"],
        needs: &[Capability::Tenancy],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(who_names_no_tenant_reaches_none(stage)),
    },
    Case {
        id: "ten/each_tenant_has_its_own_policy",
        clauses: &["TEN-12"],
        needs: &[Capability::Tenancy],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(each_tenant_has_its_own_policy(stage)),
    },
    Case {
        id: "ten/what_reads_alike_is_not_the_same",
        clauses: &["TEN-13"],
        needs: &[Capability::Tenancy],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(what_reads_alike_is_not_the_same(stage)),
    },
    Case {
        id: "ten/crafted_tenants_are_refused",
        clauses: &["TEN-14"],
        needs: &[Capability::Tenancy],
        checks: &[],
        alone: Alone::No,
        run: |stage| Box::pin(crafted_tenants_are_refused(stage)),
    },
    Case {
        id: "ten/a_flooded_neighbour",
        clauses: &["TEN-15"],
        needs: &[Capability::Tenancy],
        checks: &[],
        alone: Alone::Yes,
        run: |stage| Box::pin(a_flooded_neighbour(stage)),
    },
];

/// Two tenants' queues of one name, and a queue of that name of no tenant.
async fn three(stage: &mut Stage) -> Result<[Queue; 3], Stop> {
    let policy = stage.policy();
    Ok([
        stage.tenant_queue("acme", "tasks", &policy).await?,
        stage.tenant_queue("zeta", "tasks", &policy).await?,
        stage.queue("tasks", &policy).await?,
    ])
}

/// Puts one message into a queue, and takes it.
async fn held(stage: &mut Stage, by: &Actor, queue: &Queue) -> Result<Delivery, Stop> {
    let message = stage.message("of one tenant");
    stage.publish(by, queue, &message).await?;
    stage.take_one(by, queue).await
}

/// TEN-1: A fetch is given nothing of another tenant's queue of the same name.
async fn a_fetch_does_not_cross_tenants(stage: &mut Stage) -> Result<(), Stop> {
    let [acme, zeta, nobodys] = three(stage).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("of acme");
    stage.publish(&worker, &acme, &message).await?;
    for other in [&zeta, &nobodys] {
        let told = stage.take_for_a_while(&worker, other, Fetch::up_to(1)).await;
        stage.demand("TEN-1", &told, Expectation::nothing());
    }
    let told = stage.take(&worker, &acme, Fetch::up_to(1), 1).await;
    stage.demand("TEN-1", &told, Expectation::shows(message.id));
    Ok(())
}

/// TEN-2: A look shows nothing of another tenant's queue of the same name.
async fn a_look_does_not_cross_tenants(stage: &mut Stage) -> Result<(), Stop> {
    let [acme, zeta, nobodys] = three(stage).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("of acme");
    stage.publish(&worker, &acme, &message).await?;
    let look = Peek { max: 10, ..Peek::default() };
    stage.demand_soon("TEN-2", Expectation::shows(message.id), || worker.peek(&acme, look.clone())).await;
    for other in [&zeta, &nobodys] {
        let told = worker.peek(other, look.clone()).await;
        stage.demand("TEN-2", &told, Expectation::nothing());
    }
    Ok(())
}

/// TEN-3: `depth` counts nothing of another tenant's queue of the same name.
async fn depth_does_not_cross_tenants(stage: &mut Stage) -> Result<(), Stop> {
    let [acme, zeta, nobodys] = three(stage).await?;
    let worker = stage.client("worker").await?;
    held(stage, &worker, &acme).await?;
    let message = stage.message("of acme");
    stage.publish(&worker, &acme, &message).await?;
    stage.demand_soon("TEN-3", Expectation::depth(1, 1, 0, 0), || worker.depth(&acme, None)).await;
    for other in [&zeta, &nobodys] {
        let told = worker.depth(other, None).await;
        stage.demand("TEN-3", &told, Expectation::depth(0, 0, 0, 0));
    }
    Ok(())
}

/// TEN-4: A tag is `stale` in another tenant's queue of the same name, and the delivery goes on.
async fn a_tag_does_not_cross_tenants(stage: &mut Stage) -> Result<(), Stop> {
    let [acme, zeta, nobodys] = three(stage).await?;
    let worker = stage.client("worker").await?;
    let delivery = held(stage, &worker, &acme).await?;
    for other in [&zeta, &nobodys] {
        let told = worker.done(other, &delivery).await;
        stage.demand("TEN-4", &told, Expectation::refused(Code::Stale));
        if stage.claims(Capability::Extend) {
            let told = worker.extend(other, &delivery.tag, stage.ms(60_000)).await;
            stage.demand("TEN-4", &told, Expectation::refused(Code::Stale));
        }
    }
    let told = worker.done(&acme, &delivery).await;
    stage.demand("TEN-4", &told, Expectation::Accepted);
    Ok(())
}

/// TEN-5: `dead_letters` lists nothing of another tenant's queue of the same name.
async fn letters_do_not_cross_tenants(stage: &mut Stage) -> Result<(), Stop> {
    let [acme, zeta, nobodys] = three(stage).await?;
    let worker = stage.client("worker").await?;
    let delivery = held(stage, &worker, &acme).await?;
    stage.need(worker.dead(&acme, &delivery, "no good").await)?;
    let letter = Expectation::shows(delivery.id);
    stage.demand_soon("TEN-5", letter, || worker.dead_letters(&acme, 10, None)).await;
    for other in [&zeta, &nobodys] {
        let told = worker.dead_letters(other, 10, None).await;
        stage.demand("TEN-5", &told, Expectation::nothing());
    }
    Ok(())
}

/// TEN-6: A replay of another tenant's letter is refused as `not_found`, and the letter stays.
async fn a_replay_does_not_cross_tenants(stage: &mut Stage) -> Result<(), Stop> {
    let [acme, zeta, nobodys] = three(stage).await?;
    let worker = stage.client("worker").await?;
    let delivery = held(stage, &worker, &acme).await?;
    stage.need(worker.dead(&acme, &delivery, "no good").await)?;
    let told = stage.until(&Expectation::count(1), || worker.dead_letters(&acme, 10, None)).await;
    stage.need_that(&told, Expectation::shows(delivery.id))?;
    for other in [&zeta, &nobodys] {
        let told = worker.replay(other, delivery.id, None).await;
        stage.demand("TEN-6", &told, Expectation::refused(Code::NotFound));
    }
    let told = worker.dead_letters(&acme, 10, None).await;
    stage.demand("TEN-6", &told, Expectation::shows(delivery.id));
    Ok(())
}

/// TEN-7: `purge` takes nothing from another tenant's queue of the same name.
async fn a_purge_does_not_cross_tenants(stage: &mut Stage) -> Result<(), Stop> {
    let [acme, zeta, nobodys] = three(stage).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("of acme");
    stage.publish(&worker, &acme, &message).await?;
    for other in [&zeta, &nobodys] {
        let told = worker.purge(other, Purge::default()).await;
        stage.demand("TEN-7", &told, Expectation::Removed { number: 0 });
    }
    let told = stage.take(&worker, &acme, Fetch::up_to(1), 1).await;
    stage.demand("TEN-7", &told, Expectation::shows(message.id));
    Ok(())
}

/// TEN-8: `delete` leaves another tenant's queue of the same name as it is.
async fn a_delete_does_not_cross_tenants(stage: &mut Stage) -> Result<(), Stop> {
    let [acme, zeta, nobodys] = three(stage).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("of acme");
    stage.publish(&worker, &acme, &message).await?;
    for other in [&zeta, &nobodys] {
        // Who cannot delete has deleted nothing of anybody's either.
        worker.delete(other).await;
    }
    let told = stage.take(&worker, &acme, Fetch::up_to(1), 1).await;
    stage.demand("TEN-8", &told, Expectation::shows(message.id));
    Ok(())
}

/// TEN-9: An agent is listed to its own tenant alone, and what another tenant's agent of the same
/// id says changes nothing of it.
async fn agents_are_their_tenants(stage: &mut Stage) -> Result<(), Stop> {
    let client = stage.client("agent").await?;
    let [acme, zeta] = ["acme", "zeta"].map(|tenant| stage.name(tenant));
    let name = stage.name("ada");
    let health = |status| Ok(Update::Channel(Health::new(name.parse().map_err(|_| Stop)?, status)));
    let listed = |status: &str| {
        let (id, status) = (name.clone(), Some(status.to_owned()));
        Expectation::Agent { id, status, task: None, counts: None, resources: None }
    };
    stage.need(client.heartbeat(&health(HealthStatus::Active)?, Some(&acme)).await)?;
    stage.demand_soon("TEN-9", listed("active"), || client.agents(None, Some(&acme))).await;
    for tenant in [Some(zeta.as_str()), None] {
        let told = client.agents(None, tenant).await;
        stage.demand("TEN-9", &told, Expectation::NoAgent { id: name.clone() });
    }
    stage.need(client.heartbeat(&health(HealthStatus::Failed)?, Some(&zeta)).await)?;
    stage.demand_soon("TEN-9", listed("failed"), || client.agents(None, Some(&zeta))).await;
    let told = client.agents(None, Some(&acme)).await;
    stage.demand("TEN-9", &told, listed("active"));
    Ok(())
}

/// TEN-10: The same id in two tenants' queues is two messages.
async fn one_id_in_two_tenants_is_two_messages(stage: &mut Stage) -> Result<(), Stop> {
    let queues = three(stage).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("of all three");
    for queue in &queues {
        let told = worker.publish(queue, &message).await;
        stage.demand("TEN-10", &told, Expectation::stored());
    }
    for queue in &queues {
        let told = stage.take(&worker, queue, Fetch::up_to(1), 1).await;
        stage.demand("TEN-10", &told, Expectation::shows(message.id));
        for delivery in told.into_answer().unwrap_or_default() {
            stage.need(worker.done(queue, &delivery).await)?;
        }
    }
    Ok(())
}

/// TEN-11: Who names no tenant reaches no tenant's queue, and who names one reaches no queue of no
/// tenant: where there is no other, it is `not_found`.
async fn who_names_no_tenant_reaches_none(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let of_a_tenant = stage.tenant_queue("acme", "tasks", &policy).await?;
    let of_nobody = stage.queue("events", &policy).await?;
    let worker = stage.client("worker").await?;
    for queue in [&of_a_tenant, &of_nobody] {
        let message = stage.message("of one of them");
        stage.publish(&worker, queue, &message).await?;
    }
    for other in [stage.queue_named("tasks"), stage.queue_of("acme", "events")] {
        let message = stage.message("of none of them");
        let told = worker.publish(&other, &message).await;
        stage.demand("TEN-11", &told, Expectation::refused(Code::NotFound));
        let told = worker.fetch(&other, Fetch::up_to(1)).await;
        stage.demand("TEN-11", &told, Expectation::refused(Code::NotFound));
        let told = worker.depth(&other, None).await;
        stage.demand("TEN-11", &told, Expectation::refused(Code::NotFound));
    }
    Ok(())
}

/// TEN-12: Two tenants' queues of the same name have each a policy of its own.
async fn each_tenant_has_its_own_policy(stage: &mut Stage) -> Result<(), Stop> {
    let worker = stage.client("worker").await?;
    for (tenant, max_attempts) in [("acme", 3), ("zeta", 1)] {
        let queue = stage.queue_of(tenant, "tasks");
        stage.clean_up(&queue);
        let told = worker.declare(&queue, &Policy { max_attempts, ..stage.policy() }).await;
        stage.demand("TEN-12", &told, Expectation::Accepted);
    }
    let queue = stage.queue_of("acme", "tasks");
    let delivery = held(stage, &worker, &queue).await?;
    stage.need(worker.retry(&queue, &delivery).await)?;
    let told = stage.take(&worker, &queue, Fetch::up_to(1), 1).await;
    stage.demand("TEN-12", &told, Expectation::shows(delivery.id));
    Ok(())
}

/// TEN-13: Queues are different where tenant or name is, also where both read alike when they are
/// put together.
async fn what_reads_alike_is_not_the_same(stage: &mut Stage) -> Result<(), Stop> {
    let worker = stage.client("worker").await?;
    let (a, a_b) = (stage.name("a"), stage.name("a-b"));
    let mut queues = vec![Queue::of_tenant(a_b.as_str(), "c"), Queue::of_tenant(format!("{a}--b"), "c")];
    queues.extend(["b-c", "b", "b.c", "b_c"].map(|name| Queue::of_tenant(a.as_str(), name)));
    queues.extend(["-b-c", "-b", ".b", "_b", ".b.c", "_b_c"].map(|tail| Queue::new(format!("{a}{tail}"))));
    queues.sort();
    queues.dedup();
    let mut own: Vec<(Queue, Message)> = Vec::new();
    for queue in queues {
        stage.clean_up(&queue);
        stage.need(worker.declare(&queue, &stage.policy()).await)?;
        let message = stage.message(format!("of {queue}"));
        stage.publish(&worker, &queue, &message).await?;
        own.push((queue, message));
    }
    for (queue, _) in &own {
        stage.demand_soon("TEN-13", Expectation::ready(1), || worker.depth(queue, None)).await;
    }
    for (queue, message) in own.iter().rev() {
        let told = stage.take(&worker, queue, Fetch::up_to(1), 1).await;
        stage.demand("TEN-13", &told, Expectation::shows(message.id));
    }
    Ok(())
}

/// TEN-14: A tenant's name that is none is refused as `invalid`, and reaches nothing.
async fn crafted_tenants_are_refused(stage: &mut Stage) -> Result<(), Stop> {
    let there = stage.tenant_queue("acme", "tasks", &stage.policy()).await?;
    let worker = stage.client("worker").await?;
    let message = stage.message("of acme");
    stage.publish(&worker, &there, &message).await?;
    let acme = stage.name("acme");
    let tails = [
        ":", "*", ">", "#", ".", "/", "/..", "/../acme", "%", "_", "'", "\"", "\0", "\n", " ", "A", "é", "а",
        "\u{200B}",
    ];
    let crafted = tails.iter().map(|tail| format!("{acme}{tail}"));
    let others = [String::new(), "..".to_owned(), "*".to_owned(), format!("-{acme}"), acme.to_uppercase()];
    let long = [65, 300].map(|length| format!("{acme}{}", "a".repeat(length - acme.len())));
    for tenant in crafted.chain(others).chain(long) {
        let queue = Queue::of_tenant(tenant.as_str(), there.name());
        let declared = worker.declare(&queue, &stage.policy()).await;
        if declared.answer().is_ok() {
            stage.clean_up(&queue);
        }
        stage.demand("TEN-14", &declared, Expectation::refused(Code::Invalid));
        let told = worker.fetch(&queue, Fetch::up_to(1)).await;
        stage.demand("TEN-14", &told, Expectation::refused(Code::Invalid));
        if stage.claims(Capability::Presence) {
            let told = worker.agents(None, Some(&tenant)).await;
            stage.demand("TEN-14", &told, Expectation::refused(Code::Invalid));
        }
    }
    let told = stage.take(&worker, &there, Fetch::up_to(1), 1).await;
    stage.demand("TEN-14", &told, Expectation::shows(message.id));
    Ok(())
}

/// TEN-15: A tenant whose queue is flooded does not slow another one down beyond a bound.
async fn a_flooded_neighbour(stage: &mut Stage) -> Result<(), Stop> {
    let policy = stage.policy();
    let flooded = stage.tenant_queue("acme", "tasks", &policy).await?;
    let quiet = stage.tenant_queue("zeta", "tasks", &policy).await?;
    let (planner, worker) = (stage.client("planner").await?, stage.client("worker").await?);
    let (flood, few) = (stage.messages(200), stage.messages(10));
    let round_trips = async {
        let mut first = None;
        let mut last = None;
        for message in &few {
            let published = stage.publish(&worker, &quiet, message).await?;
            let delivery = stage.take_one(&worker, &quiet).await?;
            let done = worker.done(&quiet, &delivery).await;
            stage.need(done.clone())?;
            first.get_or_insert(published);
            last = Some(done);
        }
        Ok(first.zip(last))
    };
    let (flooding, times) = tokio::join!(stage.publish_all(&planner, &flooded, &flood), round_trips);
    flooding?;
    if let Some((first, last)) = times? {
        stage.demand("TEN-15", &last, Expectation::By { moment: first.after_asking(stage.ms(2_000)) });
    }
    Ok(())
}
