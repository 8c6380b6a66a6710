//! A folder for one test, gone at its end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use workwire_broker::clock::Clock;
use workwire_broker::{Broker as _, Client, Policy, Queue, SqliteBroker, SqliteOptions};

pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("store-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("work.db")
    }

    pub(crate) fn broker(&self) -> SqliteBroker {
        SqliteBroker::open(SqliteOptions::at(self.file())).unwrap()
    }

    pub(crate) fn broker_at(&self, clock: Arc<dyn Clock>) -> SqliteBroker {
        SqliteBroker::open_with_clock(SqliteOptions::at(self.file()), clock).unwrap()
    }

    /// The file without the broker.
    pub(crate) fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn tasks() -> Queue {
    Queue::new("tasks")
}

/// A client with the queue `tasks` declared.
pub(crate) async fn client(broker: &SqliteBroker, policy: Policy) -> Box<dyn Client> {
    let client = broker.open("client").await.unwrap();
    client.declare(&tasks(), &policy).await.unwrap();
    client
}
