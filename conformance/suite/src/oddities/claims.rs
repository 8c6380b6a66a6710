//! Brokers that claim less, and do as little as they may of what they do not claim: what they can
//! refuse they refuse, and what nobody is promised comes as it is least expected.

use std::sync::Arc;

use uuid::Uuid;
use workwire_broker::{
    About, AgentState, Answer, Broker, BrokerError, BrokerLimits, Capabilities, Capability, Delivery, Depth, Fetch,
    Letter, MAX_MS, Message, Peek, Peeked, Policy, Purge, Queue, RestartMode, Stored, Tag, Update, Verdict,
};

use crate::saboteurs::{Defect, Inner};

/// Claims this, and no more.
pub(crate) struct Claims(pub(crate) Capabilities);

/// The most bytes of a body of a broker that claims no large ones.
const MOST_BYTES: usize = 65_536;

/// A day is no end that a case waits for.
const NO_LEASE_MS: i64 = 86_400_000;

impl Claims {
    fn has(&self, capability: Capability) -> bool {
        self.0.has(capability)
    }

    fn check(&self, capability: Capability, is_used: bool) -> Result<(), BrokerError> {
        if is_used && !self.has(capability) { Err(BrokerError::unsupported(capability)) } else { Ok(()) }
    }

    fn check_queue(&self, queue: &Queue, group: Option<&str>) -> Result<(), BrokerError> {
        self.check(Capability::Tenancy, queue.tenant().is_some())?;
        self.check(Capability::Groups, group.is_some())
    }

    fn check_message(&self, message: &Message) -> Result<(), BrokerError> {
        self.check(Capability::Ttl, message.ttl_ms.is_some())?;
        self.check(Capability::Delay, message.delay_ms.is_some())?;
        self.check(Capability::Addressing, message.to.is_some())?;
        let found = message.body.len();
        if !self.has(Capability::Large) && found > MOST_BYTES {
            return Err(BrokerError::invalid(format!("body: expected at most {MOST_BYTES} bytes, found {found}")));
        }
        Ok(())
    }

    /// What it makes of a policy. One that is wrong is refused as it is.
    fn policy(&self, policy: &Policy) -> Result<Policy, BrokerError> {
        policy.check()?;
        self.check(Capability::Backoff, !policy.backoff_ms.is_empty())?;
        self.check(Capability::Ttl, policy.ttl_ms.is_some())?;
        self.check(Capability::MaxLength, policy.max_length.is_some())?;
        let mut policy = policy.clone();
        if !self.has(Capability::Lease) {
            policy.lease_ms = (policy.lease_ms + NO_LEASE_MS).min(MAX_MS);
        }
        if !self.has(Capability::Dedupe) {
            policy.dedupe_ms = 0;
        }
        Ok(policy)
    }

    /// Where no order is promised, the last of what may come next.
    async fn last(&self, inner: &Inner, queue: &Queue, fetch: &Fetch) -> Result<Vec<Delivery>, BrokerError> {
        let (group, recipient) = (fetch.group.clone(), fetch.recipient.clone());
        let peek = Peek { max: 10_000, group, recipient, after: None };
        let ready = inner.client.peek(queue, peek).await?;
        let most = ready.first().map(|first| first.priority);
        let is_next = |message: &&Peeked| !self.has(Capability::Priority) || Some(message.priority) == most;
        match ready.iter().rev().find(is_next) {
            Some(last) => inner.client.fetch(queue, Fetch { wait_ms: 0, ..fetch.clone() }.only(last.id)).await,
            // Asks all the same, so that a wrong question is answered.
            None => inner.client.fetch(queue, Fetch { wait_ms: 0, ..fetch.clone() }).await,
        }
    }
}

