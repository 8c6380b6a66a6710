//! The way back from the dead letters.

use workwire_broker::{Code, Fetch, Overflow, Policy, Queue, Stored};

use super::desk::{Counts, World, id, letter_numbers, message, refused, run, to, with_delay, with_priority, with_ttl};

crate::subjects::each_broker![run:
    it_goes_back_to_its_own_queue,
    it_is_as_new,
    priority_bytes_and_recipient_are_kept,
    it_is_no_longer_among_the_dead,
    it_goes_behind_its_priority,
    two_replays_of_one_letter_make_one_message,
    an_unknown_id_is_not_found,
    of_two_letters_the_oldest_goes_back,
    its_time_to_live_begins_anew,
    it_does_not_rest,
    it_is_no_duplicate_and_is_not_remembered_anew,
    a_full_queue_refuses_and_the_letter_stays,
    a_full_queue_that_drops_the_oldest_refuses_too,
    the_last_reason_is_forgotten,
    it_can_die_again,
];

async fn it_goes_back_to_its_own_queue(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.at(Queue::new("other"), Policy::default()).await;
    desk.bury(1, "broken").await;
    refused(other.replay(1).await, Code::NotFound);
    desk.replay(1).await.unwrap();
    assert!(other.taken().await.is_empty());
    assert_eq!(desk.taken().await, [1]);
}

async fn it_is_as_new(world: World) {
    let desk = world.desk(Policy { max_attempts: 2, ..Policy::default() }).await;
    desk.put(message(1)).await;
    for _ in 0..2 {
        desk.retry(&desk.one().await).await;
    }
    desk.replay(1).await.unwrap();
    for attempt in 1..=2 {
        let taken = desk.one().await;
        assert_eq!(taken.attempt, attempt);
        desk.retry(&taken).await;
    }
    assert_eq!(desk.depth().await, Counts { dead: 1, ..Counts::NONE });
}

async fn priority_bytes_and_recipient_are_kept(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(workwire_broker::Message { priority: Some(5), ..to("ada", 1) }).await;
    let fetch = Fetch::up_to(1).for_recipient("ada");
    desk.dead(&desk.one_of(fetch.clone()).await, "broken").await;
    desk.replay(1).await.unwrap();
    assert!(desk.taken().await.is_empty());
    let taken = desk.one_of(fetch).await;
    assert_eq!((taken.id, taken.priority, &taken.body[..]), (id(1), 5, &b"body of 1"[..]));
}

async fn it_is_no_longer_among_the_dead(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.bury(1, "broken").await;
    desk.bury(2, "broken").await;
    desk.replay(1).await.unwrap();
    assert_eq!(letter_numbers(&desk.letters().await), [2]);
    assert_eq!(desk.depth().await, Counts { ready: 1, dead: 1, ..Counts::NONE });
}

async fn it_goes_behind_its_priority(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.bury(1, "broken").await;
    desk.put_all([2, 3]).await;
    desk.put(with_priority(4, 2)).await;
    desk.replay(1).await.unwrap();
    desk.put(message(5)).await;
    assert_eq!(desk.taken().await, [2, 3, 1, 5, 4]);
}

async fn two_replays_of_one_letter_make_one_message(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.beside("other").await;
    desk.bury(1, "broken").await;
    let (first, second) = tokio::join!(desk.replay(1), other.replay(1));
    let refusals = [first, second].into_iter().filter_map(Result::err).map(|error| error.code());
    assert_eq!(refusals.collect::<Vec<_>>(), [Code::NotFound]);
    assert_eq!(desk.depth().await, Counts { ready: 1, ..Counts::NONE });
}

async fn an_unknown_id_is_not_found(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    desk.bury(2, "broken").await;
    refused(desk.replay(1).await, Code::NotFound);
    refused(desk.replay(3).await, Code::NotFound);
    refused(desk.client.replay(&desk.queue, id(2), Some("nobody")).await, Code::NotFound);
    assert_eq!(desk.depth().await, Counts { ready: 1, dead: 1, ..Counts::NONE });
}

