//! Which broker: `memory:`, `sqlite:PATH`, `exec:COMMAND`, as people write it on a command line.

use std::fmt;
#[cfg(feature = "managed")]
use std::future::Future;
#[cfg(feature = "managed")]
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

#[cfg(feature = "adapter")]
use crate::adapter::{AdapterBroker, AdapterOptions};
use crate::contract::Broker;
#[cfg(feature = "managed")]
use crate::managed::{Managed, RestartCommand};
use crate::memory::MemoryBroker;
#[cfg(feature = "nats")]
use crate::nats::{NatsBroker, NatsOptions};
use crate::open_error::OpenError;
#[cfg(feature = "postgres")]
use crate::postgres::{PostgresBroker, PostgresOptions};
#[cfg(feature = "rabbitmq")]
use crate::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
#[cfg(feature = "redis")]
use crate::redis::{RedisBroker, RedisOptions};
#[cfg(feature = "sqlite")]
use crate::sqlite::{SqliteBroker, SqliteOptions};

/// A broker's address.
///
/// ```
/// use workwire_broker::Target;
/// let target: Target = "sqlite:work.db?durability=normal&keep_done=1h".parse()?;
/// assert_eq!(target.to_string(), "sqlite:work.db?durability=normal&keep_done=1h");
/// let error = "sqlite:work.db?durability=some".parse::<Target>().unwrap_err();
/// assert_eq!(error.to_string(), "sqlite:work.db?durability=some: durability: expected full or normal, found \"some\"");
/// # Ok::<(), workwire_broker::OpenError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    written: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Memory,
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteOptions),
    #[cfg(feature = "adapter")]
    Exec(Vec<String>),
    #[cfg(feature = "rabbitmq")]
    RabbitMq(RabbitMqOptions),
    #[cfg(feature = "redis")]
    Redis(RedisOptions),
    #[cfg(feature = "nats")]
    Nats(NatsOptions),
    #[cfg(feature = "postgres")]
    Postgres(PostgresOptions),
    #[cfg(feature = "managed")]
    Managed(Managed),
}

/// What can be written, and what it is.
pub const TARGETS: &[(&str, &str)] = &[
    ("memory:", "a broker in memory, gone with the program"),
    ("sqlite:", "a broker in a temporary file, gone at the end"),
    ("sqlite:PATH", "a broker in this file; ?durability=full|normal &busy_timeout_ms=5000 &keep_done=1h"),
    ("amqp://…", "RabbitMQ, or amqps:; ?queue=classic|quorum &ns=workwire &timeout_ms=15000 &ca=FILE"),
    ("redis://…", "Redis Streams, or rediss:; ?prefix=PREFIX &cluster=1 &durable=1 &ca=FILE &timeout_ms=10000"),
    ("nats://…", "NATS JetStream, or tls:; ?replicas=3"),
    ("postgres://…", "a PostgreSQL database; ?schema=workwire"),
    (
        "managed:ENGINE",
        "a private instance of rabbitmq, redis, nats or postgres, from the program on this machine; ?options",
    ),
    ("exec:COMMAND", "a broker behind the adapter protocol, started with this command"),
];

impl FromStr for Target {
    type Err = OpenError;

    fn from_str(text: &str) -> Result<Self, OpenError> {
        let wrong = |why: String| OpenError::wrong_use(format!("{}: {why}", without_password(text)));
        let scheme = text.find(':').map_or("", |colon| &text[..=colon]);
        let rest = &text[scheme.len()..];
        let kind = match scheme {
            "memory:" if rest.is_empty() => Kind::Memory,
            "memory:" => return Err(wrong("expected nothing behind memory:".to_owned())),
            "sqlite:" => sqlite(rest).map_err(wrong)?,
            "exec:" => exec(rest).map_err(wrong)?,
            _ if let Some(kind) = engine(scheme, text) => kind.map_err(wrong)?,
            _ => return Err(wrong(unknown())),
        };
        Ok(Target { written: text.to_owned(), kind })
    }
}

impl Target {
    /// Whether it is the broker in memory, which lives in this program alone.
    #[must_use]
    pub fn is_memory(&self) -> bool {
        self.kind == Kind::Memory
    }

