//! The broker in a PostgreSQL database beside the engine's own Rust client used bare, on one private server, in one
//! run: each message is published durably, fetched under a lease, and done.
//!
//! ```sh
//! cargo bench -p workwire-broker --features managed,postgres --bench postgres
//! ```

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_precision_loss)]

#[path = "clients/lives.rs"]
mod lives;
#[path = "clients/python.rs"]
mod python;

mod postgres {
    pub(crate) mod bare;
}

use std::sync::Arc;
use std::time::Duration;

use postgres::bare::Bare;
use uuid::Uuid;
use workwire_broker::{Broker, Client, Managed, Message, Policy, PostgresBroker, PostgresOptions, Queue};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(4);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Managed::parse("postgres").unwrap().start().await.unwrap();
        let broker = PostgresBroker::open(PostgresOptions::parse(&server.address()).unwrap()).await.unwrap();
        let client = ours(&broker).await;
        let bare = Arc::new(Bare::open(&server.address()).await);
        println!("the whole life of a message of 600 B: publish, fetch, done; 8 connections each");
        println!("in flight | workwire/s | bare/s | ratio (least–most)");
        for in_flight in [1, 1_000] {
            let (mut our, mut their, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                let one = lives::rate(in_flight, ROUND, || {
                    lives::ours(Arc::clone(&client), queue(), Message::new(Uuid::now_v7(), body()))
                })
                .await;
                let other = lives::rate(in_flight, ROUND, || bare_life(Arc::clone(&bare))).await;
                our.push(one);
                their.push(other);
                ratios.push(one / other);
            }
            ratios.sort_by(f64::total_cmp);
            let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
            let ratio = ratios[ratios.len() / 2];
            let our = median(our);
            println!("{in_flight} | {our:.0} | {:.0} | {ratio:.2} ({least:.2}–{most:.2})", median(their));
            let messages = if in_flight == 1 { 300 } else { 5_000 };
            python::print(&format!("{in_flight} in flight"), our, &server, in_flight, messages);
        }
        broker.shutdown().await.unwrap();
    });
}

async fn ours(broker: &Arc<dyn Broker>) -> Arc<dyn Client> {
    let client: Arc<dyn Client> = Arc::from(broker.open("bench").await.unwrap());
    client.declare(&queue(), &Policy::default()).await.unwrap();
    client
}

fn queue() -> Queue {
    Queue::new("bench")
}

pub(crate) fn body() -> bytes::Bytes {
    bytes::Bytes::from(vec![b'x'; 600])
}

async fn bare_life(bare: Arc<Bare>) {
    bare.publish(Uuid::now_v7(), &body()).await;
    let seq = bare.fetch().await;
    bare.done(seq).await;
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
