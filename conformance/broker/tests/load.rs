//! Twenty agents and a thousand messages: each agent sends to others and works for others, all at
//! once, on one store in a file, while somebody reads in it from outside. Nobody hears that the
//! database is locked, nothing is lost, nothing is done twice.

#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "support/audit.rs"]
mod audit;
#[path = "support/folder.rs"]
mod folder;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::task::JoinSet;
use uuid::Uuid;
use workwire_broker::{
    Broker as _, Client, Fetch, Message, Policy, Queue, SqliteBroker, SqliteOptions, Stored, Verdict,
};

const AGENTS: usize = 20;

/// How long nobody is stuck.
const PATIENCE: Duration = Duration::from_mins(2);

/// How many messages each agent sends.
const EACH: usize = 50;

fn tasks() -> Queue {
    Queue::new("tasks")
}

fn agent(number: usize) -> String {
    format!("agent-{}", number % AGENTS)
}

/// What all of them know.
#[derive(Default)]
struct Office {
    /// For whom each message is that was acknowledged; for whoever comes first where nobody is named.
    sent: Mutex<BTreeMap<Uuid, Option<String>>>,
    /// Who has done each message.
    done: Mutex<BTreeMap<Uuid, String>>,
    count: AtomicUsize,
}

impl Office {
    fn is_over(&self) -> bool {
        self.count.load(Ordering::Acquire) == AGENTS * EACH
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_agents_and_a_thousand_messages() {
    let folder = folder::Folder::new("load");
    let broker = SqliteBroker::open(SqliteOptions::at(folder.file())).unwrap();
    let office = Arc::new(Office::default());
    let overseer = broker.open("overseer").await.unwrap();
    overseer.declare(&tasks(), &Policy { lease_ms: 3_600_000, ..Policy::default() }).await.unwrap();
    let mut working = JoinSet::new();
    for number in 0..AGENTS {
        let client: Arc<dyn Client> = broker.open(&agent(number)).await.unwrap().into();
        working.spawn(send(Arc::clone(&client), number, Arc::clone(&office)));
        working.spawn(work(client, number, Arc::clone(&office)));
    }
    let (file, reading) = (folder.file(), Arc::clone(&office));
    working.spawn_blocking(move || read(&file, &reading));
    tokio::time::timeout(PATIENCE, working.join_all()).await.expect("nobody is stuck");

    let (sent, done) = (office.sent.lock().unwrap().clone(), office.done.lock().unwrap().clone());
    assert_eq!(sent.len(), AGENTS * EACH);
    for (id, to) in &sent {
        let by = done.get(id).unwrap_or_else(|| panic!("{id} is lost"));
        assert!(to.as_ref().is_none_or(|to| to == by), "{id} is for {to:?} and was done by {by}");
    }
    assert_eq!(done.len(), sent.len());
    let depth = overseer.depth(&tasks(), None).await.unwrap();
    assert_eq!((depth.ready, depth.leased, depth.delayed, depth.dead), (0, Some(0), Some(0), Some(0)));
    broker.shutdown().await.unwrap();
    assert_eq!(audit::faults(&Connection::open(folder.file()).unwrap()).unwrap(), Vec::<String>::new());
}

/// Sends to each of the others in turn, and every third message to whoever comes first.
async fn send(client: Arc<dyn Client>, number: usize, office: Arc<Office>) {
    for time in 0..EACH {
        let id = Uuid::new_v4();
        let to = (time % 3 > 0).then(|| agent(number + 1 + time % (AGENTS - 1)));
        let message = Message { to: to.clone(), ..Message::new(id, format!("{time} from {number}")) };
        assert_eq!(client.publish(&tasks(), message).await, Ok(Stored::Stored));
        office.sent.lock().unwrap().insert(id, to);
    }
}

async fn work(client: Arc<dyn Client>, number: usize, office: Arc<Office>) {
    while !office.is_over() {
        let fetch = Fetch::up_to(3).waiting(50).for_recipient(agent(number));
        for delivery in client.fetch(&tasks(), fetch).await.unwrap() {
            assert_eq!(delivery.attempt, 1);
            client.settle(&tasks(), &delivery.tag, Verdict::Done).await.unwrap();
            let before = office.done.lock().unwrap().insert(delivery.id, agent(number));
            assert_eq!(before, None, "{} is done twice", delivery.id);
            office.count.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// Reads what people read, without any patience for locks.
fn read(file: &Path, office: &Office) {
    let connection = Connection::open(file).unwrap();
    connection.busy_timeout(Duration::ZERO).unwrap();
    let start = Instant::now();
    while !office.is_over() && start.elapsed() < PATIENCE {
        let mut select = connection.prepare("SELECT status, count(*) FROM messages GROUP BY status").unwrap();
        let rows = select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).unwrap();
        for row in rows {
            let (status, _) = row.unwrap();
            assert!(status == "pending" || status == "processing", "{status}");
        }
    }
}