    /// Whether it is gone with the program that opens it.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match &self.kind {
            Kind::Memory => true,
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(options) => options.path.is_none(),
            #[cfg(feature = "managed")]
            Kind::Managed(_) => true,
            #[cfg(any(
                feature = "adapter",
                feature = "rabbitmq",
                feature = "redis",
                feature = "nats",
                feature = "postgres"
            ))]
            _ => false,
        }
    }

    /// Whether it is a server that somebody started, reached by its address.
    #[must_use]
    pub fn is_server(&self) -> bool {
        let schemes = ["amqp", "amqps", "redis", "rediss", "nats", "tls", "postgres", "postgresql"];
        self.written.split_once("://").is_some_and(|(scheme, _)| schemes.contains(&scheme))
    }

    /// The file that it is kept in, where it is in one.
    #[cfg(feature = "sqlite")]
    #[must_use]
    pub fn file(&self) -> Option<&std::path::Path> {
        match &self.kind {
            Kind::Sqlite(options) => options.path.as_deref(),
            _ => None,
        }
    }

    /// The program and its arguments, where it is an adapter that has to be started.
    #[cfg(feature = "adapter")]
    #[must_use]
    pub fn command(&self) -> Option<&[String]> {
        match &self.kind {
            Kind::Exec(words) => Some(words),
            _ => None,
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// Says why what it names is not there, or does not work.
    pub async fn open(&self) -> Result<Arc<dyn Broker>, OpenError> {
        match &self.kind {
            Kind::Memory => Ok(Arc::new(MemoryBroker::default())),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(options) => {
                let options = options.clone();
                // Opening a file may wait for other processes.
                let opened = tokio::task::spawn_blocking(|| SqliteBroker::open(options)).await;
                Ok(Arc::new(opened.map_err(|_| OpenError::setup("opening the store was broken off"))??))
            }
            #[cfg(feature = "rabbitmq")]
            Kind::RabbitMq(options) => RabbitMqBroker::open(options.clone()).await,
            #[cfg(feature = "redis")]
            Kind::Redis(options) => RedisBroker::open(options.clone()).await,
            #[cfg(feature = "nats")]
            Kind::Nats(options) => NatsBroker::open(options.clone()).await,
            #[cfg(feature = "postgres")]
            Kind::Postgres(options) => PostgresBroker::open(options.clone()).await,
            #[cfg(feature = "managed")]
            Kind::Managed(managed) => managed.open().await,
            #[cfg(feature = "adapter")]
            Kind::Exec(command) => {
                let started = AdapterBroker::start(command, &AdapterOptions::default()).await;
                Ok(Arc::new(started.map_err(|error| OpenError::setup(format!("{self}: {error}")))?))
            }
        }
    }
}

#[cfg(feature = "managed")]
impl Target {
    /// Opens a server that this command restarts: its broker claims `restart` besides.
    ///
    /// # Errors
    /// Says why the server cannot be reached, or used.
    pub async fn open_restarted_by(&self, command: &RestartCommand) -> Result<Arc<dyn Broker>, OpenError> {
        let target = self.clone();
        let opens = move || {
            let target = target.clone();
            Box::pin(async move { target.open().await }) as Pin<Box<dyn Future<Output = _> + Send>>
        };
        command.open(opens).await
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_password(&self.written))
    }
}

/// An engine's address, in whose words it is read; none where it is none.
#[cfg_attr(
    not(any(feature = "rabbitmq", feature = "redis", feature = "nats", feature = "postgres", feature = "managed")),
    allow(unused_variables, reason = "there is no engine to read it")
)]
fn engine(scheme: &str, text: &str) -> Option<Result<Kind, String>> {
    match scheme {
        #[cfg(feature = "rabbitmq")]
        "amqp:" | "amqps:" => Some(RabbitMqOptions::parse(text).map(Kind::RabbitMq)),
        #[cfg(feature = "redis")]
        "redis:" | "rediss:" => Some(RedisOptions::parse(text).map(Kind::Redis)),
        #[cfg(feature = "nats")]
        "nats:" | "tls:" => Some(NatsOptions::parse(text).map(Kind::Nats)),
        #[cfg(feature = "postgres")]
        "postgres:" | "postgresql:" => Some(PostgresOptions::parse(text).map(Kind::Postgres)),
        #[cfg(feature = "managed")]
        "managed:" => Some(Managed::parse(&text[scheme.len()..]).map(Kind::Managed)),
        _ => {
            let (_, feature) = FEATURES.iter().find(|(known, _)| *known == scheme)?;
            Some(Err(format!("this program was built without the feature `{feature}`")))
        }
    }
}

/// Which feature brings which kind of address.
const FEATURES: &[(&str, &str)] = &[
    ("amqp:", "rabbitmq"),
    ("amqps:", "rabbitmq"),
    ("redis:", "redis"),
    ("rediss:", "redis"),
    ("nats:", "nats"),
    ("tls:", "nats"),
    ("postgres:", "postgres"),
    ("postgresql:", "postgres"),
    ("managed:", "managed"),
];

fn unknown() -> String {
    let known: Vec<&str> = TARGETS.iter().map(|(written, _)| *written).collect();
    format!("expected one of {}", known.join(", "))
}

