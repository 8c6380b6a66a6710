//! Deliveries one after the other, no more of them open than the credit allows.

use std::time::Duration;

use tokio::time::timeout;
use workwire_broker::{Code, Deliveries, Fetch, Policy, Verdict};

use super::desk::{Counts, World, id, message, refused, run, until};

crate::subjects::each_broker![run:
    they_come_in_order,
    a_client_that_never_settles_is_held_to_its_credit,
    a_stale_delivery_makes_room_too,
    a_delivery_comes_when_it_is_published,
    a_credit_of_nothing_is_refused,
    it_fetches_as_its_group_and_recipient,
];

/// Long enough for a broker to hand out what it should not.
const MOMENT: Duration = Duration::from_millis(20);

async fn they_come_in_order(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=10).await;
    let deliveries = Deliveries::of(&*desk.client, &desk.queue, Fetch::up_to(1), 3).await.unwrap();
    for number in 1..=10 {
        let delivery = deliveries.next().await.unwrap();
        assert_eq!(delivery.id, id(number));
        deliveries.settle(&delivery.tag, Verdict::Done).await.unwrap();
    }
    assert_eq!(desk.depth().await, Counts::NONE);
}

async fn a_client_that_never_settles_is_held_to_its_credit(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put_all(1..=10).await;
    let deliveries = Deliveries::of(&*desk.client, &desk.queue, Fetch::up_to(1), 4).await.unwrap();
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(deliveries.next().await.unwrap());
    }
    assert!(timeout(MOMENT, deliveries.next()).await.is_err(), "a fifth of four came");
    assert_eq!(desk.depth().await, Counts { ready: 6, leased: 4, ..Counts::NONE });
    deliveries.settle(&open[2].tag, Verdict::Done).await.unwrap();
    assert_eq!(deliveries.next().await.unwrap().id, id(5));
}

async fn a_stale_delivery_makes_room_too(world: World) {
    let desk = world.desk(Policy { lease_ms: 1_000, ..Policy::default() }).await;
    desk.put_all([1, 2]).await;
    let deliveries = Deliveries::of(&*desk.client, &desk.queue, Fetch::up_to(1), 1).await.unwrap();
    let late = deliveries.next().await.unwrap();
    desk.advance(1_000);
    refused(deliveries.settle(&late.tag, Verdict::Done).await, Code::Stale);
    let again = deliveries.next().await.unwrap();
    assert_eq!((again.id, again.attempt), (id(1), 2));
}

async fn a_delivery_comes_when_it_is_published(world: World) {
    let desk = world.desk(Policy::default()).await;
    let publisher = desk.beside("publisher").await;
    let deliveries = Deliveries::of(&*desk.client, &desk.queue, Fetch::up_to(1), 2).await.unwrap();
    let (delivery, ()) = tokio::join!(deliveries.next(), publisher.put(message(1)));
    assert_eq!(delivery.unwrap().id, id(1));
}

async fn a_credit_of_nothing_is_refused(world: World) {
    let desk = world.desk(Policy::default()).await;
    let answer = Deliveries::of(&*desk.client, &desk.queue, Fetch::up_to(1), 0).await;
    assert_eq!(answer.err().expect("a refusal").code(), Code::Invalid);
}

async fn it_fetches_as_its_group_and_recipient(world: World) {
    let desk = world.desk(Policy::default()).await;
    desk.put(super::desk::to("bob", 1)).await;
    desk.put(super::desk::to("ada", 2)).await;
    let fetch = Fetch::up_to(1).of_group("audit").for_recipient("ada");
    let deliveries = Deliveries::of(&*desk.client, &desk.queue, fetch, 2).await.unwrap();
    let delivery = deliveries.next().await.unwrap();
    assert_eq!(delivery.id, id(2));
    deliveries.settle(&delivery.tag, Verdict::Done).await.unwrap();
    until(async || desk.depth_of("audit").await == Counts { ready: 1, ..Counts::NONE }).await;
}
