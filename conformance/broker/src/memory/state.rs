//! The whole broker as a value: clients, queues, who waits, who is there. No clock, no lock, no
//! waiting: each operation is told the time and is done when it returns.
//!
//! Whoever calls an operation lets time do its work before ([`State::pass_to`]) and answers those who
//! wait after ([`State::serve`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::clock::Millis;
use crate::contract::{
    About, Batch, CloseMode, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked, Purge, RestartMode, Stored, Tag,
    Verdict,
};
use crate::demand::{check_fetch, check_lease, check_optional, check_peek, check_policy, check_verdict};
use crate::error::BrokerError;
use crate::memory::presence::Presence;
use crate::memory::store::Store;
use crate::memory::taking::delivery_of;
use crate::memory::waiting::{Waiter, Waiting};
use crate::policy::{MAX_MS, Policy, within};
use crate::presence::{AgentState, OFFLINE_AFTER_MS, Update};
use crate::queue::{Queue, check_name, check_tenant};

#[derive(Debug, Clone)]
pub(crate) struct State {
    about: Arc<About>,
    /// The open clients: number and name. A number is never used again, so that whoever opens a name
    /// anew is another client.
    clients: BTreeMap<u64, String>,
    last_client: u64,
    last_delivery: u64,
    queues: BTreeMap<Queue, Store>,
    presence: Presence,
    waiting: Waiting,
    is_down: bool,
}

/// What a fetch comes to.
#[derive(Debug)]
pub(crate) enum Fetched {
    Now(Vec<Delivery>),
    /// It waits under this number.
    Waits(u64),
}

impl State {
    pub(crate) fn new(about: Arc<About>) -> Self {
        State {
            about,
            clients: BTreeMap::new(),
            last_client: 0,
            last_delivery: 0,
            queues: BTreeMap::new(),
            presence: Presence::default(),
            waiting: Waiting::default(),
            is_down: false,
        }
    }

    // Time and those who wait.

    /// Lets time do its work: leases end, messages expire, and who waited is answered.
    pub(crate) fn pass_to(&mut self, now: Millis) {
        for store in self.queues.values_mut() {
            store.pass_to(now);
        }
        self.serve(now);
    }

    /// Answers those who wait and can be answered, in the order in which they came.
    pub(crate) fn serve(&mut self, now: Millis) {
        for waiter in std::mem::take(&mut self.waiting.in_order) {
            match self.answer(now, &waiter) {
                Some(answer) => self.waiting.answer(waiter.number, answer),
                None => self.waiting.in_order.push(waiter),
            }
        }
    }

    /// As soon as there is something; with nothing when the time is over.
    fn answer(&mut self, now: Millis, waiter: &Waiter) -> Option<Result<Vec<Delivery>, BrokerError>> {
        if !self.clients.contains_key(&waiter.client) {
            return Some(Err(BrokerError::unavailable("the client was closed while it waited")));
        }
        let Some(store) = self.queues.get_mut(&waiter.queue) else {
            return Some(Err(BrokerError::no_queue(&waiter.queue)));
        };
        let taken = store.take(now, waiter.client, &waiter.fetch, &mut self.last_delivery);
        (!taken.is_empty() || now >= waiter.until).then_some(Ok(taken))
    }

    /// The answer of a fetch that waited, once it is there.
    pub(crate) fn collect(&mut self, waiter: u64) -> Option<Result<Vec<Delivery>, BrokerError>> {
        self.waiting.collect(waiter)
    }

    /// Whether somebody's answer is there to be collected.
    pub(crate) fn has_answers(&self) -> bool {
        self.waiting.has_answers()
    }

    /// A fetch that nobody waits for any more takes nothing, and gives back what it was answered.
    pub(crate) fn leave(&mut self, now: Millis, waiter: u64) {
        self.waiting.leave(waiter);
        let taken = self.waiting.collect(waiter).and_then(Result::ok).unwrap_or_default();
        for delivery in taken.iter().filter_map(|delivery| delivery_of(&delivery.tag)) {
            for store in self.queues.values_mut() {
                store.give_back(now, delivery);
            }
        }
    }

