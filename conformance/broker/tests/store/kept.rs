//! What is done can be kept for a while, seen and replayed.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use workwire_broker::clock::{Clock as _, ManualClock, SystemClock};
use workwire_broker::{Client, Code, Fetch, Message, Policy, SqliteBroker, SqliteOptions, Verdict};

use super::folder::{Folder, client, tasks};

async fn done(client: &dyn Client, body: &'static str) -> Uuid {
    let id = Uuid::now_v7();
    client.publish(&tasks(), Message::new(id, body)).await.unwrap();
    let delivery = client.fetch(&tasks(), Fetch::up_to(1)).await.unwrap().remove(0);
    client.settle(&tasks(), &delivery.tag, Verdict::Done).await.unwrap();
    id
}

#[tokio::test]
async fn what_is_done_is_kept_for_as_long_as_asked_and_can_be_replayed() {
    let folder = Folder::new();
    let clock = ManualClock::at(SystemClock.now());
    let options = SqliteOptions { keep_done: Duration::from_mins(1), ..SqliteOptions::at(folder.file()) };
    let broker = SqliteBroker::open_with_clock(options, Arc::new(clock.clone())).unwrap();
    let client = client(&broker, Policy::default()).await;
    let (first, second) = (done(&*client, "first").await, done(&*client, "second").await);
    let shown = || {
        let sql = "SELECT count(*) FROM messages WHERE status = 'done'";
        folder.sql().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(shown(), 2);
    assert_eq!(client.depth(&tasks(), None).await.unwrap().ready, 0, "what is done is not ready");

    client.replay(&tasks(), first, None).await.unwrap();
    assert_eq!(shown(), 1);
    let again = client.fetch(&tasks(), Fetch::up_to(2)).await.unwrap();
    assert_eq!((again.len(), again[0].id, &again[0].body[..], again[0].attempt), (1, first, &b"first"[..], 1));

    clock.advance(60_001);
    client.publish(&tasks(), Message::new(Uuid::now_v7(), "third")).await.unwrap();
    assert_eq!(shown(), 0);
    let error = client.replay(&tasks(), second, None).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
}

#[tokio::test]
async fn a_dead_letter_is_replayed_before_what_is_done() {
    let folder = Folder::new();
    let options = SqliteOptions { keep_done: Duration::from_mins(1), ..SqliteOptions::at(folder.file()) };
    let broker = SqliteBroker::open(options).unwrap();
    let client = client(&broker, Policy { dedupe_ms: 0, ..Policy::default() }).await;
    let id = done(&*client, "done").await;
    client.publish(&tasks(), Message::new(id, "dead")).await.unwrap();
    let delivery = client.fetch(&tasks(), Fetch::up_to(1)).await.unwrap().remove(0);
    client.settle(&tasks(), &delivery.tag, Verdict::dead("x")).await.unwrap();
    client.replay(&tasks(), id, None).await.unwrap();
    assert_eq!(&client.fetch(&tasks(), Fetch::up_to(1)).await.unwrap()[0].body[..], b"dead");
}

#[tokio::test]
async fn nothing_that_is_done_is_kept_unasked() {
    let folder = Folder::new();
    let broker = folder.broker();
    let client = client(&broker, Policy::default()).await;
    let id = done(&*client, "gone").await;
    assert_eq!(client.replay(&tasks(), id, None).await.unwrap_err().code(), Code::NotFound);
    let rows = folder.sql().query_row("SELECT count(*) FROM message", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(rows, 0);
}
