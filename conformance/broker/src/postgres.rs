//! A broker in a PostgreSQL database (12 or newer), for one process or many.
//!
//! `postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=workwire&sslmode=prefer&pool=8&timeout_ms=15000`
//!
//! | option | what it says |
//! |---|---|
//! | `schema` | in which schema the tables are, made where they are not there yet; brokers of one schema are one broker |
//! | `sslmode` | `disable`, `prefer`, `require` (encrypts, whoever the server is) or `verify-full` (only with a server that is trusted and named so) |
//! | `ca` | a PEM file of whom to trust, and `verify-full`; without it the system's roots |
//! | `pool` | how many connections at most, from 2; one more listens |
//! | `timeout_ms` | how long an operation may take, with all waiting for the server |
//! | others | as libpq writes them: `application_name`, `connect_timeout`, … |
//!
//! # How it does what it claims
//!
//! | capability | how |
//! |---|---|
//! | `core`, `durable` | tables; a publish is answered after its commit, with `synchronous_commit=on` |
//! | `priority`, `fifo`, `addressing` | an index for each group and recipient in the order of fetching, numbers from one sequence; `FOR UPDATE SKIP LOCKED` |
//! | `lease`, `extend`, `delay`, `ttl`, `backoff` | each row knows at which moment time changes its state, by the server's clock alone; who looks brings his group to the present first |
//! | `attempts` | counted in the row. A process that is gone is seen by its advisory lock within two seconds, a client that is dropped at once, all else at the end of its lease |
//! | `dead-letter`, `replay`, `purge`, `max-length`, `browse` | one statement each; a bounded queue is counted under a lock of its own |
//! | `dedupe` | a unique key, with the time until when it counts |
//! | `groups` | a row for each message and group; the body is there once |
//! | `tenancy` | the tenant is a column of its own, and no name is put together of two |
//! | `wait` | `LISTEN` on a connection of its own, the moments at which time changes something, and a look every second in case that word was lost |
//! | `presence` | a table; who was silent for 30 days is forgotten |
//! | `batch`, `large` | arrays; 8 MiB of bodies a statement |
//!
//! Not claimed: `restart`, since the server is somebody else's; `managed:postgres` adds it.
//!
//! # What goes on
//!
//! Each operation is one statement: a function of the schema, in one transaction. What many publish,
//! fetch or settle at the same moment shares one statement and one commit; who is alone goes at once.
//! Processes tell each other of messages (`NOTIFY`) only while somebody in another one waits.
//!
//! An operation that was not sent because the server was away waits for it, until its time is over;
//! one that was sent and not answered is `unavailable`, and never sent again. The server's refusals are
//! refusals; those that speak of a passing state (a lock, a time-out, memory) are `unavailable` too,
//! and say that nothing happened.
//!
//! Bounded: `pool` + 1 connections; 6 lanes in which 2 048 callers wait, the others before them; 8 MiB of
//! bodies on their way in a statement to the server, twice as much from it, or one caller's own. The
//! functions need advisory locks and `LISTEN`, which hold for a session: a pooler between (`PgBouncer`)
//! has to pool sessions, not transactions.
//!
//! Names are unique among the open clients of one [`PostgresBroker`], not of all processes. Counting a
//! depth takes time with the number of messages. The tables are open to SQL: `queue`, `message`, `turn`
//! (what a group has still to do with a message), `letter`; reasons are UTF-8 in `bytea`.

mod ask;
mod by_lane;
mod client;
mod fetch;
mod keeper;
mod lane;
mod link;
mod options;
mod outbox;
mod publish;
mod release;
mod schema;
mod settle;
mod tag;
mod tls;
mod trouble;
mod waiting;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use std::time::Duration;

use deadpool_postgres::Object;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::capability::{Capabilities, Capability};
use crate::contract::{About, Answer, Broker, BrokerLimits, Choices, Client};
use crate::error::BrokerError;
use crate::open_error::OpenError;
use crate::queue::check_name;
use client::PostgresClient;
use fetch::Looking;
use keeper::{Keeper, MakeRustlsConnectDebug};
use lane::Lanes;
use link::Link;
use publish::Publishing;
use release::{How, end_session};
use settle::Settling;
use waiting::Hub;

pub use options::PostgresOptions;
pub use outbox::Outbox;

