//! What is the memory broker's own: it runs on the runtime's time, and a fetch that nobody waits for
//! any more takes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;
use workwire_broker::clock::ManualClock;
use workwire_broker::{
    Batch, Broker, BrokerLimits, Choices, Client, Code, Fetch, MEBIBYTE, MemoryBroker, Message, NewGroup, Overflow,
    Policy, Queue, RetryPlace, SameId, Stored, Verdict,
};

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

/// A broker that does this where there is a choice, and a client of it.
async fn choosing(choices: Choices) -> (MemoryBroker, Box<dyn Client>, ManualClock) {
    let clock = ManualClock::at(0);
    let broker = MemoryBroker::with_choices(Arc::new(clock.clone()), choices);
    assert_eq!(broker.about().choices, choices);
    let client = client_of(&broker, "ada").await;
    (broker, client, clock)
}

fn with_body(number: u128, body: &'static str) -> Message {
    Message::new(Uuid::from_u128(number), body)
}

/// Takes all there is, in order, and keeps it.
async fn numbers(client: &dyn Client, fetch: Fetch) -> Vec<u128> {
    client.fetch(&tasks(), fetch).await.unwrap().iter().map(|taken| taken.id.as_u128()).collect()
}

#[tokio::test]
async fn the_same_id_with_another_body_is_a_conflict_where_that_is_chosen() {
    let choices = Choices { same_id_other_body: SameId::Conflict, ..Choices::default() };
    let (_broker, client, clock) = choosing(choices).await;
    let queue = tasks();
    assert_eq!(client.publish(&queue, with_body(1, "one")).await.unwrap(), Stored::Stored);
    assert_eq!(client.publish(&queue, with_body(1, "one")).await.unwrap(), Stored::Duplicate);
    let error = client.publish(&queue, with_body(1, "other")).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict, "{error}");
    let taken = client.fetch(&queue, Fetch::up_to(9)).await.unwrap();
    assert_eq!((taken.len(), &taken[0].body[..]), (1, &b"one"[..]));
    client.settle(&queue, &taken[0].tag, Verdict::Done).await.unwrap();
    // Gone is not forgotten, until the window is over.
    assert_eq!(client.publish(&queue, with_body(1, "other")).await.unwrap_err().code(), Code::Conflict);
    clock.advance(Policy::default().dedupe_ms);
    assert_eq!(client.publish(&queue, with_body(1, "other")).await.unwrap(), Stored::Stored);
    assert_eq!(client.publish(&queue, with_body(1, "one")).await.unwrap_err().code(), Code::Conflict);
}

#[tokio::test]
async fn a_new_group_sees_only_what_is_new_where_that_is_chosen() {
    let choices = Choices { new_group: NewGroup::New, ..Choices::default() };
    let (_broker, client, _) = choosing(choices).await;
    let queue = tasks();
    client.publish(&queue, message(1)).await.unwrap();
    assert_eq!(client.depth(&queue, Some("late")).await.unwrap().ready, 0, "it would see nothing if it were made now");
    assert_eq!(numbers(&*client, Fetch::up_to(9).of_group("late")).await, [0; 0]);
    client.publish(&queue, message(2)).await.unwrap();
    assert_eq!(numbers(&*client, Fetch::up_to(9).of_group("late")).await, [2]);
    assert_eq!(numbers(&*client, Fetch::up_to(9)).await, [1, 2], "the unnamed group was there from the start");
}

