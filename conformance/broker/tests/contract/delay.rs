//! Messages for later.

use workwire_broker::{Code, MAX_MS, Message, Policy, RestartMode};

use super::desk::{Counts, World, looking_at, message, refused, run, with_delay};

crate::subjects::each_broker![run:
    not_before_its_time_and_then_at_once,
    a_delay_longer_than_the_lease_is_delivered_once,
    due_while_the_broker_was_down,
    counted_as_delayed_not_ready,
    a_resting_one_is_not_seen_nor_purged,
    a_delay_of_nothing_is_none,
    a_delay_out_of_range_is_refused,
    its_time_to_live_goes_on_while_it_rests,
];

async fn not_before_its_time_and_then_at_once(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_delay(1, 5_000)).await;
    desk.advance(4_999);
    assert!(desk.taken().await.is_empty());
    desk.advance(1);
    assert_eq!(desk.taken().await, [1]);
}

async fn a_delay_longer_than_the_lease_is_delivered_once(world: World) {
    let desk = world.desk(Policy { lease_ms: 100, ..Policy::default() }).await;
    desk.put(with_delay(1, 10_000)).await;
    let mut deliveries = 0;
    for _ in 0..300 {
        desk.advance(50);
        for taken in desk.take(10).await {
            deliveries += 1;
            assert_eq!(taken.attempt, 1);
            desk.done(&taken).await;
        }
    }
    assert_eq!(deliveries, 1);
}

async fn due_while_the_broker_was_down(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_delay(1, 1_000)).await;
    desk.put(with_delay(2, 9_000)).await;
    let desk = desk.after_restart(RestartMode::Kill).await;
    assert_eq!(desk.depth().await, Counts { delayed: 2, ..Counts::NONE });
    desk.advance(1_000);
    let desk = desk.after_restart(RestartMode::Graceful).await;
    assert_eq!(desk.taken().await, [1]);
    desk.advance(8_000);
    assert_eq!(desk.taken().await, [2]);
}

async fn counted_as_delayed_not_ready(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_delay(1, 100)).await;
    desk.put(message(2)).await;
    assert_eq!(desk.depth().await, Counts { ready: 1, delayed: 1, ..Counts::NONE });
    assert_eq!(desk.depth_of("not-yet").await, Counts { ready: 1, delayed: 1, ..Counts::NONE });
    desk.advance(100);
    assert_eq!(desk.depth().await, Counts { ready: 2, ..Counts::NONE });
}

async fn a_resting_one_is_not_seen_nor_purged(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_delay(1, 100)).await;
    assert!(desk.seen(looking_at(10)).await.is_empty());
    assert_eq!(desk.purge().await, 0);
    assert!(desk.fetch(workwire_broker::Fetch::up_to(1).only(super::desk::id(1))).await.is_empty());
    desk.advance(100);
    assert_eq!(desk.purge().await, 1);
}

async fn a_delay_of_nothing_is_none(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_delay(1, 0)).await;
    assert_eq!(desk.taken().await, [1]);
}

async fn a_delay_out_of_range_is_refused(world: World) {
    let desk = world.desk(Policy::default()).await;
    for delay_ms in [-1, i64::MIN, MAX_MS + 1, i64::MAX] {
        refused(desk.publish(with_delay(1, delay_ms)).await, Code::Invalid);
    }
    desk.put(with_delay(1, MAX_MS)).await;
    assert_eq!(desk.depth().await.delayed, 1);
}

async fn its_time_to_live_goes_on_while_it_rests(world: World) {
    let desk = world.desk(Policy { ttl_ms: Some(150), ..Policy::default() }).await;
    desk.put(Message { delay_ms: Some(100), ..message(1) }).await;
    desk.advance(100);
    assert_eq!(desk.depth().await.ready, 1);
    desk.advance(50);
    assert_eq!(desk.depth().await.ready, 0);
}