    /// When time next has work to do for somebody who waits.
    pub(crate) fn next_moment(&self) -> Option<Millis> {
        let moment = |waiter: &Waiter| {
            let alarm = self.queues.get(&waiter.queue).map_or(Millis::MAX, Store::alarm);
            alarm.min(waiter.until)
        };
        self.waiting.in_order.iter().map(moment).min()
    }

    // Clients.

    pub(crate) fn open(&mut self, name: &str) -> Result<u64, BrokerError> {
        check_name("client", name)?;
        if self.is_down {
            return Err(BrokerError::unavailable("the broker was shut down"));
        }
        if self.clients.values().any(|open| open == name) {
            return Err(BrokerError::conflict(format!("client {name} is open already")));
        }
        self.last_client += 1;
        self.clients.insert(self.last_client, name.to_owned());
        Ok(self.last_client)
    }

    pub(crate) fn close(&mut self, now: Millis, client: u64, mode: CloseMode) -> Result<(), BrokerError> {
        self.check_open(client)?;
        self.clients.remove(&client);
        for store in self.queues.values_mut() {
            store.let_go(now, mode, |holder| holder == client);
        }
        Ok(())
    }

    /// Every client is gone. Asked to stop, the broker gives back what they hold; killed, it has
    /// lost them.
    pub(crate) fn restart(&mut self, now: Millis, mode: RestartMode) {
        self.clients.clear();
        let mode = match mode {
            RestartMode::Graceful => CloseMode::Graceful,
            RestartMode::Kill => CloseMode::Abort,
        };
        for store in self.queues.values_mut() {
            store.let_go(now, mode, |_| true);
        }
    }

    /// As a graceful restart, and nobody can open a client any more.
    pub(crate) fn shutdown(&mut self, now: Millis) {
        self.restart(now, RestartMode::Graceful);
        self.is_down = true;
    }

    fn check_open(&self, client: u64) -> Result<(), BrokerError> {
        if self.clients.contains_key(&client) { Ok(()) } else { Err(BrokerError::not_found("the client is closed")) }
    }

    /// What each operation on a queue asks first.
    fn store(&mut self, client: u64, queue: &Queue) -> Result<&mut Store, BrokerError> {
        self.check_open(client)?;
        self.queues.get_mut(queue).ok_or_else(|| BrokerError::no_queue(queue))
    }

    // Queues and messages.

    pub(crate) fn declare(&mut self, client: u64, queue: &Queue, policy: &Policy) -> Result<(), BrokerError> {
        queue.check()?;
        check_policy(policy, &self.about)?;
        self.check_open(client)?;
        let store = self.queues.entry(queue.clone()).or_insert_with(|| Store::new(policy.clone(), self.about.choices));
        if store.policy == *policy {
            return Ok(());
        }
        Err(BrokerError::conflict(format!("queue {queue} is declared with another policy")))
    }

    /// All of it is gone: messages, letters, groups, policy, and the ids that it has seen.
    pub(crate) fn delete(&mut self, client: u64, queue: &Queue) -> Result<(), BrokerError> {
        queue.check()?;
        self.store(client, queue)?;
        self.queues.remove(queue);
        Ok(())
    }

    pub(crate) fn publish(
        &mut self,
        now: Millis,
        client: u64,
        queue: &Queue,
        messages: Vec<Message>,
    ) -> Result<Vec<Result<Stored, BrokerError>>, BrokerError> {
        queue.check()?;
        let about = Arc::clone(&self.about);
        let store = self.store(client, queue)?;
        Ok(match about.choices.batch {
            Batch::Each => messages.into_iter().map(|message| store.publish(now, message, &about)).collect(),
            Batch::AllOrNone => store.publish_all(now, messages, &about)?.into_iter().map(Ok).collect(),
        })
    }

