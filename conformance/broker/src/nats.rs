//! A broker over NATS JetStream, `nats://[USER:PASSWORD@|TOKEN@]HOST[:PORT][,HOST…]`, or `tls://…`.
//!
//! | option | what it does |
//! |---|---|
//! | `ns=ww` | what the names of all streams and subjects begin with |
//! | `replicas=1` | on how many servers of a cluster each stream is kept |
//! | `ca=FILE` | the authority of the server's certificate, in place of the system's |
//! | `creds=FILE` | a user's JWT and key |
//!
//! # One record for a message
//!
//! A queue is a stream. Each message has a subject of its own in it, `{ns}.{queue}.{level}.{id}.{nonce}.{to}` (a tenant's:
//! `{ns}@{tenant}.…`; dots in names are written `~`), and the stream keeps one record for each subject. Whatever happens
//! to a message is a record in place of the last one, which the server stores only if that is still the last
//! (`Nats-Expected-Last-Subject-Sequence`). So each step is whole and is taken once: between the queue and the dead letters
//! there is no moment at which a message is in neither or in both, and a tag whose delivery is over is told so by the
//! server itself.
//!
//! That is why no consumer of the server's hands out messages here: a JetStream consumer takes the ack of a delivery that
//! was superseded, has no order among subjects, counts deliveries only in its own memory of them, and at `max_deliver`
//! leaves the message where it is, with an advisory that may be missed.
//!
//! Who holds a message stands in a second stream, in memory: a claim for each delivery, compared and swapped likewise.
//! It is gone with the server. Whoever then takes a message that may have been held writes it anew first, by which the
//! old holder's tag becomes stale.
//!
//! Each process follows both streams of the queues that it takes from, without the bodies, and so knows what is ready, in
//! which order, and when the next lease or rest ends; a fetch that waits is woken by what the server tells. What it knows
//! decides nothing, the server's comparison does.
//!
//! # What it does, and how
//!
//! | capability | how |
//! |---|---|
//! | `core` `durable` | a publish is answered by the stream's ack; what was confirmed survives `kill -9`. A power cut it survives with the server's `jetstream { sync_interval: always }`; without, the last two minutes may go |
//! | `priority` `fifo` | the order of the index: level, then the number of the publication, which a retry keeps |
//! | `lease` `extend` | the claim, with its length; the lease's end is reckoned from the time at which the server stored it, and by the holder from before it asked. To extend is another claim in its place |
//! | `attempts` | in the record's headers. Any process that follows the queue moves on what came to its lease's end |
//! | `dead-letter` `replay` | a letter is the message's record with its state, reason, attempts and time; back likewise |
//! | `backoff` `delay` `ttl` | moments in the headers. What is expired is seen by nobody; `sweep` removes it, and the server an hour later (`Nats-TTL`) |
//! | `dedupe` | a publish expects that no record of its id is there. What is done leaves an empty record for the rest of the window, so that ids are known after a restart too. (The server's own `Nats-Msg-Id` is sent with a window of 100 ms; alone it forgets what was deleted when the server restarts) |
//! | `addressing` `browse` | the recipient is in the subject; the index has the order, bodies are read by their numbers |
//! | `max-length` | a publish expects the stream's last number that was counted; so one at a time publishes to such a queue |
//! | `tenancy` | in every name |
//! | `presence` | the bucket `{ns}-agents` of keys and values; who says nothing for a week is forgotten |
//! | `wait` `batch` `purge` | the index; many requests at once |
//! | `large` | where the server's `max_payload` is 1 MiB and 64 KiB more: it counts headers. Its usual 1 MiB takes bodies up to 960 KiB |
//!
//! Not claimed: `groups`. A message has one record, and would need one for each group. `restart` is for `managed:nats`.
//!
//! What differs from a broker in one place: when the server is restarted, what clients hold comes back at once, also to
//! the clients of a process that lives on. When its room is used up, a publish, a retry and a giving up are `full`, and
//! `Done` still works: it erases the record, and the id with it. Clocks of machines that are less than a second from the
//! server's count as equal; leases do not need them, delays and expiry are off by as much.
//!
//! # Bounds
//!
//! One connection for a broker, with two consumers for each queue that it takes from. Some 500 bytes of memory for each
//! message that such a queue holds, dead letters included, and none for a queue that is only published to. 1 024 requests
//! of one call are under way at once. An answer is waited for 5 s, that of a store and the first
//! connection 10 s; a lost connection is tried again at least twice a second, for ever.

mod api;
mod client;
mod connecting;
mod feed;
mod index;
mod keeper;
mod letters;
mod moving;
mod names;
mod opened;
mod operations;
mod options;
mod presence;
mod publishing;
mod record;
mod settling;
mod streams;
mod taking;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{OnceCell, watch};

