//! What is held, for how long, and what becomes of it when its holder is silent or gone.

use workwire_broker::{CloseMode, Code, Policy, Queue, Verdict};

use super::desk::{Counts, World, message, refused, run};

crate::subjects::each_broker![run:
    an_ended_lease_delivers_again_and_never_before,
    an_ended_lease_counts_as_an_attempt,
    an_ended_lease_does_not_rest,
    leases_end_one_by_one,
    extend_postpones_the_end,
    extend_counts_from_now_and_may_shorten,
    extend_after_the_end_is_refused,
    extend_holds_this_delivery_only,
    extend_takes_only_its_own_live_tag,
    an_aborted_client_gives_its_messages_to_others,
    a_dropped_client_is_an_aborted_one,
    a_lost_connection_does_not_rest,
    a_graceful_close_gives_back_at_once_and_counts_no_attempt,
    a_close_gives_back_only_its_own,
    a_close_gives_back_what_is_held_in_each_queue,
    a_slow_consumer_does_not_hold_up_the_others,
    attempts_used_up_by_ended_leases,
    attempts_used_up_by_lost_connections,
    a_graceful_close_at_the_last_attempt_gives_back,
];

fn leased(lease_ms: i64) -> Policy {
    Policy { lease_ms, ..Policy::default() }
}

async fn an_ended_lease_delivers_again_and_never_before(world: World) {
    let desk = world.desk(leased(5_000)).await;
    let other = desk.beside("other").await;
    desk.put(message(1)).await;
    desk.one().await;
    desk.advance(4_999);
    assert!(other.taken().await.is_empty());
    assert_eq!(desk.depth().await, Counts { leased: 1, ..Counts::NONE });
    desk.advance(1);
    assert_eq!(desk.depth().await, Counts { ready: 1, ..Counts::NONE });
    assert_eq!(other.taken().await, [1]);
}

async fn an_ended_lease_counts_as_an_attempt(world: World) {
    let desk = world.desk(leased(100)).await;
    desk.put(message(1)).await;
    for attempt in 1..=3 {
        assert_eq!(desk.one().await.attempt, attempt);
        desk.advance(100);
    }
    assert_eq!(desk.depth().await, Counts { dead: 1, ..Counts::NONE });
}

async fn an_ended_lease_does_not_rest(world: World) {
    let desk = world.desk(Policy { backoff_ms: vec![60_000], ..leased(100) }).await;
    desk.put(message(1)).await;
    desk.one().await;
    desk.advance(100);
    assert_eq!(desk.taken().await, [1]);
}

async fn leases_end_one_by_one(world: World) {
    let desk = world.desk(leased(1_000)).await;
    desk.put_all([1, 2]).await;
    desk.one().await;
    desk.advance(600);
    let second = desk.one().await;
    desk.advance(400);
    assert_eq!(desk.depth().await, Counts { ready: 1, leased: 1, ..Counts::NONE });
    assert_eq!(desk.taken().await, [1]);
    desk.done(&second).await;
}

async fn extend_postpones_the_end(world: World) {
    let desk = world.desk(leased(1_000)).await;
    let other = desk.beside("other").await;
    desk.put(message(1)).await;
    let held = desk.one().await;
    for _ in 0..5 {
        desk.advance(900);
        desk.extend(&held.tag, 1_000).await.unwrap();
        assert!(other.taken().await.is_empty());
    }
    desk.advance(999);
    assert!(other.taken().await.is_empty());
    desk.done(&held).await;
}

async fn extend_counts_from_now_and_may_shorten(world: World) {
    let desk = world.desk(leased(10_000)).await;
    desk.put(message(1)).await;
    let held = desk.one().await;
    desk.advance(100);
    desk.extend(&held.tag, 50).await.unwrap();
    desk.advance(49);
    assert!(desk.taken().await.is_empty());
    desk.advance(1);
    assert_eq!(desk.taken().await, [1]);
}

async fn extend_after_the_end_is_refused(world: World) {
    let desk = world.desk(leased(1_000)).await;
    desk.put(message(1)).await;
    let held = desk.one().await;
    desk.advance(1_000);
    refused(desk.extend(&held.tag, 1_000).await, Code::Stale);
    assert_eq!(desk.depth().await, Counts { ready: 1, ..Counts::NONE });
}

async fn extend_holds_this_delivery_only(world: World) {
    let desk = world.desk(leased(1_000)).await;
    desk.put_all([1, 2]).await;
    let held = desk.take(2).await;
    desk.extend(&held[0].tag, 5_000).await.unwrap();
    desk.advance(1_000);
    assert_eq!(desk.taken().await, [2]);
    desk.done(&held[0]).await;
}

async fn extend_takes_only_its_own_live_tag(world: World) {
    let desk = world.desk(leased(1_000)).await;
    let other = desk.beside("other").await;
    desk.put_all([1, 2]).await;
    let held = desk.take(2).await;
    refused(other.extend(&held[0].tag, 60_000).await, Code::Stale);
    desk.done(&held[1]).await;
    refused(desk.extend(&held[1].tag, 60_000).await, Code::Stale);
    for lease_ms in [0, -1, i64::MIN, i64::MAX] {
        refused(desk.extend(&held[0].tag, lease_ms).await, Code::Invalid);
    }
    desk.advance(1_000);
    assert_eq!(other.taken().await, [1]);
}

