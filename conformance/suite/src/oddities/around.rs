//! Oddities of every operation alike.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use workwire_broker::{
    AgentState, Answer, Broker, BrokerError, Client, CloseMode, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked,
    Policy, Purge, Queue, RestartMode, Stored, Tag, Update, Verdict,
};

use crate::saboteurs::{Defect, Inner};

/// What is done around each answer.
pub(crate) trait Turn: Send + Sync {
    fn turn<'a, T: Send + 'a>(&'a self, answer: Answer<'a, T>) -> Answer<'a, T>;
}

/// Time that an operation takes.
pub(super) const SLOW: Duration = Duration::from_millis(20);

/// Half of the time before it is done, half of it after.
pub(super) struct Slow;

impl Turn for Slow {
    fn turn<'a, T: Send + 'a>(&'a self, answer: Answer<'a, T>) -> Answer<'a, T> {
        Box::pin(async move {
            tokio::time::sleep(SLOW / 2).await;
            let answer = answer.await;
            tokio::time::sleep(SLOW / 2).await;
            answer
        })
    }
}

/// Refuses in words that nobody should print as they are.
pub(super) struct Hostile;

impl Turn for Hostile {
    fn turn<'a, T: Send + 'a>(&'a self, answer: Answer<'a, T>) -> Answer<'a, T> {
        Box::pin(async move { answer.await.map_err(|error| BrokerError::new(error.code(), hostile(error.message()))) })
    }
}

fn hostile(why: &str) -> String {
    let noise = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\n\0<script>alert(1)</script>]]>&#0;\u{202e}{\"id\":null}\n";
    format!("{}{why}{}", noise.repeat(2), noise.repeat(20))
}

/// Every operation, turned.
pub(crate) struct Around<T>(pub(crate) T);

impl<A: Turn> Defect for Around<A> {
    fn open<'a>(&'a self, broker: &'a Arc<dyn Broker>, name: &'a str) -> Answer<'a, Box<dyn Client>> {
        self.0.turn(broker.open(name))
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        self.0.turn(broker.restart(mode))
    }

    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.0.turn(inner.client.declare(queue, policy))
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        self.0.turn(inner.client.publish(queue, message))
    }

    fn publish_batch<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        self.0.turn(inner.client.publish_batch(queue, messages))
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        self.0.turn(inner.client.fetch(queue, fetch))
    }

    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        self.0.turn(inner.client.peek(queue, peek))
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        self.0.turn(inner.client.settle(queue, tag, verdict))
    }

    fn extend<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        self.0.turn(inner.client.extend(queue, tag, lease_ms))
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        self.0.turn(inner.client.depth(queue, group))
    }

    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        self.0.turn(inner.client.dead_letters(queue, max, group))
    }

    fn replay<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        self.0.turn(inner.client.replay(queue, id, group))
    }

    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        self.0.turn(inner.client.purge(queue, what))
    }

    fn delete<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, ()> {
        self.0.turn(inner.client.delete(queue))
    }

    fn sweep<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, u64> {
        self.0.turn(inner.client.sweep(queue))
    }

    fn heartbeat<'a>(&'a self, inner: &'a Inner, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        self.0.turn(inner.client.heartbeat(update, tenant))
    }

    fn agents<'a>(
        &'a self,
        inner: &'a Inner,
        offline_after_ms: Option<i64>,
        tenant: Option<&'a str>,
    ) -> Answer<'a, Vec<AgentState>> {
        self.0.turn(inner.client.agents(offline_after_ms, tenant))
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        self.0.turn(inner.client.close(mode))
    }
}
