//! Several processes on one server, each a broker of its own here: nothing rests on what one of them knows.

use std::time::Duration;

use workwire_broker::{Code, Fetch, Message, Policy, Queue, Verdict};

use super::tools::{bodies, broker, ctl, message};
use crate::live::instance;

#[tokio::test]
async fn each_finds_what_the_others_declared_and_deleted() {
    let Some(server) = instance("rabbitmq").await else { return };
    let (here, there) = (broker(&server.address()).await, broker(&server.address()).await);
    let (ada, ben) = (here.open("same name").await.err(), here.open("ada").await.unwrap());
    assert_eq!(ada.unwrap().code(), Code::Invalid);
    let (ada, ben) = (ben, there.open("ben").await.unwrap());
    let tasks = Queue::new("tasks");
    ada.declare(&tasks, &Policy { max_priority: 3, max_attempts: 1, ..Policy::default() }).await.unwrap();
    // Who did not declare it knows its policy.
    let urgent = Message { priority: Some(4), ..message("too urgent") };
    assert_eq!(ben.publish(&tasks, urgent.clone()).await.unwrap_err().code(), Code::Invalid);
    ben.publish(&tasks, message("one attempt")).await.unwrap();
    let only = ben.fetch(&tasks, Fetch::up_to(1)).await.unwrap().pop().unwrap();
    ben.settle(&tasks, &only.tag, Verdict::retry()).await.unwrap();
    assert_eq!(ada.dead_letters(&tasks, 10, None).await.unwrap().len(), 1);
    let later = Message { delay_ms: Some(700), ..message("of the first life") };
    ben.publish(&tasks, later).await.unwrap();

    // Deleted and declared anew, it has another policy, also for who knew the old one.
    ada.delete(&tasks).await.unwrap();
    assert_eq!(ben.publish(&tasks, message("to nobody")).await.unwrap_err().code(), Code::NotFound);
    ada.declare(&tasks, &Policy::default()).await.unwrap();
    ben.publish(&tasks, urgent).await.unwrap();
    assert_eq!(bodies(&*ben, &tasks, Fetch::up_to(10)).await, ["too urgent"]);
    // What rested meanwhile was the other queue's.
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert!(bodies(&*ben, &tasks, Fetch::up_to(10)).await.is_empty());

    // Twenty looks and replays at once, of both, find each letter once.
    let letter = message("dies");
    ada.publish(&tasks, letter.clone()).await.unwrap();
    let dying = ada.fetch(&tasks, Fetch::up_to(1)).await.unwrap().pop().unwrap();
    ada.settle(&tasks, &dying.tag, Verdict::dead("no good")).await.unwrap();
    let looks = async { futures::all((0..10).map(|_| ada.dead_letters(&tasks, 10, None))).await };
    let others = async { futures::all((0..10).map(|_| ben.dead_letters(&tasks, 10, None))).await };
    let (looks, others) = tokio::join!(looks, others);
    assert!(looks.into_iter().chain(others).all(|letters| letters.unwrap().len() == 1));
    let (one, other) = tokio::join!(ada.replay(&tasks, letter.id, None), ben.replay(&tasks, letter.id, None));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert_eq!(ben.depth(&tasks, None).await.unwrap().ready, 1);

    let names = ctl(&server, &["list_connections", "client_properties"]);
    assert!(names.contains("workwire publishing") && names.contains("workwire tending"), "{names}");
    assert_eq!(names.matches("connection_name").count(), 4, "two connections each: {names}");
    ben.delete(&tasks).await.unwrap();
    drop((ada, ben));
    here.shutdown().await.unwrap();
    there.shutdown().await.unwrap();
    let left = ctl(&server, &["list_queues", "name"]);
    assert!(!left.contains("workwire"), "{left}");
}

mod futures {
    /// All of them, side by side.
    pub(super) async fn all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
        let mut running: Vec<_> = futures.map(Box::pin).map(Some).collect();
        let mut done: Vec<Option<T>> = running.iter().map(|_| None).collect();
        std::future::poll_fn(|context| {
            for (running, done) in running.iter_mut().zip(&mut done) {
                if let Some(future) = running
                    && let std::task::Poll::Ready(answer) = future.as_mut().poll(context)
                {
                    (*running, *done) = (None, Some(answer));
                }
            }
            if running.iter().all(Option::is_none) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        done.into_iter().flatten().collect()
    }
}
