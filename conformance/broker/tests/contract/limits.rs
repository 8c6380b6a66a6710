//! Bounds: of a queue, of a body, of numbers.

use workwire_broker::{CloseMode, Code, Fetch, MAX_MS, MEBIBYTE, Message, Overflow, Policy, Queue, Stored, Verdict};

use super::desk::{Counts, World, id, message, refused, run, with_delay, with_priority};

crate::subjects::each_broker![run:
    a_full_queue_refuses_and_later_accepts_again,
    ready_resting_and_held_count_and_dead_does_not,
    a_message_counts_once_however_many_groups_have_it,
    drop_oldest_drops_the_oldest,
    drop_oldest_drops_by_age_not_by_priority,
    drop_oldest_spares_what_is_held,
    drop_oldest_drops_from_all_groups,
    drop_oldest_spares_what_one_group_holds,
    drop_oldest_drops_what_rests,
    a_body_over_the_limit_is_refused_and_the_limit_named,
    at_the_limit_is_accepted,
    policies_out_of_range_are_refused,
    policies_at_their_bounds_are_accepted,
    requests_out_of_range_are_refused,
    a_refused_fetch_takes_nothing,
    about_tells_the_limits,
];

fn bounded(most: i64, overflow: Overflow) -> Policy {
    Policy { max_length: Some(most), overflow, ..Policy::default() }
}

async fn a_full_queue_refuses_and_later_accepts_again(world: World) {
    let desk = world.desk(bounded(3, Overflow::Reject)).await;
    desk.put_all(1..=3).await;
    let error = refused(desk.publish(message(4)).await, Code::Full);
    assert!(error.is_refused());
    assert_eq!(desk.depth().await, Counts { ready: 3, ..Counts::NONE });
    desk.done(&desk.one().await).await;
    assert_eq!(desk.publish(message(4)).await, Ok(Stored::Stored));
    refused(desk.publish(message(5)).await, Code::Full);
    assert_eq!(desk.taken().await, [2, 3, 4]);
}

async fn ready_resting_and_held_count_and_dead_does_not(world: World) {
    let desk = world.desk(bounded(3, Overflow::Reject)).await;
    desk.bury(9, "broken").await;
    desk.put(message(1)).await;
    desk.one().await;
    desk.put(with_delay(2, 1_000)).await;
    desk.put(message(3)).await;
    assert_eq!(desk.depth().await, Counts { ready: 1, leased: 1, delayed: 1, dead: 1 });
    refused(desk.publish(message(4)).await, Code::Full);
    assert_eq!(desk.purge().await, 1);
    desk.put(message(4)).await;
}

async fn a_message_counts_once_however_many_groups_have_it(world: World) {
    let desk = world.desk(bounded(2, Overflow::Reject)).await;
    desk.fetch(Fetch::up_to(1).of_group("a")).await;
    desk.fetch(Fetch::up_to(1).of_group("b")).await;
    desk.put_all([1, 2]).await;
    refused(desk.publish(message(3)).await, Code::Full);
    // Room is there when the last group has it no more.
    desk.done(&desk.one().await).await;
    desk.done(&desk.one_of(Fetch::up_to(1).of_group("a")).await).await;
    refused(desk.publish(message(3)).await, Code::Full);
    desk.dead(&desk.one_of(Fetch::up_to(1).of_group("b")).await, "broken").await;
    desk.put(message(3)).await;
}

async fn drop_oldest_drops_the_oldest(world: World) {
    let desk = world.desk(bounded(3, Overflow::DropOldest)).await;
    desk.put_all(1..=5).await;
    assert_eq!(desk.depth().await, Counts { ready: 3, ..Counts::NONE });
    assert_eq!(desk.sweep().await, 0);
    assert_eq!(desk.taken().await, [3, 4, 5]);
    assert!(desk.letters().await.is_empty());
}

async fn drop_oldest_drops_by_age_not_by_priority(world: World) {
    let desk = world.desk(bounded(2, Overflow::DropOldest)).await;
    desk.put(with_priority(1, 5)).await;
    desk.put(with_priority(2, 1)).await;
    desk.put(with_priority(3, 3)).await;
    assert_eq!(desk.taken().await, [3, 2]);
}

async fn drop_oldest_spares_what_is_held(world: World) {
    let desk = world.desk(bounded(2, Overflow::DropOldest)).await;
    desk.put_all([1, 2]).await;
    let held = desk.one().await;
    desk.put(message(3)).await;
    assert_eq!(desk.depth().await, Counts { ready: 1, leased: 1, ..Counts::NONE });
    let other = desk.one().await;
    refused(desk.publish(message(4)).await, Code::Full);
    assert_eq!((held.id, other.id), (id(1), id(3)));
    desk.done(&held).await;
    desk.retry(&other).await;
    desk.put(message(4)).await;
    assert_eq!(desk.taken().await, [3, 4]);
}

async fn drop_oldest_drops_from_all_groups(world: World) {
    let desk = world.desk(bounded(2, Overflow::DropOldest)).await;
    desk.fetch(Fetch::up_to(1).of_group("a")).await;
    desk.put_all(1..=3).await;
    assert_eq!((desk.depth().await.ready, desk.depth_of("a").await.ready), (2, 2));
    assert_eq!(desk.one_of(Fetch::up_to(1).of_group("a")).await.id, id(2));
    assert_eq!(desk.taken().await, [2, 3]);
}

async fn drop_oldest_spares_what_one_group_holds(world: World) {
    let desk = world.desk(bounded(2, Overflow::DropOldest)).await;
    desk.fetch(Fetch::up_to(1).of_group("a")).await;
    desk.put_all([1, 2]).await;
    desk.one_of(Fetch::up_to(1).of_group("a")).await;
    desk.put(message(3)).await;
    assert_eq!(desk.taken().await, [1, 3]);
    refused(desk.publish(message(4)).await, Code::Full);
}

