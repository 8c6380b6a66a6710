//! A client whose broker stops answering when it is told to, and that counts what is asked of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use workwire_broker::{
    Answer, BrokerError, Client, CloseMode, Delivery, Depth, Fetch, Message, Policy, Queue, Stored, Tag, Verdict,
};

pub(crate) struct Flaky {
    inner: Box<dyn Client>,
    switch: Arc<Switch>,
}

#[derive(Default)]
pub(crate) struct Switch {
    /// Publishes are not answered.
    pub(crate) silent: AtomicBool,
    /// Fetches come back at once, as they do from an engine that cannot wait.
    pub(crate) impatient: AtomicBool,
    /// How many publishes were asked for.
    pub(crate) asked: AtomicU32,
    /// How many fetches were asked for.
    pub(crate) fetched: AtomicU32,
    /// How many of them nobody waited for to the end.
    pub(crate) given_up: AtomicU32,
    /// How many deliveries were extended.
    pub(crate) extended: AtomicU32,
}

impl Switch {
    pub(crate) fn silence(&self, silent: bool) {
        self.silent.store(silent, Ordering::SeqCst);
    }

    pub(crate) fn fetched(&self) -> u32 {
        self.fetched.load(Ordering::SeqCst)
    }

    pub(crate) fn given_up(&self) -> u32 {
        self.given_up.load(Ordering::SeqCst)
    }

    pub(crate) fn extended(&self) -> u32 {
        self.extended.load(Ordering::SeqCst)
    }

    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

struct Waits<'a> {
    switch: &'a Switch,
    answered: bool,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.switch.given_up.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Flaky {
    /// A client around another, and the switch of it.
    pub(crate) fn around(inner: Box<dyn Client>) -> (Box<dyn Client>, Arc<Switch>) {
        let switch = Arc::new(Switch::default());
        (Box::new(Flaky { inner, switch: Arc::clone(&switch) }), switch)
    }

    fn ask(&self) -> Result<(), BrokerError> {
        self.switch.asked.fetch_add(1, Ordering::SeqCst);
        if self.switch.silent.load(Ordering::SeqCst) {
            return Err(BrokerError::unavailable("no answer came"));
        }
        Ok(())
    }
}

impl Client for Flaky {
    fn declare<'a>(&'a self, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.inner.declare(queue, policy)
    }

    fn publish<'a>(&'a self, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            self.ask()?;
            self.inner.publish(queue, message).await
        })
    }

    fn publish_batch<'a>(
        &'a self,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async move {
            match self.ask() {
                Err(silent) => Ok(messages.iter().map(|_| Err(silent.clone())).collect()),
                Ok(()) => self.inner.publish_batch(queue, messages).await,
            }
        })
    }

    fn fetch<'a>(&'a self, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        self.switch.fetched.fetch_add(1, Ordering::SeqCst);
        let impatient = self.switch.impatient.load(Ordering::SeqCst);
        let fetch = if impatient { fetch.waiting(0) } else { fetch };
        Box::pin(async move {
            let mut waits = Waits { switch: &self.switch, answered: false };
            let answer = self.inner.fetch(queue, fetch).await;
            waits.answered = true;
            answer
        })
    }

    fn settle<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        self.inner.settle(queue, tag, verdict)
    }

    fn extend<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        Box::pin(async move {
            self.inner.extend(queue, tag, lease_ms).await?;
            self.switch.extended.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
    }

    fn depth<'a>(&'a self, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        self.inner.depth(queue, group)
    }

    fn close(&self, mode: CloseMode) -> Answer<'_, ()> {
        self.inner.close(mode)
    }
}
