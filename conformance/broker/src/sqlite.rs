//! A broker in one SQLite file, for one process or several.
//!
//! Publishing is durable: the answer comes when the disk has the message. Many who publish at once
//! share one wait for the disk. A fetch that waits wakes at once when something is published through
//! the same broker, and within 5 ms when another process published it (the file is looked at that
//! often while somebody waits). Processes that share a file write in the order in which they come.
//!
//! Policies are kept in the file, in the table `queue`: a client that did not declare a queue finds
//! its policy there. Views say in words what is in the file: `messages`, `dead_letter_queue`,
//! `agent_status`, `channel_subscriptions`.

mod cache;
mod checkpoint;
mod client;
mod connection;
mod door;
mod schema;
mod store;
mod tag;
mod trouble;
mod waiting;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use uuid::Uuid;

use crate::capability::Capabilities;
use crate::clock::{Clock, SystemClock};
use crate::contract::{About, Answer, Broker, BrokerLimits, Choices, Client, CloseMode, RestartMode};
use crate::error::BrokerError;
use crate::open_error::OpenError;
use crate::queue::check_name;
use client::SqliteClient;
use connection::Connections;
use store::Store;
use writer::{Command, Writer};

/// When a publish is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// When the disk has it: it survives a power cut.
    #[default]
    Full,
    /// When the operating system has it: it survives the death of the process, and a power cut may
    /// take the last moments with it.
    Normal,
}

/// Where the file is, and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// The file; a temporary one, gone at the end, where none is named.
    pub path: Option<PathBuf>,
    /// When a publish is answered.
    pub durability: Durability,
    /// How long to wait for another process that writes.
    pub busy_timeout: Duration,
    /// For how long messages that are done stay visible, and can be replayed.
    pub keep_done: Duration,
}

impl SqliteOptions {
    /// A temporary store.
    #[must_use]
    pub const fn temporary() -> Self {
        SqliteOptions {
            path: None,
            durability: Durability::Full,
            busy_timeout: Duration::from_secs(5),
            keep_done: Duration::ZERO,
        }
    }

    /// A store in this file, made where it is not there.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        SqliteOptions { path: Some(path.into()), ..Self::temporary() }
    }
}

/// A broker in one SQLite file.
///
/// ```
/// use workwire_broker::{Broker, Fetch, Message, Policy, Queue, SqliteBroker, SqliteOptions, Verdict};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let broker = SqliteBroker::open(SqliteOptions::temporary())?;
/// let client = broker.open("me").await?;
/// let queue = Queue::new("tasks");
/// client.declare(&queue, &Policy::default()).await?;
/// client.publish(&queue, Message::new(uuid::Uuid::now_v7(), "dig")).await?;
/// let delivery = client.fetch(&queue, Fetch::up_to(1)).await?.remove(0);
/// assert_eq!(&delivery.body[..], b"dig");
/// client.settle(&queue, &delivery.tag, Verdict::Done).await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct SqliteBroker {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    about: About,
    path: PathBuf,
    options: SqliteOptions,
    clock: Arc<dyn Clock>,
    commands: Mutex<Option<Commands>>,
    fetches: AtomicU64,
}

/// The way to a writer, for as long as it runs.
#[derive(Debug, Clone)]
pub(crate) struct Commands {
    sender: Sender<Command>,
    /// It has stopped as it was told to: what it did not answer it did not do.
    stopped: Arc<AtomicBool>,
}

impl Commands {
    fn send(&self, command: Command) -> Result<(), BrokerError> {
        self.sender.send(command).map_err(|_| self.unanswered())
    }

    /// What an operation hears that the writer did not answer.
    fn unanswered(&self) -> BrokerError {
        if self.stopped.load(Ordering::Acquire) {
            writer::closed()
        } else {
            BrokerError::unavailable("the store's thread ended before it answered")
        }
    }
}

impl SqliteBroker {
    /// Opens a store, and makes it where it is not there.
    ///
    /// # Errors
    /// Says what is wrong with the file: not to be written, locked, corrupt, another program's, or of
    /// a newer version.
    pub fn open(options: SqliteOptions) -> Result<Self, OpenError> {
        Self::open_with_clock(options, Arc::new(SystemClock))
    }

