//! The least that anybody does with the Rust client for the same guarantees.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

const QUEUE: &str = "bare";

pub(crate) struct Bare {
    _connections: [Connection; 2],
    publishing: Channel,
    taking: Channel,
}

impl Bare {
    pub(crate) async fn open(address: &str) -> Self {
        let connect = || Connection::connect(address, ConnectionProperties::default());
        let connections = [connect().await.unwrap(), connect().await.unwrap()];
        let publishing = connections[0].create_channel().await.unwrap();
        publishing.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let taking = connections[1].create_channel().await.unwrap();
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-priority".into(), 5_i32.into());
        taking.queue_declare(QUEUE.into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
        Bare { _connections: connections, publishing, taking }
    }

    async fn one(&self) {
        let properties = BasicProperties::default()
            .with_delivery_mode(2)
            .with_priority(3)
            .with_message_id(uuid::Uuid::now_v7().to_string().into());
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let body = vec![b'x'; 600];
        let sending = self.publishing.basic_publish("".into(), QUEUE.into(), options, &body, properties);
        assert!(sending.await.unwrap().await.unwrap().is_ack());
    }

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
        self.taking.queue_purge(QUEUE.into(), QueuePurgeOptions::default()).await.unwrap();
    }

    async fn seen(&self) {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        self.taking.queue_declare(QUEUE.into(), options, FieldTable::default()).await.unwrap();
    }

    pub(crate) async fn life(&self, count: usize, is_seen: bool) {
        for _ in 0..count {
            self.one().await;
            let got = self.taking.basic_get(QUEUE.into(), BasicGetOptions::default()).await.unwrap().unwrap();
            let acking = self.taking.basic_ack(got.delivery_tag, BasicAckOptions::default());
            if is_seen {
                join(acking, self.seen()).await.0.unwrap();
            } else {
                acking.await.unwrap();
            }
        }
    }

    pub(crate) async fn pushed(&self, count: usize) {
        let taken = AtomicUsize::new(0);
        let consuming = async {
            self.taking.basic_qos(1_000, BasicQosOptions::default()).await.unwrap();
            let options = BasicConsumeOptions::default();
            let consuming = self.taking.basic_consume(QUEUE.into(), "".into(), options, FieldTable::default());
            let mut consumer = consuming.await.unwrap();
            while taken.fetch_add(1, Ordering::Relaxed) < count {
                let delivery = consumer.next().await.unwrap().unwrap();
                self.taking.basic_ack(delivery.delivery_tag, BasicAckOptions::default()).await.unwrap();
            }
            self.taking.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await.unwrap();
            self.seen().await;
        };
        tokio::join!(self.publish(count, 1_000), consuming);
    }
}
