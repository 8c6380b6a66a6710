//! Messages that live for a time.

use workwire_broker::{CloseMode, Code, Fetch, Message, Policy, Purge, Verdict};

use super::desk::{Counts, World, id, looking_at, message, refused, run, with_delay, with_ttl};

crate::subjects::each_broker![run:
    delivered_until_its_time_and_not_after,
    the_shorter_of_the_policys_and_its_own,
    a_short_one_behind_a_long_one_expires_too,
    an_expired_one_is_not_counted,
    a_held_one_that_expires_can_still_be_settled,
    a_held_one_that_expires_can_still_be_given_up,
    an_expired_one_that_comes_back_is_dropped,
    an_expired_one_leaves_no_letter,
    a_delay_longer_than_its_life_is_never_delivered,
    a_rest_longer_than_its_life_is_its_end,
    sweep_says_how_many_since_the_last,
    sweep_counts_what_was_dropped_before_it,
    sweep_counts_for_each_group,
    what_is_expired_is_not_seen_taken_by_id_or_purged,
    a_time_to_live_out_of_range_is_refused,
    an_expired_one_makes_room,
];

async fn delivered_until_its_time_and_not_after(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_ttl(1, 1_000)).await;
    desk.put(with_ttl(2, 1_000)).await;
    desk.advance(999);
    desk.one().await;
    desk.advance(1);
    assert!(desk.taken().await.is_empty());
}

async fn the_shorter_of_the_policys_and_its_own(world: World) {
    let desk = world.desk(Policy { ttl_ms: Some(500), ..Policy::default() }).await;
    desk.put(message(1)).await;
    desk.put(with_ttl(2, 1_000)).await;
    desk.put(with_ttl(3, 200)).await;
    desk.advance(199);
    assert_eq!(desk.depth().await.ready, 3);
    desk.advance(1);
    assert_eq!(desk.depth().await.ready, 2);
    desk.advance(299);
    assert_eq!(desk.depth().await.ready, 2);
    desk.advance(1);
    assert_eq!(desk.depth().await, Counts::NONE);
}

async fn a_short_one_behind_a_long_one_expires_too(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_ttl(1, 10_000)).await;
    desk.put(with_ttl(2, 100)).await;
    desk.put(message(3)).await;
    desk.advance(100);
    assert_eq!(desk.sweep().await, 1);
    assert_eq!(desk.taken().await, [1, 3]);
}

async fn an_expired_one_is_not_counted(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_ttl(1, 100)).await;
    desk.put(Message { delay_ms: Some(1_000), ..with_ttl(2, 100) }).await;
    assert_eq!(desk.depth().await, Counts { ready: 1, delayed: 1, ..Counts::NONE });
    desk.advance(100);
    assert_eq!(desk.depth().await, Counts::NONE);
    assert_eq!(desk.depth_of("not-yet").await, Counts::NONE);
}

async fn a_held_one_that_expires_can_still_be_settled(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_ttl(1, 100)).await;
    let held = desk.one().await;
    desk.advance(200);
    assert_eq!(desk.depth().await, Counts { leased: 1, ..Counts::NONE });
    desk.extend(&held.tag, 60_000).await.unwrap();
    desk.done(&held).await;
    assert_eq!((desk.depth().await, desk.sweep().await), (Counts::NONE, 0));
}

async fn a_held_one_that_expires_can_still_be_given_up(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_ttl(1, 100)).await;
    let held = desk.one().await;
    desk.advance(200);
    desk.dead(&held, "broken").await;
    assert_eq!(desk.letters().await.len(), 1);
    assert_eq!(desk.sweep().await, 0);
}

async fn an_expired_one_that_comes_back_is_dropped(world: World) {
    let desk = world.desk(Policy { lease_ms: 1_000, ..Policy::default() }).await;
    let (leaving, lost) = (desk.beside("leaving").await, desk.beside("lost").await);
    for number in 1..=4 {
        desk.put(with_ttl(number, 100)).await;
    }
    let held = desk.take(2).await;
    leaving.one().await;
    lost.one().await;
    desk.advance(200);
    desk.retry(&held[0]).await;
    leaving.close(CloseMode::Graceful).await;
    lost.close(CloseMode::Abort).await;
    assert_eq!(desk.depth().await, Counts { leased: 1, ..Counts::NONE });
    assert_eq!(desk.sweep().await, 3);
    desk.advance(800);
    assert_eq!((desk.depth().await, desk.sweep().await), (Counts::NONE, 1));
}

