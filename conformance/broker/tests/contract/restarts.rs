//! What is still so after the broker was stopped, or killed, and started again.

use workwire_broker::{Code, Fetch, Health, HealthStatus, Policy, Queue, RestartMode, Update, Verdict};

use super::desk::{Counts, World, letter_numbers, message, refused, run, with_delay, with_ttl};

crate::subjects::each_broker![run:
    what_was_confirmed_is_still_there,
    what_was_done_is_not_back,
    what_was_held_comes_back_without_an_attempt_after_a_stop,
    what_was_held_comes_back_with_an_attempt_after_a_kill,
    a_kill_uses_up_the_last_attempt,
    delayed_dead_and_used_attempts_survive,
    the_last_reason_survives,
    policies_survive,
    expiry_goes_on,
    the_count_of_what_expired_survives,
    two_restarts_are_no_more_than_one,
    ten_kills_lose_nothing,
    presence_survives,
];

const BOTH: [RestartMode; 2] = [RestartMode::Graceful, RestartMode::Kill];

async fn what_was_confirmed_is_still_there(world: World) {
    let mut desk = world.desk(Policy::default()).await;
    desk.put_all(1..=20).await;
    for mode in BOTH {
        desk = desk.after_restart(mode).await;
        assert_eq!(desk.depth().await, Counts { ready: 20, ..Counts::NONE });
    }
    assert_eq!(desk.taken().await, (1..=20).collect::<Vec<_>>());
}

async fn what_was_done_is_not_back(world: World) {
    let mut desk = world.desk(Policy { lease_ms: 100, ..Policy::default() }).await;
    desk.put_all([1, 2]).await;
    desk.done(&desk.one().await).await;
    for mode in BOTH {
        desk = desk.after_restart(mode).await;
        desk.advance(1_000);
    }
    assert_eq!(desk.taken().await, [2]);
}

async fn what_was_held_comes_back_without_an_attempt_after_a_stop(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, backoff_ms: vec![60_000], ..Policy::default() }).await;
    desk.put(message(1)).await;
    let before = desk.one().await;
    let desk = desk.after_restart(RestartMode::Graceful).await;
    let taken = desk.one().await;
    assert_eq!(taken.attempt, 1);
    refused(desk.settle(&before.tag, Verdict::Done).await, Code::Stale);
    desk.done(&taken).await;
}

async fn what_was_held_comes_back_with_an_attempt_after_a_kill(world: World) {
    let desk = world.desk(Policy { backoff_ms: vec![60_000], ..Policy::default() }).await;
    let other = desk.beside("other").await;
    desk.put_all([1, 2]).await;
    desk.one().await;
    other.one().await;
    let desk = desk.after_restart(RestartMode::Kill).await;
    let attempts: Vec<u32> = desk.take(2).await.iter().map(|delivery| delivery.attempt).collect();
    assert_eq!(attempts, [2, 2]);
}

async fn a_kill_uses_up_the_last_attempt(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, ..Policy::default() }).await;
    desk.put_all([1, 2]).await;
    desk.one().await;
    let desk = desk.after_restart(RestartMode::Kill).await;
    let letter = desk.letters().await.remove(0);
    assert_eq!(letter.reason, "attempts used up: the connection was lost during delivery 1");
    assert_eq!(desk.depth().await, Counts { ready: 1, dead: 1, ..Counts::NONE });
}

async fn delayed_dead_and_used_attempts_survive(world: World) {
    for mode in BOTH {
        let desk = world.desk(Policy::default()).await;
        desk.put(message(1)).await;
        desk.retry(&desk.one().await).await;
        desk.retry(&desk.one().await).await;
        desk.put(with_delay(2, 1_000)).await;
        desk.bury(3, "broken").await;
        let desk = desk.after_restart(mode).await;
        assert_eq!(desk.depth().await, Counts { ready: 1, leased: 0, delayed: 1, dead: 1 });
        assert_eq!(desk.one().await.attempt, 3);
        desk.replay(3).await.unwrap();
        desk.client.delete(&desk.queue).await.unwrap();
        desk.client.close(workwire_broker::CloseMode::Graceful).await.unwrap();
    }
}

