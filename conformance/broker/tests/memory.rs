//! What is the memory broker's own: it runs on the runtime's time, and a fetch that nobody waits for
//! any more takes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;
use workwire_broker::clock::ManualClock;
use workwire_broker::{Broker, Client, Fetch, MemoryBroker, Message, Policy, Queue, Verdict};

fn tasks() -> Queue {
    Queue::new("tasks")
}

fn message(number: u128) -> Message {
    Message::new(Uuid::from_u128(number), "body")
}

async fn client_of(broker: &MemoryBroker, name: &str) -> Box<dyn Client> {
    let client = broker.open(name).await.unwrap();
    client.declare(&tasks(), &Policy { lease_ms: 60_000, ..Policy::default() }).await.unwrap();
    client
}

#[tokio::test(start_paused = true)]
async fn it_runs_on_the_runtimes_paused_time() {
    let broker = MemoryBroker::default();
    let client = client_of(&broker, "ada").await;
    let queue = tasks();
    let began = Instant::now();
    assert!(client.fetch(&queue, Fetch::up_to(1).waiting(5_000)).await.unwrap().is_empty());
    assert_eq!(began.elapsed(), Duration::from_secs(5));

    client.publish(&queue, Message { delay_ms: Some(3_600_000), ..message(1) }).await.unwrap();
    let began = Instant::now();
    let taken = client.fetch(&queue, Fetch::up_to(1).waiting(86_400_000)).await.unwrap();
    assert_eq!((taken[0].attempt, began.elapsed()), (1, Duration::from_hours(1)));

    // Its own lease ends while it waits.
    let again = client.fetch(&queue, Fetch::up_to(1).waiting(86_400_000)).await.unwrap();
    assert_eq!((again[0].attempt, began.elapsed()), (2, Duration::from_hours(1) + Duration::from_mins(1)));
    client.settle(&queue, &taken[0].tag, Verdict::Done).await.unwrap_err();
    client.settle(&queue, &again[0].tag, Verdict::Done).await.unwrap();
}

#[tokio::test]
async fn a_fetch_given_up_before_its_answer_takes_nothing() {
    let broker = MemoryBroker::new(Arc::new(ManualClock::at(0)));
    let client = client_of(&broker, "ada").await;
    let queue = tasks();
    {
        let mut fetching = pin!(client.fetch(&queue, Fetch::up_to(1).waiting(60_000)));
        begin(&mut fetching).await;
    }
    client.publish(&queue, message(1)).await.unwrap();
    assert_eq!(client.fetch(&queue, Fetch::up_to(1)).await.unwrap()[0].attempt, 1);
}

#[tokio::test]
async fn a_fetch_given_up_after_its_answer_gives_it_to_the_next() {
    let broker = MemoryBroker::new(Arc::new(ManualClock::at(0)));
    let (ada, bob) = (client_of(&broker, "ada").await, client_of(&broker, "bob").await);
    let queue = tasks();
    let mut next = pin!(bob.fetch(&queue, Fetch::up_to(1).waiting(60_000)));
    {
        let mut fetching = pin!(ada.fetch(&queue, Fetch::up_to(1).waiting(60_000)));
        begin(&mut fetching).await;
        begin(&mut next).await;
        bob.publish(&queue, message(1)).await.unwrap();
        let depth = bob.depth(&queue, None).await.unwrap();
        assert_eq!((depth.ready, depth.leased), (0, Some(1)), "the first that waited has it");
    }
    let taken = tokio::time::timeout(Duration::from_mins(1), next).await.expect("the second has it now").unwrap();
    assert_eq!(taken[0].attempt, 1);
    bob.settle(&queue, &taken[0].tag, Verdict::Done).await.unwrap();
}

/// Lets it wait, and comes back.
async fn begin<T: std::fmt::Debug>(waiting: &mut (impl Future<Output = T> + Unpin)) {
    tokio::select! {
        biased;
        answer = waiting => panic!("it was to wait, and answered {answer:?}"),
        () = std::future::ready(()) => {}
    }
}
