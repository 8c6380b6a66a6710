//! Messages that rest: whoever let them rest, and however many.

use std::time::Duration;

use tokio::time::timeout;
use workwire_broker::{Client, Fetch, Message, Policy, Queue, Verdict};

use super::tools::{bodies, broker, ctl, message, shared};
use crate::live::instance;

const SOON: Duration = Duration::from_secs(20);

fn later(body: &str, delay_ms: i64) -> Message {
    Message { delay_ms: Some(delay_ms), ..message(body) }
}

/// Takes and settles so many, one after the other.
async fn take(client: &dyn Client, queue: &Queue, wanted: usize) -> Vec<String> {
    let mut all = Vec::new();
    while all.len() < wanted
        && let Some(one) = client.fetch(queue, Fetch::up_to(1).waiting(20_000)).await.unwrap().pop()
    {
        client.settle(queue, &one.tag, Verdict::Done).await.unwrap();
        all.push(String::from_utf8_lossy(&one.body).into_owned());
    }
    all
}

#[tokio::test]
async fn a_rest_ends_where_its_mover_is_gone() {
    let Some(server) = instance("rabbitmq").await else { return };
    let tasks = Queue::new("tasks");
    let here = broker(&server.address()).await;
    let ada = here.open("ada").await.unwrap();
    ada.declare(&tasks, &Policy::default()).await.unwrap();
    ada.publish(&tasks, later("nobody is here", 700)).await.unwrap();
    drop(ada);
    here.shutdown().await.unwrap();
    // Its time is over when somebody comes, who did not declare the queue.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let there = broker(&server.address()).await;
    let ben = there.open("ben").await.unwrap();
    assert_eq!(take(&*ben, &tasks, 1).await, ["nobody is here"]);

    // One moves, and the other waits for its turn. Whichever it is, the connections of both are lost.
    let elsewhere = broker(&server.address()).await;
    let cleo = elsewhere.open("cleo").await.unwrap();
    cleo.publish(&tasks, later("the connection is lost", 5_000)).await.unwrap();
    ben.publish(&tasks, message("again")).await.unwrap();
    let again = cleo.fetch(&tasks, Fetch::up_to(1)).await.unwrap().pop().unwrap();
    cleo.settle(&tasks, &again.tag, Verdict::Retry { delay_ms: Some(4_000), reason: None }).await.unwrap();
    ctl(&server, &["close_all_connections", "a test"]);
    let mut came = take(&*ben, &tasks, 2).await;
    // Which rest began first is not which ends first, on a slow machine.
    came.sort();
    assert_eq!(came, ["again", "the connection is lost"]);
    assert!(bodies(&*cleo, &tasks, Fetch::up_to(1).waiting(300)).await.is_empty());
    // And now it is the other's turn.
    there.shutdown().await.unwrap();
    cleo.publish(&tasks, later("the mover has ended", 200)).await.unwrap();
    assert_eq!(take(&*cleo, &tasks, 1).await, ["the mover has ended"]);
}

#[tokio::test]
async fn no_rest_waits_for_another() {
    let Some(server) = shared().await else { return };
    let client = broker(&format!("{}?ns=many", server.address())).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    let days = |days: i64| days * 86_400_000;
    client.publish(&tasks, later("a month", days(31))).await.unwrap();
    client.publish(&tasks, later("a life", days(36_000))).await.unwrap();
    client.publish(&tasks, later("a day", days(1))).await.unwrap();
    let rests: Vec<i64> = (0..300).map(|number| 4_000 - number * 11).collect();
    let messages = rests.iter().map(|rest| later(&rest.to_string(), *rest)).collect();
    for stored in client.publish_batch(&tasks, messages).await.unwrap() {
        stored.unwrap();
    }
    // They are published within less time than they are apart.
    let came: Vec<i64> = take(&*client, &tasks, rests.len()).await.iter().map(|body| body.parse().unwrap()).collect();
    let late = came.windows(20).filter(|some| some[0] > some[19]).count();
    assert_eq!(late, 0, "{came:?}");
    // The last one is delivered before its original is removed.
    let rests = || ctl(server, &["list_queues", "name", "messages"]).contains("many:tasks:rests\t3");
    timeout(SOON, async {
        while !rests() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn what_rested_for_a_queue_that_was_deleted_reaches_no_later_one() {
    let Some(server) = shared().await else { return };
    let (here, there) = (
        broker(&format!("{}?ns=deleted", server.address())).await,
        broker(&format!("{}?ns=deleted", server.address())).await,
    );
    let (ada, ben) = (here.open("ada").await.unwrap(), there.open("ben").await.unwrap());
    let tasks = Queue::new("tasks");
    for life in 0..5 {
        ada.declare(&tasks, &Policy::default()).await.unwrap();
        // Its knowledge is of the life before.
        ben.publish(&tasks, later(&format!("of life {life}"), 100)).await.unwrap();
        assert_eq!(bodies(&*ben, &tasks, Fetch::up_to(10).waiting(2_000)).await, [format!("of life {life}")]);
        ben.publish(&tasks, later("too late", 250)).await.unwrap();
        ada.delete(&tasks).await.unwrap();
    }
    ada.declare(&tasks, &Policy::default()).await.unwrap();
    assert!(bodies(&*ada, &tasks, Fetch::up_to(10).waiting(500)).await.is_empty());
}

/// So much that it is not held in memory at once.
#[tokio::test]
async fn large_ones_rest_in_smaller_numbers() {
    let Some(server) = shared().await else { return };
    let client = broker(&format!("{}?ns=large", server.address())).await.open("client").await.unwrap();
    let tasks = Queue::new("tasks");
    client.declare(&tasks, &Policy::default()).await.unwrap();
    let body = "x".repeat(1_048_576);
    for _ in 0..7 {
        let messages = (0..10).map(|_| later(&body, 5_000)).collect();
        for stored in client.publish_batch(&tasks, messages).await.unwrap() {
            stored.unwrap();
        }
    }
    let came = take(&*client, &tasks, 70).await;
    assert_eq!(came.len(), 70);
    assert!(came.iter().all(|came| *came == body), "another body");
}
