//! Several processes, each with a connection of its own.

use workwire_broker::{Code, Fetch, Message, Policy, Purge, Queue, Verdict};

use super::server::{JETSTREAM, Server, message, open, take};

#[tokio::test]
async fn what_one_process_stored_another_takes() {
    let Some(server) = Server::start(JETSTREAM) else { return };
    let (one, other) = (open(&server.address()).await, open(&server.address()).await);
    let (one, other) = (one.open("client").await.unwrap(), other.open("client").await.unwrap());
    let tasks = Queue::new("tasks");
    one.declare(&tasks, &Policy { lease_ms: 500, max_attempts: 2, ..Policy::default() }).await.unwrap();
    let error = other.declare(&tasks, &Policy::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict, "{error}");
    let waits = other.fetch(&tasks, Fetch::up_to(1).waiting(10_000));
    let stores = async {
        let low = Message { priority: Some(1), ..message("low") };
        one.publish(&tasks, low).await.unwrap();
    };
    let (first, ()) = tokio::join!(waits, stores);
    let first = first.unwrap().remove(0);
    assert_eq!((&first.body[..], first.attempt), (&b"low"[..], 1));

    // The other's lease ends: the message is this one's, and a late settling changes nothing.
    let again = take(&*one, &tasks).await.remove(0);
    assert_eq!((again.id, again.attempt), (first.id, 2));
    let error = other.settle(&tasks, &first.tag, Verdict::Done).await.unwrap_err();
    assert_eq!(error.code(), Code::Stale, "{error}");
    one.settle(&tasks, &again.tag, Verdict::retry()).await.unwrap();
    let letters = other.dead_letters(&tasks, 10, None).await.unwrap();
    assert_eq!((letters.len(), letters[0].attempts), (1, 2));
    other.replay(&tasks, first.id, None).await.unwrap();
    assert_eq!(one.depth(&tasks, None).await.unwrap().ready, 1);
    assert_eq!(one.purge(&tasks, Purge::default()).await.unwrap(), 1);
    assert!(other.fetch(&tasks, Fetch::up_to(1)).await.unwrap().is_empty());
}

#[tokio::test]
async fn each_of_many_goes_to_one() {
    let Some(server) = Server::start(JETSTREAM) else { return };
    let brokers = [open(&server.address()).await, open(&server.address()).await, open(&server.address()).await];
    let tasks = Queue::new("tasks");
    let publisher = brokers[0].open("publisher").await.unwrap();
    publisher.declare(&tasks, &Policy::default()).await.unwrap();
    let messages: Vec<Message> = (0..120).map(|number| message(&number.to_string())).collect();
    for stored in publisher.publish_batch(&tasks, messages.clone()).await.unwrap() {
        stored.unwrap();
    }
    let mut takers = Vec::new();
    for broker in &brokers {
        let (taker, tasks) = (broker.open("taker").await.unwrap(), tasks.clone());
        takers.push(tokio::spawn(async move {
            let mut ids = Vec::new();
            loop {
                let taken = taker.fetch(&tasks, Fetch::up_to(3).waiting(1_000)).await.unwrap();
                if taken.is_empty() {
                    return ids;
                }
                for delivery in taken {
                    taker.settle(&tasks, &delivery.tag, Verdict::Done).await.unwrap();
                    ids.push(delivery.id);
                }
            }
        }));
    }
    let mut ids = Vec::new();
    for taker in takers {
        ids.extend(taker.await.unwrap());
    }
    ids.sort();
    let mut published: Vec<_> = messages.iter().map(|message| message.id).collect();
    published.sort();
    assert_eq!(ids, published);
}

#[tokio::test]
async fn what_another_process_deleted_and_declared_is_found_as_it_is() {
    let Some(server) = Server::start(JETSTREAM) else { return };
    let (one, other) = (open(&server.address()).await, open(&server.address()).await);
    let (one, other) = (one.open("client").await.unwrap(), other.open("client").await.unwrap());
    let tasks = Queue::new("tasks");
    one.declare(&tasks, &Policy::default()).await.unwrap();
    one.publish(&tasks, message("of the first")).await.unwrap();
    other.delete(&tasks).await.unwrap();
    assert_eq!(one.publish(&tasks, message("gone")).await.unwrap_err().code(), Code::NotFound);
    other.declare(&tasks, &Policy { max_priority: 10, ..Policy::default() }).await.unwrap();
    one.publish(&tasks, Message { priority: Some(10), ..message("of the second") }).await.unwrap();
    let taken = take(&*one, &tasks).await;
    assert_eq!((taken.len(), &taken[0].body[..]), (1, &b"of the second"[..]));
}

/// A queue's streams begin to be read when it is declared; what is stored meanwhile is in its place at once.
#[tokio::test]
async fn the_urgent_goes_first_from_the_first_moment_on() {
    let Some(server) = Server::start(JETSTREAM) else { return };
    let broker = open(&server.address()).await;
    let client = broker.open("client").await.unwrap();
    for number in 0..100 {
        let queue = Queue::new(format!("tasks-{number}"));
        client.declare(&queue, &Policy::default()).await.unwrap();
        for priority in [1, 5] {
            let message = Message { priority: Some(priority), ..message("to do") };
            client.publish(&queue, message).await.unwrap();
        }
        let first = client.fetch(&queue, Fetch::up_to(1)).await.unwrap().remove(0);
        assert_eq!(first.priority, 5, "queue {number}");
    }
}
