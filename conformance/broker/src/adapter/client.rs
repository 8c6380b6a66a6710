//! The runner's side: a broker that an adapter stands in front of.
//!
//! An adapter is a stranger's program. Whatever it does, an operation ends, at the latest when its
//! time is over, and what the adapter did wrong is a [`Finding`].

mod connection;
mod finding;
mod group;
mod keeper;
mod link;
mod log;
mod past;
mod streams;

use std::fmt;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::process::Command;

use self::connection::Connection;
pub use self::finding::{Finding, FindingKind};
use self::keeper::{Keeper, Order, Parts};
use self::link::Link;
use self::log::Log;
use self::past::Late;
use super::wire::{
    CONTRACT, Decode, Decoded, Encoding, Initialize, Initialized, Kind, Open, Restart, Runner, Shutdown,
};
use crate::contract::{About, Answer, Broker, Client, RestartMode};
use crate::error::{BrokerError, Code};

/// How an adapter is dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterOptions {
    /// Who asks, as the adapter is told.
    pub runner: Runner,
    /// How long an answer may take; a fetch's as much longer as it waits.
    pub limit: Duration,
    /// How long an adapter has to end, once it was told to.
    pub grace: Duration,
}

impl Default for AdapterOptions {
    /// 30 s for an answer, 5 s for the end.
    fn default() -> Self {
        let runner = Runner { name: "workwire".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        AdapterOptions { runner, limit: Duration::from_secs(30), grace: Duration::from_secs(5) }
    }
}

/// A broker behind an adapter. Dropped, it kills the adapter and all that the adapter started.
///
/// The protocol cannot take a request back: a fetch that is dropped while it waits may still take
/// messages, which come back when its lease ends or its client is closed.
pub struct AdapterBroker {
    about: About,
    initialized: Initialized,
    link: Arc<Link>,
    keeper: Keeper,
    log: Arc<Log>,
    is_shut_down: AtomicBool,
}

impl AdapterBroker {
    /// Starts an adapter: a program and its arguments, without a shell, in a process group of its
    /// own.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use workwire_broker::Broker;
    /// use workwire_broker::adapter::AdapterBroker;
    /// let command = ["python3", "my_adapter.py"].map(str::to_owned);
    /// let broker = AdapterBroker::start(&command, &Default::default()).await?;
    /// println!("{} can do {}", broker.about().name, broker.about().capabilities);
    /// broker.shutdown().await?;
    /// for finding in broker.findings() {
    ///     println!("{finding}");
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Where the program cannot be started, or does not answer `initialize` as it must.
    pub async fn start(command: &[String], options: &AdapterOptions) -> Result<Self, StartError> {
        let not_started = |why: String| StartError {
            error: BrokerError::unavailable(format!("cannot start the adapter {command:?}: {why}")),
            findings: Vec::new(),
            log: String::new(),
        };
        let [program, arguments @ ..] = command else {
            return Err(not_started("expected a program, found nothing".to_owned()));
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let spawned = command.process_group(0).kill_on_drop(true).spawn();
        let mut child = spawned.map_err(|error| not_started(error.to_string()))?;
        let (Some(input), Some(output), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(not_started("it has no pipes".to_owned()));
        };
        let link = Arc::new(Link::new(options.limit));
        let log = Arc::new(Log::default());
        let reader = tokio::spawn(streams::read_all(Arc::clone(&link), output));
        let writer = tokio::spawn(streams::write_all(Arc::clone(&link), input));
        let logger = Some(tokio::spawn(Arc::clone(&log).follow(stderr)));
        Self::initialize(Parts { link, child: Some(child), log, reader, writer, logger }, options).await
    }

    /// Talks to an adapter that is there already, over what it writes and what it reads.
    ///
    /// # Errors
    /// Where it does not answer `initialize` as it must.
    pub async fn over(
        output: impl AsyncRead + Send + 'static,
        input: impl AsyncWrite + Send + 'static,
        options: &AdapterOptions,
    ) -> Result<Self, StartError> {
        let link = Arc::new(Link::new(options.limit));
        let log = Arc::new(Log::default());
        let reader = tokio::spawn(streams::read_all(Arc::clone(&link), Box::pin(output)));
        let writer = tokio::spawn(streams::write_all(Arc::clone(&link), Box::pin(input)));
        Self::initialize(Parts { link, child: None, log, reader, writer, logger: None }, options).await
    }

    async fn initialize(parts: Parts, options: &AdapterOptions) -> Result<Self, StartError> {
        let (link, log) = (Arc::clone(&parts.link), Arc::clone(&parts.log));
        let keeper = Keeper::of(parts, options.grace);
        let params = Initialize { contract: CONTRACT.to_owned(), runner: options.runner.clone() };
        let initialized = link.call(params, Ok).await.and_then(|initialized: Initialized| match initialized.wrong() {
            None => Ok(initialized),
            Some(why) => Err(BrokerError::new(Code::Unsupported, why)),
        });
        match initialized {
            Ok(initialized) => {
                let about = About::from(&initialized);
                Ok(AdapterBroker { about, initialized, link, keeper, log, is_shut_down: AtomicBool::new(false) })
            }
            Err(error) => {
                keeper.end(Order::Kill).await;
                Err(StartError { error, findings: link.findings(), log: log.text() })
            }
        }
    }

    /// What the adapter said of itself, word for word: what it left out is left out.
    #[must_use]
    pub fn initialized(&self) -> &Initialized {
        &self.initialized
    }

    /// What the adapter did wrong so far, in the order in which it was seen; the first thousand.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.link.findings()
    }