use crate::capability::{Capabilities, Capability};
use crate::contract::{About, Answer, Broker, BrokerLimits, Choices, Client, CloseMode, MEBIBYTE};
use crate::error::BrokerError;
use crate::open_error::OpenError;
use crate::queue::{Queue, check_name};
use api::Api;
use client::{Caller, OpenNames};
use opened::{OpenQueue, ServerClock};
use operations::NatsClient;
pub use options::NatsOptions;

/// A broker over NATS JetStream.
pub struct NatsBroker {
    shared: Arc<Shared>,
    callers: Mutex<Vec<Weak<Caller>>>,
}

/// What all clients of a broker share.
struct Shared {
    api: Arc<Api>,
    options: NatsOptions,
    about: About,
    clock: Arc<ServerClock>,
    /// Counts connections.
    epoch: watch::Receiver<u64>,
    names: Mutex<OpenNames>,
    queues: Mutex<HashMap<Queue, Arc<OpenQueue>>>,
    bucket: OnceCell<String>,
    is_down: AtomicBool,
}

/// What a message's headers may take of the server's `max_payload`: names, numbers, and a long reason.
const HEADERS: u64 = 65_536;

impl NatsBroker {
    /// Connects.
    ///
    /// # Errors
    /// Says why the server cannot be reached, or used.
    pub async fn open(options: NatsOptions) -> Result<Arc<dyn Broker>, OpenError> {
        let (api, epoch) = connecting::connect(&options).await?;
        let info = api.client.server_info();
        let payload = u64::try_from(info.max_payload).unwrap_or(MEBIBYTE);
        let most = payload.saturating_sub(HEADERS).min(MEBIBYTE);
        let mut capabilities = Capabilities::all().without(Capability::Groups).without(Capability::Restart);
        if most < MEBIBYTE {
            capabilities = capabilities.without(Capability::Large);
        }
        let about = About {
            name: "nats".to_owned(),
            version: info.version,
            language: Some("Rust".to_owned()),
            capabilities,
            limits: BrokerLimits { max_message_bytes: most, ..BrokerLimits::default() },
            choices: Choices::default(),
        };
        let shared = Shared {
            api,
            options,
            about,
            clock: Arc::default(),
            epoch,
            names: Mutex::default(),
            queues: Mutex::default(),
            bucket: OnceCell::new(),
            is_down: AtomicBool::new(false),
        };
        Ok(Arc::new(NatsBroker { shared: Arc::new(shared), callers: Mutex::default() }))
    }
}

impl fmt::Debug for NatsBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsBroker").field("options", &self.shared.options).finish_non_exhaustive()
    }
}

impl Broker for NatsBroker {
    fn about(&self) -> &About {
        &self.shared.about
    }

    fn open<'a>(&'a self, client: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async move {
            check_name("client", client)?;
            if self.shared.is_down.load(Ordering::SeqCst) {
                return Err(BrokerError::unavailable("the broker was shut down"));
            }
            if !self.shared.names().insert(client.to_owned()) {
                return Err(BrokerError::conflict(format!("client {client} is open already")));
            }
            let caller = Arc::new(Caller::new(Arc::clone(&self.shared), client));
            let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
            callers.retain(|caller| caller.strong_count() > 0);
            callers.push(Arc::downgrade(&caller));
            drop(callers);
            Ok(Box::new(NatsClient::new(caller)) as Box<dyn Client>)
        })
    }

    fn shutdown(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.shared.is_down.store(true, Ordering::SeqCst);
            let callers = std::mem::take(&mut *self.callers.lock().unwrap_or_else(PoisonError::into_inner));
            for caller in callers.iter().filter_map(Weak::upgrade) {
                // Closed already is as good.
                let _ = caller.close(CloseMode::Graceful).await;
            }
            self.shared.stop();
            Ok(())
        })
    }
}

impl Shared {
    fn names(&self) -> MutexGuard<'_, OpenNames> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<Queue, Arc<OpenQueue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A queue that is used here already.
    fn opened(&self, queue: &Queue) -> Option<Arc<OpenQueue>> {
        let mut queues = self.queues();
        let open = queues.get(queue)?;
        if open.is_closed() {
            queues.remove(queue);
            return None;
        }
        Some(Arc::clone(open))
    }

    /// Keeps a queue, unless somebody else was faster.
    fn keep(&self, open: OpenQueue) -> Arc<OpenQueue> {
        Arc::clone(self.queues().entry(open.queue.clone()).or_insert_with(|| Arc::new(open)))
    }

    fn forget(&self, queue: &Queue) {
        self.queues().remove(queue);
    }

    fn stop(&self) {
        for open in self.queues().values() {
            open.stop();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop();
    }
}
