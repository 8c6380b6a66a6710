//! Three servers that keep every message together: one of them dies, and nothing is lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use workwire_broker::{Broker, BrokerError, Client, Code, Message, Policy, Queue, Target, Verdict};

use super::server::{Server, message, take};

const TIME: Duration = Duration::from_mins(1);

/// Does it until it is done: while the servers choose who leads, nobody is served.
async fn once_served<T>(mut ask: impl AsyncFnMut() -> Result<T, BrokerError>) -> T {
    let until = Instant::now() + TIME;
    loop {
        match ask().await {
            Ok(done) => return done,
            Err(error) => assert!(error.code() == Code::Unavailable && Instant::now() < until, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn opened(address: &str) -> Arc<dyn Broker> {
    let until = Instant::now() + TIME;
    loop {
        match address.parse::<Target>().unwrap().open().await {
            Ok(broker) => return broker,
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn publish_all(client: &dyn Client, queue: &Queue, messages: &[Message]) {
    for message in messages {
        once_served(async || client.publish(queue, message.clone()).await).await;
    }
}

#[tokio::test]
async fn what_three_servers_keep_outlives_one_of_them() {
    let Some(mut servers) = Server::cluster() else { return };
    let hosts: Vec<String> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
    let broker = opened(&format!("nats://{}?replicas=3", hosts.join(","))).await;
    let client = once_served(async || broker.open("client").await).await;
    let tasks = Queue::new("tasks");
    let policy = Policy { lease_ms: 1_000, max_attempts: 100, ..Policy::default() };
    once_served(async || client.declare(&tasks, &policy).await).await;
    let messages: Vec<Message> = (0..40).map(|number| message(&format!("number {number}"))).collect();
    publish_all(&*client, &tasks, &messages[..30]).await;
    let (mut done, mut held) = (BTreeSet::new(), 0);
    for delivery in take(&*client, &tasks).await {
        if done.len() < 10 {
            once_served(async || client.settle(&tasks, &delivery.tag, Verdict::Done).await).await;
            done.insert(delivery.id);
        } else {
            held += 1;
        }
    }
    assert!(done.len() == 10 && held > 0, "{} done, {held} held", done.len());

    // The one that this client talks to first.
    servers[0].kill();
    publish_all(&*client, &tasks, &messages[30..]).await;
    let next = once_served(async || broker.open("next").await).await;
    let until = Instant::now() + TIME;
    let mut came = BTreeSet::new();
    while came.len() < 30 {
        assert!(Instant::now() < until, "{} of 30 came", came.len());
        let deliveries = match next.fetch(&tasks, workwire_broker::Fetch::up_to(100).waiting(1_000)).await {
            Ok(deliveries) => deliveries,
            Err(error) => {
                assert_eq!(error.code(), Code::Unavailable, "{error}");
                continue;
            }
        };
        for delivery in deliveries {
            assert!(!done.contains(&delivery.id), "what was done came again");
            match next.settle(&tasks, &delivery.tag, Verdict::Done).await {
                Ok(()) => assert!(came.insert(delivery.id), "what was done came again"),
                Err(error) => assert!([Code::Unavailable, Code::Stale].contains(&error.code()), "{error}"),
            }
        }
    }
    let all: BTreeSet<_> = messages.iter().map(|message| message.id).collect();
    assert_eq!(came, all.difference(&done).copied().collect());
}
