//! What stands on the server, and that nothing is left of it.

use std::sync::Arc;

use futures_util::TryStreamExt;
use workwire_broker::{Client, Message, Policy, Queue, Verdict};

use super::server::{JETSTREAM, Server, jetstream, message, open, take};

async fn streams(address: &str) -> Vec<String> {
    let mut names: Vec<String> = jetstream(address).await.stream_names().try_collect().await.unwrap();
    names.sort();
    names
}

async fn live_a_life(client: &dyn Client, queue: &Queue) {
    client.declare(queue, &Policy::default()).await.unwrap();
    for priority in 1..=3 {
        client.publish(queue, Message { priority: Some(priority), ..message("one") }).await.unwrap();
    }
    client.publish(queue, Message { delay_ms: Some(60_000), ..message("later") }).await.unwrap();
    let taken = take(client, queue).await;
    client.settle(queue, &taken[0].tag, Verdict::dead("no good")).await.unwrap();
    client.settle(queue, &taken[1].tag, Verdict::Done).await.unwrap();
}

#[tokio::test]
async fn a_deleted_queue_leaves_no_stream() {
    let Some(server) = Server::start(JETSTREAM) else { return };
    let client = open(&format!("{}?ns=blue", server.address())).await.open("client").await.unwrap();
    for queue in [Queue::new("work_queue.infra"), Queue::of_tenant("acme", "tasks")] {
        live_a_life(&*client, &queue).await;
        let name = if queue.tenant().is_some() { "blue@acme+tasks" } else { "blue+work_queue~infra" };
        assert_eq!(streams(&server.address()).await, [name.to_owned(), format!("{name}+held")]);
        client.delete(&queue).await.unwrap();
        assert_eq!(streams(&server.address()).await, [""; 0]);
    }
}

#[tokio::test]
async fn others_read_what_a_message_is() {
    let Some(server) = Server::start(JETSTREAM) else { return };
    let client = open(&server.address()).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    let trace = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";
    let request = "00000000-0000-4000-8000-000000000007";
    let body = format!("{{\"trace_id\":\"{trace}\",\"request_id\":\"{request}\"}}");
    let message = Message { priority: Some(4), ttl_ms: Some(60_000), ..message(&body) };
    client.publish(&tasks, message.clone()).await.unwrap();
    let stream = jetstream(&server.address()).await.get_stream("ww+tasks").await.unwrap();
    let stored = stream.get_raw_message(1).await.unwrap();
    assert!(stored.subject.starts_with(&format!("ww.tasks.4.{}.", message.id.simple())), "{}", stored.subject);
    let header = |name: &str| stored.headers.get(name).map(|value| value.as_str().to_owned()).unwrap_or_default();
    assert_eq!(stored.payload, message.body);
    assert_eq!(header("Nats-Msg-Id"), message.id.to_string());
    assert_eq!(header("Workwire-Request-Id"), request);
    assert!(header("traceparent").starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
    assert!(header("Workwire-Expires-At").ends_with('Z'));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_that_come_and_go_do_not_stand_in_each_others_way() {
    let Some(server) = Server::start(JETSTREAM) else { return };
    let broker = open(&server.address()).await;
    let coming_and_going = (0..2).map(|number| {
        let broker = Arc::clone(&broker);
        tokio::spawn(async move {
            let client = broker.open(&format!("client-{number}")).await.unwrap();
            for round in 0..200 {
                // The server may say that it cannot make the files of a stream while it removes those of another.
                let queue = Queue::new(format!("tasks-{number}-{round}"));
                client.declare(&queue, &Policy::default()).await.unwrap();
                client.delete(&queue).await.unwrap();
            }
        })
    });
    for one in coming_and_going.collect::<Vec<_>>() {
        one.await.unwrap();
    }
}
