//! Two brokers on one file, as two processes are.

use uuid::Uuid;
use workwire_broker::{Broker as _, Code, Fetch, Message, Policy, Stored, Verdict};

use super::folder::{Folder, client, tasks};

#[tokio::test]
async fn what_one_publishes_the_other_who_waits_gets() {
    let folder = Folder::new();
    let (here, there) = (folder.broker(), folder.broker());
    let (publisher, consumer) = (client(&here, Policy::default()).await, client(&there, Policy::default()).await);
    let waiting = tokio::spawn(async move {
        let deliveries = consumer.fetch(&tasks(), Fetch::up_to(1).waiting(60_000)).await.unwrap();
        (consumer, deliveries)
    });
    let id = Uuid::now_v7();
    publisher.publish(&tasks(), Message::new(id, "over there")).await.unwrap();
    let (consumer, deliveries) = waiting.await.unwrap();
    assert_eq!(deliveries[0].id, id);
    let error = publisher.settle(&tasks(), &deliveries[0].tag, Verdict::Done).await.unwrap_err();
    assert_eq!(error.code(), Code::Stale, "a tag is its own client's, wherever that is");
    consumer.settle(&tasks(), &deliveries[0].tag, Verdict::Done).await.unwrap();
    let depth = publisher.depth(&tasks(), None).await.unwrap();
    assert_eq!((depth.ready, depth.leased), (0, Some(0)));
}

#[tokio::test]
async fn an_id_that_one_published_the_other_knows() {
    let folder = Folder::new();
    let (here, there) = (folder.broker(), folder.broker());
    let (one, other) = (client(&here, Policy::default()).await, client(&there, Policy::default()).await);
    let id = Uuid::now_v7();
    assert_eq!(one.publish(&tasks(), Message::new(id, "once")).await.unwrap(), Stored::Stored);
    assert_eq!(other.publish(&tasks(), Message::new(id, "once")).await.unwrap(), Stored::Duplicate);
    assert_eq!(other.depth(&tasks(), None).await.unwrap().ready, 1);
}

#[tokio::test]
async fn the_order_is_one_order() {
    let folder = Folder::new();
    let (here, there) = (folder.broker(), folder.broker());
    let (one, other) = (client(&here, Policy::default()).await, client(&there, Policy::default()).await);
    let ids: Vec<Uuid> = (0..10).map(|_| Uuid::now_v7()).collect();
    for (n, id) in ids.iter().enumerate() {
        let client = if n % 2 == 0 { &one } else { &other };
        client.publish(&tasks(), Message::new(*id, "x")).await.unwrap();
    }
    let deliveries = other.fetch(&tasks(), Fetch::up_to(10)).await.unwrap();
    assert_eq!(deliveries.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), ids);
    let tags: std::collections::HashSet<_> = deliveries.into_iter().map(|delivery| delivery.tag).collect();
    assert_eq!(tags.len(), 10);
}

#[tokio::test]
async fn a_policy_is_found_by_who_did_not_declare_it() {
    let folder = Folder::new();
    let (here, there) = (folder.broker(), folder.broker());
    let one = client(&here, Policy { max_priority: 9, ..Policy::default() }).await;
    let other = there.open("other").await.unwrap();
    let message = Message { priority: Some(9), ..Message::new(Uuid::now_v7(), "urgent") };
    other.publish(&tasks(), message).await.unwrap();
    assert_eq!(one.fetch(&tasks(), Fetch::up_to(1)).await.unwrap()[0].priority, 9);
    let error = other.declare(&tasks(), &Policy::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
}
