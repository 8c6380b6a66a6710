//! A broker over Redis Streams.
//!
//! A queue is a stream for each of its priorities, and a group is a consumer group of those streams:
//! `XPENDING` shows what is held, and by whom. Each operation is one script, one step of the server; times
//! are the server's. Names of keys and fields are those of the protocol's binding, so that other programs
//! read what is published here, and what they add is read here: a tenant's stream is
//! `t:{tenant}:events:{queue}`, its dead letters `…:dlq`; a queue of more than one priority has
//! `…:1`, `…:2`, …; a queue of no tenant `q:{queue}`. What the broker keeps besides is in `…:_meta` and
//! other keys that begin with `_`.
//!
//! | capability | how |
//! |---|---|
//! | core, batch, large, fifo | `XADD`, `XREADGROUP`, and `XACK` with `XDEL` once all groups have done. What comes at the same moment goes in one step |
//! | priority | a stream for each level, read from the most urgent on |
//! | lease, extend, attempts | moments in a sorted set, which every script looks at first; attempts used up are kept for each group and entry |
//! | backoff, delay | the same sorted set. A retried entry stays in its stream; a delayed message is added to it when it is due, and stands behind what was there by then |
//! | ttl | the same, and a field of the entry |
//! | dead-letter, replay | the stream `…:dlq`, written in the step that takes the message from its queue |
//! | dedupe | a hash of ids, forgotten in the order of publication |
//! | groups | consumer groups; `_` is the unnamed. An entry is deleted when every group has done with it, and while others have groups on the stream, when they have read it too |
//! | addressing, browse | what a group has passed and not taken is kept in a sorted set, by recipient and order |
//! | tenancy | keys that no name of another tenant can make |
//! | max-length | exact; the oldest that nobody holds gives way, read or not, where the policy says `drop-oldest` |
//! | purge, presence | scripts; a hash for each tenant, forgotten when nobody was heard for seven days |
//! | wait | `PUBLISH` in the step that stores, heard on a connection of its own; and a look five times a second, for what others add |
//! | durable | where the server says `appendonly yes` and `appendfsync always` and evicts nothing, or the address `?durable=1` |
//!
//! Not claimed: `restart`, which is the server's matter, and `durable` where the server may lose the last
//! second, or does not say. A client that is lost with its process is not seen to be: what it held comes
//! back when its lease ends. Names of clients are unique in one process.
//!
//! `redis://[NAME:PASSWORD@]HOST[:PORT][/DATABASE]`, or `rediss:` for TLS, with `?prefix=` before all keys,
//! `?cluster=1` for hash tags that keep a queue in one slot (the address has to be that of the node which
//! has it), `?ca=FILE` for certificates of your own authorities instead of the system's, `?timeout_ms=10000`
//! for what an operation may take, and `?durable=1`.
//!
//! A broker has three connections, however many clients it has: one for what is published, one for all
//! else, one that hears. At most 4 096 commands wait to be written on each. A fetch, a look and a page of
//! letters answer with up to 8 MiB. Of ten thousand queues the policies are remembered.

mod batch;
mod book;
mod client;
mod entry;
mod fetch;
mod held;
mod keys;
mod letters;
mod link;
mod looking;
mod options;
mod presence;
mod publish;
mod reply;
mod script;
mod server;
mod settle;
mod trouble;
mod wake;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::runtime::Handle;

use crate::capability::{Capabilities, Capability};
use crate::contract::{About, Answer, Broker, BrokerLimits, Choices, Client, CloseMode};
use crate::error::BrokerError;
use crate::open_error::OpenError;
use crate::queue::check_name;
use batch::Batches;
use book::Book;
use client::RedisClient;
use fetch::Turns;
use held::Own;
use link::Link;
use looking::Looking;
pub use options::RedisOptions;
use publish::Sent;
use settle::Settled;
use wake::Ears;

/// The unnamed group, as the server calls it. No name begins so.
const UNNAMED: &str = "_";

/// A broker over Redis Streams.
#[derive(Debug)]
pub struct RedisBroker {
    shared: Arc<Shared>,
}

