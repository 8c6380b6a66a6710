//! A layer over a broker, through which every operation goes. Each has a way that changes nothing;
//! a defect, or an oddity, is what is written otherwise.

use std::sync::Arc;

use uuid::Uuid;
use workwire_broker::{
    About, AgentState, Answer, Broker, BrokerError, Client, CloseMode, Delivery, Depth, Fetch, Letter, Message, Peek,
    Peeked, Policy, Purge, Queue, RestartMode, Stored, Tag, Update, Verdict,
};

use super::machine::Habit;
use crate::subject::Reaching;

/// What lies beneath a layer.
#[derive(Clone)]
pub struct Inner {
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// One of its clients.
    pub client: Arc<dyn Client>,
    /// The name under which the client was opened.
    pub name: Arc<str>,
}

/// A layer. Each operation gets what lies beneath it.
#[allow(missing_docs, reason = "each is the operation of `Client` or `Broker` of the same name")]
pub trait Defect: Send + Sync {
    fn about(&self, about: About) -> About {
        about
    }

    /// A broker that is reached in a way of its own, instead of the memory broker beneath this layer.
    fn reach(&self) -> Option<Reaching> {
        None
    }

    /// What the machine does, on which further ones of it are started.
    fn habit(&self) -> Habit {
        Habit::Honest
    }

    fn open<'a>(&'a self, broker: &'a Arc<dyn Broker>, name: &'a str) -> Answer<'a, Box<dyn Client>> {
        broker.open(name)
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        broker.restart(mode)
    }

    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        inner.client.declare(queue, policy)
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        inner.client.publish(queue, message)
    }

    /// One by one through [`publish`](Defect::publish).
    fn publish_batch<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(messages.len());
            for message in messages {
                answers.push(self.publish(inner, queue, message).await);
            }
            Ok(answers)
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        inner.client.fetch(queue, fetch)
    }

    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        inner.client.peek(queue, peek)
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        inner.client.settle(queue, tag, verdict)
    }

    fn extend<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        inner.client.extend(queue, tag, lease_ms)
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        inner.client.depth(queue, group)
    }

    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        inner.client.dead_letters(queue, max, group)
    }

    fn replay<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        inner.client.replay(queue, id, group)
    }

    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        inner.client.purge(queue, what)
    }

    fn delete<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, ()> {
        inner.client.delete(queue)
    }

    fn sweep<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, u64> {
        inner.client.sweep(queue)
    }

    fn heartbeat<'a>(&'a self, inner: &'a Inner, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        inner.client.heartbeat(update, tenant)
    }

    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        inner.client.agents(offline_after_ms, tenant)
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        inner.client.close(mode)
    }
}

/// A broker beneath a layer.
pub struct Layered {
    about: About,
    inner: Arc<dyn Broker>,
    layer: Arc<dyn Defect>,
}

impl Layered {
    /// Lays it over.
    #[must_use]
    pub fn new(inner: Arc<dyn Broker>, layer: Arc<dyn Defect>) -> Self {
        Layered { about: layer.about(inner.about().clone()), inner, layer }
    }
}

impl Broker for Layered {
    fn about(&self) -> &About {
        &self.about
    }

    fn open<'a>(&'a self, client: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async move {
            let opened: Arc<dyn Client> = self.layer.open(&self.inner, client).await?.into();
            let inner = Inner { broker: Arc::clone(&self.inner), client: opened, name: client.into() };
            Ok(Box::new(LayeredClient::new(inner, Arc::clone(&self.layer))) as Box<dyn Client>)
        })
    }

    fn restart(&self, mode: RestartMode) -> Answer<'_, ()> {
        self.layer.restart(&self.inner, mode)
    }

    fn shutdown(&self) -> Answer<'_, ()> {
        self.inner.shutdown()
    }
}

/// A client beneath a layer.
pub(crate) struct LayeredClient {
    inner: Inner,
    layer: Arc<dyn Defect>,
}

impl LayeredClient {
    /// Lays it over one client alone.
    pub(crate) fn new(inner: Inner, layer: Arc<dyn Defect>) -> Self {
        LayeredClient { inner, layer }
    }
}

impl Client for LayeredClient {
    fn declare<'a>(&'a self, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.layer.declare(&self.inner, queue, policy)
    }

    fn publish<'a>(&'a self, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        self.layer.publish(&self.inner, queue, message)
    }

    fn publish_batch<'a>(
        &'a self,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        self.layer.publish_batch(&self.inner, queue, messages)
    }

    fn fetch<'a>(&'a self, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        self.layer.fetch(&self.inner, queue, fetch)
    }

    fn peek<'a>(&'a self, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        self.layer.peek(&self.inner, queue, peek)
    }

    fn settle<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        self.layer.settle(&self.inner, queue, tag, verdict)
    }

    fn extend<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        self.layer.extend(&self.inner, queue, tag, lease_ms)
    }

    fn depth<'a>(&'a self, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        self.layer.depth(&self.inner, queue, group)
    }

    fn dead_letters<'a>(&'a self, queue: &'a Queue, max: u32, group: Option<&'a str>) -> Answer<'a, Vec<Letter>> {
        self.layer.dead_letters(&self.inner, queue, max, group)
    }

    fn replay<'a>(&'a self, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        self.layer.replay(&self.inner, queue, id, group)
    }

    fn purge<'a>(&'a self, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        self.layer.purge(&self.inner, queue, what)
    }

    fn delete<'a>(&'a self, queue: &'a Queue) -> Answer<'a, ()> {
        self.layer.delete(&self.inner, queue)
    }

    fn sweep<'a>(&'a self, queue: &'a Queue) -> Answer<'a, u64> {
        self.layer.sweep(&self.inner, queue)
    }

    fn heartbeat<'a>(&'a self, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        self.layer.heartbeat(&self.inner, update, tenant)
    }

    fn agents<'a>(&'a self, offline_after_ms: Option<i64>, tenant: Option<&'a str>) -> Answer<'a, Vec<AgentState>> {
        self.layer.agents(&self.inner, offline_after_ms, tenant)
    }

    fn close(&self, mode: CloseMode) -> Answer<'_, ()> {
        self.layer.close(&self.inner, mode)
    }
}
