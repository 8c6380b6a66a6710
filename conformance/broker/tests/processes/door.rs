//! Who stands at the door of a store and does not move.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::{Duration, Instant};

use uuid::Uuid;
use workwire_broker::{Broker as _, Client, Message, Policy, SqliteBroker, SqliteOptions, Stored};

use super::member::tasks;
use crate::folder::Folder;

const PATIENCE: Duration = Duration::from_mins(1);

/// A process that has been stopped at the door keeps nobody out, and whoever went in without a turn
/// does not stand there afterwards.
pub(crate) fn keeps_nobody_out() {
    let folder = Folder::new("door");
    let options = SqliteOptions { busy_timeout: Duration::from_millis(30), ..SqliteOptions::at(folder.file()) };
    let broker = SqliteBroker::open(options).unwrap();
    let door = door_of(&folder.file());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = broker.open("publisher").await.unwrap();
        client.declare(&tasks(), &Policy::default()).await.unwrap();
        for _ in 0..3 {
            door.lock().unwrap();
            publish(&*client, 3).await;
            door.unlock().unwrap();
            publish(&*client, 1).await;
            let start = Instant::now();
            while door.try_lock().is_err() {
                assert!(start.elapsed() < PATIENCE, "nobody publishes, and somebody stands at the door");
                std::thread::yield_now();
            }
            door.unlock().unwrap();
        }
        broker.shutdown().await.unwrap();
    });
}

fn door_of(file: &Path) -> File {
    let mut name = file.as_os_str().to_owned();
    name.push("-door");
    OpenOptions::new().append(true).open(name).unwrap()
}

async fn publish(client: &dyn Client, many: usize) {
    for _ in 0..many {
        assert_eq!(client.publish(&tasks(), Message::new(Uuid::new_v4(), "in")).await, Ok(Stored::Stored));
    }
}