impl Defect for Claims {
    fn about(&self, about: About) -> About {
        let large = self.has(Capability::Large);
        let most = if large { about.limits.max_message_bytes } else { MOST_BYTES as u64 };
        About { capabilities: self.0, limits: BrokerLimits { max_message_bytes: most, ..about.limits }, ..about }
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        Box::pin(async move {
            self.check(Capability::Restart, true)?;
            broker.restart(mode).await
        })
    }

    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            queue.check()?;
            self.check_queue(queue, None)?;
            inner.client.declare(queue, &self.policy(policy)?).await
        })
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            self.check_queue(queue, None)?;
            self.check_message(&message)?;
            inner.client.publish(queue, message).await
        })
    }

    fn publish_batch<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async move {
            self.check(Capability::Batch, true)?;
            let mut answers = Vec::with_capacity(messages.len());
            for message in messages {
                answers.push(self.publish(inner, queue, message).await);
            }
            Ok(answers)
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            self.check_queue(queue, fetch.group.as_deref())?;
            self.check(Capability::Addressing, fetch.recipient.is_some())?;
            self.check(Capability::Browse, fetch.id.is_some())?;
            let wait_ms = if self.has(Capability::Wait) { fetch.wait_ms } else { fetch.wait_ms.min(0) };
            let fetch = Fetch { wait_ms, ..fetch };
            if self.has(Capability::Fifo) || fetch.id.is_some() || fetch.max == 0 {
                return inner.client.fetch(queue, fetch).await;
            }
            let mut taken = self.last(inner, queue, &fetch).await?;
            if taken.is_empty() && fetch.wait_ms > 0 {
                return inner.client.fetch(queue, Fetch { max: 1, ..fetch }).await;
            }
            while !taken.is_empty() && taken.len() < usize::try_from(fetch.max).unwrap_or(usize::MAX) {
                let more = self.last(inner, queue, &Fetch { max: 1, ..fetch.clone() }).await?;
                if more.is_empty() {
                    break;
                }
                taken.extend(more);
            }
            Ok(taken)
        })
    }

    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            self.check(Capability::Browse, true)?;
            self.check_queue(queue, peek.group.as_deref())?;
            self.check(Capability::Addressing, peek.recipient.is_some())?;
            inner.client.peek(queue, peek).await
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            self.check_queue(queue, None)?;
            self.check(Capability::DeadLetter, matches!(verdict, Verdict::Dead { .. }))?;
            inner.client.settle(queue, tag, verdict).await
        })
    }

    fn extend<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        Box::pin(async move {
            self.check(Capability::Extend, true)?;
            inner.client.extend(queue, tag, lease_ms).await
        })
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            self.check_queue(queue, group)?;
            let depth = inner.client.depth(queue, group).await?;
            let dead = depth.dead.filter(|_| self.has(Capability::DeadLetter));
            let delayed = depth.delayed.filter(|_| self.has(Capability::Delay));
            Ok(Depth { dead, delayed, ..depth })
        })
    }

    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            self.check(Capability::DeadLetter, true)?;
            self.check_queue(queue, group)?;
            inner.client.dead_letters(queue, max, group).await
        })
    }

    fn replay<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            self.check(Capability::Replay, true)?;
            self.check_queue(queue, group)?;
            inner.client.replay(queue, id, group).await
        })
    }

    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            self.check(Capability::Purge, true)?;
            self.check_queue(queue, what.group)?;
            inner.client.purge(queue, what).await
        })
    }

    /// May be missing, whatever is claimed.
    fn delete<'a>(&'a self, _: &'a Inner, _: &'a Queue) -> Answer<'a, ()> {
        Box::pin(async move { Err(BrokerError::unsupported("delete")) })
    }

    fn sweep<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, u64> {
        Box::pin(async move {
            self.check(Capability::Ttl, true)?;
            self.check_queue(queue, None)?;
            inner.client.sweep(queue).await
        })
    }

    fn heartbeat<'a>(&'a self, inner: &'a Inner, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            self.check(Capability::Presence, true)?;
            self.check(Capability::Tenancy, tenant.is_some())?;
            inner.client.heartbeat(update, tenant).await
        })
    }

    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        Box::pin(async move {
            self.check(Capability::Presence, true)?;
            self.check(Capability::Tenancy, tenant.is_some())?;
            inner.client.agents(offline_after_ms, tenant).await
        })
    }
}