    /// How often it did something wrong so far.
    #[must_use]
    pub fn findings_total(&self) -> u64 {
        self.link.findings_total()
    }

    /// The end of what the adapter wrote to its standard error, up to 64 KiB, without control
    /// characters. Empty for one that was not started here.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Has a message of the wire protocol read, where the adapter stands in front of a codec.
    ///
    /// # Errors
    /// `unsupported` where it does not, `unavailable` where nothing usable came.
    pub async fn decode(&self, kind: Kind, body: Bytes) -> Result<Decoded, BrokerError> {
        let (body, encoding) = Encoding::write(body);
        self.link.call(Decode { kind, body, encoding }, Ok).await
    }
}

impl Broker for AdapterBroker {
    fn about(&self) -> &About {
        &self.about
    }

    fn open<'a>(&'a self, client: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async move {
            let restarts = self.link.restarts();
            let name = client.to_owned();
            let open = self.link.ask(&Open { client: name.clone() }, Duration::ZERO, Late::Close(name.clone()))?;
            open.answer(|_| Ok(())).await?;
            Ok(Box::new(Connection::new(Arc::clone(&self.link), name, restarts)) as Box<dyn Client>)
        })
    }

    fn restart(&self, mode: RestartMode) -> Answer<'_, ()> {
        Box::pin(async move {
            let answer = self.link.call(Restart { mode }, |_| Ok(())).await;
            // It may have happened where nobody knows.
            if answer.as_ref().map_or_else(BrokerError::is_indefinite, |()| true) {
                self.link.restarted();
            }
            answer
        })
    }

    /// Tells the adapter to end, and sees to it that it does: at the latest after the time for an
    /// answer and the grace time.
    fn shutdown(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            if self.is_shut_down.load(Ordering::Acquire) {
                return Ok(());
            }
            let answer = self.link.call(Shutdown {}, |_| Ok(())).await;
            self.keeper.end(Order::Finish).await;
            self.is_shut_down.store(answer.is_ok(), Ordering::Release);
            answer
        })
    }
}

impl fmt::Debug for AdapterBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdapterBroker").field("about", &self.about).finish_non_exhaustive()
    }
}

/// Why there is no broker behind an adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct StartError {
    error: BrokerError,
    findings: Vec<Finding>,
    log: String,
}

impl StartError {
    /// Why, in short.
    #[must_use]
    pub fn error(&self) -> &BrokerError {
        &self.error
    }

    /// What the adapter did wrong.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The end of what the adapter wrote to its standard error.
    #[must_use]
    pub fn log(&self) -> &str {
        &self.log
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.error.message())?;
        for finding in &self.findings {
            write!(f, "\n  {finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for StartError {}
