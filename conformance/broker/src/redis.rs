//! A broker over Redis Streams.

use std::sync::Arc;

use crate::contract::Broker;
use crate::open_error::OpenError;

/// Which server, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisOptions {
    url: String,
}

impl RedisOptions {
    /// Reads an address as people write it, `redis://…`.
    ///
    /// # Errors
    /// Says what is wrong with it, without its password.
    pub fn parse(url: &str) -> Result<Self, String> {
        Ok(RedisOptions { url: url.to_owned() })
    }
}

/// A broker over Redis Streams.
#[derive(Debug)]
pub struct RedisBroker {}

impl RedisBroker {
    /// Connects.
    ///
    /// # Errors
    /// Says why the server cannot be reached, or used.
    pub async fn open(options: RedisOptions) -> Result<Arc<dyn Broker>, OpenError> {
        Err(OpenError::setup(options.url))
    }
}