/// A broker in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresBroker {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    about: About,
    link: Arc<Link>,
    hub: Arc<Hub>,
    session: i32,
    timeout: Duration,
    publishing: Lanes<Publishing>,
    fetching: Lanes<Looking>,
    settling: Lanes<Settling>,
    names: Mutex<HashSet<String>>,
    clients: AtomicU32,
    has_stopped: AtomicBool,
    /// Ends the keeper.
    stopped: Arc<Notify>,
    timer: AbortHandle,
    runtime: Handle,
}

/// What this broker says of itself.
fn about() -> About {
    About {
        name: "workwire-postgres".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        language: Some("rust".to_owned()),
        // The server is somebody else's: `managed:postgres` is what can restart it.
        capabilities: Capabilities::all().without(Capability::Restart),
        limits: BrokerLimits::default(),
        choices: Choices::default(),
    }
}

impl PostgresBroker {
    /// Connects, and makes the tables where they are not there yet.
    ///
    /// # Errors
    /// Says why the server cannot be reached, or used.
    pub async fn open(options: PostgresOptions) -> Result<Arc<dyn Broker>, OpenError> {
        let tls = tls::connector(&options)?;
        let link = Arc::new(Link::new(&options, tls.clone())?);
        // A plain client, since the tables may have to be made in a transaction that takes its time.
        let mut first = Object::take(link.first(&options).await?);
        schema::prepare(&mut first, &options).await?;
        drop(first);
        let (hub, stopped) = (Arc::new(Hub::default()), Arc::new(Notify::new()));
        let session = Keeper::begin(&options, &MakeRustlsConnectDebug(tls), &link, &hub, &stopped).await;
        let session = session.map_err(|error| trouble::open_error(&options, &error))?;
        let timer = Arc::clone(&hub);
        let timer = tokio::spawn(async move { timer.keep_time().await }).abort_handle();
        let ways = || (Arc::clone(&link), Arc::clone(&hub));
        let (publishing, fetching, settling) = (ways(), ways(), ways());
        let shared = Shared {
            about: about(),
            session,
            timeout: options.timeout,
            publishing: Lanes::begin(move |batch| {
                publish::run(Arc::clone(&publishing.0), Arc::clone(&publishing.1), session, batch)
            }),
            fetching: Lanes::begin(move |batch| {
                fetch::run(Arc::clone(&fetching.0), Arc::clone(&fetching.1), session, batch)
            }),
            settling: Lanes::begin(move |batch| {
                settle::run(Arc::clone(&settling.0), Arc::clone(&settling.1), session, batch)
            }),
            link,
            hub,
            names: Mutex::default(),
            clients: AtomicU32::new(0),
            has_stopped: AtomicBool::new(false),
            stopped,
            timer,
            runtime: Handle::current(),
        };
        Ok(Arc::new(PostgresBroker { shared: Arc::new(shared) }))
    }
}

impl Shared {
    fn check_running(&self) -> Result<(), BrokerError> {
        if self.has_stopped.load(Ordering::Acquire) {
            return Err(BrokerError::unavailable("the broker has stopped"));
        }
        Ok(())
    }

    fn names(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget_name(&self, name: &str) {
        self.names().remove(name);
    }

    /// The number of a new client: no two of them have the same, in all processes.
    fn number(&self) -> i64 {
        let own = self.clients.fetch_add(1, Ordering::Relaxed);
        (i64::from(self.session) << 32) | i64::from(own)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stopped.notify_one();
        self.timer.abort();
    }
}

impl Broker for PostgresBroker {
    fn about(&self) -> &About {
        &self.shared.about
    }

    fn open<'a>(&'a self, client: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async move {
            check_name("client", client)?;
            self.shared.check_running()?;
            if !self.shared.names().insert(client.to_owned()) {
                return Err(BrokerError::conflict(format!("client {client} is open already")));
            }
            let number = self.shared.number();
            Ok(Box::new(PostgresClient::new(Arc::clone(&self.shared), client.to_owned(), number)) as Box<dyn Client>)
        })
    }

    fn shutdown(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            if self.shared.has_stopped.swap(true, Ordering::AcqRel) {
                return Ok(());
            }
            self.shared.hub.wake_everybody();
            let session = self.shared.session;
            let ended = end_session(&self.shared.link, &self.shared.hub, session, session, How::GivenBack).await;
            self.shared.stopped.notify_one();
            self.shared.link.close();
            ended.map_err(|trouble| trouble.told())
        })
    }
}
