//! Keys: how they are called, that none is left, that all of a queue are in one slot of a cluster.

use workwire_broker::{Client, Fetch, Message, Policy, Queue, Verdict};

use super::server::{Own, Raw, message, open, take};
use crate::live::instance;

/// Makes every key that a queue can have.
async fn live_a_life(client: &dyn Client, queue: &Queue) {
    client.declare(queue, &Policy { backoff_ms: vec![60_000], ..Policy::default() }).await.unwrap();
    for number in 1..=5 {
        client.publish(queue, Message { priority: Some(number), ..message("one") }).await.unwrap();
    }
    client.publish(queue, Message { delay_ms: Some(60_000), ..message("later") }).await.unwrap();
    client
        .publish(queue, Message { to: Some("ada".to_owned()), ttl_ms: Some(60_000), ..message("ada's") })
        .await
        .unwrap();
    client.fetch(queue, Fetch::up_to(1).of_group("others")).await.unwrap();
    let taken = take(client, queue).await;
    client.settle(queue, &taken[0].tag, Verdict::dead("no good")).await.unwrap();
    client.settle(queue, &taken[1].tag, Verdict::retry()).await.unwrap();
    client.settle(queue, &taken[2].tag, Verdict::Done).await.unwrap();
}

#[tokio::test]
async fn a_deleted_queue_leaves_no_key() {
    let Some(redis) = instance("redis").await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    let client = open(&format!("{}?prefix=blue:", redis.address())).await.open("client").await.unwrap();
    for queue in [Queue::new("tasks"), Queue::of_tenant("acme", "tasks")] {
        live_a_life(&*client, &queue).await;
        let keys = raw.keys().await;
        assert_eq!(keys.len(), 15, "{keys:?}");
        let start = if queue.tenant().is_some() { "blue:t:acme:events:tasks:" } else { "blue:q:tasks:" };
        assert!(keys.iter().all(|key| key.starts_with(start)), "{keys:?}");
        client.delete(&queue).await.unwrap();
        assert_eq!(raw.keys().await, [""; 0]);
    }
}

#[tokio::test]
async fn what_another_process_deleted_and_declared_is_found_as_it_is() {
    let Some(redis) = instance("redis").await else { return };
    let (one, other) = (open(&redis.address()).await, open(&redis.address()).await);
    let (one, other) = (one.open("client").await.unwrap(), other.open("client").await.unwrap());
    let tasks = Queue::new("tasks");
    one.declare(&tasks, &Policy::default()).await.unwrap();
    one.publish(&tasks, message("of the first")).await.unwrap();
    other.delete(&tasks).await.unwrap();
    assert_eq!(one.publish(&tasks, message("gone")).await.unwrap_err().code(), workwire_broker::Code::NotFound);
    other.declare(&tasks, &Policy { max_priority: 10, ..Policy::default() }).await.unwrap();
    one.publish(&tasks, Message { priority: Some(10), ..message("of the second") }).await.unwrap();
    let taken = take(&*one, &tasks).await;
    assert_eq!((taken.len(), &taken[0].body[..]), (1, &b"of the second"[..]));
}

#[tokio::test]
async fn every_key_of_a_queue_is_in_one_slot_of_a_cluster() {
    let Some(redis) = Own::start(&["--cluster-enabled", "yes"]).await else { return };
    let mut raw = Raw::to(&redis.address()).await;
    raw.tell::<()>("CLUSTER ADDSLOTSRANGE 0 16383").await;
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !raw.tell::<String>("CLUSTER INFO").await.contains("cluster_state:ok") {
        assert!(std::time::Instant::now() < until, "the cluster is not ready");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let why = super::server::no_way(&redis.address()).await;
    assert!(why.contains("?cluster=1"), "{why}");
    let client = open(&format!("{}?cluster=1", redis.address())).await.open("client").await.unwrap();
    let queue = Queue::of_tenant("acme", "tasks");
    live_a_life(&*client, &queue).await;
    let keys = raw.keys().await;
    assert!(keys.len() == 15 && keys.iter().all(|key| key.starts_with("{t:acme:events:tasks}")), "{keys:?}");
    client.delete(&queue).await.unwrap();
    assert!(raw.keys().await.is_empty());
}
