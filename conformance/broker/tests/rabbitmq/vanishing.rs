//! A server that is gone for a while.

use std::time::{Duration, Instant};

use workwire_broker::{Code, Fetch, Policy, Queue, Verdict};

use super::tools::{bodies, broker, message};
use crate::live::instance;

#[tokio::test]
async fn a_server_that_was_gone_is_used_again_when_it_is_back() {
    let Some(mut server) = instance("rabbitmq").await else { return };
    let broker = broker(&format!("{}?timeout_ms=60000", server.address())).await;
    let (planner, worker) = (broker.open("planner").await.unwrap(), broker.open("worker").await.unwrap());
    let tasks = Queue::new("tasks");
    planner.declare(&tasks, &Policy::default()).await.unwrap();
    planner.publish(&tasks, message("held")).await.unwrap();
    let held = worker.fetch(&tasks, Fetch::up_to(1)).await.unwrap().pop().unwrap();

    let queue = tasks.clone();
    let waiting = tokio::spawn(async move {
        let came = bodies(&*worker, &queue, Fetch::up_to(1).waiting(60_000)).await;
        (worker, came)
    });
    server.kill().await.unwrap();
    let queue = tasks.clone();
    let publishing = tokio::spawn(async move {
        let message = message("while it was gone");
        // What was on its way when the server died may have happened: the same once more is at most twice.
        while let Err(error) = planner.publish(&queue, message.clone()).await {
            assert!(error.is_indefinite(), "{error}");
        }
        planner
    });
    tokio::time::sleep(Duration::from_secs(4)).await;
    server.start_again().await.unwrap();

    // The one that was held comes back to who waits; its old tag is good for nothing.
    let (worker, came) = waiting.await.unwrap();
    let planner = publishing.await.unwrap();
    let error = worker.settle(&tasks, &held.tag, Verdict::Done).await.unwrap_err();
    assert_eq!(error.code(), Code::Stale, "{error}");
    let mut all = came;
    while all.len() < 2 {
        all.extend(bodies(&*planner, &tasks, Fetch::up_to(2).waiting(10_000)).await);
    }
    all.sort();
    all.dedup();
    assert_eq!(all, ["held", "while it was gone"]);
}

#[tokio::test]
async fn a_server_that_stands_still_is_not_waited_for_beyond_the_time() {
    let Some(mut server) = instance("rabbitmq").await else { return };
    let broker = broker(&format!("{}?timeout_ms=1500&heartbeat_s=2", server.address())).await;
    let client = broker.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    client.publish(&tasks, message("there")).await.unwrap();
    server.pause();
    let began = Instant::now();
    let error = client.publish(&tasks, message("to nobody")).await.unwrap_err();
    assert!(error.is_indefinite() && error.message().contains("expected an answer"), "{error}");
    let error = client.fetch(&tasks, Fetch::up_to(1)).await.unwrap_err();
    assert!(error.is_indefinite(), "{error}");
    let error = client.depth(&tasks, None).await.unwrap_err();
    assert!(error.is_indefinite(), "{error}");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    server.resume();
    // What was fetched for nobody comes back.
    let mut came = Vec::new();
    let end = Instant::now() + Duration::from_secs(20);
    while !came.contains(&"there".to_owned()) && Instant::now() < end {
        if let Ok(more) = client.fetch(&tasks, Fetch::up_to(10).waiting(500)).await {
            came.extend(more.iter().map(|one| String::from_utf8_lossy(&one.body).into_owned()));
        }
    }
    assert!(came.contains(&"there".to_owned()), "{came:?}");
}