#[cfg(feature = "sqlite")]
fn sqlite(rest: &str) -> Result<Kind, String> {
    use crate::sqlite::Durability;
    use std::time::Duration;

    let (path, options) = rest.rsplit_once('?').unwrap_or((rest, ""));
    let mut parsed = if path.is_empty() { SqliteOptions::temporary() } else { SqliteOptions::at(path) };
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match name {
            "durability" => {
                parsed.durability = match value {
                    "full" => Durability::Full,
                    "normal" => Durability::Normal,
                    _ => return Err(format!("durability: expected full or normal, found {value:?}")),
                }
            }
            "busy_timeout_ms" => {
                let millis = value.parse().map_err(|_| format!("{name}: expected milliseconds, found {value:?}"))?;
                parsed.busy_timeout = Duration::from_millis(millis);
            }
            "keep_done" => {
                parsed.keep_done = duration(value)
                    .ok_or_else(|| format!("{name}: expected a time such as 90s, 15m, 24h or 7d, found {value:?}"))?;
            }
            _ => return Err(format!("expected durability, busy_timeout_ms or keep_done, found {name:?}")),
        }
    }
    Ok(Kind::Sqlite(parsed))
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_rest: &str) -> Result<Kind, String> {
    Err("this program was built without the feature `sqlite`".to_owned())
}

/// A number and its unit.
#[cfg(feature = "sqlite")]
fn duration(text: &str) -> Option<std::time::Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let millis = match &text[digits..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).filter(|millis| i64::try_from(*millis).is_ok()).map(std::time::Duration::from_millis)
}

#[cfg(feature = "adapter")]
fn exec(rest: &str) -> Result<Kind, String> {
    let words = shell_words::split(rest).map_err(|broken| format!("expected a command in words: {broken}"))?;
    if words.is_empty() { Err("expected a command behind exec:".to_owned()) } else { Ok(Kind::Exec(words)) }
}

#[cfg(not(feature = "adapter"))]
fn exec(_rest: &str) -> Result<Kind, String> {
    Err("this program was built without the feature `adapter`".to_owned())
}

/// An address as it may be shown: what stands between a name's colon and an `@` is a password.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@').and_then(|at| rest[..at].find(':').map(|colon| (colon, at))) {
        Some((colon, at)) => format!("{scheme}://{}:…{}", &rest[..colon], &rest[at..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_target_says_what_one_is() {
        for (text, wanted) in [
            ("", "expected one of memory:, sqlite:"),
            ("sqlite", "expected one of memory:"),
            ("kafka://here", "expected one of memory:"),
            ("memory:x", "expected nothing behind memory:"),
            ("sqlite:a?keep_done=7", "keep_done: expected a time such as"),
            ("sqlite:a?busy_timeout_ms=-1", "busy_timeout_ms: expected milliseconds"),
            ("sqlite:a?mode=ro", "expected durability, busy_timeout_ms or keep_done, found \"mode\""),
        ] {
            let error = text.parse::<Target>().unwrap_err();
            assert!(error.is_wrong_use() && error.to_string().contains(wanted), "{text}: {error}");
        }
    }

    #[cfg(feature = "adapter")]
    #[test]
    fn a_command_is_split_into_words_without_a_shell() {
        let target: Target = "exec:python3 'my adapter.py' --x=$HOME".parse().unwrap();
        let words = ["python3", "my adapter.py", "--x=$HOME"].map(str::to_owned).to_vec();
        assert_eq!(target.command(), Some(&words[..]));
        assert_eq!("memory:".parse::<Target>().unwrap().command(), None);
        assert!("exec: ".parse::<Target>().is_err() && "exec:'open".parse::<Target>().is_err());
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn what_is_kept_in_a_file_says_in_which() {
        let file = |text: &str| text.parse::<Target>().unwrap().file().map(|file| file.display().to_string());
        let is_temporary = |text: &str| text.parse::<Target>().unwrap().is_temporary();
        assert_eq!(file("sqlite:a?b.db?keep_done=1h").as_deref(), Some("a?b.db"));
        assert_eq!((file("sqlite:?keep_done=1h"), file("memory:")), (None, None));
        assert!(is_temporary("sqlite:?keep_done=1h") && is_temporary("memory:") && !is_temporary("sqlite:a"));
    }

    #[cfg(feature = "sqlite")]
    #[tokio::test]
    async fn a_file_that_cannot_be_opened_says_why() {
        let target: Target = "sqlite:/nowhere/at/all.db".parse().unwrap();
        let error = target.open().await.err().unwrap();
        assert!(!error.is_wrong_use() && error.to_string().starts_with("/nowhere/at/all.db: "), "{error}");
    }
}