async fn of_two_letters_the_oldest_goes_back(world: World) {
    let desk = world.desk(Policy { dedupe_ms: 0, ..Policy::default() }).await;
    desk.put(workwire_broker::Message { priority: Some(1), ..message(1) }).await;
    desk.dead(&desk.one().await, "older").await;
    desk.bury(1, "newer").await;
    desk.replay(1).await.unwrap();
    assert_eq!(desk.one().await.priority, 1);
    assert_eq!(desk.letters().await[0].reason, "newer");
}

async fn its_time_to_live_begins_anew(world: World) {
    let desk = world.desk(Policy { ttl_ms: Some(1_000), ..Policy::default() }).await;
    desk.put(with_ttl(1, 300)).await;
    desk.put(with_ttl(2, 5_000)).await;
    for taken in desk.take(2).await {
        desk.dead(&taken, "broken").await;
    }
    desk.advance(100_000);
    desk.replay(1).await.unwrap();
    desk.replay(2).await.unwrap();
    desk.advance(299);
    assert_eq!(desk.depth().await.ready, 2);
    desk.advance(1);
    assert_eq!(desk.depth().await.ready, 1);
    desk.advance(700);
    assert_eq!(desk.depth().await.ready, 0);
}

async fn it_does_not_rest(world: World) {
    let desk = world.desk(Policy { backoff_ms: vec![60_000], max_attempts: 2, ..Policy::default() }).await;
    desk.put(with_delay(1, 500)).await;
    desk.advance(500);
    desk.dead(&desk.one().await, "broken").await;
    desk.replay(1).await.unwrap();
    assert_eq!(desk.taken().await, [1]);
}

async fn it_is_no_duplicate_and_is_not_remembered_anew(world: World) {
    let desk = world.desk(Policy { dedupe_ms: 1_000, ..Policy::default() }).await;
    desk.bury(1, "broken").await;
    desk.advance(900);
    desk.replay(1).await.unwrap();
    assert_eq!(desk.publish(message(1)).await, Ok(Stored::Duplicate));
    desk.advance(100);
    assert_eq!(desk.publish(message(1)).await, Ok(Stored::Stored));
    assert_eq!(desk.taken().await, [1, 1]);
}

async fn a_full_queue_refuses_and_the_letter_stays(world: World) {
    let desk = world.desk(Policy { max_length: Some(2), ..Policy::default() }).await;
    desk.bury(1, "broken").await;
    desk.put_all([2, 3]).await;
    refused(desk.replay(1).await, Code::Full);
    assert_eq!(letter_numbers(&desk.letters().await), [1]);
    desk.done(&desk.one().await).await;
    desk.replay(1).await.unwrap();
    assert_eq!(desk.taken().await, [3, 1]);
}

async fn a_full_queue_that_drops_the_oldest_refuses_too(world: World) {
    let policy = Policy { max_length: Some(1), overflow: Overflow::DropOldest, ..Policy::default() };
    let desk = world.desk(policy).await;
    desk.bury(1, "broken").await;
    desk.put(message(2)).await;
    refused(desk.replay(1).await, Code::Full);
    assert_eq!((letter_numbers(&desk.letters().await), desk.taken().await), (vec![1], vec![2]));
}

async fn the_last_reason_is_forgotten(world: World) {
    let desk = world.desk(Policy { max_attempts: 1, ..Policy::default() }).await;
    desk.bury(1, "the first time").await;
    desk.replay(1).await.unwrap();
    desk.retry(&desk.one().await).await;
    assert_eq!(desk.letters().await[0].reason, "attempts used up: 1 deliveries ended in retry");
}

async fn it_can_die_again(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.bury(1, "once").await;
    for _ in 0..3 {
        desk.replay(1).await.unwrap();
        desk.dead(&desk.one().await, "and again").await;
        assert_eq!(desk.letters().await.len(), 1);
    }
    assert_eq!(desk.letters().await[0].reason, "and again");
}
