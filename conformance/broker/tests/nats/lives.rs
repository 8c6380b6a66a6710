//! What a client sees of its server's death.

use std::time::{Duration, Instant};

use workwire_broker::{Client, Code, Policy, Queue, Stored, Verdict};

use super::server::{JETSTREAM, Server, message, open, take};

/// Until the server is there for this client again.
async fn published(client: &dyn Client, queue: &Queue, text: &str) {
    let (until, message) = (Instant::now() + Duration::from_secs(30), message(text));
    loop {
        match client.publish(queue, message.clone()).await {
            Ok(_) => return,
            Err(error) => assert!(error.code() == Code::Unavailable && Instant::now() < until, "{error}"),
        }
    }
}

#[tokio::test]
async fn a_client_goes_on_when_its_server_is_back() {
    let Some(mut server) = Server::start(JETSTREAM) else { return };
    let broker = open(&server.address()).await;
    let (client, other) = (broker.open("client").await.unwrap(), broker.open("other").await.unwrap());
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy { lease_ms: 60_000, ..Policy::default() }).await.unwrap();
    let kept = message("kept");
    client.publish(&tasks, kept.clone()).await.unwrap();
    let held = take(&*client, &tasks).await.remove(0);
    server.kill();
    server.start_again();
    published(&*client, &tasks, "next").await;
    // What was held comes again, to whoever asks; the old tag is good for nothing.
    let mut bodies = Vec::new();
    while bodies.len() < 2 {
        for delivery in take(&*other, &tasks).await {
            bodies.push(String::from_utf8(delivery.body.to_vec()).unwrap());
            if delivery.id == kept.id {
                let error = client.settle(&tasks, &held.tag, Verdict::Done).await.unwrap_err();
                assert_eq!(error.code(), Code::Stale, "{error}");
            }
            other.settle(&tasks, &delivery.tag, Verdict::Done).await.unwrap();
        }
    }
    assert_eq!(bodies, ["kept", "next"]);
    assert_eq!(client.publish(&tasks, kept).await.unwrap(), Stored::Duplicate);
}

#[tokio::test]
async fn while_it_is_away_nothing_hangs_and_nothing_is_said_that_is_not_so() {
    let Some(mut server) = Server::start(JETSTREAM) else { return };
    let client = open(&server.address()).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    published(&*client, &tasks, "before").await;
    server.kill();
    let began = Instant::now();
    let lost = message("meanwhile");
    let error = client.publish(&tasks, lost.clone()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error}");
    let error = client.depth(&tasks, None).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error}");
    assert!(began.elapsed() < Duration::from_secs(25));
    server.start_again();
    published(&*client, &tasks, "after").await;
    // It may have happened; sent once more it is there once.
    client.publish(&tasks, lost).await.unwrap();
    let mut bodies: Vec<String> = Vec::new();
    while bodies.len() < 3 {
        for delivery in take(&*client, &tasks).await {
            bodies.push(String::from_utf8(delivery.body.to_vec()).unwrap());
            client.settle(&tasks, &delivery.tag, Verdict::Done).await.unwrap();
        }
    }
    bodies.sort();
    assert_eq!(bodies, ["after", "before", "meanwhile"]);
    assert_eq!(client.depth(&tasks, None).await.unwrap().ready, 0);
}