async fn drop_oldest_drops_what_rests(world: World) {
    let desk = world.desk(bounded(1, Overflow::DropOldest)).await;
    desk.put(with_delay(1, 1_000)).await;
    desk.put(message(2)).await;
    assert_eq!(desk.depth().await, Counts { ready: 1, ..Counts::NONE });
    let verdict = Verdict::Retry { delay_ms: Some(1_000), reason: None };
    desk.settle(&desk.one().await.tag, verdict).await.unwrap();
    desk.put(message(3)).await;
    assert_eq!(desk.depth().await, Counts { ready: 1, ..Counts::NONE });
    assert_eq!(desk.taken().await, [3]);
}

async fn a_body_over_the_limit_is_refused_and_the_limit_named(world: World) {
    let desk = world.desk(Policy::default()).await;
    let most = world.broker.about().limits.max_message_bytes;
    let body = vec![b'x'; usize::try_from(most).unwrap() + 1];
    let error = refused(desk.publish(Message::new(id(1), body.clone())).await, Code::Invalid);
    assert!(error.message().contains(&most.to_string()), "{error}");
    assert!(error.message().contains(&body.len().to_string()), "{error}");
    assert_eq!(desk.depth().await, Counts::NONE);
    desk.put(message(1)).await;
}

async fn at_the_limit_is_accepted(world: World) {
    let desk = world.desk(Policy::default()).await;
    let most = world.broker.about().limits.max_message_bytes;
    let body = vec![b'x'; usize::try_from(most).unwrap()];
    desk.put(Message::new(id(1), body.clone())).await;
    assert!(desk.one().await.body == body);
}

async fn policies_out_of_range_are_refused(world: World) {
    let desk = world.desk(Policy::default()).await;
    let queue = Queue::new("other");
    let right = Policy::default;
    let wrong = [
        ("max_priority", Policy { max_priority: 0, ..right() }),
        ("max_priority", Policy { max_priority: 11, ..right() }),
        ("max_attempts", Policy { max_attempts: 0, ..right() }),
        ("max_attempts", Policy { max_attempts: -1, ..right() }),
        ("lease_ms", Policy { lease_ms: 0, ..right() }),
        ("lease_ms", Policy { lease_ms: MAX_MS + 1, ..right() }),
        ("backoff_ms", Policy { backoff_ms: vec![0, -1], ..right() }),
        ("backoff_ms", Policy { backoff_ms: vec![0; 101], ..right() }),
        ("ttl_ms", Policy { ttl_ms: Some(0), ..right() }),
        ("max_length", Policy { max_length: Some(0), ..right() }),
        ("dedupe_ms", Policy { dedupe_ms: -1, ..right() }),
    ];
    for (member, policy) in wrong {
        let error = refused(desk.client.declare(&queue, &policy).await, Code::Invalid);
        assert!(error.message().contains(member), "{error}");
    }
    refused(desk.client.publish(&queue, message(1)).await, Code::NotFound);
}

async fn policies_at_their_bounds_are_accepted(world: World) {
    let desk = world.desk(Policy::default()).await;
    let least = Policy {
        max_priority: 1,
        max_attempts: 1,
        lease_ms: 1,
        backoff_ms: vec![0],
        ttl_ms: Some(1),
        max_length: Some(1),
        overflow: Overflow::DropOldest,
        dedupe_ms: 0,
    };
    let most = Policy {
        max_priority: 10,
        max_attempts: i64::from(u32::MAX >> 1),
        lease_ms: MAX_MS,
        backoff_ms: vec![MAX_MS; 100],
        ttl_ms: Some(MAX_MS),
        max_length: Some(i64::MAX >> 1),
        overflow: Overflow::Reject,
        dedupe_ms: MAX_MS,
    };
    for (name, policy) in [("least", least), ("most", most)] {
        let desk = desk.at(Queue::new(name), policy).await;
        desk.put(message(1)).await;
        let held = desk.one().await;
        desk.done(&held).await;
        desk.client.declare(&desk.queue, &Policy::default()).await.unwrap_err();
    }
}

async fn requests_out_of_range_are_refused(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    for fetch in [Fetch::up_to(0), Fetch::up_to(1).waiting(-1), Fetch::up_to(1).waiting(MAX_MS + 1)] {
        refused(desk.client.fetch(&desk.queue, fetch).await, Code::Invalid);
    }
    refused(desk.client.peek(&desk.queue, super::desk::looking_at(0)).await, Code::Invalid);
    let held = desk.one().await;
    for delay_ms in [-1, MAX_MS + 1] {
        let verdict = Verdict::Retry { delay_ms: Some(delay_ms), reason: None };
        refused(desk.settle(&held.tag, verdict).await, Code::Invalid);
    }
    for silence in [0, -1, MAX_MS + 1] {
        refused(desk.client.agents(Some(silence), None).await, Code::Invalid);
    }
    desk.done(&held).await;
}

async fn a_refused_fetch_takes_nothing(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    refused(desk.client.fetch(&desk.queue, Fetch::up_to(1).of_group("no group")).await, Code::Invalid);
    refused(desk.client.fetch(&desk.queue, Fetch::up_to(1).for_recipient("")).await, Code::Invalid);
    assert_eq!(desk.depth().await, Counts { ready: 1, ..Counts::NONE });
    desk.close(CloseMode::Graceful).await;
}

async fn about_tells_the_limits(world: World) {
    let about = world.broker.about();
    assert_eq!((about.limits.max_priority, about.limits.max_message_bytes), (10, MEBIBYTE));
    assert!(!about.name.is_empty() && !about.version.is_empty());
}
