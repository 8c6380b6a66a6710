//! A broker over RabbitMQ.

use std::sync::Arc;

use crate::contract::Broker;
use crate::open_error::OpenError;

/// Which server, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RabbitMqOptions {
    url: String,
}

impl RabbitMqOptions {
    /// Reads an address as people write it, `amqp://…`.
    ///
    /// # Errors
    /// Says what is wrong with it, without its password.
    pub fn parse(url: &str) -> Result<Self, String> {
        Ok(RabbitMqOptions { url: url.to_owned() })
    }
}

/// A broker over RabbitMQ.
#[derive(Debug)]
pub struct RabbitMqBroker {}

impl RabbitMqBroker {
    /// Connects.
    ///
    /// # Errors
    /// Says why the server cannot be reached, or used.
    pub async fn open(options: RabbitMqOptions) -> Result<Arc<dyn Broker>, OpenError> {
        Err(OpenError::setup(options.url))
    }
}
