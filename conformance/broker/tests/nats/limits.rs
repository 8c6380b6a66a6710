//! The server's limits.

use bytes::Bytes;
use uuid::Uuid;
use workwire_broker::{Capability, Code, Fetch, Message, Policy, Queue, Verdict};

use super::server::{JETSTREAM, Server, open};

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused_with_the_limit() {
    let Some(server) = Server::start(JETSTREAM) else { return };
    let broker = open(&server.address()).await;
    // The server's usual 1 MiB is for body and headers together.
    assert!(!broker.about().capabilities.has(Capability::Large));
    let most = usize::try_from(broker.about().limits.max_message_bytes).unwrap();
    let client = broker.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    let error = client.publish(&tasks, Message::new(Uuid::now_v7(), vec![7; most + 1])).await.unwrap_err();
    assert_eq!(error.code(), Code::Invalid);
    assert!(error.message().contains(&most.to_string()), "{error}");
    client.publish(&tasks, Message::new(Uuid::now_v7(), vec![7; most])).await.unwrap();
    let taken = client.fetch(&tasks, Fetch::up_to(1).waiting(5_000)).await.unwrap();
    // The longest reason still fits beside it.
    client.settle(&tasks, &taken[0].tag, Verdict::dead("\u{2620}".repeat(4_096))).await.unwrap();
    let letters = client.dead_letters(&tasks, 1, None).await.unwrap();
    assert_eq!((letters[0].body.len(), letters[0].reason.chars().count()), (most, 4_096));
}

#[tokio::test]
async fn a_server_whose_room_is_used_up_is_full() {
    let config = "jetstream { store_dir: \"$FOLDER\", max_file_store: 2MB, sync_interval: always }\n";
    let Some(server) = Server::start(config) else { return };
    let client = open(&server.address()).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    let body = Bytes::from(vec![7; 200_000]);
    let mut stored = Vec::new();
    let error = loop {
        let id = Uuid::now_v7();
        match client.publish(&tasks, Message::new(id, body.clone())).await {
            Ok(_) => stored.push(id),
            Err(error) => break error,
        }
        assert!(stored.len() < 50, "it has an end");
    };
    assert_eq!(error.code(), Code::Full, "{error}");
    // Nothing that was stored is gone.
    let taken = client.fetch(&tasks, Fetch::up_to(100).waiting(5_000)).await.unwrap();
    assert_eq!(taken.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), stored);
    // And there is room again when some are done.
    for delivery in &taken[..3] {
        client.settle(&tasks, &delivery.tag, Verdict::Done).await.unwrap();
    }
    client.publish(&tasks, Message::new(Uuid::now_v7(), body)).await.unwrap();
    assert_eq!(client.depth(&tasks, None).await.unwrap().leased, Some(u64::try_from(stored.len() - 3).unwrap()));
}
