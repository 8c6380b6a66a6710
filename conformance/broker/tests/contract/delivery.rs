//! What was published can be fetched: once, whole, and no more than was asked for.

use std::collections::HashSet;

use workwire_broker::{Code, Fetch, MEBIBYTE, Message, Policy, Queue, Stored};

use super::desk::{Counts, World, id, message, numbers, refused, run, to, with_priority};

crate::subjects::each_broker![run:
    a_confirmed_publish_can_be_fetched,
    bytes_come_back_unchanged,
    id_priority_and_attempt_come_back_as_given,
    one_holder_at_a_time,
    a_fetch_takes_no_more_than_max,
    an_empty_fetch_answers_with_nothing,
    two_queues_never_mix,
    same_id_and_bytes_on_every_delivery,
    each_delivery_has_a_tag_of_its_own,
    one_answer_holds_eight_mebibytes_and_always_one_message,
    declaring_again_is_no_change,
    another_policy_is_a_conflict,
    a_refused_publish_leaves_nothing_behind,
    a_batch_answers_for_each_in_order,
    one_bad_item_spares_its_neighbours,
    a_batch_to_an_undeclared_queue_is_refused_as_a_whole,
    an_empty_batch_is_no_error,
];

async fn a_confirmed_publish_can_be_fetched(world: World) {
    let desk = world.desk(Policy::default()).await;
    assert_eq!(desk.publish(message(1)).await, Ok(Stored::Stored));
    assert_eq!(desk.taken().await, [1]);
}

async fn bytes_come_back_unchanged(world: World) {
    let desk = world.desk(Policy::default()).await;
    let all: Vec<u8> = (0..=255).collect();
    let mebibyte = usize::try_from(MEBIBYTE).unwrap();
    let bodies = [Vec::new(), all.clone(), all.repeat(256), all.repeat(mebibyte / 256)];
    assert_eq!((bodies[2].len(), bodies[3].len()), (65_536, 1_048_576));
    for (number, body) in (1..).zip(&bodies) {
        desk.put(Message::new(id(number), body.clone())).await;
    }
    for body in &bodies {
        let taken = desk.one().await;
        assert!(taken.body == body, "a body of {} bytes came back as {}", body.len(), taken.body.len());
    }
}

async fn id_priority_and_attempt_come_back_as_given(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_priority(7, 4)).await;
    let taken = desk.one().await;
    assert_eq!((taken.id, taken.priority, taken.attempt), (id(7), 4, 1));
}

async fn one_holder_at_a_time(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.beside("other").await;
    desk.put(message(1)).await;
    assert_eq!(desk.taken().await, [1]);
    assert!(other.taken().await.is_empty());
    assert!(desk.taken().await.is_empty());
}

async fn a_fetch_takes_no_more_than_max(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=5).await;
    assert_eq!(numbers(&desk.take(2).await), [1, 2]);
    assert_eq!(numbers(&desk.take(1).await), [3]);
    assert_eq!(numbers(&desk.take(u32::MAX).await), [4, 5]);
}

async fn an_empty_fetch_answers_with_nothing(world: World) {
    let desk = world.desk(Policy::default()).await;
    assert!(desk.take(1).await.is_empty());
    assert_eq!(desk.depth().await, Counts::NONE);
}

async fn two_queues_never_mix(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.at(Queue::new("tasks.other"), Policy::default()).await;
    desk.put(message(1)).await;
    other.put(message(2)).await;
    assert_eq!((desk.depth().await.ready, other.depth().await.ready), (1, 1));
    assert_eq!(other.taken().await, [2]);
    assert_eq!(desk.taken().await, [1]);
}

async fn same_id_and_bytes_on_every_delivery(world: World) {
    let desk = world.desk(Policy { max_attempts: 3, ..Policy::default() }).await;
    desk.put(with_priority(9, 2)).await;
    for _ in 1..=3 {
        let taken = desk.one().await;
        assert_eq!((taken.id, &taken.body[..], taken.priority), (id(9), &b"body of 9"[..], 2));
        desk.retry(&taken).await;
    }
    assert_eq!(&desk.letters().await[0].body[..], b"body of 9");
}

