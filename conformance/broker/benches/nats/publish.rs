//! Publishing: each waits for its answer, one at a time and a thousand at a time.

use std::sync::Arc;
use std::time::Instant;

use super::stage::{self, Stage};

const ROUNDS: usize = 5;

pub(crate) async fn run(stage: &Stage) {
    println!("\ndurable publish, 600 B, each waits for its answer");
    for (in_flight, each) in [(1, 500), (1_000, 5)] {
        let mut pairs = Vec::new();
        for _ in 0..ROUNDS {
            stage.fresh().await;
            let ours = workwire(stage, in_flight, each).await;
            stage.fresh().await;
            pairs.push((ours, bare(stage, in_flight, each).await));
        }
        stage::print(&format!("{in_flight} in flight"), &pairs);
    }
}

async fn workwire(stage: &Stage, in_flight: usize, each: usize) -> f64 {
    let start = Instant::now();
    let publishers: Vec<_> = (0..in_flight)
        .map(|_| {
            let client = Arc::clone(&stage.client);
            tokio::spawn(async move {
                let queue = stage::queue();
                for _ in 0..each {
                    client.publish(&queue, stage::message()).await.unwrap();
                }
            })
        })
        .collect();
    for publisher in publishers {
        publisher.await.unwrap();
    }
    (in_flight * each) as f64 / start.elapsed().as_secs_f64()
}

async fn bare(stage: &Stage, in_flight: usize, each: usize) -> f64 {
    let bare = stage.bare().await;
    let start = Instant::now();
    let publishers: Vec<_> = (0..in_flight)
        .map(|_| {
            let bare = bare.clone();
            tokio::spawn(async move {
                for _ in 0..each {
                    bare.publish().await;
                }
            })
        })
        .collect();
    for publisher in publishers {
        publisher.await.unwrap();
    }
    (in_flight * each) as f64 / start.elapsed().as_secs_f64()
}
