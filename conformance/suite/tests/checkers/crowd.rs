//! Several clients that do this and that to a broker in memory, all at once, on paused time.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use workwire_broker::{
    Broker, CloseMode, Fetch, MemoryBroker, Message, Overflow, Peek, Policy, Purge, Queue, RestartMode, Tag, Verdict,
};
use workwire_conformance::history::{About, Answer, Call, History, Operation, Outcome};
use workwire_conformance::recorder::{Actor, Recorder};

/// What a crowd does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manners {
    /// Whatever a client can do.
    Wild,
    /// Publishes, takes, settles: what gives the checkers most to look at.
    Plain,
}

/// A history of what a crowd did.
pub(crate) fn history(seed: u64, manners: Manners) -> History {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(recorded(seed, manners))
}

async fn recorded(seed: u64, manners: Manners) -> History {
    let broker: Arc<dyn Broker> = Arc::new(MemoryBroker::default());
    let about = broker.about().clone();
    let head = About {
        target: about.name,
        seed,
        capabilities: about.capabilities.iter().map(|capability| capability.as_str().to_owned()).collect(),
        choices: about.choices,
        complete: true,
        ..About::default()
    };
    let recorder = Recorder::new(broker, head, "");
    let mut dice = fastrand::Rng::with_seed(seed);
    let queues = vec![Queue::new("tasks"), Queue::of_tenant("acme", "tasks")];
    let keeper = recorder.open("keeper").await.into_answer().unwrap().unwrap();
    let policy = policy(&mut dice, manners);
    for queue in &queues {
        keeper.declare(queue, &policy).await.into_answer().unwrap();
    }
    let ids: Vec<Uuid> = (0..12).map(|_| Uuid::from_u128(dice.u128(..))).collect();
    let mut crowd = Vec::new();
    for number in 0..3 {
        let member = Member {
            recorder: recorder.clone(),
            dice: dice.fork(),
            queues: queues.clone(),
            policy: policy.clone(),
            ids: ids.clone(),
            held: Vec::new(),
            manners,
            name: format!("client-{number}"),
        };
        crowd.push(tokio::spawn(member.live()));
    }
    for member in crowd {
        member.await.unwrap();
    }
    let mut drained = Vec::new();
    for queue in &queues {
        if drain(&keeper, queue).await {
            drained.push(queue.to_string());
        }
        keeper.dead_letters(queue, 10_000, None).await;
        keeper.depth(queue, None).await;
    }
    keeper.close(CloseMode::Graceful).await;
    let mut history = recorder.history();
    for queue in drained {
        let end = history.operations().iter().filter_map(|operation| operation.ended).max().unwrap_or(0);
        let (client, queue) = (history.words_mut().word("keeper"), history.words_mut().word(&queue));
        let outcome = Outcome::Ok(Answer::Done);
        let call = Call::Drained(queue, None);
        history.begin(Operation { client, began: end + 1, ended: Some(end + 2), call, outcome });
    }
    history
}

