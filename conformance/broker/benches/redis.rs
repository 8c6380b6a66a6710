//! The broker over Redis Streams beside the library's own client used bare, on one private server in one run.
//!
//! ```sh
//! cargo bench -p workwire-broker --features redis,managed --bench redis
//! cargo bench -p workwire-broker --features redis,managed --bench redis -- publish  # rows whose name holds a word
//! ```

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

#[path = "clients/lives.rs"]
mod lives;
#[path = "clients/python.rs"]
mod python;

mod redis {
    pub(crate) mod bare;
    pub(crate) mod life;
    pub(crate) mod publish;
    pub(crate) mod stage;
}

use redis::{life, publish, stage::Stage};

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let stage = Stage::new().await;
        if is_wanted("publish") {
            publish::run(&stage).await;
        }
        if is_wanted("life") {
            life::run(&stage).await;
        }
    });
}
