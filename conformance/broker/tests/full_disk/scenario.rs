//! What happens in a process whose disk is full.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinSet;
use uuid::Uuid;
use workwire_broker::{
    Broker as _, BrokerError, Client, Code, Fetch, Message, Peek, Policy, Queue, RestartMode, SqliteBroker,
    SqliteOptions, Stored, Verdict,
};

use super::machine;
use crate::{again, audit};

/// The disk is full from some time on.
pub(crate) const FULL: &str = "full";
/// The same, and the whole store is in its log yet.
pub(crate) const FULL_AND_SMALL: &str = "full and small";
/// Before the store is made.
pub(crate) const FULL_FROM_THE_START: &str = "full from the start";
/// Another program has filled it.
pub(crate) const FULL_OF_OTHERS: &str = "full of others";
/// Not the disk is full, but no file may grow.
pub(crate) const MAY_NOT_GROW: &str = "may not grow";

/// More than fits anywhere when others of this size do not.
const LARGE: usize = 60_000;

pub(crate) fn run(role: &str) {
    let file: PathBuf = again::told();
    let filler = file.with_file_name("filler");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match role {
        FULL | FULL_AND_SMALL => {
            // It takes the room away, and gives it back.
            let size = if role == FULL { 6 << 20 } else { 5 << 19 };
            std::fs::write(&filler, vec![1; size]).unwrap();
            runtime.block_on(fill_up(&file, Code::Full, || std::fs::remove_file(filler).unwrap()));
        }
        MAY_NOT_GROW => runtime.block_on(fill_up(&file, Code::Unavailable, machine::let_files_grow)),
        FULL_OF_OTHERS => runtime.block_on(goes_on(&file, &filler)),
        FULL_FROM_THE_START => open_without_room(&file, &filler),
        other => panic!("no such role: {other}"),
    }
}

fn open_without_room(file: &Path, filler: &Path) {
    std::fs::write(filler, vec![1; 20 << 20]).unwrap_err();
    let error = SqliteBroker::open(SqliteOptions::at(file)).unwrap_err().to_string();
    assert!(error.contains("work.db: the disk is full"), "{error}");
    std::fs::remove_file(filler).unwrap();
    SqliteBroker::open(SqliteOptions::at(file)).unwrap();
}

fn tasks() -> Queue {
    Queue::new("tasks")
}

fn later() -> Queue {
    Queue::new("later")
}

/// A store that holds less than it did has room of its own: on a disk that others have filled it
/// takes messages and gives them, as long as they are no more than they were.
async fn goes_on(file: &Path, filler: &Path) {
    let broker = SqliteBroker::open(SqliteOptions::at(file)).unwrap();
    let client = broker.open("overseer").await.unwrap();
    client.declare(&tasks(), &Policy { dedupe_ms: 0, ..Policy::default() }).await.unwrap();
    for _ in 0..300 {
        client.publish(&tasks(), message(2_000)).await.unwrap();
    }
    take_all(&*client).await;
    broker.restart(RestartMode::Graceful).await.unwrap();
    let client = broker.open("overseer").await.unwrap();
    for _ in 0..5 {
        client.publish(&tasks(), message(2_000)).await.unwrap();
    }
    take_all(&*client).await;
    std::fs::write(filler, vec![1; 20 << 20]).unwrap_err();
    for _ in 0..100 {
        client.publish(&tasks(), message(2_000)).await.unwrap();
        assert_eq!(take_all(&*client).await.len(), 1);
    }
    broker.shutdown().await.unwrap();
    check_file(file);
}

