//! A client whose every operation is written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use uuid::Uuid;
use workwire_broker::{
    AgentState, BrokerError, Client, CloseMode, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked, Policy, Purge,
    Queue, Stored, Tag, Update, Verdict,
};

use super::Told;
use super::tape::Tape;
use crate::history::{
    Answer, Body, Call, Delivered, FetchCall, LetterSeen, Number, PeekCall, PeekSeen, PublishCall, SettleAs,
    SettleCall, Terms, Word,
};

/// A client of the broker that is judged. Dropped without a close, it is lost as a crashed one is.
pub struct Actor {
    client: Box<dyn Client>,
    name: String,
    word: Word,
    tape: Arc<Tape>,
    is_closed: AtomicBool,
}

impl Actor {
    pub(super) fn new(client: Box<dyn Client>, name: &str, word: Word, tape: Arc<Tape>) -> Self {
        Actor { client, name: name.to_owned(), word, tape, is_closed: AtomicBool::new(false) }
    }

    /// Its name at the broker.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn begin(&self, call: Call) -> Number {
        self.tape.begin(self.word, call)
    }

    /// Declares a queue.
    pub async fn declare(&self, queue: &Queue, policy: &Policy) -> Told<()> {
        let number = self.begin(Call::Declare(self.tape.queue(queue), Box::new(policy.clone())));
        let answer = self.client.declare(queue, policy).await;
        self.tape.end(number, answer.as_ref().map(|()| Answer::Done));
        Told::new(number, answer)
    }

    fn publish_call(&self, queue: Word, message: &Message) -> Call {
        let (id, body) = (self.tape.id(message.id), Body::of(&message.body));
        let to = message.to.as_deref().map(|to| self.tape.word(to));
        let terms = Terms { ttl_ms: message.ttl_ms, delay_ms: message.delay_ms, to };
        Call::Publish(PublishCall::new(queue, id, body, message.priority).on(terms))
    }

    /// Publishes a message.
    pub async fn publish(&self, queue: &Queue, message: &Message) -> Told<Stored> {
        let number = self.begin(self.publish_call(self.tape.queue(queue), message));
        let answer = self.client.publish(queue, message.clone()).await;
        self.tape.end(number, answer.as_ref().map(|stored| Answer::Published(*stored)));
        Told::new(number, answer)
    }

    /// Publishes many at once.
    pub async fn publish_batch(&self, queue: &Queue, messages: &[Message]) -> Vec<Told<Stored>> {
        let word = self.tape.queue(queue);
        let numbers: Vec<Number> =
            messages.iter().map(|message| self.begin(self.publish_call(word, message))).collect();
        let answers = match self.client.publish_batch(queue, messages.to_vec()).await {
            Ok(answers) => answers,
            Err(error) => vec![Err(error); messages.len()],
        };
        let told = |(number, answer): (Number, Result<Stored, _>)| {
            self.tape.end(number, answer.as_ref().map(|stored| Answer::Published(*stored)));
            Told::new(number, answer)
        };
        numbers.into_iter().zip(answers).map(told).collect()
    }

    /// Takes messages, and gives up after so many milliseconds: for a broker that may never answer.
    pub async fn fetch_for(&self, queue: &Queue, fetch: Fetch, ms: i64) -> Told<Vec<Delivery>> {
        let number = self.begin(self.fetch_call(queue, &fetch));
        let patience = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
        let answer = match tokio::time::timeout(patience, self.client.fetch(queue, fetch)).await {
            Ok(answer) => answer,
            Err(_) => Err(BrokerError::unavailable("the runner gave up waiting")),
        };
        self.fetched(number, answer)
    }

    /// Takes messages.
    pub async fn fetch(&self, queue: &Queue, fetch: Fetch) -> Told<Vec<Delivery>> {
        let number = self.begin(self.fetch_call(queue, &fetch));
        let answer = self.client.fetch(queue, fetch).await;
        self.fetched(number, answer)
    }

    fn fetch_call(&self, queue: &Queue, fetch: &Fetch) -> Call {
        Call::Fetch(FetchCall {
            queue: self.tape.queue(queue),
            max: fetch.max,
            wait_ms: fetch.wait_ms,
            group: fetch.group.as_deref().map(|group| self.tape.word(group)),
            recipient: fetch.recipient.as_deref().map(|recipient| self.tape.word(recipient)),
            only: fetch.id.map(|id| self.tape.id(id)),
        })
    }

    fn fetched(&self, number: Number, answer: Result<Vec<Delivery>, BrokerError>) -> Told<Vec<Delivery>> {
        let seen = answer.as_ref().map(|all| Answer::Deliveries(all.iter().map(|one| self.delivered(one)).collect()));
        self.tape.end(number, seen);
        Told::new(number, answer)
    }

    fn delivered(&self, delivery: &Delivery) -> Delivered {
        Delivered {
            tag: self.tape.word(&delivery.tag.0),
            id: self.tape.id(delivery.id),
            body: Body::of(&delivery.body),
            priority: delivery.priority,
            attempt: delivery.attempt,
        }
    }

    /// Looks at messages.
    pub async fn peek(&self, queue: &Queue, peek: Peek) -> Told<Vec<Peeked>> {
        let number = self.begin(Call::Peek(PeekCall {
            queue: self.tape.queue(queue),
            max: peek.max,
            group: peek.group.as_deref().map(|group| self.tape.word(group)),
            recipient: peek.recipient.as_deref().map(|recipient| self.tape.word(recipient)),
            after: peek.after.map(|id| self.tape.id(id)),
        }));
        let answer = self.client.peek(queue, peek).await;
        let seen = |one: &Peeked| PeekSeen {
            id: self.tape.id(one.id),
            body: Body::of(&one.body),
            priority: one.priority,
            attempt: one.attempt,
        };
        self.tape.end(number, answer.as_ref().map(|all| Answer::Peeked(all.iter().map(seen).collect())));
        Told::new(number, answer)
    }

    fn settle_call(&self, queue: Word, tag: &Tag, verdict: &Verdict) -> Call {
        let (verdict, reason) = match verdict {
            Verdict::Done => (SettleAs::Done, None),
            Verdict::Retry { delay_ms, reason } => (SettleAs::Retry(*delay_ms), reason.as_deref()),
            Verdict::Dead { reason } => (SettleAs::Dead, reason.as_deref()),
        };
        let reason = reason.map(|reason| self.tape.word(reason));
        Call::Settle(SettleCall { queue, tag: self.tape.word(&tag.0), verdict, reason })
    }

    /// Ends a delivery.
    pub async fn settle(&self, queue: &Queue, tag: &Tag, verdict: Verdict) -> Told<()> {
        let number = self.begin(self.settle_call(self.tape.queue(queue), tag, &verdict));
        let answer = self.client.settle(queue, tag, verdict).await;
        self.tape.end(number, answer.as_ref().map(|()| Answer::Done));
        Told::new(number, answer)
    }

    /// Ends a delivery: the work is done.
    pub async fn done(&self, queue: &Queue, delivery: &Delivery) -> Told<()> {
        self.settle(queue, &delivery.tag, Verdict::Done).await
    }

    /// Ends a delivery: once more.
    pub async fn retry(&self, queue: &Queue, delivery: &Delivery) -> Told<()> {
        self.settle(queue, &delivery.tag, Verdict::retry()).await
    }

    /// Ends a delivery: never again.
    pub async fn dead(&self, queue: &Queue, delivery: &Delivery, reason: &str) -> Told<()> {
        self.settle(queue, &delivery.tag, Verdict::dead(reason)).await
    }

    /// Ends many at once.
    pub async fn settle_many(&self, queue: &Queue, settled: &[(Tag, Verdict)]) -> Vec<Told<()>> {
        let word = self.tape.queue(queue);
        let numbers: Vec<Number> =
            settled.iter().map(|(tag, verdict)| self.begin(self.settle_call(word, tag, verdict))).collect();
        let answers = match self.client.settle_many(queue, settled.to_vec()).await {
            Ok(answers) => answers,
            Err(error) => vec![Err(error); settled.len()],
        };
        let told = |(number, answer): (Number, Result<(), _>)| {
            self.tape.end(number, answer.as_ref().map(|()| Answer::Done));
            Told::new(number, answer)
        };
        numbers.into_iter().zip(answers).map(told).collect()
    }

    /// Holds a delivery for so long from now.
    pub async fn extend(&self, queue: &Queue, tag: &Tag, lease_ms: i64) -> Told<()> {
        let number = self.begin(Call::Extend(self.tape.queue(queue), self.tape.word(&tag.0), lease_ms));
        let answer = self.client.extend(queue, tag, lease_ms).await;
        self.tape.end(number, answer.as_ref().map(|()| Answer::Done));
        Told::new(number, answer)
    }

    /// Counts.
    pub async fn depth(&self, queue: &Queue, group: Option<&str>) -> Told<Depth> {
        let number = self.begin(Call::Depth(self.tape.queue(queue), group.map(|group| self.tape.word(group))));
        let answer = self.client.depth(queue, group).await;
        self.tape.end(number, answer.as_ref().map(|depth| Answer::Depth(Box::new(*depth))));
        Told::new(number, answer)
    }

    /// Looks at the dead letters.
    pub async fn dead_letters(&self, queue: &Queue, max: u32, group: Option<&str>) -> Told<Vec<Letter>> {
        let word = group.map(|group| self.tape.word(group));
        let number = self.begin(Call::DeadLetters(self.tape.queue(queue), word, max));
        let answer = self.client.dead_letters(queue, max, group).await;
        let seen = |letter: &Letter| LetterSeen {
            id: self.tape.id(letter.id),
            body: Body::of(&letter.body),
            reason: self.tape.word(&letter.reason),
            attempts: letter.attempts,
            priority: letter.priority,
            died_at: letter.died_at.map(|at| at.as_datetime().timestamp_millis()),
            group: letter.group.as_deref().map(|group| self.tape.word(group)),
        };
        self.tape.end(number, answer.as_ref().map(|all| Answer::Letters(all.iter().map(seen).collect())));
        Told::new(number, answer)
    }

    /// Sends a letter back.
    pub async fn replay(&self, queue: &Queue, id: Uuid, group: Option<&str>) -> Told<()> {
        let word = group.map(|group| self.tape.word(group));
        let number = self.begin(Call::Replay(self.tape.queue(queue), word, self.tape.id(id)));
        let answer = self.client.replay(queue, id, group).await;
        self.tape.end(number, answer.as_ref().map(|()| Answer::Done));
        Told::new(number, answer)
    }

    /// Removes the ready messages, or the letters.
    pub async fn purge(&self, queue: &Queue, what: Purge<'_>) -> Told<u64> {
        let group = what.group.map(|group| self.tape.word(group));
        let number = self.begin(Call::Purge(self.tape.queue(queue), group, what.dead));
        let answer = self.client.purge(queue, what).await;
        self.tape.end(number, answer.as_ref().map(|removed| Answer::Removed(*removed)));
        Told::new(number, answer)
    }

    /// Removes the queue.
    pub async fn delete(&self, queue: &Queue) -> Told<()> {
        let number = self.begin(Call::Delete(self.tape.queue(queue)));
        let answer = self.client.delete(queue).await;
        self.tape.end(number, answer.as_ref().map(|()| Answer::Done));
        Told::new(number, answer)
    }

    /// Removes what has expired.
    pub async fn sweep(&self, queue: &Queue) -> Told<u64> {
        let number = self.begin(Call::Sweep(self.tape.queue(queue)));
        let answer = self.client.sweep(queue).await;
        self.tape.end(number, answer.as_ref().map(|removed| Answer::Removed(*removed)));
        Told::new(number, answer)
    }

    /// Says that an agent is there.
    pub async fn heartbeat(&self, update: &Update, tenant: Option<&str>) -> Told<()> {
        let word = tenant.map(|tenant| self.tape.word(tenant));
        let number = self.begin(Call::Heartbeat(Box::new(update.clone()), word));
        let answer = self.client.heartbeat(update.clone(), tenant).await;
        self.tape.end(number, answer.as_ref().map(|()| Answer::Done));
        Told::new(number, answer)
    }

    /// Who is there.
    pub async fn agents(&self, offline_after_ms: Option<i64>, tenant: Option<&str>) -> Told<Vec<AgentState>> {
        let word = tenant.map(|tenant| self.tape.word(tenant));
        let number = self.begin(Call::Agents(offline_after_ms, word));
        let answer = self.client.agents(offline_after_ms, tenant).await;
        self.tape.end(number, answer.as_ref().map(|all| Answer::Agents(all.as_slice().into())));
        Told::new(number, answer)
    }

    /// Ends the connection.
    pub async fn close(&self, mode: CloseMode) -> Told<()> {
        let number = self.begin(Call::Close(mode));
        let answer = self.client.close(mode).await;
        self.is_closed.store(true, Ordering::Relaxed);
        self.tape.end(number, answer.as_ref().map(|()| Answer::Done));
        Told::new(number, answer)
    }

    /// Writes down that the queue has delivered everything that it ever will.
    pub(crate) fn drained(&self, queue: &Queue, group: Option<&str>) {
        let word = group.map(|group| self.tape.word(group));
        let number = self.begin(Call::Drained(self.tape.queue(queue), word));
        self.tape.end(number, Ok(Answer::Done));
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        if !self.is_closed.load(Ordering::Relaxed) {
            let number = self.begin(Call::Close(CloseMode::Abort));
            self.tape.end(number, Ok(Answer::Done));
        }
    }
}
