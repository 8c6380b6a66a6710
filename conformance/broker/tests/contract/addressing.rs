//! Messages to a named recipient, and to whoever comes first.

use workwire_broker::{Fetch, Message, Peek, Policy};

use super::desk::{Desk, World, id, looking_at, message, numbers, run, to, with_priority};

crate::subjects::each_broker![run:
    a_message_to_one_is_never_delivered_to_another,
    an_unaddressed_one_goes_to_exactly_one,
    order_and_priority_hold_across_both,
    an_unread_addressed_message_does_not_block_others,
    without_a_recipient_only_the_unaddressed,
    a_recipient_is_kept_over_redelivery,
    a_fetch_by_id_is_for_its_recipient_too,
    names_are_compared_letter_by_letter,
    two_that_fetch_as_one_recipient_share,
    request_and_response_between_two_agents,
];

impl Desk {
    async fn taken_as(&self, recipient: &str) -> Vec<u128> {
        numbers(&self.fetch(Fetch::up_to(100).for_recipient(recipient)).await)
    }
}

async fn a_message_to_one_is_never_delivered_to_another(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(to("ada", 1)).await;
    desk.put(to("bob", 2)).await;
    assert_eq!(desk.taken_as("bob").await, [2]);
    assert!(desk.taken_as("carol").await.is_empty());
    assert!(desk.taken().await.is_empty());
    assert_eq!(desk.taken_as("ada").await, [1]);
}

async fn an_unaddressed_one_goes_to_exactly_one(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all([1, 2]).await;
    assert_eq!(desk.taken_as("ada").await, [1, 2]);
    assert!(desk.taken_as("bob").await.is_empty() && desk.taken().await.is_empty());
}

async fn order_and_priority_hold_across_both(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(message(1)).await;
    desk.put(to("ada", 2)).await;
    desk.put(Message { priority: Some(5), ..to("ada", 3) }).await;
    desk.put(with_priority(4, 5)).await;
    desk.put(to("bob", 5)).await;
    desk.put(message(6)).await;
    assert_eq!(desk.taken_as("ada").await, [3, 4, 1, 2, 6]);
}

async fn an_unread_addressed_message_does_not_block_others(world: World) {
    let desk = world.desk(Policy::default()).await;
    for number in 1..=20 {
        desk.put(Message { priority: Some(5), ..to("nobody", number) }).await;
    }
    desk.put(to("ada", 21)).await;
    desk.put(message(22)).await;
    assert_eq!(numbers(&desk.fetch(Fetch::up_to(1).for_recipient("ada")).await), [21]);
    assert_eq!(numbers(&desk.take(1).await), [22]);
}

async fn without_a_recipient_only_the_unaddressed(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(to("ada", 1)).await;
    desk.put(message(2)).await;
    assert_eq!(desk.seen(looking_at(10)).await, [2]);
    assert_eq!(desk.taken().await, [2]);
    // It is counted all the same.
    assert_eq!(desk.depth().await.ready, 1);
}

async fn a_recipient_is_kept_over_redelivery(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(to("ada", 1)).await;
    let held = desk.one_of(Fetch::up_to(1).for_recipient("ada")).await;
    desk.retry(&held).await;
    assert!(desk.taken_as("bob").await.is_empty() && desk.taken().await.is_empty());
    assert_eq!(desk.taken_as("ada").await, [1]);
}

async fn a_fetch_by_id_is_for_its_recipient_too(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(to("ada", 1)).await;
    assert!(desk.fetch(Fetch::up_to(1).only(id(1))).await.is_empty());
    assert!(desk.fetch(Fetch::up_to(1).only(id(1)).for_recipient("bob")).await.is_empty());
    let peek = |recipient: &str| Peek { recipient: Some(recipient.to_owned()), ..looking_at(10) };
    assert!(desk.seen(peek("bob")).await.is_empty());
    assert_eq!(desk.seen(peek("ada")).await, [1]);
    assert_eq!(desk.fetch(Fetch::up_to(1).only(id(1)).for_recipient("ada")).await.len(), 1);
}

async fn names_are_compared_letter_by_letter(world: World) {
    let desk = world.desk(Policy::default()).await;
    let names = ["ada", "Ada", "ada.", "ad", "ada-1", "a.a"];
    for (number, name) in (1..).zip(names) {
        desk.put(to(name, number)).await;
    }
    for (number, name) in (1..).zip(names) {
        assert_eq!(desk.taken_as(name).await, [number], "as {name}");
    }
}

async fn two_that_fetch_as_one_recipient_share(world: World) {
    let desk = world.desk(Policy::default()).await;
    let other = desk.beside("other").await;
    desk.put(to("ada", 1)).await;
    desk.put(to("ada", 2)).await;
    assert_eq!(numbers(&desk.fetch(Fetch::up_to(1).for_recipient("ada")).await), [1]);
    assert_eq!(other.taken_as("ada").await, [2]);
}

async fn request_and_response_between_two_agents(world: World) {
    let desk = world.desk(Policy::default()).await;
    let (responder, observer) = (desk.beside("responder").await, desk.beside("observer").await);
    desk.put(to("bob", 1)).await;
    assert!(observer.taken_as("carol").await.is_empty());
    let request = responder.one_of(Fetch::up_to(1).for_recipient("bob")).await;
    responder.put(to("ada", 2)).await;
    responder.done(&request).await;
    assert!(observer.taken_as("carol").await.is_empty());
    assert_eq!(desk.taken_as("ada").await, [2]);
}