async fn an_aborted_client_gives_its_messages_to_others(world: World) {
    let desk = world.desk(leased(60_000)).await;
    let lost = desk.beside("lost").await;
    desk.put_all([1, 2]).await;
    lost.take(2).await;
    lost.close(CloseMode::Abort).await;
    let taken = desk.take(2).await;
    assert_eq!(taken.iter().map(|delivery| delivery.attempt).collect::<Vec<_>>(), [2, 2]);
}

async fn a_dropped_client_is_an_aborted_one(world: World) {
    let desk = world.desk(leased(60_000)).await;
    let lost = desk.beside("lost").await;
    desk.put(message(1)).await;
    lost.one().await;
    drop(lost);
    super::desk::until(async || desk.depth().await.ready == 1).await;
    assert_eq!(desk.one().await.attempt, 2);
    // Its name is free.
    desk.beside("lost").await;
}

async fn a_lost_connection_does_not_rest(world: World) {
    let desk = world.desk(Policy { backoff_ms: vec![60_000], ..Policy::default() }).await;
    let lost = desk.beside("lost").await;
    desk.put(message(1)).await;
    lost.one().await;
    lost.close(CloseMode::Abort).await;
    assert_eq!(desk.taken().await, [1]);
}

async fn a_graceful_close_gives_back_at_once_and_counts_no_attempt(world: World) {
    let desk = world.desk(Policy { backoff_ms: vec![60_000], ..Policy::default() }).await;
    desk.put(message(1)).await;
    desk.retry(&desk.one().await).await;
    desk.advance(60_000);
    for _ in 0..5 {
        let leaving = desk.beside("leaving").await;
        assert_eq!(leaving.one().await.attempt, 2);
        leaving.close(CloseMode::Graceful).await;
    }
    assert_eq!(desk.one().await.attempt, 2);
}

async fn a_close_gives_back_only_its_own(world: World) {
    let desk = world.desk(leased(60_000)).await;
    let other = desk.beside("other").await;
    desk.put_all([1, 2]).await;
    let held = desk.one().await;
    other.one().await;
    other.close(CloseMode::Graceful).await;
    assert_eq!(desk.depth().await, Counts { ready: 1, leased: 1, ..Counts::NONE });
    assert_eq!(desk.taken().await, [2]);
    desk.done(&held).await;
}

async fn a_close_gives_back_what_is_held_in_each_queue(world: World) {
    let desk = world.desk(leased(60_000)).await;
    let elsewhere = desk.at(Queue::of_tenant("acme", "tasks"), leased(60_000)).await;
    desk.put(message(1)).await;
    elsewhere.put(message(2)).await;
    let leaving = desk.beside("leaving").await;
    leaving.one().await;
    leaving.client.fetch(&elsewhere.queue, workwire_broker::Fetch::up_to(1)).await.unwrap();
    leaving.close(CloseMode::Graceful).await;
    assert_eq!((desk.taken().await, elsewhere.taken().await), (vec![1], vec![2]));
}

async fn a_slow_consumer_does_not_hold_up_the_others(world: World) {
    let desk = world.desk(leased(60_000)).await;
    let quick = desk.beside("quick").await;
    desk.put_all(1..=10).await;
    let slow = desk.one().await;
    for _ in 2..=10 {
        quick.done(&quick.one().await).await;
    }
    desk.done(&slow).await;
    assert_eq!(desk.depth().await, Counts::NONE);
}

async fn attempts_used_up_by_ended_leases(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, ..leased(100) }).await;
    desk.put(message(1)).await;
    desk.one().await;
    desk.advance(100);
    let letter = &desk.letters().await[0];
    assert_eq!((letter.reason.as_str(), letter.attempts), ("attempts used up: the lease of delivery 1 expired", 1));
}

async fn attempts_used_up_by_lost_connections(world: World) {
    let desk = world.desk(Policy { max_attempts: 2, ..Policy::default() }).await;
    desk.put(message(1)).await;
    for attempt in 1..=2 {
        let lost = desk.beside("lost").await;
        assert_eq!(lost.one().await.attempt, attempt);
        lost.close(CloseMode::Abort).await;
    }
    let letter = &desk.letters().await[0];
    let reason = "attempts used up: the connection was lost during delivery 2";
    assert_eq!((letter.reason.as_str(), letter.attempts), (reason, 2));
}

async fn a_graceful_close_at_the_last_attempt_gives_back(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, ..Policy::default() }).await;
    let leaving = desk.beside("leaving").await;
    desk.put(message(1)).await;
    leaving.one().await;
    leaving.close(CloseMode::Graceful).await;
    let taken = desk.one().await;
    assert_eq!(taken.attempt, 1);
    desk.settle(&taken.tag, Verdict::Done).await.unwrap();
    assert!(desk.letters().await.is_empty());
}