    /// Joins its group, and waits behind those who came before, be it for no time at all.
    pub(crate) fn fetch(
        &mut self,
        now: Millis,
        client: u64,
        queue: &Queue,
        fetch: Fetch,
    ) -> Result<Fetched, BrokerError> {
        queue.check()?;
        check_fetch(&fetch)?;
        self.store(client, queue)?.join(now, &fetch.group);
        let until = now + fetch.wait_ms;
        let waiter = self.waiting.join(client, queue, fetch, until);
        self.serve(now);
        self.waiting.collect(waiter).map_or(Ok(Fetched::Waits(waiter)), |answer| answer.map(Fetched::Now))
    }

    pub(crate) fn peek(
        &mut self,
        now: Millis,
        client: u64,
        queue: &Queue,
        peek: &Peek,
    ) -> Result<Vec<Peeked>, BrokerError> {
        queue.check()?;
        check_peek(peek)?;
        Ok(self.store(client, queue)?.peek(now, peek))
    }

    pub(crate) fn settle(
        &mut self,
        now: Millis,
        client: u64,
        queue: &Queue,
        tag: &Tag,
        verdict: Verdict,
    ) -> Result<(), BrokerError> {
        queue.check()?;
        check_verdict(&verdict)?;
        self.store(client, queue)?.settle(now, client, tag, verdict)
    }

    pub(crate) fn extend(
        &mut self,
        now: Millis,
        client: u64,
        queue: &Queue,
        tag: &Tag,
        lease_ms: i64,
    ) -> Result<(), BrokerError> {
        queue.check()?;
        check_lease(lease_ms)?;
        self.store(client, queue)?.extend(now, client, tag, lease_ms)
    }

    pub(crate) fn depth(
        &mut self,
        now: Millis,
        client: u64,
        queue: &Queue,
        group: Option<&str>,
    ) -> Result<Depth, BrokerError> {
        queue.check()?;
        check_optional("group", group)?;
        Ok(self.store(client, queue)?.depth(now, &group.map(str::to_owned)))
    }

    pub(crate) fn dead_letters(
        &mut self,
        client: u64,
        queue: &Queue,
        max: u32,
        group: Option<&str>,
    ) -> Result<Vec<Letter>, BrokerError> {
        queue.check()?;
        within("max", i64::from(max), 1, i64::from(u32::MAX))?;
        check_optional("group", group)?;
        Ok(self.store(client, queue)?.dead_letters(max, group))
    }

    pub(crate) fn replay(
        &mut self,
        now: Millis,
        client: u64,
        queue: &Queue,
        id: Uuid,
        group: Option<&str>,
    ) -> Result<(), BrokerError> {
        queue.check()?;
        check_optional("group", group)?;
        self.store(client, queue)?.replay(now, id, group)
    }

    pub(crate) fn purge(
        &mut self,
        now: Millis,
        client: u64,
        queue: &Queue,
        what: Purge<'_>,
    ) -> Result<u64, BrokerError> {
        queue.check()?;
        check_optional("group", what.group)?;
        let store = self.store(client, queue)?;
        Ok(if what.dead { store.purge_letters(what.group) } else { store.purge_ready(now, what.group) })
    }

    pub(crate) fn sweep(&mut self, client: u64, queue: &Queue) -> Result<u64, BrokerError> {
        queue.check()?;
        Ok(self.store(client, queue)?.swept())
    }

    // Presence.

    pub(crate) fn heartbeat(
        &mut self,
        now: Millis,
        client: u64,
        update: Update,
        tenant: Option<&str>,
    ) -> Result<(), BrokerError> {
        tenant.map_or(Ok(()), check_tenant)?;
        self.check_open(client)?;
        self.presence.heartbeat(now, update, tenant);
        Ok(())
    }

    pub(crate) fn agents(
        &self,
        now: Millis,
        client: u64,
        offline_after_ms: Option<i64>,
        tenant: Option<&str>,
    ) -> Result<Vec<AgentState>, BrokerError> {
        tenant.map_or(Ok(()), check_tenant)?;
        let silence = offline_after_ms.unwrap_or(OFFLINE_AFTER_MS);
        within("offline_after_ms", silence, 1, MAX_MS)?;
        self.check_open(client)?;
        Ok(self.presence.agents(now, silence, tenant))
    }
}
