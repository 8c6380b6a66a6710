//! Files to measure in, and figures from measurements.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use workwire_broker::{Broker, Client, Durability, Policy, Queue, SqliteBroker, SqliteOptions};

/// A folder that is gone when the measurement is over.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let base = std::env::var_os("WORKWIRE_BENCH_DIR")
            .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned(), PathBuf::from);
        let folder = base.join(format!("bench-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn queue() -> Queue {
    Queue::new("bench")
}

/// A body of 600 bytes.
pub(crate) fn body() -> bytes::Bytes {
    bytes::Bytes::from(vec![b'x'; 600])
}

/// A broker with the queue declared.
pub(crate) async fn broker(path: PathBuf, durability: Durability) -> (Arc<SqliteBroker>, Arc<dyn Client>) {
    let broker = SqliteBroker::open(SqliteOptions { durability, ..SqliteOptions::at(path) }).unwrap();
    let client: Arc<dyn Client> = Arc::from(broker.open("bench").await.unwrap());
    client.declare(&queue(), &Policy::default()).await.unwrap();
    (Arc::new(broker), client)
}

pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

pub(crate) fn percentile(sorted: &[Duration], percent: f64) -> Duration {
    let at = (sorted.len() as f64 * percent / 100.0) as usize;
    sorted[at.min(sorted.len() - 1)]
}

/// Least, median and most of some ratios.
pub(crate) fn spread(mut ratios: Vec<f64>) -> String {
    ratios.sort_by(f64::total_cmp);
    format!("{:.2} ({:.2}–{:.2})", ratios[ratios.len() / 2], ratios[0], ratios[ratios.len() - 1])
}
