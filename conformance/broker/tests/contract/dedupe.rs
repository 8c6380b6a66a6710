//! The same id twice.

use workwire_broker::{Code, Fetch, Message, Overflow, Policy, Purge, Queue, RestartMode, Stored};

use super::desk::{Counts, World, id, message, refused, run, with_priority, with_ttl};

crate::subjects::each_broker![run:
    the_same_id_twice_is_delivered_once,
    many_at_the_same_time_make_one,
    it_holds_after_it_is_done_or_dead,
    it_holds_after_a_restart,
    it_holds_under_ten_thousand_ids,
    free_again_after_the_window,
    a_duplicate_does_not_prolong_the_window,
    it_does_not_reach_across_queues_or_tenants,
    a_refused_publish_does_not_burn_the_id,
    the_same_id_with_another_body_is_a_duplicate,
    a_duplicate_is_one_also_when_full,
    what_is_not_valid_is_invalid_before_it_is_a_duplicate,
    a_purge_does_not_forget,
    expiry_and_a_dropped_oldest_do_not_forget,
    a_window_of_nothing_remembers_nothing,
];

const DUPLICATE: Result<Stored, workwire_broker::BrokerError> = Ok(Stored::Duplicate);

async fn the_same_id_twice_is_delivered_once(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    assert_eq!(desk.publish(message(1)).await, DUPLICATE);
    assert_eq!(desk.beside("other").await.publish(message(1)).await, DUPLICATE);
    assert_eq!(desk.depth().await, Counts { ready: 1, ..Counts::NONE });
    assert_eq!(desk.taken().await, [1]);
}

async fn many_at_the_same_time_make_one(world: World) {
    let desk = world.desk(Policy::default()).await;
    let mut publishing = Vec::new();
    for number in 0..20 {
        let publisher = desk.beside(&format!("p{number}")).await;
        publishing.push(tokio::spawn(async move { publisher.publish(message(1)).await.unwrap() }));
    }
    let mut stored = 0;
    for answer in publishing {
        stored += usize::from(super::desk::now(answer).await == Stored::Stored);
    }
    assert_eq!((stored, desk.depth().await.ready), (1, 1));
}

async fn it_holds_after_it_is_done_or_dead(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    desk.done(&desk.one().await).await;
    desk.bury(2, "broken").await;
    assert_eq!(desk.publish(message(1)).await, DUPLICATE);
    assert_eq!(desk.publish(message(2)).await, DUPLICATE);
    assert_eq!(desk.depth().await, Counts { dead: 1, ..Counts::NONE });
}

async fn it_holds_after_a_restart(world: World) {
    let desk = world.desk(Policy { dedupe_ms: 1_000, ..Policy::default() }).await;
    desk.put(message(1)).await;
    let desk = desk.after_restart(RestartMode::Kill).await;
    desk.advance(999);
    assert_eq!(desk.publish(message(1)).await, DUPLICATE);
    let desk = desk.after_restart(RestartMode::Graceful).await;
    desk.advance(1);
    assert_eq!(desk.publish(message(1)).await, Ok(Stored::Stored));
}

async fn it_holds_under_ten_thousand_ids(world: World) {
    let desk = world.desk(Policy::default()).await;
    for numbers in (1..=10_000).collect::<Vec<u128>>().chunks(1_000) {
        let batch: Vec<Message> = numbers.iter().copied().map(message).collect();
        let answers = desk.client.publish_batch(&desk.queue, batch).await.unwrap();
        assert!(answers.iter().all(|answer| *answer == Ok(Stored::Stored)));
    }
    for number in [1, 5_000, 10_000] {
        assert_eq!(desk.publish(message(number)).await, DUPLICATE);
    }
    assert_eq!(desk.depth().await.ready, 10_000);
}

async fn free_again_after_the_window(world: World) {
    let desk = world.desk(Policy { dedupe_ms: 5_000, ..Policy::default() }).await;
    desk.put(message(1)).await;
    desk.advance(4_999);
    assert_eq!(desk.publish(message(1)).await, DUPLICATE);
    desk.advance(1);
    desk.put(message(1)).await;
    assert_eq!(desk.taken().await, [1, 1]);
    // And remembered anew.
    desk.advance(4_999);
    assert_eq!(desk.publish(message(1)).await, DUPLICATE);
}