    /// The same with a clock. Processes that share a file have to share the time too.
    ///
    /// # Errors
    /// Those of [`SqliteBroker::open`].
    pub fn open_with_clock(options: SqliteOptions, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let path = match &options.path {
            Some(path) => path.clone(),
            None => temporary()?.join("workwire.db"),
        };
        let about = About {
            name: "workwire-sqlite".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            language: Some("rust".to_owned()),
            capabilities: Capabilities::all(),
            limits: BrokerLimits::default(),
            choices: Choices::default(),
        };
        let (commands, fetches) = (Mutex::new(None), AtomicU64::new(0));
        let shared = Arc::new(Shared { about, path, options, clock, commands, fetches });
        shared.start()?;
        Ok(SqliteBroker { shared })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }
}

impl Shared {
    /// Starts the writer's thread, and waits until it has opened the file.
    fn start(&self) -> Result<(), OpenError> {
        let (sender, receiver) = channel();
        let (ready, opened) = channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let commands = Commands { sender, stopped: Arc::clone(&stopped) };
        let (path, options, clock) = (self.path.clone(), self.options.clone(), Arc::clone(&self.clock));
        let about = self.about.clone();
        let keep_done = i64::try_from(options.keep_done.as_millis()).unwrap_or(i64::MAX);
        let serve = move || {
            let connections = match Connections::open(&path, &options) {
                Ok(connections) => connections,
                Err(error) => return drop(ready.send(Err(error))),
            };
            let stopping = match Store::new(&connections.connection, &about, keep_done) {
                Ok(store) => {
                    // Who opens it waits for this.
                    let _ = ready.send(Ok(()));
                    Writer::new(&connections, store, clock).serve(&receiver)
                }
                Err(trouble) => return drop(ready.send(Err(schema::trouble_in_words(&path, &trouble)))),
            };
            connections.close(&path);
            stopped.store(true, Ordering::Release);
            drop(receiver);
            if let Some(reply) = stopping {
                // Who asked may have gone.
                let _ = reply.send(Ok(()));
            }
        };
        let thread = std::thread::Builder::new().name("workwire-sqlite".to_owned()).spawn(serve);
        thread.map_err(|error| OpenError::setup(format!("no thread for the store: {error}")))?;
        opened.recv().unwrap_or_else(|_| Err(OpenError::setup("the store's thread ended before it began")))?;
        *self.commands.lock().unwrap_or_else(PoisonError::into_inner) = Some(commands);
        Ok(())
    }

    fn commands(&self) -> Option<Commands> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the writer's thread, and gives back what clients hold.
    async fn stop(&self, mode: CloseMode) -> Result<(), BrokerError> {
        let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(commands) = commands else { return Ok(()) };
        let (reply, stopped) = oneshot::channel();
        if commands.send(Command::Stop { mode, reply }).is_err() {
            return Ok(());
        }
        stopped.await.unwrap_or(Ok(()))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.options.path.is_none()
            && let Some(folder) = self.path.parent()
        {
            // What cannot be removed is left to the system's own cleaning.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// A new folder that only its owner can read.
fn temporary() -> Result<PathBuf, OpenError> {
    let folder = std::env::temp_dir().join(format!("workwire-{}", Uuid::new_v4()));
    let mut make = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o700);
    make.create(&folder)
        .map_err(|error| OpenError::setup(format!("{}: the folder cannot be made: {error}", folder.display())))?;
    Ok(folder)
}

impl Broker for SqliteBroker {
    fn about(&self) -> &About {
        &self.shared.about
    }

    fn open<'a>(&'a self, client: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async move {
            check_name("client", client)?;
            let commands = self.shared.commands().ok_or_else(stopped)?;
            // 63 bits of chance: processes that share a file do not know each other's clients.
            let number = i64::try_from(Uuid::new_v4().as_u64_pair().0 >> 1).unwrap_or(0);
            let (reply, opened) = oneshot::channel();
            let open = Command::Open { name: client.to_owned(), client: number, reply };
            commands.send(open).map_err(|_| stopped())?;
            opened.await.map_err(|_| stopped())??;
            Ok(Box::new(SqliteClient::new(Arc::clone(&self.shared), commands, number)) as Box<dyn Client>)
        })
    }

    fn restart(&self, mode: RestartMode) -> Answer<'_, ()> {
        Box::pin(async move {
            let mode = match mode {
                RestartMode::Graceful => CloseMode::Graceful,
                RestartMode::Kill => CloseMode::Abort,
            };
            self.shared.stop(mode).await?;
            self.shared.start().map_err(|error| BrokerError::unavailable(error.to_string()))
        })
    }

    fn shutdown(&self) -> Answer<'_, ()> {
        Box::pin(self.shared.stop(CloseMode::Graceful))
    }
}

fn stopped() -> BrokerError {
    BrokerError::unavailable("the broker has stopped")
}
