//! The broker in a file beside the least that anybody could do with the same tables, in one run.
//!
//! ```sh
//! cargo bench -p workwire-broker --bench sqlite             # all but the millions
//! cargo bench -p workwire-broker --bench sqlite -- publish  # rows whose name holds a word
//! cargo bench -p workwire-broker --bench sqlite -- millions # ten million ready messages, 10 GB of disk
//! ```
//!
//! `WORKWIRE_BENCH_DIR` names a folder on the disk to be measured; else it is `target`'s.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

mod sqlite {
    pub(crate) mod bare;
    pub(crate) mod disk;
    pub(crate) mod figures;
    pub(crate) mod latency;
    pub(crate) mod life;
    pub(crate) mod millions;
    pub(crate) mod publish;
}

use sqlite::{disk, latency, life, millions, publish};

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.iter().any(|word| name.contains(word.as_str()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let all = wanted.is_empty();
    if all || is_wanted("disk") {
        disk::run();
    }
    if all || is_wanted("publish") {
        publish::run(&runtime);
    }
    if all || is_wanted("life") {
        life::run(&runtime);
    }
    if all || is_wanted("latency") {
        latency::run(&runtime);
    }
    if is_wanted("millions") {
        millions::run(&runtime);
    }
}