async fn a_duplicate_does_not_prolong_the_window(world: World) {
    let desk = world.desk(Policy { dedupe_ms: 1_000, ..Policy::default() }).await;
    desk.put(message(1)).await;
    desk.advance(600);
    assert_eq!(desk.publish(message(1)).await, DUPLICATE);
    desk.advance(400);
    desk.put(message(1)).await;
}

async fn it_does_not_reach_across_queues_or_tenants(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    for queue in [Queue::new("other"), Queue::of_tenant("acme", "tasks"), Queue::of_tenant("zenith", "tasks")] {
        let other = desk.at(queue, Policy::default()).await;
        other.put(message(1)).await;
        assert_eq!(other.taken().await, [1]);
    }
    assert_eq!(desk.taken().await, [1]);
}

async fn a_refused_publish_does_not_burn_the_id(world: World) {
    let desk = world.desk(Policy { max_length: Some(1), ..Policy::default() }).await;
    refused(desk.publish(with_priority(1, 9)).await, Code::Invalid);
    desk.put(message(2)).await;
    refused(desk.publish(message(1)).await, Code::Full);
    desk.done(&desk.one().await).await;
    desk.put(message(1)).await;
}

async fn the_same_id_with_another_body_is_a_duplicate(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    let other = Message { body: "another body".into(), priority: Some(5), ..message(1) };
    assert_eq!(desk.publish(other).await, DUPLICATE);
    let taken = desk.one().await;
    assert_eq!((&taken.body[..], taken.priority), (&b"body of 1"[..], 3));
    assert!(desk.taken().await.is_empty());
}

async fn a_duplicate_is_one_also_when_full(world: World) {
    for overflow in [Overflow::Reject, Overflow::DropOldest] {
        let queue = Queue::new(if overflow == Overflow::Reject { "rejects" } else { "drops" });
        let desk = world.desk_at(queue, Policy { max_length: Some(1), overflow, ..Policy::default() }).await;
        desk.put(message(1)).await;
        assert_eq!(desk.publish(message(1)).await, DUPLICATE);
        assert_eq!(desk.taken().await, [1]);
        desk.close(workwire_broker::CloseMode::Graceful).await;
    }
}

async fn what_is_not_valid_is_invalid_before_it_is_a_duplicate(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    refused(desk.publish(with_priority(1, 6)).await, Code::Invalid);
    refused(desk.publish(with_ttl(1, 0)).await, Code::Invalid);
}

async fn a_purge_does_not_forget(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    desk.bury(2, "broken").await;
    assert_eq!(desk.purge().await, 1);
    assert_eq!(desk.client.purge(&desk.queue, Purge { dead: true, group: None }).await.unwrap(), 1);
    assert_eq!(desk.publish(message(1)).await, DUPLICATE);
    assert_eq!(desk.publish(message(2)).await, DUPLICATE);
}

async fn expiry_and_a_dropped_oldest_do_not_forget(world: World) {
    let policy = Policy { max_length: Some(1), overflow: Overflow::DropOldest, ..Policy::default() };
    let desk = world.desk(policy).await;
    desk.put(message(1)).await;
    desk.put(with_ttl(2, 100)).await;
    desk.advance(100);
    assert_eq!(desk.sweep().await, 1);
    assert_eq!(desk.publish(message(1)).await, DUPLICATE);
    assert_eq!(desk.publish(message(2)).await, DUPLICATE);
}

async fn a_window_of_nothing_remembers_nothing(world: World) {
    let desk = world.desk(Policy { dedupe_ms: 0, ..Policy::default() }).await;
    desk.put(message(1)).await;
    desk.put(message(1)).await;
    assert_eq!(desk.depth().await.ready, 2);
    // By its id, the oldest first.
    let fetch = Fetch::up_to(5).only(id(1));
    assert_eq!(desk.fetch(fetch.clone()).await.len(), 1);
    assert_eq!(desk.fetch(fetch.clone()).await.len(), 1);
    assert!(desk.fetch(fetch).await.is_empty());
}
