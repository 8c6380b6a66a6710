//! A private server that syncs every write, the broker over it and the bare client, and figures.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Mutex;
use uuid::Uuid;
use workwire_broker::{Broker, Client, Instance, Managed, Message, Policy, Queue, Target};

use super::bare::Bare;

pub(crate) struct Stage {
    pub(crate) client: Arc<dyn Client>,
    bare: Mutex<Bare>,
    _broker: Arc<dyn Broker>,
    pub(crate) server: Instance,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let server = Managed::parse("nats").unwrap().start().await.unwrap();
        let broker = server.address().parse::<Target>().unwrap().open().await.unwrap();
        let client: Arc<dyn Client> = Arc::from(broker.open("bench").await.unwrap());
        let bare = Mutex::new(Bare::to(&server.address()).await);
        Stage { client, bare, _broker: broker, server }
    }

    /// An empty queue of one level, as a stream is.
    pub(crate) async fn fresh(&self) {
        // It is not there the first time.
        let _ = self.client.delete(&queue()).await;
        self.client.declare(&queue(), &Policy { max_priority: 1, ..Policy::default() }).await.unwrap();
        self.bare.lock().await.fresh().await;
    }

    pub(crate) async fn bare(&self) -> Bare {
        self.bare.lock().await.clone()
    }
}

pub(crate) fn queue() -> Queue {
    Queue::new("work")
}

/// 600 bytes.
pub(crate) fn message() -> Message {
    Message::new(Uuid::now_v7(), body())
}

pub(crate) fn body() -> Bytes {
    Bytes::from_static(&[b'x'; 600])
}

pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Prints the medians of pairs of rates and their ratio, with its range.
pub(crate) fn print(what: &str, pairs: &[(f64, f64)]) {
    let mut ratios: Vec<f64> = pairs.iter().map(|(ours, theirs)| ours / theirs).collect();
    ratios.sort_by(f64::total_cmp);
    println!(
        "{what}: {:.0}/s; bare: {:.0}/s; ratio {:.2} ({:.2}–{:.2})",
        median(pairs.iter().map(|pair| pair.0).collect()),
        median(pairs.iter().map(|pair| pair.1).collect()),
        ratios[ratios.len() / 2],
        ratios[0],
        ratios[ratios.len() - 1]
    );
}
