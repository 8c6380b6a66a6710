//! A server whose disk runs short: it takes nothing, and loses nothing.

use workwire_broker::{Code, Fetch, Policy, Queue, Verdict};

use super::tools::{bodies, broker, ctl, message};
use crate::live::instance;

#[tokio::test]
async fn a_disk_alarm_is_waited_for_and_then_told() {
    let Some(server) = instance("rabbitmq").await else { return };
    let broker = broker(&format!("{}?timeout_ms=3000", server.address())).await;
    let (planner, worker) = (broker.open("planner").await.unwrap(), broker.open("worker").await.unwrap());
    let tasks = Queue::new("tasks");
    planner.declare(&tasks, &Policy::default()).await.unwrap();
    planner.publish(&tasks, message("before")).await.unwrap();
    let held = worker.fetch(&tasks, Fetch::up_to(1)).await.unwrap().pop().unwrap();

    ctl(&server, &["set_disk_free_limit", "9000GB"]);
    // The server blocks a connection when it publishes again: this one may have happened, the next did not.
    let first = planner.publish(&tasks, message("while it is full")).await;
    let first = first.unwrap_err();
    assert!(matches!(first.code(), Code::Full | Code::Unavailable), "{first}");
    let second = planner.publish(&tasks, message("not sent")).await.unwrap_err();
    assert!(second.code() == Code::Full && second.message().contains("disk or memory alarm"), "{second}");
    // A retry is a publish. It does not go through, and the delivery is still held.
    let error = worker.settle(&tasks, &held.tag, Verdict::retry()).await.unwrap_err();
    assert_eq!(error.code(), Code::Full, "{error}");
    // Who only takes is not blocked.
    worker.settle(&tasks, &held.tag, Verdict::Done).await.unwrap();

    let waiting = tokio::spawn(async move {
        let late = message("when there is room again");
        // However long it takes until there is: each refusal says that nothing was sent.
        while let Err(error) = planner.publish(&tasks, late.clone()).await {
            assert_eq!(error.code(), Code::Full, "{error}");
        }
        (planner, tasks)
    });
    ctl(&server, &["set_disk_free_limit", "50MB"]);
    let (planner, tasks) = waiting.await.unwrap();
    let mut left = Vec::new();
    while let [body] = &bodies(&*planner, &tasks, Fetch::up_to(1).waiting(300)).await[..] {
        left.push(body.clone());
    }
    assert!(left.contains(&"when there is room again".to_owned()), "{left:?}");
    assert!(!left.contains(&"not sent".to_owned()), "{left:?}");
    assert!(left.contains(&"while it is full".to_owned()) || first.code() == Code::Full, "{left:?}");
}
