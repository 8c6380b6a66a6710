//! Private instances of engines, from the programs on this machine.
//!
//! `managed:rabbitmq`, `managed:redis`, `managed:nats` and `managed:postgres` start the engine's own program with a
//! data folder, ports and a password of their own, on the loopback alone, and open the engine's broker over it. The
//! instance adds the capability `restart` to what the engine claims: it may be asked to stop, or be killed with
//! `kill -9`, and is started again on the same port and data.
//!
//! | engine | options of the instance, and their values without being told | started as |
//! |---|---|---|
//! | `rabbitmq` | `disk_free_limit=50MB` `vm_memory_high_watermark=0.4` | a node and an epmd of its own |
//! | `redis` | `appendfsync=always` `maxmemory=2gb` | one process |
//! | `nats` | `sync_interval=always` `max_file_store=4GB` | one process |
//! | `postgres` | `fsync=on` `synchronous_commit=on` `max_connections=100` | the user `postgres` where this one is root |
//!
//! Every other option is one of the engine's address, as in `managed:rabbitmq?queue=quorum`. With a setting that gives
//! safety up, `durable` is not claimed; nor is it over a NATS before 2.10, which knows no `sync_interval`.
//!
//! Programs are looked for in the folders of the variable `WORKWIRE_PROGRAMS`, then in those of `PATH`, then where
//! systems usually put them. Nothing of an instance is left when it is dropped, nor when the process that started it is
//! gone, however it ended: a small process of its own waits for that ([`watch`]).

mod broker;
mod client;
mod engines;
mod instance;
mod machine;
mod ports;
mod programs;
mod ready;
mod settings;
mod tree;
mod watch;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::contract::Broker;
use crate::open_error::OpenError;
use broker::ManagedBroker;
pub use instance::Instance;
pub use machine::RestartCommand;
use machine::{Machine, Opening};
use settings::Settings;

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

impl Engine {
    /// All of them.
    pub const ALL: &[Engine] = &[Engine::RabbitMq, Engine::Redis, Engine::Nats, Engine::Postgres];

    /// Its name behind `managed:`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Engine::RabbitMq => "rabbitmq",
            Engine::Redis => "redis",
            Engine::Nats => "nats",
            Engine::Postgres => "postgres",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Engine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Engine::ALL.iter().copied().find(|engine| engine.as_str() == text);
        found.ok_or_else(|| format!("expected rabbitmq, redis, nats or postgres behind managed:, found {text:?}"))
    }
}

/// Which private instance, and the broker over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    engine: Engine,
    settings: Settings,
}

impl Managed {
    /// Reads what stands behind `managed:`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (engine, options) = text.split_once('?').unwrap_or((text, ""));
        let engine = engine.parse()?;
        let settings = Settings::parse(engine, options)?;
        engines::check_address(engine, settings.of_the_address())?;
        Ok(Managed { engine, settings })
    }

    /// The engine.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Starts an instance, and nothing over it.
    ///
    /// # Errors
    /// Says which program is missing, or how its log ends.
    pub async fn start(&self) -> Result<Instance, OpenError> {
        Instance::start(self.engine, &self.settings).await
    }

    /// Starts an instance and connects to it.
    ///
    /// # Errors
    /// Says which program is missing, or how its log ends, or why it cannot be used.
    pub async fn open(&self) -> Result<Arc<dyn Broker>, OpenError> {
        let instance = self.start().await?;
        let broker = engines::open(instance.engine(), &instance.address()).await?;
        Ok(Arc::new(ManagedBroker::over(Machine::Own(Box::new(instance)), broker)))
    }
}

impl RestartCommand {
    /// Opens a server that this command restarts, and opens it anew after each restart.
    pub(crate) async fn open(
        &self,
        opens: impl Fn() -> Opening + Send + Sync + 'static,
    ) -> Result<Arc<dyn Broker>, OpenError> {
        let broker = opens().await?;
        let machine = Machine::Commanded(self.clone(), Box::new(opens));
        Ok(Arc::new(ManagedBroker::over(machine, broker)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_those_of_the_instance_or_of_its_address() {
        let managed = Managed::parse("redis?appendfsync=everysec").unwrap();
        assert_eq!(managed.engine(), Engine::Redis);
        assert!(!managed.settings.are_safe() && Managed::parse("redis").unwrap().settings.are_safe());
        for (text, wanted) in [
            ("kafka", "expected rabbitmq, redis, nats or postgres"),
            ("redis?appendfsync=never", "appendfsync: expected always, everysec or no, found \"never\""),
            ("postgres?fsync=maybe", "fsync: expected on or off"),
            ("nats?max_file_store=4GB\"}", "max_file_store: expected letters, digits and points"),
        ] {
            let error = Managed::parse(text).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
