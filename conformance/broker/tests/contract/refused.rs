//! Queues that were never declared, clients that are closed: each operation says so.

use workwire_broker::{
    CloseMode, Code, Fetch, Health, HealthStatus, Policy, Purge, Queue, RestartMode, Update, Verdict,
};

use super::desk::{Counts, Desk, World, id, looking_at, message, refused, run};

crate::subjects::each_broker![run:
    an_undeclared_queue_is_not_found_by_any_operation,
    a_closed_client_is_not_found_by_any_operation,
    a_client_from_before_a_restart_is_not_found,
    a_wrong_number_is_told_before_a_closed_client,
    a_closed_client_is_told_before_an_undeclared_queue,
];

/// Each operation on the queue of this desk, with what it was refused for.
async fn all_are(desk: &Desk, code: Code) {
    let (client, queue) = (&desk.client, &desk.queue);
    let tag = workwire_broker::Tag("any".to_owned());
    refused(client.publish(queue, message(1)).await, code);
    refused(client.publish_batch(queue, vec![message(1)]).await, code);
    refused(client.fetch(queue, Fetch::up_to(1)).await, code);
    refused(client.fetch(queue, Fetch::up_to(1).waiting(60_000)).await, code);
    refused(client.peek(queue, looking_at(1)).await, code);
    refused(client.settle(queue, &tag, Verdict::Done).await, code);
    refused(client.extend(queue, &tag, 1_000).await, code);
    refused(client.depth(queue, None).await, code);
    refused(client.dead_letters(queue, 1, None).await, code);
    refused(client.replay(queue, id(1), None).await, code);
    refused(client.purge(queue, Purge::default()).await, code);
    refused(client.purge(queue, Purge { dead: true, group: None }).await, code);
    refused(client.delete(queue).await, code);
    refused(client.sweep(queue).await, code);
}

async fn client_itself_is_gone(desk: &Desk) {
    let update = Update::Channel(Health::new("ada".parse().unwrap(), HealthStatus::Idle));
    refused(desk.client.declare(&desk.queue, &Policy::default()).await, Code::NotFound);
    refused(desk.client.heartbeat(update, None).await, Code::NotFound);
    refused(desk.client.agents(None, None).await, Code::NotFound);
    refused(desk.client.close(CloseMode::Graceful).await, Code::NotFound);
    refused(desk.client.close(CloseMode::Abort).await, Code::NotFound);
}

async fn an_undeclared_queue_is_not_found_by_any_operation(world: World) {
    let desk = world.desk(Policy::default()).await;
    let nowhere = Desk { queue: Queue::new("nowhere"), ..desk.clone() };
    all_are(&nowhere, Code::NotFound).await;
    // It was not made by asking.
    all_are(&nowhere, Code::NotFound).await;
    let error = refused(nowhere.publish(message(1)).await, Code::NotFound);
    assert!(error.message().contains("nowhere"), "{error}");
}

async fn a_closed_client_is_not_found_by_any_operation(world: World) {
    let desk = world.desk(Policy::default()).await;
    for mode in [CloseMode::Graceful, CloseMode::Abort] {
        let closed = desk.beside("closed").await;
        closed.close(mode).await;
        all_are(&closed, Code::NotFound).await;
        client_itself_is_gone(&closed).await;
    }
    assert_eq!(desk.depth().await, Counts::NONE);
}

async fn a_client_from_before_a_restart_is_not_found(world: World) {
    for mode in [RestartMode::Graceful, RestartMode::Kill] {
        let desk = world.desk(Policy::default()).await;
        world.broker.restart(mode).await.unwrap();
        all_are(&desk, Code::NotFound).await;
        client_itself_is_gone(&desk).await;
    }
}

async fn a_wrong_number_is_told_before_a_closed_client(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.close(CloseMode::Graceful).await;
    let (client, queue) = (&desk.client, &desk.queue);
    let tag = workwire_broker::Tag("any".to_owned());
    refused(client.fetch(queue, Fetch::up_to(0)).await, Code::Invalid);
    refused(client.peek(queue, looking_at(0)).await, Code::Invalid);
    refused(client.extend(queue, &tag, 0).await, Code::Invalid);
    let verdict = Verdict::Retry { delay_ms: Some(-1), reason: None };
    refused(client.settle(queue, &tag, verdict).await, Code::Invalid);
    refused(client.dead_letters(queue, 0, None).await, Code::Invalid);
    refused(client.agents(Some(0), None).await, Code::Invalid);
    refused(client.declare(queue, &Policy { lease_ms: 0, ..Policy::default() }).await, Code::Invalid);
    refused(client.depth(&Queue::new("no queue"), None).await, Code::Invalid);
}

async fn a_closed_client_is_told_before_an_undeclared_queue(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.close(CloseMode::Graceful).await;
    let error = refused(desk.client.depth(&Queue::new("nowhere"), None).await, Code::NotFound);
    assert!(error.message().contains("client"), "{error}");
}
