//! A server at its `maxmemory`: `full`, and nothing half done.

use workwire_broker::{Code, Policy, Queue, Verdict};

use super::server::{Raw, message, open, take};
use crate::live::instance;

#[tokio::test]
async fn a_full_server_refuses_and_what_it_has_can_be_worked_off() {
    let Some(redis) = instance("redis?maxmemory=8mb").await else { return };
    let client = open(&redis.address()).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy { max_attempts: 1, ..Policy::default() }).await.unwrap();
    let body = "x".repeat(64 * 1_024);
    let mut stored = 0;
    let refused = loop {
        let one = message(&body);
        match client.publish(&tasks, one.clone()).await {
            Ok(_) => stored += 1,
            Err(error) => break (one, error),
        }
        assert!(stored < 1_000, "it is never full");
    };
    assert!(refused.1.code() == Code::Full && refused.1.message().contains("maxmemory"), "{}", refused.1);
    assert_eq!(client.depth(&tasks, None).await.unwrap().ready, stored);

    let taken = take(&*client, &tasks).await;
    client.settle(&tasks, &taken[0].tag, Verdict::dead("no good")).await.unwrap();
    assert_eq!(client.depth(&tasks, None).await.unwrap().dead, Some(1), "what dies is kept also where memory is full");
    for delivery in &taken[1..] {
        client.settle(&tasks, &delivery.tag, Verdict::Done).await.unwrap();
    }
    // The id of what was refused is free.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while let Err(error) = client.publish(&tasks, refused.0.clone()).await {
        assert!(error.code() == Code::Full && std::time::Instant::now() < until, "{error}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_batch_is_refused_whole_where_memory_is_full_from_its_beginning() {
    let Some(redis) = instance("redis?maxmemory=8mb").await else { return };
    let client = open(&redis.address()).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    Raw::to(&redis.address()).await.tell::<()>("CONFIG SET maxmemory 100kb").await;
    let batch = (0..10).map(|number| message(&format!("{number}"))).collect();
    let answers = client.publish_batch(&tasks, batch).await.unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().is_err_and(|error| error.code() == Code::Full)), "{answers:?}");
    assert_eq!(client.depth(&tasks, None).await.unwrap().ready, 0);
}
