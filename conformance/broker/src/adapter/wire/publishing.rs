//! Messages on their way into a queue, one by one or many at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use workwire::MessageId;

use super::body::Encoding;
use super::object::{self, Mismatch};
use super::queues::QueueName;
use crate::contract::{Message, Stored};
use crate::error::BrokerError;

/// Stores a message. After the answer it is safe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Publish {
    /// The connection.
    pub client: String,
    /// The queue.
    #[serde(deserialize_with = "object::object")]
    pub queue: QueueName,
    /// Which message it is.
    pub id: MessageId,
    /// Its bytes.
    pub body: String,
    /// How they are written.
    #[serde(deserialize_with = "object::word")]
    pub encoding: Encoding,
    /// How urgent it is; the middle of the queue's range where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// For how long it can be delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<i64>,
    /// How long it has to rest before it is delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<i64>,
    /// For whom it is; for whoever comes first where nobody is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Publish {
    /// Writes a message.
    #[must_use]
    pub fn of(client: String, queue: QueueName, message: Message) -> Self {
        let Item { id, body, encoding, priority, ttl_ms, delay_ms, to } = message.into();
        Publish { client, queue, id, body, encoding, priority, ttl_ms, delay_ms, to }
    }

    /// Reads the message.
    ///
    /// # Errors
    /// Where its body is not what `encoding` says.
    pub fn message(self) -> Result<Message, Mismatch> {
        let Publish { id, body, encoding, priority, ttl_ms, delay_ms, to, .. } = self;
        Item { id, body, encoding, priority, ttl_ms, delay_ms, to }.message("body")
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Published {
    /// What became of it.
    #[serde(deserialize_with = "object::word")]
    pub outcome: Stored,
}

/// Stores many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublishBatch {
    /// The connection.
    pub client: String,
    /// The queue.
    #[serde(deserialize_with = "object::object")]
    pub queue: QueueName,
    /// The messages.
    #[serde(deserialize_with = "object::list")]
    pub items: Vec<Item>,
}

/// A message of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// Which message it is.
    pub id: MessageId,
    /// Its bytes.
    pub body: String,
    /// How they are written.
    #[serde(deserialize_with = "object::word")]
    pub encoding: Encoding,
    /// How urgent it is; the middle of the queue's range where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// For how long it can be delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<i64>,
    /// How long it has to rest before it is delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<i64>,
    /// For whom it is; for whoever comes first where nobody is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl From<Message> for Item {
    fn from(message: Message) -> Self {
        let Message { id, body, priority, ttl_ms, delay_ms, to } = message;
        let (body, encoding) = Encoding::write(body);
        Item { id: id.into(), body, encoding, priority, ttl_ms, delay_ms, to }
    }
}

impl Item {
    /// Reads the message; `member` is where its body stands.
    ///
    /// # Errors
    /// Where its body is not what `encoding` says.
    pub fn message(self, member: &str) -> Result<Message, Mismatch> {
        let Item { id, body, encoding, priority, ttl_ms, delay_ms, to } = self;
        Ok(Message { id: id.into(), body: encoding.read(body, member)?, priority, ttl_ms, delay_ms, to })
    }
}

/// What became of each message of a batch, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublishedBatch {
    /// What became of each.
    pub outcomes: Vec<Outcome>,
}

/// What became of a message of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Outcome {
    /// It is there, now or from before.
    Stored(Stored),
    /// It is not.
    Refused(Refused),
}

/// Why one message of a batch was not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// Which kind of error, by its number.
    pub code: i64,
    /// Why, in words.
    pub message: String,
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = Outcome;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"stored\", \"duplicate\", or an object with `code` and `message`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Outcome, E> {
                Stored::deserialize(serde::de::value::StrDeserializer::new(text)).map(Outcome::Stored)
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Outcome, A::Error> {
                Refused::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Outcome::Refused)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl From<Result<Stored, BrokerError>> for Outcome {
    fn from(answer: Result<Stored, BrokerError>) -> Self {
        match answer {
            Ok(stored) => Outcome::Stored(stored),
            Err(error) => {
                Outcome::Refused(Refused { code: error.code().number(), message: error.message().to_owned() })
            }
        }
    }
}
