//! Deliveries that are pushed.

use std::time::Duration;

use tokio::time::timeout;
use workwire_broker::{Deliveries, Fetch, Policy, Queue, Verdict};

use super::tools::{bodies, broker, message};
use crate::live::instance;

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn no_more_come_than_the_credit_allows_and_all_in_order() {
    let Some(mut server) = instance("rabbitmq").await else { return };
    let broker = broker(&server.address()).await;
    let (client, other) = (broker.open("client").await.unwrap(), broker.open("other").await.unwrap());
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    for number in 0..6 {
        client.publish(&tasks, message(&number.to_string())).await.unwrap();
    }
    let deliveries = Deliveries::of(&*client, &tasks, Fetch::up_to(1), 2).await.unwrap();
    let first = timeout(SOON, deliveries.next()).await.unwrap().unwrap();
    let second = timeout(SOON, deliveries.next()).await.unwrap().unwrap();
    assert_eq!((&first.body[..], &second.body[..]), (&b"0"[..], &b"1"[..]));
    // Two are in this one's hands, and none beyond.
    assert_eq!(other.depth(&tasks, None).await.unwrap().ready, 4);
    assert!(timeout(Duration::from_millis(200), deliveries.next()).await.is_err());
    deliveries.settle(&first.tag, Verdict::Done).await.unwrap();
    let third = timeout(SOON, deliveries.next()).await.unwrap().unwrap();
    assert_eq!(&third.body[..], b"2");
    deliveries.settle(&second.tag, Verdict::Done).await.unwrap();
    // Sent already, and asked for by nobody: it goes back to its place.
    drop(deliveries);
    timeout(SOON, async { while other.depth(&tasks, None).await.unwrap().ready != 3 {} }).await.unwrap();
    assert_eq!(bodies(&*other, &tasks, Fetch::up_to(1)).await, ["3"]);
    client.settle(&tasks, &third.tag, Verdict::Done).await.unwrap();

    // And it goes on when the server was gone.
    let empty = Queue::new("empty");
    client.declare(&empty, &Policy::default()).await.unwrap();
    let deliveries = Deliveries::of(&*client, &empty, Fetch::up_to(1), 2).await.unwrap();
    let story = async {
        server.kill().await.unwrap();
        server.start_again().await.unwrap();
        other.publish(&empty, message("after it")).await.unwrap();
    };
    let (next, ()) = tokio::join!(deliveries.next(), story);
    assert_eq!(&next.unwrap().body[..], b"after it");
}