async fn each_delivery_has_a_tag_of_its_own(world: World) {
    let desk = world.desk(Policy { max_attempts: 5, ..Policy::default() }).await;
    let other = desk.at(Queue::new("other"), Policy::default()).await;
    desk.put_all([1, 2]).await;
    other.put(message(1)).await;
    let mut tags = HashSet::from([other.one().await.tag]);
    for _ in 1..=4 {
        for taken in desk.take(2).await {
            desk.retry(&taken).await;
            tags.insert(taken.tag);
        }
    }
    assert_eq!(tags.len(), 9);
}

async fn one_answer_holds_eight_mebibytes_and_always_one_message(world: World) {
    let desk = world.desk(Policy::default()).await;
    let mebibyte = vec![b'x'; usize::try_from(MEBIBYTE).unwrap()];
    for number in 1..=9 {
        desk.put(Message::new(id(number), mebibyte.clone())).await;
    }
    desk.put(message(10)).await;
    assert_eq!(numbers(&desk.take(100).await), (1..=8).collect::<Vec<_>>());
    assert_eq!(numbers(&desk.take(100).await), [9, 10]);
}

async fn declaring_again_is_no_change(world: World) {
    let policy = Policy { lease_ms: 5, ..Policy::default() };
    let desk = world.desk(policy.clone()).await;
    desk.put(message(1)).await;
    desk.client.declare(&desk.queue, &policy).await.unwrap();
    desk.beside("other").await.client.declare(&desk.queue, &policy).await.unwrap();
    assert_eq!(desk.taken().await, [1]);
}

async fn another_policy_is_a_conflict(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, ..Policy::default() }).await;
    for other in [
        Policy { max_attempts: 2, ..Policy::default() },
        Policy { max_attempts: 1, max_priority: 4, ..Policy::default() },
        Policy { max_attempts: 1, backoff_ms: vec![1], ..Policy::default() },
        Policy { max_attempts: 1, ttl_ms: Some(1), ..Policy::default() },
    ] {
        refused(desk.client.declare(&desk.queue, &other).await, Code::Conflict);
    }
    // The first one stays.
    desk.put(message(1)).await;
    let taken = desk.one().await;
    desk.retry(&taken).await;
    assert_eq!(desk.depth().await, Counts { dead: 1, ..Counts::NONE });
}

async fn a_refused_publish_leaves_nothing_behind(world: World) {
    let desk = world.desk(Policy::default()).await;
    refused(desk.publish(with_priority(1, 6)).await, Code::Invalid);
    refused(desk.publish(to("not a name", 2)).await, Code::Invalid);
    assert_eq!(desk.depth().await, Counts::NONE);
    // Nor is the id remembered.
    desk.put_all([1, 2]).await;
    assert_eq!(desk.taken().await, [1, 2]);
}

async fn a_batch_answers_for_each_in_order(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(2)).await;
    let batch = vec![message(1), message(2), message(3), message(1), with_priority(4, 5)];
    let answers = desk.client.publish_batch(&desk.queue, batch).await.unwrap();
    let stored: Vec<Stored> = answers.into_iter().map(Result::unwrap).collect();
    let (new, again) = (Stored::Stored, Stored::Duplicate);
    assert_eq!(stored, [new, again, new, again, new]);
    assert_eq!(desk.taken().await, [4, 2, 1, 3]);
}

async fn one_bad_item_spares_its_neighbours(world: World) {
    let desk = world.desk(Policy { max_length: Some(2), ..Policy::default() }).await;
    let batch = vec![message(1), with_priority(2, 9), message(3), message(4)];
    let answers = desk.client.publish_batch(&desk.queue, batch).await.unwrap();
    let codes: Vec<_> = answers.into_iter().map(|answer| answer.map_err(|error| error.code())).collect();
    assert_eq!(codes, [Ok(Stored::Stored), Err(Code::Invalid), Ok(Stored::Stored), Err(Code::Full)]);
    assert_eq!(desk.taken().await, [1, 3]);
}

async fn a_batch_to_an_undeclared_queue_is_refused_as_a_whole(world: World) {
    let desk = world.desk(Policy::default()).await;
    let queue = Queue::new("nowhere");
    refused(desk.client.publish_batch(&queue, vec![message(1)]).await, Code::NotFound);
    let desk = desk.at(queue, Policy::default()).await;
    assert_eq!(desk.depth().await, Counts::NONE);
}

async fn an_empty_batch_is_no_error(world: World) {
    let desk = world.desk(Policy::default()).await;
    assert!(desk.client.publish_batch(&desk.queue, Vec::new()).await.unwrap().is_empty());
    assert!(desk.fetch(Fetch::up_to(1)).await.is_empty());
}
