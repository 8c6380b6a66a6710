//! Millions of ready messages: what a fetch costs, and how much memory it takes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use uuid::Uuid;
use workwire_broker::{Broker as _, Client, Durability, Fetch, Message, Verdict};

use super::figures::{self, Folder, percentile};

const FETCHES: usize = 500;

/// Of so many messages one is for this consumer and due, at least.
const FOR_US: usize = 4;

pub(crate) fn run(runtime: &Runtime) {
    println!("\nfetch of one and done, priorities, recipients, expiries and delays mixed, NORMAL (no sync to measure)");
    let few = fetches(runtime, 1_000 + FOR_US * FETCHES);
    let many = fetches(runtime, std::env::var("WORKWIRE_BENCH_MILLIONS").map_or(10_000_000, |n| n.parse().unwrap()));
    println!("ratio of the medians: {:.2}", many.as_secs_f64() / few.as_secs_f64());
}

fn fetches(runtime: &Runtime, count: usize) -> Duration {
    let folder = Folder::new();
    let (broker, client) = runtime.block_on(figures::broker(folder.file("w.db"), Durability::Normal));
    let start = Instant::now();
    runtime.block_on(fill(&client, count));
    let filled = start.elapsed();
    let mut times: Vec<Duration> = runtime.block_on(async {
        let queue = figures::queue();
        let mut times = Vec::new();
        for _ in 0..FETCHES {
            let before = Instant::now();
            let fetch = Fetch::up_to(1).for_recipient("agent-1");
            let delivery = client.fetch(&queue, fetch).await.unwrap().remove(0);
            client.settle(&queue, &delivery.tag, Verdict::Done).await.unwrap();
            times.push(before.elapsed());
        }
        times
    });
    times.sort();
    let median = percentile(&times, 50.0);
    println!(
        "{count} messages (stored in {filled:.0?}): median {median:?}, p99 {:?}; {} KiB resident",
        percentile(&times, 99.0),
        resident()
    );
    drop(client);
    runtime.block_on(broker.shutdown()).unwrap();
    median
}

async fn fill(client: &Arc<dyn Client>, count: usize) {
    let (queue, body) = (figures::queue(), figures::body());
    for from in (0..count).step_by(1_000) {
        let one = |n: usize| Message {
            priority: Some(i64::try_from(n % 5).unwrap() + 1),
            to: (!n.is_multiple_of(3)).then(|| format!("agent-{}", n % 100)),
            ttl_ms: n.is_multiple_of(4).then_some(36_000_000),
            delay_ms: n.is_multiple_of(10).then_some(18_000_000),
            ..Message::new(Uuid::now_v7(), body.clone())
        };
        let messages = (from..count.min(from + 1_000)).map(one).collect();
        client.publish_batch(&queue, messages).await.unwrap();
    }
}

/// What the process holds in memory, as the system counts it.
fn resident() -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