/// Whether the queue came to stand empty.
async fn drain(keeper: &Actor, queue: &Queue) -> bool {
    for _ in 0..200 {
        let Ok(deliveries) = keeper.fetch(queue, Fetch::up_to(100)).await.into_answer() else { return false };
        for recipient in ["ann", "bob"] {
            let own = keeper.fetch(queue, Fetch::up_to(100).for_recipient(recipient)).await;
            for delivery in own.into_answer().unwrap_or_default() {
                keeper.done(queue, &delivery).await;
            }
        }
        for delivery in deliveries {
            keeper.done(queue, &delivery).await;
        }
        let Ok(depth) = keeper.depth(queue, None).await.into_answer() else { return false };
        if depth.ready + depth.leased.unwrap_or(0) + depth.delayed.unwrap_or(0) == 0 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    false
}

fn policy(dice: &mut fastrand::Rng, manners: Manners) -> Policy {
    let wild = manners == Manners::Wild;
    Policy {
        max_priority: *dice.choice(&[1, 3, 5]).unwrap(),
        max_attempts: dice.i64(1..4),
        lease_ms: *dice.choice(&[50, 200]).unwrap(),
        backoff_ms: if wild && dice.bool() { vec![5, 20] } else { Vec::new() },
        ttl_ms: (wild && dice.u8(0..3) == 0).then_some(120),
        max_length: (wild && dice.u8(0..3) == 0).then_some(6),
        overflow: if dice.bool() { Overflow::Reject } else { Overflow::DropOldest },
        dedupe_ms: *dice.choice(&[0, 60, 300_000]).unwrap(),
    }
}

struct Member {
    recorder: Recorder,
    dice: fastrand::Rng,
    queues: Vec<Queue>,
    policy: Policy,
    ids: Vec<Uuid>,
    held: Vec<(Queue, Tag)>,
    manners: Manners,
    name: String,
}

impl Member {
    async fn live(mut self) {
        let mut client = self.open().await;
        for _ in 0..40 {
            if self.dice.u8(0..3) == 0 {
                tokio::time::sleep(Duration::from_millis(self.dice.u64(0..30))).await;
            }
            let queue = self.dice.choice(self.queues.clone()).unwrap();
            match self.dice.u8(0..if self.manners == Manners::Wild { 26 } else { 16 }) {
                0..5 => {
                    let message = self.message();
                    client.publish(&queue, &message).await;
                }
                5 => {
                    let messages: Vec<Message> = (0..3).map(|_| self.message()).collect();
                    client.publish_batch(&queue, &messages).await;
                }
                6..10 => self.fetch(&client, &queue).await,
                10..15 => self.settle(&client).await,
                15 => drop(client.depth(&queue, None).await),
                16 => {
                    let group = self.dice.bool().then_some("group");
                    client.dead_letters(&queue, 100, group).await;
                }
                17 => {
                    let id = *self.dice.choice(&self.ids).unwrap();
                    client.replay(&queue, id, None).await;
                }
                18 => {
                    let dead = self.dice.bool();
                    client.purge(&queue, Purge { group: None, dead }).await;
                }
                19 => drop(client.sweep(&queue).await),
                20 => drop(client.peek(&queue, Peek { max: 10, ..Peek::default() }).await),
                21 if !self.held.is_empty() => {
                    let (queue, tag) = self.dice.choice(&self.held).unwrap().clone();
                    let lease_ms = self.dice.i64(1..300);
                    client.extend(&queue, &tag, lease_ms).await;
                }
                22 => {
                    if self.dice.bool() {
                        let mode = if self.dice.bool() { CloseMode::Graceful } else { CloseMode::Abort };
                        client.close(mode).await;
                    }
                    drop(client);
                    client = self.open().await;
                }
                23 if self.dice.u8(0..6) == 0 => {
                    let mode = if self.dice.bool() { RestartMode::Graceful } else { RestartMode::Kill };
                    self.recorder.restart(mode).await;
                    drop(client);
                    client = self.open().await;
                }
                24 if self.dice.u8(0..8) == 0 => {
                    client.delete(&queue).await;
                    client.declare(&queue, &self.policy).await;
                }
                _ => {
                    // Somebody else's tag, and one of nobody.
                    client.settle(&queue, &Tag("nobody".to_owned()), Verdict::Done).await;
                }
            }
        }
        let mode = if self.dice.bool() { CloseMode::Graceful } else { CloseMode::Abort };
        client.close(mode).await;
    }

    /// After a restart the old client's name is free again; before, it may not be yet.
    async fn open(&mut self) -> Actor {
        self.held.clear();
        loop {
            if let Ok(Some(client)) = self.recorder.open(&self.name).await.into_answer() {
                return client;
            }
            self.name.push('x');
        }
    }

    fn message(&mut self) -> Message {
        let known = self.dice.u8(0..3) == 0;
        let id = if known { *self.dice.choice(&self.ids).unwrap() } else { Uuid::from_u128(self.dice.u128(..)) };
        if !known {
            self.ids.push(id);
        }
        let wild = self.manners == Manners::Wild;
        let mut message = Message::new(id, format!("body of {id}"));
        message.priority = self.dice.bool().then(|| self.dice.i64(if wild { 0..7 } else { 1..4 }));
        message.ttl_ms = (wild && self.dice.u8(0..6) == 0).then(|| self.dice.i64(1..80));
        message.delay_ms = (self.dice.u8(0..6) == 0).then(|| self.dice.i64(0..60));
        message.to =
            (wild && self.dice.u8(0..4) == 0).then(|| (*self.dice.choice(&["ann", "bob"]).unwrap()).to_owned());
        message
    }

    async fn fetch(&mut self, client: &Actor, queue: &Queue) {
        let wild = self.manners == Manners::Wild;
        let mut fetch = Fetch::up_to(self.dice.u32(1..5)).waiting(*self.dice.choice(&[0, 0, 25]).unwrap());
        if wild && self.dice.u8(0..4) == 0 {
            fetch = fetch.of_group("group");
        }
        if wild && self.dice.u8(0..3) == 0 {
            fetch = fetch.for_recipient(*self.dice.choice(&["ann", "bob"]).unwrap());
        }
        if wild && self.dice.u8(0..8) == 0 {
            fetch = fetch.only(*self.dice.choice(&self.ids).unwrap());
        }
        // Some give up waiting.
        let patience = Duration::from_millis(if self.dice.u8(0..6) == 0 { 7 } else { 1_000 });
        let Ok(told) = tokio::time::timeout(patience, client.fetch(queue, fetch)).await else { return };
        let deliveries = told.into_answer().unwrap_or_default();
        self.held.extend(deliveries.into_iter().map(|delivery| (queue.clone(), delivery.tag)));
    }

    async fn settle(&mut self, client: &Actor) {
        if self.held.is_empty() {
            return;
        }
        let index = self.dice.usize(0..self.held.len());
        let (queue, tag) =
            if self.dice.u8(0..8) == 0 { self.held[index].clone() } else { self.held.swap_remove(index) };
        let verdict = match self.dice.u8(0..6) {
            0 => Verdict::dead("hopeless"),
            1 => Verdict::retry(),
            2 => Verdict::Retry { delay_ms: Some(self.dice.i64(0..40)), reason: None },
            _ => Verdict::Done,
        };
        client.settle(&queue, &tag, verdict).await;
    }
}
