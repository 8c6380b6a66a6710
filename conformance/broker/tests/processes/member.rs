//! One of the processes.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use uuid::Uuid;

use workwire_broker::{
    Broker as _, BrokerError, Client, Code, Fetch, Message, Policy, Queue, SqliteBroker, SqliteOptions, Stored, Verdict,
};

use crate::again;

/// Publishes and consumes.
pub(crate) const WORKER: &str = "worker";
/// Waits for one message.
pub(crate) const WAITER: &str = "waiter";

/// How many messages each worker publishes.
pub(crate) const EACH: usize = 120;

/// What it is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) file: PathBuf,
    pub(crate) lease_ms: i64,
}

/// What a process says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Line {
    /// It has opened the file, and begins when it is told to.
    Ready,
    /// Acknowledged.
    Published(Uuid),
    /// It is about to be settled.
    Settling(Uuid),
    /// Settled, and acknowledged.
    Done(Uuid),
    /// A fetch waits, at the broker.
    Waits,
    /// What must not be.
    Failed(String),
}

pub(crate) fn tasks() -> Queue {
    Queue::new("tasks")
}

pub(crate) fn run(role: &str) {
    let told: Told = again::told();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match role {
        WORKER => runtime.block_on(work(&told)),
        WAITER => runtime.block_on(wait(&told)),
        other => panic!("no such role: {other}"),
    }
}

/// Opens the file, which may not be there yet, and declares the queue.
async fn open(told: &Told) -> (SqliteBroker, Arc<dyn Client>) {
    let broker = SqliteBroker::open(SqliteOptions::at(&told.file)).unwrap();
    let client: Arc<dyn Client> = broker.open("overseer").await.unwrap().into();
    client.declare(&tasks(), &Policy { lease_ms: told.lease_ms, ..Policy::default() }).await.unwrap();
    (broker, client)
}

async fn work(told: &Told) {
    let (broker, publisher) = open(told).await;
    say(&Line::Ready);
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    // What ends it is the end of what it is told.
    std::thread::spawn({
        let over = Arc::clone(&over);
        move || {
            std::io::stdin().lock().read_line(&mut String::new()).unwrap();
            over.store(true, Ordering::Release);
        }
    });
    let mut all = JoinSet::new();
    all.spawn(async move { publish(&*publisher).await });
    for number in 0..2 {
        let (client, over) = (broker.open(&format!("consumer-{number}")).await.unwrap(), Arc::clone(&over));
        all.spawn(async move { consume(&*client, &over).await });
    }
    while let Some(ended) = all.join_next().await {
        if let Err(error) = ended.unwrap() {
            say(&Line::Failed(error.to_string()));
        }
    }
    broker.shutdown().await.unwrap();
}

async fn publish(client: &dyn Client) -> Result<(), BrokerError> {
    for number in 0..EACH {
        let message = Message::new(Uuid::new_v4(), vec![b'x'; 100 + number * 10]);
        let id = message.id;
        assert_eq!(client.publish(&tasks(), message).await?, Stored::Stored);
        say(&Line::Published(id));
    }
    Ok(())
}

async fn consume(client: &dyn Client, over: &AtomicBool) -> Result<(), BrokerError> {
    while !over.load(Ordering::Acquire) {
        for delivery in client.fetch(&tasks(), Fetch::up_to(1).waiting(50)).await? {
            say(&Line::Settling(delivery.id));
            match client.settle(&tasks(), &delivery.tag, Verdict::Done).await {
                Ok(()) => say(&Line::Done(delivery.id)),
                // It was too slow, and another has it.
                Err(error) if error.code() == Code::Stale => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Waits for one message, as long as it takes.
async fn wait(told: &Told) {
    let (broker, client) = open(told).await;
    let waiting = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.fetch(&tasks(), Fetch::up_to(1).waiting(3_600_000)).await.unwrap() }
    });
    tokio::task::yield_now().await;
    // Answered after the fetch has come to the broker.
    assert_eq!(client.depth(&tasks(), None).await.unwrap().ready, 0);
    say(&Line::Waits);
    let delivery = waiting.await.unwrap().remove(0);
    client.settle(&tasks(), &delivery.tag, Verdict::Done).await.unwrap();
    say(&Line::Done(delivery.id));
    broker.shutdown().await.unwrap();
    // It ends when it is told to.
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
}

fn say(line: &Line) {
    let mut text = serde_json::to_vec(line).unwrap();
    text.push(b'\n');
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&text).and_then(|()| stdout.flush()).expect("somebody who listens");
}
