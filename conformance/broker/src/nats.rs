//! A broker over NATS JetStream.

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
