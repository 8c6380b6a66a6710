//! The library's client, with nothing around it: a work queue, one pull consumer, and acks that are confirmed.

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType};
use async_nats::jetstream::{Context, Message};
use async_nats::{ConnectOptions, HeaderMap};
use futures_util::{StreamExt, future};
use uuid::Uuid;

use super::stage::body;

const STREAM: &str = "bare";

#[derive(Clone)]
pub(crate) struct Bare {
    context: Context,
    consumer: Option<PullConsumer>,
}

impl Bare {
    pub(crate) async fn to(address: &str) -> Self {
        // The address of a private instance: nats://USER:PASSWORD@HOST:PORT.
        let (who, place) = address.trim_start_matches("nats://").rsplit_once('@').unwrap();
        let (user, password) = who.split_once(':').unwrap();
        let wanted = ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
        let client = wanted.connect(place).await.unwrap();
        Bare { context: async_nats::jetstream::new(client), consumer: None }
    }

    pub(crate) async fn fresh(&mut self) {
        // It is not there the first time.
        let _ = self.context.delete_stream(STREAM).await;
        let stream = Config {
            name: STREAM.to_owned(),
            subjects: vec![STREAM.to_owned()],
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::File,
            ..Config::default()
        };
        let stream = self.context.create_stream(stream).await.unwrap();
        let consumer = pull::Config {
            durable_name: Some("workers".to_owned()),
            ack_policy: AckPolicy::Explicit,
            max_ack_pending: -1,
            // A thousand ask at a time.
            max_waiting: 2_000,
            ..pull::Config::default()
        };
        self.consumer = Some(stream.create_consumer(consumer).await.unwrap());
    }

    pub(crate) async fn publish(&self) {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", Uuid::now_v7().to_string());
        self.context.publish_with_headers(STREAM, headers, body()).await.unwrap().await.unwrap();
    }

    /// Up to so many, of those that are there.
    pub(crate) async fn fetch(&self, most: usize) -> Vec<Message> {
        let messages = self.consumer.as_ref().unwrap().fetch().max_messages(most).messages().await.unwrap();
        messages.map(Result::unwrap).collect().await
    }

    pub(crate) async fn done(&self, messages: &[Message]) {
        let acks = future::join_all(messages.iter().map(Message::double_ack)).await;
        assert!(acks.iter().all(Result::is_ok));
    }
}
