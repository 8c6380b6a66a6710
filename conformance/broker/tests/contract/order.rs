//! First in, first out within a priority, whatever happens to a message on its way.

use workwire_broker::{CloseMode, Fetch, Policy, RestartMode, Verdict};

use super::desk::{World, id, message, numbers, run, with_delay, with_priority};

crate::subjects::each_broker![run:
    first_in_first_out_within_one_priority,
    order_holds_over_many_fetches,
    order_survives_a_restart,
    a_retry_does_not_reorder_the_rest,
    a_retry_keeps_its_place,
    a_retry_that_rested_keeps_its_place,
    what_is_given_back_keeps_its_place,
    an_ended_lease_keeps_its_place,
    a_delayed_one_stands_where_it_was_published,
    a_stuck_message_does_not_block_the_others,
    ids_say_nothing_about_the_order,
];

async fn first_in_first_out_within_one_priority(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=50).await;
    assert_eq!(desk.taken().await, (1..=50).collect::<Vec<_>>());
}

async fn order_holds_over_many_fetches(world: World) {
    let desk = world.desk(Policy::default()).await;
    let mut taken = Vec::new();
    for round in 0..10 {
        desk.put_all(round * 3 + 1..=round * 3 + 3).await;
        taken.extend(numbers(&desk.take(2).await));
    }
    taken.extend(desk.taken().await);
    assert_eq!(taken, (1..=30).collect::<Vec<_>>());
}

async fn order_survives_a_restart(world: World) {
    for mode in [RestartMode::Graceful, RestartMode::Kill] {
        let desk = world.desk(Policy::default()).await;
        desk.put_all(1..=5).await;
        desk.put(with_priority(6, 5)).await;
        desk.take(3).await;
        let desk = desk.after_restart(mode).await;
        assert_eq!(desk.taken().await, [6, 1, 2, 3, 4, 5]);
        desk.client.delete(&desk.queue).await.unwrap();
        desk.close(CloseMode::Graceful).await;
    }
}

async fn a_retry_does_not_reorder_the_rest(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=5).await;
    let taken = desk.take(3).await;
    desk.retry(&taken[1]).await;
    let rest = desk.taken().await;
    let others: Vec<u128> = rest.iter().copied().filter(|number| *number != 2).collect();
    assert_eq!((rest.len(), others), (3, vec![4, 5]));
}

async fn a_retry_keeps_its_place(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=4).await;
    let taken = desk.take(2).await;
    desk.retry(&taken[1]).await;
    desk.retry(&taken[0]).await;
    assert_eq!(desk.taken().await, [1, 2, 3, 4]);
}

async fn a_retry_that_rested_keeps_its_place(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=3).await;
    let verdict = Verdict::Retry { delay_ms: Some(100), reason: None };
    desk.settle(&desk.one().await.tag, verdict).await.unwrap();
    desk.advance(100);
    assert_eq!(desk.taken().await, [1, 2, 3]);
}

async fn what_is_given_back_keeps_its_place(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=4).await;
    for mode in [CloseMode::Graceful, CloseMode::Abort] {
        let leaving = desk.beside("leaving").await;
        leaving.take(2).await;
        leaving.close(mode).await;
    }
    assert_eq!(desk.taken().await, [1, 2, 3, 4]);
}

async fn an_ended_lease_keeps_its_place(world: World) {
    let desk = world.desk(Policy { lease_ms: 100, ..Policy::default() }).await;
    desk.put_all(1..=4).await;
    desk.take(2).await;
    desk.advance(100);
    assert_eq!(desk.taken().await, [1, 2, 3, 4]);
}

async fn a_delayed_one_stands_where_it_was_published(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_delay(1, 100)).await;
    desk.put(with_delay(2, 50)).await;
    desk.put(message(3)).await;
    desk.advance(100);
    assert_eq!(desk.taken().await, [1, 2, 3]);
}

async fn a_stuck_message_does_not_block_the_others(world: World) {
    let desk = world.desk(Policy { max_attempts: 100, ..Policy::default() }).await;
    desk.put_all(1..=4).await;
    let stuck = desk.one().await;
    desk.settle(&stuck.tag, Verdict::Retry { delay_ms: Some(60_000), reason: None }).await.unwrap();
    let held = desk.one().await;
    assert_eq!(desk.taken().await, [3, 4]);
    desk.done(&held).await;
}

async fn ids_say_nothing_about_the_order(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all([9, 2, 7, 1]).await;
    let last = desk.one_of(Fetch::up_to(1).only(id(1))).await;
    desk.retry(&last).await;
    assert_eq!(desk.taken().await, [9, 2, 7, 1]);
}
