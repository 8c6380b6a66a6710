//! The whole life: published, fetched, done; a thousand in flight, and one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use workwire_broker::{Fetch, Verdict};

use super::stage::{self, Stage};

const ROUNDS: usize = 5;
const PUBLISHERS: usize = 900;
const EACH: usize = 5;
/// Each has ten in its hands.
const CONSUMERS: usize = 10;
const ONE_BY_ONE: usize = 300;

pub(crate) async fn run(stage: &Stage) {
    println!("\nlife, 600 B: durable publish, fetch, done");
    let (mut many, mut single) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        stage.fresh().await;
        let ours = workwire(stage).await;
        stage.fresh().await;
        many.push((ours, bare(stage).await));
        stage.fresh().await;
        let ours = workwire_one_by_one(stage).await;
        stage.fresh().await;
        single.push((ours, bare_one_by_one(stage).await));
    }
    stage::print("1 000 in flight", &many);
    stage::print("1 in flight", &single);
    let ours = |pairs: &[(f64, f64)]| stage::median(pairs.iter().map(|pair| pair.0).collect());
    crate::python::print("1 000 in flight", ours(&many), &stage.server, 1_000, 20_000);
    crate::python::print("1 in flight", ours(&single), &stage.server, 1, 500);
}

async fn workwire(stage: &Stage) -> f64 {
    let (start, left) = (Instant::now(), Arc::new(AtomicUsize::new(PUBLISHERS * EACH)));
    let mut tasks = Vec::new();
    for _ in 0..PUBLISHERS {
        let client = Arc::clone(&stage.client);
        tasks.push(tokio::spawn(async move {
            for _ in 0..EACH {
                client.publish(&stage::queue(), stage::message()).await.unwrap();
            }
        }));
    }
    for _ in 0..CONSUMERS {
        let (client, left) = (Arc::clone(&stage.client), Arc::clone(&left));
        tasks.push(tokio::spawn(async move {
            let queue = stage::queue();
            while left.load(Ordering::Relaxed) > 0 {
                let taken = client.fetch(&queue, Fetch::up_to(10)).await.unwrap();
                let settled: Vec<_> = taken.into_iter().map(|delivery| (delivery.tag, Verdict::Done)).collect();
                let count = settled.len();
                if count == 0 {
                    tokio::task::yield_now().await;
                    continue;
                }
                assert!(client.settle_many(&queue, settled).await.unwrap().iter().all(Result::is_ok));
                left.fetch_sub(count, Ordering::Relaxed);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    (PUBLISHERS * EACH) as f64 / start.elapsed().as_secs_f64()
}

async fn bare(stage: &Stage) -> f64 {
    let bare = stage.bare().await;
    let (start, left) = (Instant::now(), Arc::new(AtomicUsize::new(PUBLISHERS * EACH)));
    let mut tasks = Vec::new();
    for _ in 0..PUBLISHERS {
        let bare = bare.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..EACH {
                bare.publish().await;
            }
        }));
    }
    for _ in 0..CONSUMERS {
        let (bare, left) = (bare.clone(), Arc::clone(&left));
        tasks.push(tokio::spawn(async move {
            while left.load(Ordering::Relaxed) > 0 {
                let taken = bare.fetch(10).await;
                if taken.is_empty() {
                    tokio::task::yield_now().await;
                    continue;
                }
                bare.done(&taken).await;
                left.fetch_sub(taken.len(), Ordering::Relaxed);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    (PUBLISHERS * EACH) as f64 / start.elapsed().as_secs_f64()
}

async fn workwire_one_by_one(stage: &Stage) -> f64 {
    let (start, queue) = (Instant::now(), stage::queue());
    for _ in 0..ONE_BY_ONE {
        stage.client.publish(&queue, stage::message()).await.unwrap();
        let delivery = stage.client.fetch(&queue, Fetch::up_to(1)).await.unwrap().remove(0);
        stage.client.settle(&queue, &delivery.tag, Verdict::Done).await.unwrap();
    }
    ONE_BY_ONE as f64 / start.elapsed().as_secs_f64()
}

async fn bare_one_by_one(stage: &Stage) -> f64 {
    let (bare, start) = (stage.bare().await, Instant::now());
    for _ in 0..ONE_BY_ONE {
        bare.publish().await;
        let taken = bare.fetch(1).await;
        bare.done(&taken).await;
    }
    ONE_BY_ONE as f64 / start.elapsed().as_secs_f64()
}
