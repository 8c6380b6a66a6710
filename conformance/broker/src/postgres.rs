//! A broker in a PostgreSQL database.

use std::sync::Arc;

use crate::contract::Broker;
use crate::open_error::OpenError;

/// Which server, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    url: String,
}

impl PostgresOptions {
    /// Reads an address as people write it, `postgres://…`.
    ///
    /// # Errors
    /// Says what is wrong with it, without its password.
    pub fn parse(url: &str) -> Result<Self, String> {
        Ok(PostgresOptions { url: url.to_owned() })
    }
}

/// A broker in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresBroker {}

impl PostgresBroker {
    /// Connects.
    ///
    /// # Errors
    /// Says why the server cannot be reached, or used.
    pub async fn open(options: PostgresOptions) -> Result<Arc<dyn Broker>, OpenError> {
        Err(OpenError::setup(options.url))
    }
}
