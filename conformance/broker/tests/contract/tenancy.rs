//! Tenants: queues of one name that have nothing to do with each other.

use workwire_broker::{Code, Health, HealthStatus, Policy, Purge, Queue, Update};

use super::desk::{Counts, Desk, World, id, looking_at, message, refused, run, with_ttl};

crate::subjects::each_broker![run:
    no_operation_reaches_across_tenants,
    same_names_and_ids_in_two_tenants_are_independent,
    a_queue_without_a_tenant_is_nobodys,
    each_tenants_policy_is_its_own,
    delete_removes_one_tenants_queue_only,
    presence_does_not_reach_across_tenants,
    names_that_look_like_another_tenants_queue_are_refused_or_other_queues,
];

async fn three(world: &World, policy: Policy) -> [Desk; 3] {
    let nobodys = world.desk(policy.clone()).await;
    let acme = nobodys.at(Queue::of_tenant("acme", "tasks"), policy.clone()).await;
    let zenith = nobodys.at(Queue::of_tenant("zenith", "tasks"), policy).await;
    [nobodys, acme, zenith]
}

async fn no_operation_reaches_across_tenants(world: World) {
    let [nobodys, acme, zenith] = three(&world, Policy::default()).await;
    acme.put_all(1..=3).await;
    acme.put(with_ttl(4, 100)).await;
    let held = acme.one().await;
    acme.dead(&acme.one().await, "broken").await;
    acme.advance(100);
    for other in [&nobodys, &zenith] {
        assert!(other.taken().await.is_empty());
        assert!(other.seen(looking_at(10)).await.is_empty());
        assert_eq!(other.depth().await, Counts::NONE);
        assert!(other.letters().await.is_empty());
        refused(other.settle(&held.tag, workwire_broker::Verdict::Done).await, Code::Stale);
        refused(other.extend(&held.tag, 1_000).await, Code::Stale);
        refused(other.replay(2).await, Code::NotFound);
        assert_eq!(other.purge().await, 0);
        assert_eq!(other.client.purge(&other.queue, Purge { dead: true, group: None }).await.unwrap(), 0);
        assert_eq!(other.sweep().await, 0);
    }
    assert_eq!(acme.depth().await, Counts { ready: 1, leased: 1, delayed: 0, dead: 1 });
    assert_eq!(acme.sweep().await, 1);
    acme.done(&held).await;
}

async fn same_names_and_ids_in_two_tenants_are_independent(world: World) {
    let [nobodys, acme, zenith] = three(&world, Policy { max_length: Some(1), ..Policy::default() }).await;
    for desk in [&nobodys, &acme, &zenith] {
        desk.put(message(1)).await;
    }
    acme.done(&acme.one().await).await;
    zenith.dead(&zenith.one().await, "broken").await;
    assert_eq!(acme.depth().await, Counts::NONE);
    assert_eq!(zenith.depth().await, Counts { dead: 1, ..Counts::NONE });
    assert_eq!(nobodys.taken().await, [1]);
}

async fn a_queue_without_a_tenant_is_nobodys(world: World) {
    let desk = world.desk(Policy::default()).await;
    let acme = Queue::of_tenant("acme", "tasks");
    refused(desk.client.publish(&acme, message(1)).await, Code::NotFound);
    refused(desk.client.depth(&acme, None).await, Code::NotFound);
    let tenants = desk.at(Queue::of_tenant("acme", "reports"), Policy::default()).await;
    refused(tenants.client.depth(&Queue::new("reports"), None).await, Code::NotFound);
}

async fn each_tenants_policy_is_its_own(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, ..Policy::default() }).await;
    let acme = desk.at(Queue::of_tenant("acme", "tasks"), Policy { max_attempts: 2, ..Policy::default() }).await;
    for desk in [&desk, &acme] {
        desk.put(message(1)).await;
        desk.retry(&desk.one().await).await;
    }
    assert_eq!((desk.depth().await.dead, acme.depth().await.dead), (1, 0));
}

async fn delete_removes_one_tenants_queue_only(world: World) {
    let [nobodys, acme, zenith] = three(&world, Policy::default()).await;
    for desk in [&nobodys, &acme, &zenith] {
        desk.put(message(1)).await;
    }
    acme.client.delete(&acme.queue).await.unwrap();
    refused(acme.publish(message(2)).await, Code::NotFound);
    assert_eq!((nobodys.taken().await, zenith.taken().await), (vec![1], vec![1]));
}

async fn presence_does_not_reach_across_tenants(world: World) {
    let desk = world.desk(Policy::default()).await;
    let health = |status| Update::Channel(Health::new("ada".parse().unwrap(), status));
    let statuses = async |tenant: Option<&str>| -> Vec<String> {
        let agents = desk.client.agents(None, tenant).await.unwrap();
        agents.into_iter().map(|agent| agent.status).collect()
    };
    desk.client.heartbeat(health(HealthStatus::Active), Some("acme")).await.unwrap();
    assert_eq!(statuses(Some("acme")).await, ["active"]);
    assert!(statuses(Some("zenith")).await.is_empty() && statuses(None).await.is_empty());
    desk.client.heartbeat(health(HealthStatus::Idle), None).await.unwrap();
    desk.client.heartbeat(health(HealthStatus::Failed), Some("zenith")).await.unwrap();
    assert_eq!(statuses(Some("acme")).await, ["active"]);
    assert_eq!(statuses(Some("zenith")).await, ["failed"]);
    assert_eq!(statuses(None).await, ["idle"]);
}

async fn names_that_look_like_another_tenants_queue_are_refused_or_other_queues(world: World) {
    let acme = world.desk_at(Queue::of_tenant("acme", "tasks"), Policy::default()).await;
    acme.put(message(1)).await;
    for name in ["acme.tasks", "acme-tasks", "acme_tasks", "acme..tasks"] {
        let other = acme.at(Queue::new(name), Policy::default()).await;
        assert_eq!(other.depth().await, Counts::NONE, "{name}");
        other.put(message(2)).await;
    }
    let split = acme.at(Queue::of_tenant("acme-tasks", "x"), Policy::default()).await;
    let other = acme.at(Queue::of_tenant("acme", "tasks-x"), Policy::default()).await;
    split.put(message(3)).await;
    assert_eq!(other.depth().await, Counts::NONE);
    for name in ["acme/tasks", "acme:tasks", "../acme/tasks", "acme\0tasks"] {
        refused(acme.client.depth(&Queue::new(name), None).await, Code::Invalid);
    }
    assert_eq!(acme.one().await.id, id(1));
}