async fn an_expired_one_leaves_no_letter(world: World) {
    let desk = world.desk(Policy { ttl_ms: Some(10), ..Policy::default() }).await;
    desk.put_all(1..=3).await;
    desk.advance(10);
    assert_eq!(desk.sweep().await, 3);
    assert!(desk.letters().await.is_empty());
}

async fn a_delay_longer_than_its_life_is_never_delivered(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(Message { delay_ms: Some(100), ..with_ttl(1, 100) }).await;
    desk.put(Message { delay_ms: Some(99), ..with_ttl(2, 100) }).await;
    desk.put(with_delay(3, 100)).await;
    desk.advance(99);
    assert_eq!(desk.depth().await.ready, 1);
    desk.advance(1);
    assert_eq!(desk.taken().await, [3]);
    assert_eq!(desk.sweep().await, 2);
}

async fn a_rest_longer_than_its_life_is_its_end(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_ttl(1, 50)).await;
    let verdict = Verdict::Retry { delay_ms: Some(60), reason: None };
    desk.settle(&desk.one().await.tag, verdict).await.unwrap();
    desk.advance(49);
    assert_eq!(desk.depth().await, Counts { delayed: 1, ..Counts::NONE });
    desk.advance(11);
    assert_eq!((desk.depth().await, desk.sweep().await), (Counts::NONE, 1));
}

async fn sweep_says_how_many_since_the_last(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_ttl(1, 100)).await;
    desk.put(with_ttl(2, 100)).await;
    desk.put(with_ttl(3, 200)).await;
    assert_eq!(desk.sweep().await, 0);
    desk.advance(100);
    assert_eq!(desk.sweep().await, 2);
    assert_eq!(desk.sweep().await, 0);
    desk.advance(100);
    assert_eq!(desk.sweep().await, 1);
}

async fn sweep_counts_what_was_dropped_before_it(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_ttl(1, 100)).await;
    desk.advance(100);
    // A fetch, a look and a publish may each drop it first.
    assert!(desk.taken().await.is_empty());
    assert!(desk.seen(looking_at(1)).await.is_empty());
    desk.put(message(2)).await;
    assert_eq!(desk.sweep().await, 1);
}

async fn sweep_counts_for_each_group(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.fetch(Fetch::up_to(1).of_group("a")).await;
    desk.fetch(Fetch::up_to(1).of_group("b")).await;
    desk.put(with_ttl(1, 100)).await;
    desk.done(&desk.one_of(Fetch::up_to(1).of_group("a")).await).await;
    desk.advance(100);
    assert_eq!(desk.sweep().await, 2);
}

async fn what_is_expired_is_not_seen_taken_by_id_or_purged(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_ttl(1, 100)).await;
    desk.advance(100);
    assert!(desk.seen(looking_at(10)).await.is_empty());
    assert!(desk.fetch(Fetch::up_to(1).only(id(1))).await.is_empty());
    assert_eq!(desk.client.purge(&desk.queue, Purge::default()).await.unwrap(), 0);
    // A group that comes later does not see it either, nor loses it.
    assert!(desk.fetch(Fetch::up_to(1).of_group("late")).await.is_empty());
    assert_eq!(desk.sweep().await, 1);
}

async fn a_time_to_live_out_of_range_is_refused(world: World) {
    let desk = world.desk(Policy::default()).await;
    for ttl_ms in [0, -1, i64::MIN, i64::MAX] {
        refused(desk.publish(with_ttl(1, ttl_ms)).await, Code::Invalid);
    }
    desk.put(with_ttl(1, 1)).await;
}

async fn an_expired_one_makes_room(world: World) {
    let desk = world.desk(Policy { max_length: Some(1), ..Policy::default() }).await;
    desk.put(with_ttl(1, 100)).await;
    refused(desk.publish(message(2)).await, Code::Full);
    desk.advance(100);
    desk.put(message(2)).await;
    assert_eq!(desk.taken().await, [2]);
}