#[tokio::test]
async fn a_retried_message_goes_behind_its_priority_where_that_is_chosen() {
    let choices = Choices { retry_place: RetryPlace::Back, ..Choices::default() };
    let (broker, client, _) = choosing(choices).await;
    let queue = tasks();
    for (number, priority) in [(1, 4), (2, 4), (3, 4), (4, 2)] {
        client.publish(&queue, Message { priority: Some(priority), ..message(number) }).await.unwrap();
    }
    assert_eq!(numbers(&*client, Fetch::up_to(1).of_group("other")).await, [1]);
    let first = client.fetch(&queue, Fetch::up_to(1)).await.unwrap().remove(0);
    client.settle(&queue, &first.tag, Verdict::retry()).await.unwrap();
    client.publish(&queue, Message { priority: Some(4), ..message(5) }).await.unwrap();
    // What comes back with its client was not retried.
    let bob = client_of(&broker, "bob").await;
    assert_eq!(numbers(&*bob, Fetch::up_to(1)).await, [2]);
    drop(bob);
    let taken = client.fetch(&queue, Fetch::up_to(9)).await.unwrap();
    let order: Vec<(u128, u32)> = taken.iter().map(|taken| (taken.id.as_u128(), taken.attempt)).collect();
    assert_eq!(order, [(2, 2), (3, 1), (1, 2), (5, 1), (4, 1)]);
    for taken in taken {
        client.settle(&queue, &taken.tag, Verdict::Done).await.unwrap();
    }
    // Another group's order is its own, and it has what it had.
    assert_eq!(numbers(&*client, Fetch::up_to(9).of_group("other")).await, [2, 3, 5, 4]);
}

#[tokio::test]
async fn a_full_queue_drops_its_oldest_also_where_it_has_gone_back() {
    let choices = Choices { retry_place: RetryPlace::Back, ..Choices::default() };
    let (_broker, client, _) = choosing(choices).await;
    let queue = Queue::new("short");
    let policy = Policy { max_length: Some(2), overflow: Overflow::DropOldest, ..Policy::default() };
    client.declare(&queue, &policy).await.unwrap();
    client.publish(&queue, message(1)).await.unwrap();
    client.publish(&queue, message(2)).await.unwrap();
    let first = client.fetch(&queue, Fetch::up_to(1)).await.unwrap().remove(0);
    client.settle(&queue, &first.tag, Verdict::retry()).await.unwrap();
    client.publish(&queue, message(3)).await.unwrap();
    let taken = client.fetch(&queue, Fetch::up_to(9)).await.unwrap();
    assert_eq!(taken.iter().map(|taken| taken.id.as_u128()).collect::<Vec<_>>(), [2, 3]);
}

#[tokio::test]
async fn one_bad_message_keeps_its_batch_out_where_that_is_chosen() {
    let choices = Choices { batch: Batch::AllOrNone, ..Choices::default() };
    let (_broker, client, _) = choosing(choices).await;
    let queue = tasks();
    let bad = Message { priority: Some(99), ..message(2) };
    let error = client.publish_batch(&queue, vec![message(1), bad.clone(), message(3)]).await.unwrap_err();
    assert_eq!(error.code(), Code::Invalid, "{error}");
    assert_eq!(client.publish(&queue, bad).await.unwrap_err().code(), Code::Invalid);
    assert_eq!(client.depth(&queue, None).await.unwrap().ready, 0);
    // Nor are their ids known: all of them can be stored. A duplicate is not bad.
    let good = vec![message(1), message(1), message(2), message(3)];
    let answers = client.publish_batch(&queue, good).await.unwrap();
    assert_eq!(answers, [Stored::Stored, Stored::Duplicate, Stored::Stored, Stored::Stored].map(Ok));
    assert_eq!(numbers(&*client, Fetch::up_to(9)).await, [1, 2, 3]);
}

#[tokio::test]
async fn what_is_beyond_its_limits_is_refused() {
    let limits = BrokerLimits { max_priority: 5, max_message_bytes: MEBIBYTE / 16 };
    let broker = MemoryBroker::with_limits(Arc::new(ManualClock::at(0)), limits);
    assert_eq!(broker.about().limits, limits);
    let client = client_of(&broker, "ada").await;
    let policy = Policy { max_priority: 6, ..Policy::default() };
    assert_eq!(client.declare(&Queue::new("six"), &policy).await.unwrap_err().code(), Code::Invalid);
    let most = Message::new(Uuid::from_u128(1), vec![7; 65_536]);
    assert_eq!(client.publish(&tasks(), most).await.unwrap(), Stored::Stored);
    let more = Message::new(Uuid::from_u128(2), vec![7; 65_537]);
    assert_eq!(client.publish(&tasks(), more).await.unwrap_err().code(), Code::Invalid);
}
