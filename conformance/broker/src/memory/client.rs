//! A client of the broker in memory: each operation is one step of its state.

use std::sync::Arc;

use uuid::Uuid;

use crate::contract::{
    Answer, Client, CloseMode, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked, Purge, Stored, Tag, Verdict,
};
use crate::error::BrokerError;
use crate::memory::Shell;
use crate::memory::state::Fetched;
use crate::policy::Policy;
use crate::presence::{AgentState, Update};
use crate::queue::Queue;

pub(super) struct MemoryClient {
    shell: Arc<Shell>,
    number: u64,
}

impl MemoryClient {
    pub(super) const fn new(shell: Arc<Shell>, number: u64) -> Self {
        MemoryClient { shell, number }
    }
}

impl Drop for MemoryClient {
    fn drop(&mut self) {
        // Closed already is as good.
        let _ = self.shell.act(|state, now| state.close(now, self.number, CloseMode::Abort));
    }
}

impl Client for MemoryClient {
    fn declare<'a>(&'a self, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move { self.shell.act(|state, _| state.declare(self.number, queue, policy)) })
    }

    fn publish<'a>(&'a self, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let answers = self.shell.act(|state, now| state.publish(now, self.number, queue, vec![message]))?;
            answers.into_iter().next().unwrap_or_else(|| Err(BrokerError::unavailable("no answer to one message")))
        })
    }

    fn publish_batch<'a>(
        &'a self,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async move { self.shell.act(|state, now| state.publish(now, self.number, queue, messages)) })
    }

    fn fetch<'a>(&'a self, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            match self.shell.act(|state, now| state.fetch(now, self.number, queue, fetch))? {
                Fetched::Now(deliveries) => Ok(deliveries),
                Fetched::Waits(number) => self.shell.answer_of(number).await,
            }
        })
    }

    fn peek<'a>(&'a self, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move { self.shell.act(|state, now| state.peek(now, self.number, queue, &peek)) })
    }

    fn settle<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move { self.shell.act(|state, now| state.settle(now, self.number, queue, tag, verdict)) })
    }

    fn extend<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        Box::pin(async move { self.shell.act(|state, now| state.extend(now, self.number, queue, tag, lease_ms)) })
    }

    fn depth<'a>(&'a self, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move { self.shell.act(|state, now| state.depth(now, self.number, queue, group)) })
    }

    fn dead_letters<'a>(&'a self, queue: &'a Queue, max: u32, group: Option<&'a str>) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move { self.shell.act(|state, _| state.dead_letters(self.number, queue, max, group)) })
    }

    fn replay<'a>(&'a self, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move { self.shell.act(|state, now| state.replay(now, self.number, queue, id, group)) })
    }

    fn purge<'a>(&'a self, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(async move { self.shell.act(|state, now| state.purge(now, self.number, queue, what)) })
    }

    fn delete<'a>(&'a self, queue: &'a Queue) -> Answer<'a, ()> {
        Box::pin(async move { self.shell.act(|state, _| state.delete(self.number, queue)) })
    }

    fn sweep<'a>(&'a self, queue: &'a Queue) -> Answer<'a, u64> {
        Box::pin(async move { self.shell.act(|state, _| state.sweep(self.number, queue)) })
    }

    fn heartbeat<'a>(&'a self, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move { self.shell.act(|state, now| state.heartbeat(now, self.number, update, tenant)) })
    }

    fn agents<'a>(&'a self, offline_after_ms: Option<i64>, tenant: Option<&'a str>) -> Answer<'a, Vec<AgentState>> {
        Box::pin(async move { self.shell.act(|state, now| state.agents(now, self.number, offline_after_ms, tenant)) })
    }

    fn close(&self, mode: CloseMode) -> Answer<'_, ()> {
        Box::pin(async move { self.shell.act(|state, now| state.close(now, self.number, mode)) })
    }
}
