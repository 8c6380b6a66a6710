//! How each engine is started, asked whether it accepts, and stopped.

mod nats;
mod postgres;
mod rabbitmq;
mod redis;

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustix::process::Signal;

use super::ready::SignOfLife;
use super::settings::Settings;
use super::{Engine, programs};
use crate::contract::Broker;
use crate::open_error::OpenError;

/// The name by which an instance knows its one user.
pub(super) const USER: &str = "workwire";

/// Where an instance lives.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    /// The first is that of its clients.
    pub(super) ports: [u16; 3],
    pub(super) password: String,
    /// Its name among servers.
    pub(super) name: String,
}

impl Place {
    pub(super) fn file(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    fn write(&self, name: &str, text: &str) -> Result<(), OpenError> {
        let file = self.folder.join(name);
        std::fs::write(&file, text).map_err(|error| OpenError::setup(format!("{}: {error}", file.display())))
    }

    fn make(&self, name: &str) -> Result<(), OpenError> {
        let folder = self.folder.join(name);
        let made = std::fs::create_dir_all(&folder);
        made.map_err(|error| OpenError::setup(format!("{}: {error}", folder.display())))
    }
}

/// One process to start, and how it shows that it is there.
pub(super) struct Step {
    pub(super) command: Command,
    pub(super) sign: SignOfLife,
}

/// An engine's programs on this machine, and how they are used.
pub(super) trait Server: Debug + Send + Sync {
    /// Puts into its folder what has to be there before it is started for the first time, or says what command does.
    fn prepare(&self, _place: &Place) -> Result<Option<Command>, OpenError> {
        Ok(None)
    }

    /// The processes of which it consists; the last one is the server itself.
    fn steps(&self, place: &Place) -> Result<Vec<Step>, OpenError>;

    /// How its clients reach it, without options.
    fn address(&self, place: &Place) -> String;

    /// By what it is asked to stop.
    fn polite(&self) -> Signal {
        Signal::TERM
    }

    /// The file with its number, where it has to be asked to stop before it is killed for good.
    fn asked_by(&self) -> Option<&'static str> {
        None
    }

    /// Clears away what a killed server leaves in the system, or what would keep the next one from starting.
    fn after_death(&self, _place: &Place) {}

    /// Whether what it confirms survives its sudden death, as it is set up here.
    fn is_safe(&self) -> bool;
}

/// The programs of an engine, set up like this.
pub(super) fn server(engine: Engine, settings: &Settings) -> Result<Arc<dyn Server>, OpenError> {
    let settings = settings.clone();
    Ok(match engine {
        Engine::RabbitMq => Arc::new(rabbitmq::RabbitMq::find(settings)?),
        Engine::Redis => Arc::new(redis::Redis::find(settings)?),
        Engine::Nats => Arc::new(nats::Nats::find(settings)?),
        Engine::Postgres => Arc::new(postgres::Postgres::find(settings)?),
    })
}

/// A command in the instance's own folder and with nothing of our surroundings but where programs are: what somebody set
/// for their own server is not for this one.
fn command(program: &Path, place: &Place) -> Command {
    let mut command = Command::new(program);
    let folders = program.parent().map(Path::to_path_buf).into_iter().chain(programs::folders());
    command.env_clear().envs(std::env::join_paths(folders).ok().map(|folders| ("PATH", folders)));
    command.env("LC_ALL", "C.UTF-8").env("HOME", &place.folder).current_dir(&place.folder);
    command
}

/// Opens the engine's broker.
pub(super) async fn open(engine: Engine, address: &str) -> Result<Arc<dyn Broker>, OpenError> {
    match engine {
        #[cfg(feature = "rabbitmq")]
        Engine::RabbitMq => {
            let options = crate::rabbitmq::RabbitMqOptions::parse(address).map_err(OpenError::wrong_use)?;
            crate::rabbitmq::RabbitMqBroker::open(options).await
        }
        #[cfg(feature = "redis")]
        Engine::Redis => {
            let options = crate::redis::RedisOptions::parse(address).map_err(OpenError::wrong_use)?;
            crate::redis::RedisBroker::open(options).await
        }
        #[cfg(feature = "nats")]
        Engine::Nats => {
            let options = crate::nats::NatsOptions::parse(address).map_err(OpenError::wrong_use)?;
            crate::nats::NatsBroker::open(options).await
        }
        #[cfg(feature = "postgres")]
        Engine::Postgres => {
            let options = crate::postgres::PostgresOptions::parse(address).map_err(OpenError::wrong_use)?;
            crate::postgres::PostgresBroker::open(options).await
        }
        #[cfg(not(all(feature = "rabbitmq", feature = "redis", feature = "nats", feature = "postgres")))]
        _ => {
            let _ = address;
            Err(OpenError::wrong_use(format!("this program was built without the feature `{engine}`")))
        }
    }
}

/// Whether an address with these options is one, before anything is started.
pub(super) fn check_address(engine: Engine, options: &str) -> Result<(), String> {
    match engine {
        #[cfg(feature = "rabbitmq")]
        Engine::RabbitMq => crate::rabbitmq::RabbitMqOptions::parse(&format!("amqp://127.0.0.1{options}")).map(drop),
        #[cfg(feature = "redis")]
        Engine::Redis => crate::redis::RedisOptions::parse(&format!("redis://127.0.0.1{options}")).map(drop),
        #[cfg(feature = "nats")]
        Engine::Nats => crate::nats::NatsOptions::parse(&format!("nats://127.0.0.1{options}")).map(drop),
        #[cfg(feature = "postgres")]
        Engine::Postgres => {
            crate::postgres::PostgresOptions::parse(&format!("postgres://127.0.0.1/postgres{options}")).map(drop)
        }
        #[cfg(not(all(feature = "rabbitmq", feature = "redis", feature = "nats", feature = "postgres")))]
        _ => {
            let _ = options;
            Ok(())
        }
    }
}
