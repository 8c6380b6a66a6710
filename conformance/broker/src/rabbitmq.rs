//! A broker over RabbitMQ, 3.8 or later.
//!
//! `amqp://user:password@host:port/vhost`, or `amqps://` with TLS. Options of the address:
//!
//! | option | what it is | left out |
//! |---|---|---|
//! | `ns` | what the names of the queues begin with | `workwire`, and nothing for the queues of the [work bus](crate::WorkBus) |
//! | `queue` | `classic`, or `quorum`: replicated in a cluster, without priorities | `classic` |
//! | `timeout_ms` | how long an operation waits for the server, besides what it is told to wait | 15 000 |
//! | `heartbeat_s` | how often the connection is heard of; silent for twice as long, it is lost | 10 |
//! | `ca` | a file of certificates to trust besides the system's | |
//!
//! # What it does, and how
//!
//! | capability | how |
//! |---|---|
//! | `core` | durable queues, persistent messages, confirms with `mandatory`: what reaches no queue is `not_found` |
//! | `priority` | `x-max-priority`; out of range is refused here, where the server would clamp |
//! | `fifo` | the server's order. A retried or rested message goes behind its priority; what a client gives back or loses keeps its place |
//! | `dead-letter` | a queue beside the queue, to which this broker publishes, confirmed, before it removes the message: the server's own dead-lettering confirms nothing. Headers tell reason, attempts, time and queue |
//! | `replay` | one at a time looks through the letters and gives the others back, each to its place; a lock on the server keeps other processes away. It takes as long as there are letters before the one |
//! | `backoff`, `delay` | a queue beside the queue, in which messages rest; a client takes them, and publishes each when its time is over, confirmed, before it removes the original. The server lets one process at a time do so; see below |
//! | `groups` | a queue for each group, bound beside the first; a new group sees what is published from then on |
//! | `tenancy` | names; a colon and a slash part what no name can hold |
//! | `purge` | the server's own |
//! | `durable` | classic queues: a confirm comes when the message is on disk. A settling is answered when the queue has answered a question that it looks at only behind it; see below |
//! | `wait` | a consumer for as long as the fetch waits, with a prefetch of what it may take |
//! | `large`, `batch` | as they come; a batch is published before its first confirm is awaited |
//!
//! # What it does not claim, and why
//!
//! - `lease`, `extend`: the server has no leases. What a client holds comes back when its connection ends,
//!   and not before (but see the server's `consumer_timeout`, 30 minutes by default, which ends a channel).
//! - `attempts`: a classic queue does not count what lost connections bring back, and a quorum queue counts
//!   graceful closes too. Each `retry` is counted, in a header. A message that kills its consumer circles.
//! - `ttl`: the server drops what has expired only at the head of the queue, and counts it as ready until
//!   then. A message or policy with a ttl is refused.
//! - `max-length`: the server's counts what is ready and not what is held or rests. Refused likewise.
//! - `dedupe`: there is nowhere to remember ids.
//! - `addressing`, `browse`: a queue is not looked into but by taking, and from its head.
//! - `presence`: there is no table to keep it in.
//! - `priority` with `?queue=quorum`, which knows none; and there `durable`: on 3.10, a quorum queue
//!   younger than a second was seen to lose a confirmed message when its node was killed.
//!
//! `depth` tells what is ready, and the letters where there are no groups; the server does not tell what is
//! held or rests. While somebody of another process looks at the letters, fewer are counted.
//!
//! Names, of the queue `tasks` of the tenant `acme`: `workwire:acme/tasks`, and behind it `:dead`, `:rests`,
//! `:policy`, `:group:NAME`. They are bound to `amq.direct`, which every server has, by keys that end with the name of
//! the queue's *life*: what was meant for a queue that was deleted reaches no later one of its name. A policy is kept
//! on the server, where a client finds it that did not declare the queue. A message whose body is one of the
//! protocol's envelopes has its trace in the header `traceparent` and its request as `correlation_id`. What others put
//! into the queues is delivered too: with the id in its `message_id`, or else one made of its bytes.
//!
//! # What rests
//!
//! A process moves what rests for the queues that its clients have used, as long as its broker is open; while
//! there is no such process, nothing falls due. When a rest is over is a matter of the clients' clocks: those
//! of the machines should agree, for a rest is longer or shorter by as much as they differ.
//!
//! Of each queue, 10 000 resting messages or 64 MiB of bodies are in the memory of the process that moves,
//! the oldest. None of these waits for another. What is behind them is seen when some of them have gone on, and
//! so may rest for longer than it was told to.
//!
//! # What a death may leave
//!
//! Of what was ready, held or resting in classic queues, nothing that was confirmed was lost in any kill. But
//! RabbitMQ does not confirm that a message is done, and a queue keeps that back until it has been idle for 200
//! ms: what was settled within that time before its node dies is delivered once more, whatever a client does.
//! With `-rabbit fhc_write_buffering false` among the node's Erlang arguments
//! (`RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS`), as [`managed:`](crate::Managed) nodes have it, it is written at
//! once, and nothing that was done came back. That is before RabbitMQ 4: later ones can be asked nothing that
//! they surely answer behind it, so one that dies within milliseconds may have said of a message that it is
//! done, and deliver it once more.
//!
//! A `retry`, `dead` or `replay` that is killed between copy and removal leaves two messages, never none. So does
//! the death of the node, or of the process that moves, at the moment when a rest is over: about one message for
//! each death of a node that moved some hundred of them a second. A process that has settled one of the two, or has it
//! in hand, drops the other, for which it remembers the last 20 000. Another process does not know of it, and
//! delivers it.
//!
//! # Connections
//!
//! A broker opens two connections, whose names say which is which in the server's management: one that
//! publishes and one that does all else, for a server short of disk or memory stops reading from who
//! publishes. A publish waits for it until its time is over, and is then refused as `full`: nothing was
//! sent. A client has a channel for each queue from which it takes, and one to publish; the process has one for
//! each queue whose rests it moves, and one to publish them. A connection carries some 2 000 channels, and the
//! next is opened when they are used up. In memory are the bodies of what clients hold, since a retry sends them
//! again. A lost connection is opened anew by the next operation; a waiting fetch or a pushed consumer goes on by
//! itself, and what was held is stale.

mod acks;
mod client;
mod deadline;
mod desk;
mod doubles;
mod fetching;
mod greeting;
mod intake;
mod letters;
mod link;
mod lock;
mod making;
mod mover;
mod movers;
mod names;
mod options;
mod parcel;
mod publisher;
mod push;
mod record;
mod register;
mod settling;
mod trouble;

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::capability::{Capabilities, Capability};
use crate::contract::{About, Answer, Batch, Broker, BrokerLimits, Choices, Client, NewGroup, RetryPlace, SameId, Tag};
use crate::error::BrokerError;
use crate::open_error::OpenError;
use crate::queue::check_name;
use acks::Question;
use client::RabbitMqClient;
use deadline::Deadline;
use desk::Desk;
use link::Link;
use movers::Movers;
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
    movers: Movers,
    /// How it is found out that a queue has seen an acknowledgement.
    question: Question,
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
            question: Question::of(options.queue, &version),
            about: about(version, options.queue),
            register: Register::new(options.namespace.clone(), options.queue),
            movers: Movers::new(Arc::clone(&tending), Arc::clone(&publishing), &options),
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
        QueueKind::Quorum => ("rabbitmq-quorum", classic.without(Capability::Priority).without(Capability::Durable)),
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
            self.shared.movers.end(deadline).await;
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