/// What all clients of a broker share.
struct Shared {
    about: About,
    options: RedisOptions,
    runtime: Handle,
    /// The connection for what is published.
    publishing: Link,
    /// The connection for all else.
    working: Link,
    ears: Ears,
    book: Book,
    sent: Arc<Batches<Sent>>,
    settled: Arc<Batches<Settled>>,
    looking: Arc<Batches<Looking>>,
    turns: Turns,
    open: Mutex<Clients>,
}

#[derive(Default)]
struct Clients {
    by_name: HashMap<String, Weak<Own>>,
    is_shut_down: bool,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("options", &self.options).finish_non_exhaustive()
    }
}

impl RedisBroker {
    /// Connects.
    ///
    /// # Errors
    /// Says why the server cannot be reached, or used: nobody listens, a wrong password, no TLS, too old, a
    /// read-only replica.
    pub async fn open(options: RedisOptions) -> Result<Arc<dyn Broker>, OpenError> {
        let client = server::client(&options)?;
        let working = Link::new(client.clone(), options.timeout, None);
        let is_durable = server::check(&working, &options).await?;
        let mut capabilities = Capabilities::all().without(Capability::Restart);
        if !is_durable {
            capabilities = capabilities.without(Capability::Durable);
        }
        let about = About {
            name: "workwire-redis".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            language: Some("rust".to_owned()),
            capabilities,
            limits: BrokerLimits::default(),
            choices: Choices::default(),
        };
        let shared = Shared {
            about,
            runtime: Handle::current(),
            publishing: Link::new(client.clone(), options.timeout, None),
            working,
            ears: Ears::new(client, options.timeout),
            book: Book::new(options.clone()),
            sent: publish::gathered(),
            settled: settle::gathered(),
            looking: looking::gathered(),
            turns: Turns::default(),
            open: Mutex::new(Clients::default()),
            options,
        };
        Ok(Arc::new(RedisBroker { shared: Arc::new(shared) }))
    }
}

impl Shared {
    fn clients(&self) -> std::sync::MutexGuard<'_, Clients> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, name: &str) -> Result<Arc<Own>, BrokerError> {
        check_name("client", name)?;
        let mut clients = self.clients();
        if clients.is_shut_down {
            return Err(BrokerError::unavailable("the broker was shut down"));
        }
        let is_open = |own: &Weak<Own>| own.upgrade().is_some_and(|own| !own.is_closed());
        clients.by_name.retain(|_, own| is_open(own));
        if clients.by_name.contains_key(name) {
            return Err(BrokerError::conflict(format!("client {name} is open already")));
        }
        let own = Arc::new(Own::new());
        clients.by_name.insert(name.to_owned(), Arc::downgrade(&own));
        Ok(own)
    }

    /// Closes a client, and gives back what it holds.
    async fn close(&self, own: &Own, mode: CloseMode) -> Result<(), BrokerError> {
        let Some(held) = own.close() else { return Ok(()) };
        let mut closed = Ok(());
        for (queue, tickets) in held {
            let given_back = self.give_back(&queue, tickets, mode).await;
            closed = closed.and(given_back);
        }
        closed
    }
}

impl Broker for RedisBroker {
    fn about(&self) -> &About {
        &self.shared.about
    }

    fn open<'a>(&'a self, client: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async move {
            let own = self.shared.admit(client)?;
            Ok(Box::new(RedisClient::new(Arc::clone(&self.shared), own)) as Box<dyn Client>)
        })
    }

    fn shutdown(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            let open: Vec<Arc<Own>> = {
                let mut clients = self.shared.clients();
                clients.is_shut_down = true;
                clients.by_name.drain().filter_map(|(_, own)| own.upgrade()).collect()
            };
            let farewell = async {
                let mut closed = Ok(());
                for own in open {
                    closed = closed.and(self.shared.close(&own, CloseMode::Graceful).await);
                }
                closed
            };
            let late = || BrokerError::unavailable("the server did not answer the farewell of all clients");
            tokio::time::timeout(server::FAREWELL, farewell).await.unwrap_or_else(|_| Err(late()))
        })
    }
}