async fn the_last_reason_survives(world: World) {
    let desk = world.desk(Policy { max_attempts: 3, ..Policy::default() }).await;
    desk.put(message(1)).await;
    let verdict = Verdict::Retry { delay_ms: None, reason: Some("the first time".to_owned()) };
    desk.settle(&desk.one().await.tag, verdict).await.unwrap();
    desk.one().await;
    let desk = desk.after_restart(RestartMode::Kill).await;
    desk.one().await;
    let desk = desk.after_restart(RestartMode::Kill).await;
    let letter = desk.letters().await.remove(0);
    assert_eq!((letter.reason.as_str(), letter.attempts), ("the first time", 3));
}

async fn policies_survive(world: World) {
    for mode in BOTH {
        let policy = Policy { max_length: Some(1), ..Policy::default() };
        let desk = world.desk(policy.clone()).await;
        let desk = desk.after_restart(mode).await;
        desk.client.declare(&desk.queue, &policy).await.unwrap();
        refused(desk.client.declare(&desk.queue, &Policy::default()).await, Code::Conflict);
        desk.put(message(1)).await;
        refused(desk.publish(message(2)).await, Code::Full);
        desk.client.delete(&desk.queue).await.unwrap();
        desk.client.close(workwire_broker::CloseMode::Graceful).await.unwrap();
    }
}

async fn expiry_goes_on(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_ttl(1, 1_000)).await;
    desk.put(with_ttl(2, 2_000)).await;
    let desk = desk.after_restart(RestartMode::Kill).await;
    desk.advance(1_000);
    let desk = desk.after_restart(RestartMode::Graceful).await;
    assert_eq!(desk.taken().await, [2]);
}

async fn the_count_of_what_expired_survives(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_ttl(1, 100)).await;
    desk.put(with_ttl(2, 100)).await;
    desk.advance(100);
    assert!(desk.taken().await.is_empty());
    let desk = desk.after_restart(RestartMode::Graceful).await;
    assert_eq!(desk.sweep().await, 2);
}

async fn two_restarts_are_no_more_than_one(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    desk.one().await;
    for _ in 0..4 {
        world.broker.restart(RestartMode::Kill).await.unwrap();
    }
    let desk = desk.after_restart(RestartMode::Kill).await;
    assert_eq!(desk.one().await.attempt, 2);
}

async fn ten_kills_lose_nothing(world: World) {
    let mut desk = world.desk(Policy { max_attempts: 100, ..Policy::default() }).await;
    let queue = Queue::new("another");
    desk.at(queue.clone(), Policy::default()).await;
    let mut done = Vec::new();
    for round in 0..10_u128 {
        desk.put_all(round * 10 + 1..=round * 10 + 10).await;
        for taken in desk.take(5).await {
            if taken.id.as_u128() % 2 == 0 {
                desk.done(&taken).await;
                done.push(taken.id.as_u128());
            }
        }
        desk = desk.after_restart(RestartMode::Kill).await;
    }
    done.extend(desk.taken().await);
    done.sort_unstable();
    assert_eq!(done, (1..=100).collect::<Vec<_>>());
    assert!(desk.letters().await.is_empty());
    assert!(desk.client.fetch(&queue, Fetch::up_to(1)).await.unwrap().is_empty());
}

async fn presence_survives(world: World) {
    let desk = world.desk(Policy::default()).await;
    let update = Update::Channel(Health::new("ada".parse().unwrap(), HealthStatus::Active));
    desk.client.heartbeat(update, None).await.unwrap();
    let before = desk.client.agents(None, None).await.unwrap();
    let desk = desk.after_restart(RestartMode::Kill).await;
    assert_eq!(desk.client.agents(None, None).await.unwrap(), before);
    assert_eq!(letter_numbers(&desk.letters().await).len(), 0);
}
