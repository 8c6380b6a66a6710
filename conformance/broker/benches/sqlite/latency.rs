//! From the publisher to a consumer that waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use uuid::Uuid;
use workwire_broker::{Broker as _, Durability, Fetch, Message, Verdict};

use super::disk;
use super::figures::{self, Folder, percentile};

const COUNT: u32 = 2_000;

pub(crate) fn run(runtime: &Runtime) {
    let before = disk::syncs(1_000);
    let folder = Folder::new();
    let (broker, client) = runtime.block_on(figures::broker(folder.file("w.db"), Durability::Full));
    let (sent, mut received) = tokio::sync::mpsc::channel::<Instant>(1);
    let (next, mut wanted) = tokio::sync::mpsc::channel::<()>(1);
    let consumer = Arc::clone(&client);
    let consuming = runtime.spawn(async move {
        let (queue, mut times) = (figures::queue(), Vec::new());
        for _ in 0..COUNT {
            let fetching = consumer.fetch(&queue, Fetch::up_to(1).waiting(10_000));
            next.send(()).await.unwrap();
            let delivery = fetching.await.unwrap().remove(0);
            let delivered = Instant::now();
            times.push(delivered - received.recv().await.unwrap());
            consumer.settle(&queue, &delivery.tag, Verdict::Done).await.unwrap();
        }
        times
    });
    runtime.block_on(async {
        let (queue, body) = (figures::queue(), figures::body());
        for _ in 0..COUNT {
            wanted.recv().await.unwrap();
            // So that the consumer's fetch waits already.
            tokio::time::sleep(Duration::from_millis(1)).await;
            sent.send(Instant::now()).await.unwrap();
            client.publish(&queue, Message::new(Uuid::now_v7(), body.clone())).await.unwrap();
        }
    });
    let mut times: Vec<Duration> = runtime.block_on(consuming).unwrap();
    times.sort();
    let mut syncs = disk::syncs(1_000);
    syncs.extend(before);
    syncs.sort();
    let (p50, p99) = (percentile(&times, 50.0), percentile(&times, 99.0));
    println!(
        "\nlatency, publish to delivered, one at a time, FULL: p50 {p50:?}, p99 {p99:?}; fdatasync p50 {:?}, p99 {:?}; ratio p50 {:.2}, p99 {:.2}",
        percentile(&syncs, 50.0),
        percentile(&syncs, 99.0),
        p50.as_secs_f64() / percentile(&syncs, 50.0).as_secs_f64(),
        p99.as_secs_f64() / percentile(&syncs, 99.0).as_secs_f64()
    );
    drop(client);
    runtime.block_on(broker.shutdown()).unwrap();
}
