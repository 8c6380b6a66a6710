//! Many who fetch at the same moment: one step serves several of them, and each message goes to one.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinSet;
use uuid::Uuid;
use workwire_broker::{Client, Delivery, Fetch, Message, Policy, Queue, Verdict};

use super::server::open;
use crate::live::instance;

async fn published(client: &dyn Client, queue: &Queue, count: usize, bytes: usize) -> BTreeSet<Uuid> {
    let mut ids = BTreeSet::new();
    for _ in 0..count {
        let message = Message::new(Uuid::now_v7(), vec![b'x'; bytes]);
        ids.insert(message.id);
        client.publish(queue, message).await.unwrap();
    }
    ids
}

/// What all of these get, at the same moment.
async fn fetched(client: &Arc<dyn Client>, queue: &Queue, fetches: Vec<Fetch>) -> Vec<Delivery> {
    let mut tasks = JoinSet::new();
    for fetch in fetches {
        let (client, queue) = (Arc::clone(client), queue.clone());
        tasks.spawn(async move { client.fetch(&queue, fetch).await.unwrap() });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

fn ids(deliveries: &[Delivery]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = deliveries.iter().map(|delivery| delivery.id).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_message_goes_to_one_of_many_also_where_some_want_it_by_its_id() {
    let Some(redis) = instance("redis").await else { return };
    let client: Arc<dyn Client> = Arc::from(open(&redis.address()).await.open("client").await.unwrap());
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    let there = published(&*client, &tasks, 20, 10).await;
    let by_id = there.iter().map(|id| Fetch::up_to(1).only(*id));
    let wanted: Vec<Fetch> = by_id.flat_map(|fetch| [Fetch::up_to(1), fetch]).collect();
    let taken = fetched(&client, &tasks, wanted).await;
    assert_eq!(ids(&taken), there.into_iter().collect::<Vec<_>>());
    for one in taken {
        client.settle(&tasks, &one.tag, Verdict::Done).await.unwrap();
    }
    assert_eq!(client.depth(&tasks, None).await.unwrap().leased, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_one_answer_carries_is_brought_by_several() {
    let Some(redis) = instance("redis").await else { return };
    let client: Arc<dyn Client> = Arc::from(open(&redis.address()).await.open("client").await.unwrap());
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    let there = published(&*client, &tasks, 40, 900_000).await;
    // Four for each of ten, and 36 MB of them in all: who is at an answer's end gets fewer.
    let mut taken = fetched(&client, &tasks, vec![Fetch::up_to(4).waiting(20_000); 10]).await;
    while taken.len() < there.len() {
        taken.extend(client.fetch(&tasks, Fetch::up_to(4).waiting(20_000)).await.unwrap());
    }
    assert_eq!(ids(&taken), there.into_iter().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_wait_each_is_served() {
    let Some(redis) = instance("redis").await else { return };
    let client: Arc<dyn Client> = Arc::from(open(&redis.address()).await.open("client").await.unwrap());
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    let waiting = fetched(&client, &tasks, vec![Fetch::up_to(1).waiting(20_000); 50]);
    let (taken, there) = tokio::join!(waiting, published(&*client, &tasks, 50, 10));
    assert_eq!(ids(&taken), there.into_iter().collect::<Vec<_>>());
}
