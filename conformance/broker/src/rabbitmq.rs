//! A broker over RabbitMQ.

mod client;
mod deadline;
mod desk;
mod fetching;
mod greeting;
mod intake;
mod letters;
mod link;
mod lock;
mod names;
mod options;
mod parcel;
mod publisher;
mod push;
mod register;
mod road;
mod settling;
mod trouble;

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::capability::{Capabilities, Capability};
use crate::contract::{
    About, Answer, Batch, Broker, BrokerLimits, Choices, Client, NewGroup, RetryPlace, SameId, Tag,
};
use crate::error::BrokerError;
use crate::open_error::OpenError;
use crate::queue::check_name;
use client::RabbitMqClient;
use deadline::Deadline;
use desk::Desk;
use link::Link;
pub use options::{QueueKind, RabbitMqOptions};
use register::Register;

/// A broker over RabbitMQ.
pub struct RabbitMqBroker {
    shared: Arc<Shared>,
}

/// What the clients of one broker share.
struct Shared {
    options: Arc<RabbitMqOptions>,
    about: About,
    /// The connection that publishes.
    publishing: Arc<Link>,
    /// The connection that does all else.
    tending: Arc<Link>,
    register: Register,
    /// Who is open.
    clients: Mutex<HashSet<String>>,
    /// What tags begin with, so that those of two processes differ.
    run: String,
    tags: AtomicU64,
}

impl Shared {
    fn tag(&self) -> Tag {
        Tag(format!("{}-{}", self.run, self.tags.fetch_add(1, Ordering::Relaxed) + 1))
    }

    fn leave(&self, client: &str) {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).remove(client);
    }
}

impl RabbitMqBroker {
    /// Connects.
    ///
    /// # Errors
    /// Says why the server cannot be reached, or used.
    pub async fn open(options: RabbitMqOptions) -> Result<Arc<dyn Broker>, OpenError> {
        let address = options.shown();
        let setup = |why: String| OpenError::setup(format!("{address}: {why}"));
        let version = greeting::version(&options).await.map_err(setup)?;
        let options = Arc::new(options);
        let run = Uuid::new_v4().simple().to_string()[..8].to_owned();
        let link = |role, confirms| Arc::new(Link::new(Arc::clone(&options), role, &run, confirms));
        let (publishing, tending) = (link("publishing", true), link("tending", false));
        let shared = Shared {
            about: about(version, options.queue),
            register: Register::new(options.namespace.clone(), options.queue),
            clients: Mutex::default(),
            tags: AtomicU64::new(0),
            options,
            publishing,
            tending,
            run,
        };
        // Once, so that a wrong password or virtual host is told at once.
        let deadline = Deadline::after(shared.options.timeout);
        for link in [&shared.tending, &shared.publishing] {
            let line = link.borrow(deadline).await.map_err(|error| OpenError::setup(error.message()))?;
            link.give_back(line);
        }
        Ok(Arc::new(RabbitMqBroker { shared: Arc::new(shared) }))
    }
}

/// What it claims; the module's table says how it does it.
fn about(version: String, kind: QueueKind) -> About {
    let classic: Capabilities = [
        Capability::Priority,
        Capability::Fifo,
        Capability::DeadLetter,
        Capability::Replay,
        Capability::Backoff,
        Capability::Delay,
        Capability::Groups,
        Capability::Tenancy,
        Capability::Purge,
        Capability::Durable,
        Capability::Wait,
        Capability::Large,
        Capability::Batch,
    ]
    .into_iter()
    .collect();
    let (name, capabilities) = match kind {
        QueueKind::Classic => ("rabbitmq", classic),
        QueueKind::Quorum => ("rabbitmq-quorum", classic.without(Capability::Priority)),
    };
    About {
        name: name.to_owned(),
        version,
        language: Some("Rust".to_owned()),
        capabilities,
        limits: BrokerLimits::default(),
        choices: Choices {
            same_id_other_body: SameId::Duplicate,
            new_group: NewGroup::New,
            retry_place: RetryPlace::Back,
            batch: Batch::Each,
        },
    }
}

impl Broker for RabbitMqBroker {
    fn about(&self) -> &About {
        &self.shared.about
    }

    fn open<'a>(&'a self, client: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async move {
            check_name("client", client)?;
            let is_new = self.shared.clients.lock().unwrap_or_else(PoisonError::into_inner).insert(client.to_owned());
            if !is_new {
                return Err(BrokerError::conflict(format!("client {client} is open already")));
            }
            let desk = Desk::new(Arc::clone(&self.shared), client.to_owned());
            Ok(Box::new(RabbitMqClient::new(Arc::new(desk))) as Box<dyn Client>)
        })
    }

    fn shutdown(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            let deadline = Deadline::after(self.shared.options.timeout);
            self.shared.publishing.end(deadline).await;
            self.shared.tending.end(deadline).await;
            Ok(())
        })
    }
}

impl fmt::Debug for RabbitMqBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitMqBroker").field("options", &self.shared.options).finish_non_exhaustive()
    }
}
