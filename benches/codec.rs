//! Decoding and encoding beside `serde_json`, with criterion: to follow one figure over changes.
//!
//! ```text
//! cargo bench -p workwire --bench codec
//! cargo bench -p workwire --bench codec -- decode/570B
//! ```
//!
//! For how the figures compare with each other take the bench `ratios`.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

#[path = "common/batch.rs"]
mod batch;
#[path = "common/cases.rs"]
mod cases;
#[path = "common/messages.rs"]
#[allow(dead_code, reason = "what a message is stands in the tables")]
mod messages;
#[path = "common/plain.rs"]
mod plain;

use std::time::Duration;

use cases::{Sides, cases};
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, measurement::WallTime};

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
        .configure_from_args();
    for case in cases() {
        for (operation, sides) in [("decode", &case.decode), ("encode", &case.encode)] {
            let mut group = criterion.benchmark_group(format!("{operation}/{}", case.message.name));
            group.throughput(Throughput::Bytes(case.message.text.len() as u64));
            measure(&mut group, sides);
            group.finish();
        }
        if case.variants.is_empty() {
            continue;
        }
        let mut group = criterion.benchmark_group(format!("variants/{}", case.message.name));
        for (what, variant) in &case.variants {
            group.bench_function(BenchmarkId::from_parameter(what), |bencher| bencher.iter_custom(variant));
        }
        group.finish();
    }
    criterion.final_summary();
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, sides: &Sides) {
    for (side, batch) in [("workwire", &sides.ours), ("plain", &sides.plain), ("Value", &sides.value)] {
        group.bench_function(side, |bencher| bencher.iter_custom(batch));
    }
}
