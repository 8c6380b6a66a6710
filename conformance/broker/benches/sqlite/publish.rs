//! Durable publish: each publisher waits for its answer before it publishes again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use uuid::Uuid;
use workwire_broker::{Broker as _, Durability, Message};

use super::bare::{self, GroupCommit};
use super::disk;
use super::figures::{self, Folder, median, percentile, spread};

const ROUND: Duration = Duration::from_secs(2);
const ROUNDS: usize = 7;

pub(crate) fn run(runtime: &Runtime) {
    println!("\npublish, 600 B, FULL, each publisher waits for its answer");
    println!("publishers | workwire/s | bare loop/s | ratio (least–most) | p99 | worst | worst / p99 of fdatasync");
    for publishers in [1, 20, 200] {
        let (mut ours, mut theirs, mut ratios, mut waits) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (our, mut times) = workwire(runtime, publishers, Durability::Full);
            let their = bare_loop(runtime, publishers, Durability::Full);
            waits.append(&mut times);
            ours.push(our);
            theirs.push(their);
            ratios.push(our / their);
        }
        waits.sort();
        let sync = percentile(&disk::syncs(1_000), 99.0);
        let worst = *waits.last().unwrap();
        println!(
            "{publishers} | {:.0} | {:.0} | {} | {:?} | {worst:?} | {:.1}",
            median(ours),
            median(theirs),
            spread(ratios),
            percentile(&waits, 99.0),
            worst.as_secs_f64() / sync.as_secs_f64()
        );
    }
}

fn workwire(runtime: &Runtime, publishers: usize, durability: Durability) -> (f64, Vec<Duration>) {
    let folder = Folder::new();
    let (broker, client) = runtime.block_on(figures::broker(folder.file("w.db"), durability));
    let start = Instant::now();
    let tasks: Vec<_> = (0..publishers)
        .map(|_| {
            let client = Arc::clone(&client);
            runtime.spawn(async move {
                let (queue, body, mut waits) = (figures::queue(), figures::body(), Vec::new());
                while start.elapsed() < ROUND {
                    let before = Instant::now();
                    client.publish(&queue, Message::new(Uuid::now_v7(), body.clone())).await.unwrap();
                    waits.push(before.elapsed());
                }
                waits
            })
        })
        .collect();
    let waits: Vec<Duration> = runtime.block_on(async { futures_of(tasks).await }).into_iter().flatten().collect();
    let rate = waits.len() as f64 / start.elapsed().as_secs_f64();
    drop(client);
    runtime.block_on(broker.shutdown()).unwrap();
    (rate, waits)
}

fn bare_loop(runtime: &Runtime, publishers: usize, durability: Durability) -> f64 {
    let folder = Folder::new();
    let group = GroupCommit::start(bare::open(runtime, &folder.file("b.db"), durability));
    let start = Instant::now();
    let tasks: Vec<_> = (0..publishers)
        .map(|_| {
            let sender = group.sender();
            runtime.spawn(async move {
                let (body, mut count) = (figures::body(), 0);
                while start.elapsed() < ROUND {
                    let (reply, answer) = tokio::sync::oneshot::channel();
                    sender.send((Uuid::now_v7(), body.clone(), reply)).unwrap();
                    answer.await.unwrap();
                    count += 1;
                }
                count
            })
        })
        .collect();
    let total: usize = runtime.block_on(async { futures_of(tasks).await }).into_iter().sum();
    let rate = total as f64 / start.elapsed().as_secs_f64();
    group.stop();
    rate
}

async fn futures_of<T>(tasks: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    all
}
