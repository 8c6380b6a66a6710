//! What the disk can do: 4 KiB appended and synced, one after the other.

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::figures::{Folder, percentile};

/// The times of appending and syncing, sorted.
pub(crate) fn syncs(count: usize) -> Vec<Duration> {
    let folder = Folder::new();
    let mut file = std::fs::File::create(folder.file("sync")).unwrap();
    let page = [7_u8; 4096];
    let mut times: Vec<Duration> = (0..count)
        .map(|_| {
            let start = Instant::now();
            file.write_all(&page).unwrap();
            file.sync_data().unwrap();
            start.elapsed()
        })
        .collect();
    times.sort();
    times
}

pub(crate) fn run() {
    let times = syncs(2_000);
    let (p50, p99) = (percentile(&times, 50.0), percentile(&times, 99.0));
    let total: Duration = times.iter().sum();
    println!(
        "disk: 4 KiB append + fdatasync: {:.0}/s, p50 {p50:?}, p99 {p99:?}, worst {:?}",
        times.len() as f64 / total.as_secs_f64(),
        times.last().unwrap()
    );
}
