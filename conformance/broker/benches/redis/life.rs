//! The whole life: published, fetched, done; a thousand in flight, and one.

use std::sync::Arc;
use std::time::Duration;

use super::bare::Bare;
use super::stage::{self, Stage};
use crate::lives;

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);

pub(crate) async fn run(stage: &Stage) {
    println!("\nlife, 600 B: durable publish, fetch, done");
    for in_flight in [1_000, 1] {
        let what = format!("{in_flight} in flight");
        let mut pairs = Vec::new();
        for _ in 0..ROUNDS {
            stage.fresh().await;
            let ours = lives::rate(in_flight, ROUND, || {
                lives::ours(Arc::clone(&stage.client), stage::queue(), stage::message())
            })
            .await;
            stage.fresh().await;
            let its = &stage.bare;
            pairs.push((ours, lives::rate(in_flight, ROUND, || bare(its.clone())).await));
        }
        stage::print(&what, &pairs);
        let ours = stage::median(pairs.iter().map(|pair| pair.0).collect());
        crate::python::print(&what, ours, &stage.server, in_flight, if in_flight == 1 { 500 } else { 20000 });
    }
}

async fn bare(bare: Bare) {
    bare.publish().await;
    let taken = loop {
        let taken = bare.fetch(1).await;
        if !taken.is_empty() {
            break taken;
        }
    };
    bare.done(&taken).await;
}