/// Publishes until there is no room, sees what works without it, makes some, and goes on. `code` is
/// what a refusal for want of room is.
async fn fill_up(file: &Path, code: Code, make_room: impl FnOnce()) {
    let broker = SqliteBroker::open(SqliteOptions::at(file)).unwrap();
    let client: Arc<dyn Client> = broker.open("overseer").await.unwrap().into();
    for queue in [tasks(), later()] {
        client.declare(&queue, &Policy { lease_ms: 3_600_000, ..Policy::default() }).await.unwrap();
    }
    let waiting = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.fetch(&later(), Fetch::up_to(1).waiting(3_600_000)).await }
    });
    let mut stored = BTreeSet::new();
    for _ in 0..20 {
        let message = message(2_000);
        stored.insert(message.id);
        assert_eq!(client.publish(&tasks(), message).await, Ok(Stored::Stored));
    }
    let held = client.fetch(&tasks(), Fetch::up_to(10)).await.unwrap();
    assert_eq!(held.len(), 10);

    let refused = until_refused(&broker, code, &mut stored).await;
    assert!(stored.len() > 50 && refused.len() >= 8, "{} stored, {} refused", stored.len(), refused.len());
    // Without room: no large one is stored, nothing is lost, and what cannot be done says so.
    for _ in 0..5 {
        check_refusal(&client.publish(&tasks(), message(LARGE)).await.unwrap_err(), code);
    }
    let mut there = ready(&*client, 10).await;
    there.extend(held.iter().map(|delivery| delivery.id));
    assert_eq!(there, stored, "all that was stored is there, and nothing else");
    check_file(file);
    let mut unsettled = Vec::new();
    for delivery in held {
        match client.settle(&tasks(), &delivery.tag, Verdict::Done).await {
            Ok(()) => {
                stored.remove(&delivery.id);
            }
            Err(error) => {
                check_refusal(&error, code);
                unsettled.push(delivery);
            }
        }
    }
    if let Err(error) = client.fetch(&tasks(), Fetch::up_to(1).only(Uuid::nil())).await {
        check_refusal(&error, code);
    }
    check_file(file);

    make_room();
    for delivery in unsettled {
        client.settle(&tasks(), &delivery.tag, Verdict::Done).await.unwrap();
        stored.remove(&delivery.id);
    }
    assert!(!waiting.is_finished(), "who waits goes on waiting");
    client.publish(&later(), message(10)).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().len(), 1);
    // What was refused was not stored: its ids are new.
    for refused in refused {
        stored.insert(refused.id);
        assert_eq!(client.publish(&tasks(), refused).await, Ok(Stored::Stored));
    }
    assert_eq!(take_all(&*client).await, stored);
    broker.shutdown().await.unwrap();
    check_file(file);
    let broker = SqliteBroker::open(SqliteOptions::at(file)).unwrap();
    let client = broker.open("overseer").await.unwrap();
    assert_eq!(client.depth(&tasks(), None).await.unwrap().ready, 0);
    broker.shutdown().await.unwrap();
}

/// Eight publish at once, each until it is refused. Answers with what was refused.
async fn until_refused(broker: &SqliteBroker, code: Code, stored: &mut BTreeSet<Uuid>) -> Vec<Message> {
    let mut publishing = JoinSet::new();
    for number in 0..8 {
        let client = broker.open(&format!("publisher-{number}")).await.unwrap();
        publishing.spawn(async move {
            let mut stored = Vec::new();
            loop {
                let message = message(500 + stored.len() % 7 * 1_000);
                match client.publish(&tasks(), message.clone()).await {
                    Ok(answer) => {
                        assert_eq!(answer, Stored::Stored);
                        stored.push(message.id);
                    }
                    Err(error) => {
                        check_refusal(&error, code);
                        return (stored, message);
                    }
                }
            }
        });
    }
    let mut refused = Vec::new();
    for (ids, message) in publishing.join_all().await {
        stored.extend(ids);
        refused.push(message);
    }
    refused
}

fn check_refusal(error: &BrokerError, code: Code) {
    assert_eq!(error.code(), code, "{error}");
    if code == Code::Full {
        assert!(error.message().contains("the disk is full"), "{error}");
        assert!(error.message().contains("what was stored before is safe"), "{error}");
    } else {
        assert!(error.message().contains("the store failed: disk I/O error"), "{error}");
    }
}

/// The ids of what is ready, beside so many that are held.
async fn ready(client: &dyn Client, held: u64) -> BTreeSet<Uuid> {
    let mut seen = BTreeSet::new();
    let mut after = None;
    loop {
        let peeked = client.peek(&tasks(), Peek { max: 500, after, ..Peek::default() }).await.unwrap();
        let Some(last) = peeked.last() else { break };
        after = Some(last.id);
        seen.extend(peeked.iter().map(|peeked| peeked.id));
    }
    let depth = client.depth(&tasks(), None).await.unwrap();
    assert_eq!((depth.ready, depth.leased), (seen.len() as u64, Some(held)));
    seen
}

async fn take_all(client: &dyn Client) -> BTreeSet<Uuid> {
    let mut taken = BTreeSet::new();
    loop {
        let deliveries = client.fetch(&tasks(), Fetch::up_to(100)).await.unwrap();
        if deliveries.is_empty() {
            return taken;
        }
        for delivery in deliveries {
            assert!(taken.insert(delivery.id), "taken twice: {}", delivery.id);
            client.settle(&tasks(), &delivery.tag, Verdict::Done).await.unwrap();
        }
    }
}

fn check_file(file: &Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    assert_eq!(audit::faults(&connection).unwrap(), Vec::<String>::new());
}

fn message(size: usize) -> Message {
    Message::new(Uuid::new_v4(), vec![b'x'; size])
}
