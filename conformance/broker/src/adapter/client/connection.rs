//! A connection to the broker behind an adapter.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use uuid::Uuid;

use super::link::Link;
use super::past::Late;
use crate::adapter::wire::{
    Agents, AskDepth, Close, DeadLetters, Declare, Delete, Extend, FetchMessages, Fetched, Heartbeat, Item, Letters,
    Looked, Method, Mismatch, Outcome, PeekMessages, Publish, PublishBatch, PurgeQueue, Refused, Replay, RpcError,
    Settle, Sweep,
};
use crate::contract::{
    Answer, Client, CloseMode, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked, Purge, Stored, Tag, Verdict,
};
use crate::error::BrokerError;
use crate::policy::Policy;
use crate::presence::{AgentState, Update};
use crate::queue::Queue;

pub(super) struct Connection {
    link: Arc<Link>,
    name: String,
    /// Restarts of the broker before it was opened.
    restarts: u64,
    is_closed: AtomicBool,
}

impl Connection {
    pub(super) fn new(link: Arc<Link>, name: String, restarts: u64) -> Self {
        Connection { link, name, restarts, is_closed: AtomicBool::new(false) }
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // After a restart the name may be another's.
        if !self.is_closed.load(Ordering::Acquire) && self.restarts == self.link.restarts() {
            self.link.abort(self.name());
        }
    }
}

impl Client for Connection {
    fn declare<'a>(&'a self, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        let params = Declare { client: self.name(), queue: queue.into(), policy: policy.clone() };
        Box::pin(self.link.call(params, |_| Ok(())))
    }

    fn publish<'a>(&'a self, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let params = Publish::of(self.name(), queue.into(), message);
        Box::pin(self.link.call(params, |published| Ok(published.outcome)))
    }

    fn publish_batch<'a>(
        &'a self,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async move {
            let items: Vec<Item> = messages.into_iter().map(Item::from).collect();
            let expected = items.len();
            let params = PublishBatch { client: self.name(), queue: queue.into(), items };
            let batch = self.link.ask(&params, Duration::ZERO, Late::Ignored)?;
            let (line, outcomes) = batch
                .answer_of_line(|batch, line| match batch.outcomes.len() {
                    found if found == expected => Ok((line, batch.outcomes)),
                    found => Err(Mismatch::new("outcomes", format!("expected {expected} of them, found {found}"))),
                })
                .await?;
            let outcome = |outcome| match outcome {
                Outcome::Stored(stored) => Ok(stored),
                Outcome::Refused(Refused { code, message }) => {
                    Err(self.link.refusal(Method::PublishBatch, line, RpcError::new(code, message)))
                }
            };
            Ok(outcomes.into_iter().map(outcome).collect())
        })
    }

    fn fetch<'a>(&'a self, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let wait = Duration::from_millis(u64::try_from(fetch.wait_ms).unwrap_or(0));
            let params = FetchMessages::of(self.name(), queue.into(), fetch);
            self.link.ask(&params, wait, Late::Ignored)?.answer(Fetched::deliveries).await
        })
    }

    fn peek<'a>(&'a self, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(self.link.call(PeekMessages::of(self.name(), queue.into(), peek), Looked::messages))
    }

    fn settle<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(self.link.call(Settle::of(self.name(), queue.into(), tag, verdict), |_| Ok(())))
    }

    /// All are asked before the first is waited for.
    fn settle_many<'a>(
        &'a self,
        queue: &'a Queue,
        settled: Vec<(Tag, Verdict)>,
    ) -> Answer<'a, Vec<Result<(), BrokerError>>> {
        Box::pin(async move {
            let ask = |(tag, verdict): (Tag, Verdict)| {
                let params = Settle::of(self.name(), queue.into(), &tag, verdict);
                self.link.ask(&params, Duration::ZERO, Late::Ignored)
            };
            let asked: Vec<_> = settled.into_iter().map(ask).collect();
            let mut answers = Vec::with_capacity(asked.len());
            for pending in asked {
                answers.push(match pending {
                    Ok(pending) => pending.answer(|_| Ok(())).await,
                    Err(error) => Err(error),
                });
            }
            Ok(answers)
        })
    }

    fn extend<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        let params = Extend { client: self.name(), queue: queue.into(), tag: tag.0.clone(), lease_ms };
        Box::pin(self.link.call(params, |_| Ok(())))
    }

    fn depth<'a>(&'a self, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        let params = AskDepth { client: self.name(), queue: queue.into(), group: group.map(str::to_owned) };
        Box::pin(self.link.call(params, Ok))
    }

    fn dead_letters<'a>(&'a self, queue: &'a Queue, max: u32, group: Option<&'a str>) -> Answer<'a, Vec<Letter>> {
        let group = group.map(str::to_owned);
        let params = DeadLetters { client: self.name(), queue: queue.into(), max, group };
        Box::pin(self.link.call(params, Letters::letters))
    }

    fn replay<'a>(&'a self, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        let group = group.map(str::to_owned);
        let params = Replay { client: self.name(), queue: queue.into(), id: id.into(), group };
        Box::pin(self.link.call(params, |_| Ok(())))
    }

    fn purge<'a>(&'a self, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        let (group, dead) = (what.group.map(str::to_owned), what.dead.then_some(true));
        let params = PurgeQueue { client: self.name(), queue: queue.into(), group, dead };
        Box::pin(self.link.call(params, |removed| Ok(removed.removed)))
    }

    fn delete<'a>(&'a self, queue: &'a Queue) -> Answer<'a, ()> {
        Box::pin(self.link.call(Delete { client: self.name(), queue: queue.into() }, |_| Ok(())))
    }

    fn sweep<'a>(&'a self, queue: &'a Queue) -> Answer<'a, u64> {
        Box::pin(self.link.call(Sweep { client: self.name(), queue: queue.into() }, |swept| Ok(swept.expired)))
    }

    fn heartbeat<'a>(&'a self, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        let params = Heartbeat { client: self.name(), update, tenant: tenant.map(str::to_owned) };
        Box::pin(self.link.call(params, |_| Ok(())))
    }

    fn agents<'a>(&'a self, offline_after_ms: Option<i64>, tenant: Option<&'a str>) -> Answer<'a, Vec<AgentState>> {
        let params = Agents { client: self.name(), offline_after_ms, tenant: tenant.map(str::to_owned) };
        Box::pin(self.link.call(params, |present| Ok(present.agents)))
    }

    fn close(&self, mode: CloseMode) -> Answer<'_, ()> {
        Box::pin(async move {
            let closed = self.link.ask(&Close { client: self.name(), mode }, Duration::ZERO, Late::Ignored)?;
            self.is_closed.store(true, Ordering::Release);
            closed.answer(|_| Ok(())).await
        })
    }
}
