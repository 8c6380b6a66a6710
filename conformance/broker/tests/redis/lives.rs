//! A server that dies, is held still, or is not ready yet.

use std::time::{Duration, Instant};

use workwire_broker::{Code, Fetch, Policy, Queue, Verdict};

use super::server::{Own, Raw, message, open, take};
use crate::live::instance;

#[tokio::test]
async fn a_client_goes_on_when_the_server_is_back() {
    let Some(mut redis) = instance("redis").await else { return };
    let client = open(&redis.address()).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy { lease_ms: 500, ..Policy::default() }).await.unwrap();
    for text in ["held", "waits"] {
        client.publish(&tasks, message(text)).await.unwrap();
    }
    let held = client.fetch(&tasks, Fetch::up_to(1)).await.unwrap();
    redis.kill().await.unwrap();
    redis.start_again().await.unwrap();
    client.publish(&tasks, message("after")).await.unwrap();
    let mut bodies = Vec::new();
    while bodies.len() < 3 {
        for one in take(&*client, &tasks).await {
            bodies.push((String::from_utf8_lossy(&one.body).into_owned(), one.attempt));
            client.settle(&tasks, &one.tag, Verdict::Done).await.unwrap();
        }
    }
    bodies.sort();
    assert_eq!(bodies, [("after".to_owned(), 1), ("held".to_owned(), 2), ("waits".to_owned(), 1)]);
    let error = client.settle(&tasks, &held[0].tag, Verdict::Done).await.unwrap_err();
    assert_eq!(error.code(), Code::Stale);
}

#[tokio::test]
async fn a_wait_ends_with_an_error_or_goes_on_when_the_server_dies_and_the_next_one_is_served() {
    let Some(mut redis) = instance("redis").await else { return };
    let client = open(&redis.address()).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    let waiting = tokio::time::timeout(Duration::from_secs(20), client.fetch(&tasks, Fetch::up_to(1).waiting(3_000)));
    let (waited, ()) = tokio::join!(waiting, async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        redis.kill().await.unwrap();
        redis.start_again().await.unwrap();
    });
    match waited.expect("no hang") {
        Ok(taken) => assert!(taken.is_empty()),
        Err(error) => assert!(error.is_indefinite(), "{error}"),
    }
    let (taken, stored) = tokio::join!(take(&*client, &tasks), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        client.publish(&tasks, message("heard")).await
    });
    stored.unwrap();
    assert_eq!(taken.len(), 1);
}

#[tokio::test]
async fn a_server_that_is_held_still_is_unavailable_by_the_deadline_and_then_goes_on() {
    let Some(mut redis) = instance("redis").await else { return };
    let client = open(&format!("{}?timeout_ms=500", redis.address())).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    redis.pause();
    let began = Instant::now();
    let error = client.publish(&tasks, message("may be")).await.unwrap_err();
    assert!(error.is_indefinite() && began.elapsed() < Duration::from_secs(3), "{error} after {:?}", began.elapsed());
    redis.resume();
    client.publish(&tasks, message("is")).await.unwrap();
    let taken = take(&*client, &tasks).await;
    assert!(taken.iter().any(|one| one.body == "is") && taken.len() <= 2);
}

#[tokio::test]
async fn a_server_that_reads_its_file_is_waited_for() {
    let Some(mut redis) = Own::start(&["--key-load-delay", "100"]).await else { return };
    let client = open(&redis.address()).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    client.publish(&tasks, message("kept")).await.unwrap();
    let mut raw = Raw::to(&redis.address()).await;
    // The server looks at its connections after every 1 024 of these.
    raw.tell::<()>("EVAL for\ti=1,20000\tdo\tredis.call('SET','filler:'..i,'x')\tend 0").await;
    redis.kill_and_start().await;
    let mut raw = Raw::to(&redis.address()).await;
    let loading = raw.try_tell::<Option<String>>("GET filler:1").await;
    assert!(loading.is_err_and(|error| error.to_string().contains("loading")), "it has to be loading for this test");
    assert_eq!(take(&*client, &tasks).await.len(), 1);
}

#[tokio::test]
async fn a_thousand_at_once_do_not_stand_behind_each_other() {
    let Some(redis) = instance("redis").await else { return };
    let broker = open(&redis.address()).await;
    let client: std::sync::Arc<dyn workwire_broker::Client> = broker.open("client").await.unwrap().into();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    let publishing: Vec<_> = (0..1_000)
        .map(|number| {
            let (client, tasks) = (client.clone(), tasks.clone());
            tokio::spawn(async move { client.publish(&tasks, message(&number.to_string())).await })
        })
        .collect();
    for one in publishing {
        one.await.unwrap().unwrap();
    }
    let mut taken = Vec::new();
    while taken.len() < 1_000 {
        taken.extend(take(&*client, &tasks).await);
    }
    let settled = taken.into_iter().map(|one| (one.tag, Verdict::Done)).collect();
    assert!(client.settle_many(&tasks, settled).await.unwrap().iter().all(Result::is_ok));
    assert_eq!(client.depth(&tasks, None).await.unwrap().ready, 0);
}
