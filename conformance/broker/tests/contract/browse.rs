//! Looking without taking, and taking one by its id.

use workwire_broker::{Fetch, MEBIBYTE, Message, Peek, Policy};

use super::desk::{Counts, World, id, looking_at, message, numbers, run, to, with_delay, with_priority};

crate::subjects::each_broker![run:
    a_look_takes_nothing_and_changes_nothing,
    it_shows_the_order_in_which_they_would_come,
    it_shows_no_more_than_max,
    it_shows_all_of_a_message,
    it_shows_what_a_recipient_would_get,
    it_goes_on_behind_a_message,
    behind_a_message_that_is_not_there_is_nothing,
    it_shows_only_what_is_ready,
    it_shows_eight_mebibytes_and_always_one,
    taking_by_id_takes_that_one_or_nothing,
    of_two_messages_with_one_id_the_oldest_is_taken,
    of_two_takers_of_one_id_one_gets_it,
    taking_by_id_leaves_the_order_of_the_rest,
    a_channel_message_is_claimed_once_only,
];

async fn a_look_takes_nothing_and_changes_nothing(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=3).await;
    for _ in 0..5 {
        assert_eq!(desk.seen(looking_at(10)).await, [1, 2, 3]);
    }
    assert_eq!(desk.depth().await, Counts { ready: 3, ..Counts::NONE });
    let taken = desk.take(3).await;
    assert!(taken.iter().all(|delivery| delivery.attempt == 1));
}

async fn it_shows_the_order_in_which_they_would_come(world: World) {
    let desk = world.desk(Policy::default()).await;
    for (number, priority) in [(1, 1), (2, 5), (3, 3), (4, 5), (5, 1)] {
        desk.put(with_priority(number, priority)).await;
    }
    let seen = desk.seen(looking_at(10)).await;
    assert_eq!(seen, [2, 4, 3, 1, 5]);
    assert_eq!(desk.taken().await, seen);
}

async fn it_shows_no_more_than_max(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=5).await;
    assert_eq!(desk.seen(looking_at(2)).await, [1, 2]);
}

async fn it_shows_all_of_a_message(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(with_priority(1, 4)).await;
    desk.retry(&desk.one().await).await;
    let seen = desk.client.peek(&desk.queue, looking_at(1)).await.unwrap().remove(0);
    assert_eq!((seen.id, &seen.body[..], seen.priority, seen.attempt), (id(1), &b"body of 1"[..], 4, 2));
}

async fn it_shows_what_a_recipient_would_get(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    desk.put(to("ada", 2)).await;
    desk.put(to("bob", 3)).await;
    let peek = |recipient: &str| Peek { recipient: Some(recipient.to_owned()), ..looking_at(10) };
    assert_eq!(desk.seen(peek("ada")).await, [1, 2]);
    assert_eq!(desk.seen(peek("bob")).await, [1, 3]);
    assert_eq!(desk.seen(looking_at(10)).await, [1]);
    // Behind what it cannot see is nothing for it.
    assert!(desk.seen(Peek { after: Some(id(3)), ..peek("ada") }).await.is_empty());
}

async fn it_goes_on_behind_a_message(world: World) {
    let desk = world.desk(Policy::default()).await;
    for (number, priority) in [(1, 1), (2, 5), (3, 3), (4, 5), (5, 1)] {
        desk.put(with_priority(number, priority)).await;
    }
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let page = desk.seen(Peek { after, ..looking_at(2) }).await;
        let Some(last) = page.last() else { break };
        after = Some(id(*last));
        pages.push(page);
    }
    assert_eq!(pages, [vec![2, 4], vec![3, 1], vec![5]]);
}

async fn behind_a_message_that_is_not_there_is_nothing(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=3).await;
    let behind = |number| Peek { after: Some(id(number)), ..looking_at(10) };
    assert!(desk.seen(behind(9)).await.is_empty());
    assert_eq!(desk.seen(behind(1)).await, [2, 3]);
    // What is held is not there to be behind.
    desk.one().await;
    assert!(desk.seen(behind(1)).await.is_empty());
}

async fn it_shows_only_what_is_ready(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all([1, 2]).await;
    desk.put(with_delay(3, 1_000)).await;
    desk.bury(4, "broken").await;
    desk.one().await;
    assert_eq!(desk.seen(looking_at(10)).await, [2]);
}

async fn it_shows_eight_mebibytes_and_always_one(world: World) {
    let desk = world.desk(Policy::default()).await;
    let mebibyte = vec![b'x'; usize::try_from(MEBIBYTE).unwrap()];
    for number in 1..=9 {
        desk.put(Message::new(id(number), mebibyte.clone())).await;
    }
    assert_eq!(desk.seen(looking_at(100)).await, (1..=8).collect::<Vec<_>>());
}

async fn taking_by_id_takes_that_one_or_nothing(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=3).await;
    desk.put(with_delay(4, 1_000)).await;
    let by_id = |number| Fetch::up_to(10).only(id(number));
    assert_eq!(numbers(&desk.fetch(by_id(2)).await), [2]);
    assert!(desk.fetch(by_id(2)).await.is_empty(), "it is held");
    assert!(desk.fetch(by_id(4)).await.is_empty(), "it rests");
    assert!(desk.fetch(by_id(9)).await.is_empty(), "it never was");
    assert_eq!(desk.depth().await, Counts { ready: 2, leased: 1, delayed: 1, dead: 0 });
}

async fn of_two_messages_with_one_id_the_oldest_is_taken(world: World) {
    let desk = world.desk(Policy { dedupe_ms: 0, ..Policy::default() }).await;
    for priority in [1, 5, 3] {
        desk.put(with_priority(1, priority)).await;
    }
    for priority in [1, 5, 3] {
        assert_eq!(desk.one_of(Fetch::up_to(1).only(id(1))).await.priority, priority);
    }
}

async fn of_two_takers_of_one_id_one_gets_it(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.beside("other").await;
    desk.put(message(1)).await;
    let by_id = Fetch::up_to(1).only(id(1));
    // The second is told at once, without waiting.
    let (first, second) = tokio::join!(desk.fetch(by_id.clone()), other.fetch(by_id));
    assert_eq!(first.len() + second.len(), 1);
}

async fn taking_by_id_leaves_the_order_of_the_rest(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=4).await;
    desk.fetch(Fetch::up_to(1).only(id(3))).await;
    assert_eq!(desk.taken().await, [1, 2, 4]);
}

async fn a_channel_message_is_claimed_once_only(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.beside("other").await;
    desk.put(message(1)).await;
    let seen = desk.client.peek(&desk.queue, looking_at(1)).await.unwrap();
    assert_eq!(other.client.peek(&desk.queue, looking_at(1)).await.unwrap(), seen);
    let claimed = desk.one_of(Fetch::up_to(1).only(seen[0].id)).await;
    assert!(other.fetch(Fetch::up_to(1).only(seen[0].id)).await.is_empty());
    desk.done(&claimed).await;
    assert!(other.fetch(Fetch::up_to(1).only(seen[0].id)).await.is_empty());
}
