//! The broker's side.

use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use workwire_broker::{Broker, Client, Fetch, Message, Policy, Purge, Queue, Target, Verdict};

pub(crate) struct Ours {
    client: Box<dyn Client>,
    _broker: Arc<dyn Broker>,
    queue: Queue,
}

impl Ours {
    pub(crate) async fn open(address: &str) -> Self {
        let broker = address.parse::<Target>().unwrap().open().await.unwrap();
        let client = broker.open("bench").await.unwrap();
        let queue = Queue::new("bench");
        client.declare(&queue, &Policy::default()).await.unwrap();
        Ours { client, _broker: broker, queue }
    }

    async fn one(&self) {
        let message = Message::new(uuid::Uuid::now_v7(), vec![b'x'; 600]);
        self.client.publish(&self.queue, message).await.unwrap();
    }

    /// So many, of which so many wait for their answers at a time.
    pub(crate) async fn publish(&self, count: usize, in_flight: usize) {
        let mut under_way = FuturesUnordered::new();
        for _ in 0..count {
            if under_way.len() >= in_flight {
                under_way.next().await;
            }
            under_way.push(self.one());
        }
        while under_way.next().await.is_some() {}
    }

    pub(crate) async fn empty(&self) {
        self.client.purge(&self.queue, Purge::default()).await.unwrap();
    }

    pub(crate) async fn life(&self, count: usize) {
        for _ in 0..count {
            self.one().await;
            for delivery in self.client.fetch(&self.queue, Fetch::up_to(1)).await.unwrap() {
                self.client.settle(&self.queue, &delivery.tag, Verdict::Done).await.unwrap();
            }
        }
    }

    pub(crate) async fn pushed(&self, count: usize) {
        let consuming = async {
            let mut push = self.client.push(&self.queue, &Fetch::up_to(1), 1_000).unwrap().await.unwrap();
            let mut settling = FuturesUnordered::new();
            for _ in 0..count {
                let delivery = loop {
                    tokio::select! {
                        biased;
                        delivery = push.next() => break delivery.unwrap(),
                        Some(()) = settling.next() => {}
                    }
                };
                settling.push(async move {
                    self.client.settle(&self.queue, &delivery.tag, Verdict::Done).await.unwrap();
                });
                if settling.len() >= 1_000 {
                    settling.next().await;
                }
            }
            while settling.next().await.is_some() {}
        };
        tokio::join!(self.publish(count, 1_000), consuming);
    }
}
