//! Connections: opened under a name, ended in one way or another.

use workwire_broker::{Broker, BrokerError, CloseMode, Code, Policy, RestartMode};

use super::desk::{Counts, World, message, run};

crate::subjects::each_broker![run:
    a_client_opened_twice_is_a_conflict,
    a_name_is_free_again_after_a_close,
    a_name_is_free_again_after_a_restart,
    many_clients_are_open_side_by_side,
    a_queue_outlives_the_client_that_declared_it,
    shutdown_gives_back_and_ends,
];

async fn refusal(broker: &dyn Broker, name: &str) -> Option<BrokerError> {
    broker.open(name).await.err()
}

async fn a_client_opened_twice_is_a_conflict(world: World) {
    let first = world.open("ada").await;
    let error = refusal(&*world.broker, "ada").await.expect("a refusal");
    assert_eq!(error.code(), Code::Conflict, "{error}");
    // The first one lives on.
    first.agents(None, None).await.unwrap();
}

async fn a_name_is_free_again_after_a_close(world: World) {
    for mode in [CloseMode::Graceful, CloseMode::Abort, CloseMode::Graceful] {
        world.open("ada").await.close(mode).await.unwrap();
    }
}

async fn a_name_is_free_again_after_a_restart(world: World) {
    let before = world.open("ada").await;
    for mode in [RestartMode::Graceful, RestartMode::Kill] {
        world.broker.restart(mode).await.unwrap();
        world.open("ada").await;
    }
    drop(before);
}

async fn many_clients_are_open_side_by_side(world: World) {
    let desk = world.desk(Policy::default()).await;
    let mut others = Vec::new();
    for number in 1..=50_u128 {
        let other = desk.beside(&format!("client-{number}")).await;
        other.put(message(number)).await;
        others.push(other);
    }
    assert_eq!(desk.taken().await.len(), 50);
}

async fn a_queue_outlives_the_client_that_declared_it(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.beside("other").await;
    desk.put(message(1)).await;
    desk.close(CloseMode::Graceful).await;
    assert_eq!(other.taken().await, [1]);
}

async fn shutdown_gives_back_and_ends(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    assert_eq!(desk.depth().await, Counts { ready: 1, ..Counts::NONE });
    desk.one().await;
    world.broker.shutdown().await.unwrap();
    desk.publish(message(2)).await.unwrap_err();
    assert!(refusal(&*world.broker, "late").await.is_some());
}
