//! A broker over NATS JetStream.

use std::sync::Arc;

use crate::contract::Broker;
use crate::open_error::OpenError;

/// Which server, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsOptions {
    url: String,
}

impl NatsOptions {
    /// Reads an address as people write it, `nats://…`.
    ///
    /// # Errors
    /// Says what is wrong with it, without its password.
    pub fn parse(url: &str) -> Result<Self, String> {
        Ok(NatsOptions { url: url.to_owned() })
    }
}

/// A broker over NATS JetStream.
#[derive(Debug)]
pub struct NatsBroker {}

impl NatsBroker {
    /// Connects.
    ///
    /// # Errors
    /// Says why the server cannot be reached, or used.
    pub async fn open(options: NatsOptions) -> Result<Arc<dyn Broker>, OpenError> {
        Err(OpenError::setup(options.url))
    }
}
