//! The least that anybody could do with the same tables: no policy, no check, no client, no lease;
//! rows written into the same tables and indexes by prepared statements on one connection.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, Statement, params};
use tokio::sync::oneshot;
use uuid::Uuid;
use workwire_broker::{Broker as _, Durability};

use super::figures;

/// Makes the tables by the broker itself, then opens them without it.
pub(crate) fn open(runtime: &tokio::runtime::Runtime, path: &Path, durability: Durability) -> Connection {
    runtime.block_on(async {
        let (broker, client) = figures::broker(path.to_owned(), durability).await;
        drop(client);
        broker.shutdown().await.unwrap();
    });
    let connection = Connection::open(path).unwrap();
    let synchronous = if durability == Durability::Full { "FULL" } else { "NORMAL" };
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous = {synchronous}; PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 2000;"
        ))
        .unwrap();
    connection
}

/// The rows of one message.
pub(crate) struct Insert<'c> {
    message: Statement<'c>,
    known: Statement<'c>,
    ready: Statement<'c>,
}

impl<'c> Insert<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        let prepare = |sql| connection.prepare(sql).unwrap();
        Insert {
            message: prepare(
                "INSERT INTO message
                 (seq, queue, id, priority, recipient, published_at, due_at, expires_at, ttl_ms, forget_at, body)
                 VALUES (?1, 1, ?2, 3, '', ?3, ?3, NULL, NULL, ?4, ?5)",
            ),
            known: prepare("INSERT INTO known (queue, id, seq, forget_at) VALUES (1, ?1, ?2, ?3)"),
            ready: prepare("INSERT INTO ready (place, recipient, rank, seq, used) VALUES (1, '', 7, ?1, 0)"),
        }
    }

    pub(crate) fn run(&mut self, seq: i64, id: Uuid, body: &[u8], now: i64) {
        self.message.execute(params![seq, id, now, now + 300_000, body]).unwrap();
        self.known.execute(params![id, seq, now + 300_000]).unwrap();
        self.ready.execute([seq]).unwrap();
    }
}

type Wanted = (Uuid, bytes::Bytes, oneshot::Sender<()>);

/// A group-commit loop: all that came meanwhile in one transaction.
pub(crate) struct GroupCommit {
    sender: Sender<Wanted>,
    thread: JoinHandle<()>,
}

impl GroupCommit {
    pub(crate) fn start(connection: Connection) -> Self {
        let (sender, receiver) = channel();
        let thread = std::thread::spawn(move || serve(&connection, &receiver));
        GroupCommit { sender, thread }
    }

    pub(crate) fn sender(&self) -> Sender<Wanted> {
        self.sender.clone()
    }

    pub(crate) fn stop(self) {
        drop(self.sender);
        self.thread.join().unwrap();
    }
}

fn serve(connection: &Connection, receiver: &Receiver<Wanted>) {
    let mut insert = Insert::new(connection);
    let mut begin = connection.prepare("BEGIN IMMEDIATE").unwrap();
    let mut commit = connection.prepare("COMMIT").unwrap();
    let mut seq = 1;
    let mut replies = Vec::new();
    while let Ok(first) = receiver.recv() {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let now = i64::try_from(now.as_millis()).unwrap();
        begin.execute([]).unwrap();
        let mut next = Some(first);
        while let Some((id, body, reply)) = next {
            insert.run(seq, id, &body, now);
            seq += 1;
            replies.push(reply);
            next = if replies.len() < 2_048 { receiver.try_recv().ok() } else { None };
        }
        commit.execute([]).unwrap();
        for reply in replies.drain(..) {
            let _ = reply.send(());
        }
    }
}
