//! The broker over RabbitMQ beside its own Rust client used bare, for the same guarantees, in one run.
//!
//! ```sh
//! cargo bench -p workwire-broker --all-features --bench rabbitmq            # a private node
//! cargo bench -p workwire-broker --all-features --bench rabbitmq -- publish # rows whose name holds a word
//! ```
//!
//! Bodies are of 600 bytes, messages persistent and confirmed, queues classic with five priorities on both sides.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_precision_loss)]

#[path = "clients/python.rs"]
mod python;

mod rabbitmq {
    pub(crate) mod bare;
    pub(crate) mod ours;
}

use std::time::Instant;

use rabbitmq::{bare::Bare, ours::Ours};
use workwire_broker::Managed;

const ROUNDS: usize = 5;

/// Measures both in turn, and prints the medians and the spread of their ratio.
macro_rules! row {
    ($wanted:expr, $name:literal, $count:expr, $ours:expr, $bare:expr) => {
        if $wanted.is_empty() || $wanted.iter().any(|word: &String| $name.contains(word.as_str())) {
            let (mut ours, mut bare) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                let began = Instant::now();
                $bare.await;
                bare.push(f64::from($count) / began.elapsed().as_secs_f64());
                let began = Instant::now();
                $ours.await;
                ours.push(f64::from($count) / began.elapsed().as_secs_f64());
            }
            let mut ratios: Vec<f64> = ours.iter().zip(&bare).map(|(ours, bare)| ours / bare).collect();
            ratios.sort_by(f64::total_cmp);
            ours.sort_by(f64::total_cmp);
            bare.sort_by(f64::total_cmp);
            let middle = ROUNDS / 2;
            println!(
                "{:<44} {:>8.0}/s  bare {:>8.0}/s  ratio {:.2} ({:.2}–{:.2})",
                $name,
                ours[middle],
                bare[middle],
                ratios[middle],
                ratios[0],
                ratios[ROUNDS - 1]
            );
            Some(ours[middle])
        } else {
            None
        }
    };
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Managed::parse("rabbitmq").unwrap().start().await.unwrap();
        let (ours, bare) = (Ours::open(&server.address()).await, Bare::open(&server.address()).await);
        let _ = row!(wanted, "publish, 1 in flight", 500, ours.publish(500, 1), bare.publish(500, 1));
        let _ =
            row!(wanted, "publish, 1 000 in flight", 10_000, ours.publish(10_000, 1_000), bare.publish(10_000, 1_000));
        ours.empty().await;
        bare.empty().await;
        let one = row!(wanted, "publish, fetch, done, 1 in flight", 300, ours.life(300), bare.life(300, false));
        let _ =
            row!(wanted, "the same, done seen by the queue on both sides", 300, ours.life(300), bare.life(300, true));
        let many = row!(
            wanted,
            "published, pushed and done, 1 000 in flight",
            10_000,
            ours.pushed(10_000),
            bare.pushed(10_000)
        );
        if let Some(one) = one {
            python::print("1 in flight", one, &server, 1, 300);
        }
        if let Some(many) = many {
            python::print("1 000 in flight", many, &server, 1_000, 10_000);
        }
    });
}
