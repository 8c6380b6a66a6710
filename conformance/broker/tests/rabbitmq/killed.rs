//! A node that is killed in the middle of everything: nothing that was confirmed is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use workwire_broker::{Client, Fetch, Message, Policy, Queue, Verdict};

use super::tools::{broker, message};
use crate::live::instance;

const MESSAGES: usize = 120;

/// Everything that is there, ready or dead: of each message, how many.
async fn left(client: &dyn Client, queue: &Queue) -> BTreeMap<Uuid, usize> {
    let mut left = BTreeMap::new();
    loop {
        let came = client.fetch(queue, Fetch::up_to(100).waiting(1_000)).await.unwrap();
        if came.is_empty() {
            break;
        }
        for delivery in came {
            *left.entry(delivery.id).or_default() += 1;
            client.settle(queue, &delivery.tag, Verdict::Done).await.unwrap();
        }
    }
    for letter in client.dead_letters(queue, 1_000, None).await.unwrap() {
        *left.entry(letter.id).or_default() += 1;
    }
    left
}

/// Settles deliveries in turn as each kind of verdict, until the server is gone. Says which were done, for sure
/// or perhaps.
async fn settle_all(client: Arc<dyn Client>, queue: Queue) -> BTreeSet<Uuid> {
    let mut done = BTreeSet::new();
    for turn in 0.. {
        let Ok(came) = client.fetch(&queue, Fetch::up_to(3)).await else { return done };
        if came.is_empty() {
            return done;
        }
        for (place, delivery) in came.into_iter().enumerate() {
            let verdict = match (turn + place) % 4 {
                0 => Verdict::Done,
                1 => Verdict::dead("no good"),
                2 => Verdict::Retry { delay_ms: Some(150), reason: None },
                _ => Verdict::retry(),
            };
            if verdict == Verdict::Done {
                done.insert(delivery.id);
            }
            if client.settle(&queue, &delivery.tag, verdict).await.is_err_and(|error| error.is_indefinite()) {
                return done;
            }
        }
    }
    done
}

#[tokio::test]
async fn nothing_is_lost_on_any_of_its_ways() {
    let Some(mut server) = instance("rabbitmq").await else { return };
    let mut twice = 0;
    for round in 0..3_u64 {
        let broker = broker(&format!("{}?timeout_ms=6000", server.address())).await;
        let queue = Queue::new(format!("round-{round}"));
        let client: Arc<dyn Client> = broker.open("planner").await.unwrap().into();
        client.declare(&queue, &Policy { max_attempts: 1_000, ..Policy::default() }).await.unwrap();
        let mut ids = BTreeSet::new();
        for number in 0..MESSAGES {
            let delay_ms = (number % 3 == 0).then_some(400);
            // Every other one is too long for the queue's own index.
            let body = "x".repeat(if number % 2 == 0 { 100 } else { 6_000 });
            let message = Message { delay_ms, ..message(&body) };
            ids.insert(message.id);
            client.publish(&queue, message).await.unwrap();
        }
        let mut workers = Vec::new();
        for name in ["ada", "ben"] {
            let worker: Arc<dyn Client> = broker.open(name).await.unwrap().into();
            workers.push(tokio::spawn(settle_all(worker, queue.clone())));
        }
        // Where what rests falls due, and later.
        tokio::time::sleep(Duration::from_millis(100 + 170 * round)).await;
        server.kill().await.unwrap();
        let mut done = BTreeSet::new();
        for worker in workers {
            done.extend(worker.await.unwrap());
        }
        server.start_again().await.unwrap();
        let left = left(&*client, &queue).await;
        let lost: Vec<_> = ids.iter().filter(|id| !left.contains_key(id) && !done.contains(id)).collect();
        assert!(lost.is_empty(), "round {round}: {} of {MESSAGES} are lost: {lost:?}", lost.len());
        assert!(left.keys().all(|id| ids.contains(id)), "round {round}: what nobody published");
        twice += left.values().filter(|count| **count > 1).count();
    }
    eprintln!("{twice} of {} messages were there twice", 3 * MESSAGES);
}
