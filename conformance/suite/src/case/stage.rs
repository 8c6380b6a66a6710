//! Where a case plays: queues and clients of its own, a clock, and a place for its demands.

mod until;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use uuid::Uuid;
use workwire_broker::adapter::Finding;
use workwire_broker::{
    About, Broker, BrokerError, Capabilities, Capability, CloseMode, Delivery, Fetch, Message, Policy, Queue,
    RestartMode, Verdict,
    clock::{Clock, RuntimeClock},
};

use super::Scale;
use crate::demand::{Demand, Expectation, Role};
use crate::history::{self, History, Number};
use crate::host::{Host, Place};
use crate::recorder::{Actor, Recorder, Restarts, Told};

/// A case ends early: a step on which the rest builds did not do what it must. What that was stands
/// in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop;

/// Where a case plays.
pub struct Stage {
    recorder: Recorder,
    about: About,
    prefix: String,
    scale: Scale,
    clock: RuntimeClock,
    random: fastrand::Rng,
    clients: u32,
    /// What has to be cleaned away, as declared.
    queues: Vec<Queue>,
    host: Option<Arc<dyn Host>>,
}

impl Stage {
    /// A stage of its own on a broker: with names that nobody else uses, random by this seed alone.
    #[must_use]
    pub fn new(broker: Arc<dyn Broker>, case: &str, seed: u64, prefix: String, scale: Scale) -> Self {
        let about = broker.about().clone();
        let head = history::About {
            case: Some(case.to_owned()),
            target: format!("{} {}", about.name, about.version),
            seed,
            capabilities: about.capabilities.iter().map(|capability| capability.as_str().to_owned()).collect(),
            choices: about.choices,
            stall: 0,
            complete: false,
        };
        let recorder = Recorder::new(broker, head, &prefix);
        let random = fastrand::Rng::with_seed(seed ^ history::Body::of(case.as_bytes()).digest);
        Stage {
            recorder,
            about,
            prefix,
            scale,
            clock: RuntimeClock::new(),
            random,
            clients: 0,
            queues: Vec::new(),
            host: None,
        }
    }

    /// The same on a machine that can be reached.
    #[must_use]
    pub fn on_host(self, host: Option<Arc<dyn Host>>) -> Self {
        Stage { host, ..self }
    }

    /// What the broker says of itself.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Whether the broker claims it.
    #[must_use]
    pub fn claims(&self, capability: Capability) -> bool {
        self.about.capabilities.has(capability)
    }

    /// All that it claims.
    #[must_use]
    pub fn claimed(&self) -> Capabilities {
        self.about.capabilities
    }

    /// A policy that this broker must take: the default one, with one priority where it claims none.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let most = if self.claims(Capability::Priority) { self.about.limits.max_priority } else { 1 };
        let default = Policy::default();
        Policy { max_priority: default.max_priority.min(most), ..default }
    }

    // Time.

    /// A time of the case, as long as this broker needs it to be.
    #[must_use]
    pub fn ms(&self, ms: i64) -> i64 {
        self.scale.ms(ms)
    }

    /// The time of day, in milliseconds since 1970: the machine's, and the runtime's where that is paused.
    #[must_use]
    pub fn time_of_day(&self) -> i64 {
        self.clock.now()
    }

    /// For how long the case waits for what must come at some time: a clause that says no time means it.
    #[must_use]
    pub fn patience(&self) -> i64 {
        self.scale.patience_ms(3_000)
    }

    /// For how long the case looks whether something comes that must not.
    #[must_use]
    pub fn a_while(&self) -> i64 {
        self.scale.answer_ms(120)
    }

    /// Lets time pass, as long as it says: a case waits for a moment, never for an answer.
    pub async fn pass(&self, ms: i64) {
        tokio::time::sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0))).await;
    }

    // Names, ids, chance.

    /// Chance, by the seed of the run.
    pub fn random(&mut self) -> &mut fastrand::Rng {
        &mut self.random
    }

    /// An id that nobody has.
    pub fn id(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.random.u128(..).to_be_bytes()).into_uuid()
    }

    /// A message of these bytes.
    pub fn message(&mut self, body: impl Into<Bytes>) -> Message {
        Message::new(self.id(), body)
    }

    /// So many messages, each with bytes of its own.
    pub fn messages(&mut self, count: usize) -> Vec<Message> {
        (0..count).map(|number| self.message(format!("message {number}"))).collect()
    }

    /// The name that a text stands for at the broker.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A queue of no tenant. It need not be there.
    #[must_use]
    pub fn queue_named(&self, name: &str) -> Queue {
        Queue::new(self.name(name))
    }

    /// A tenant's queue. It need not be there.
    #[must_use]
    pub fn queue_of(&self, tenant: &str, name: &str) -> Queue {
        Queue::of_tenant(self.name(tenant), self.name(name))
    }

    /// Cleans this queue away at the end; those of [`queue`](Stage::queue) are anyway.
    pub fn clean_up(&mut self, queue: &Queue) {
        if !self.queues.contains(queue) {
            self.queues.push(queue.clone());
        }
    }

    // Steps on which the rest of a case builds.

    /// A client of its own name.
    ///
    /// # Errors
    /// Where the broker does not open it: the case cannot go on.
    pub async fn client(&mut self, name: &str) -> Result<Actor, Stop> {
        self.clients += 1;
        let name = self.name(&format!("{name}-{}", self.clients));
        let told = self.recorder.open(&name).await;
        self.need(told)?.ok_or(Stop)
    }

    /// Opens a client under exactly this name, whatever comes of it.
    pub async fn open(&self, name: &str) -> Told<Option<Actor>> {
        self.recorder.open(name).await
    }

    /// A queue with this policy.
    ///
    /// # Errors
    /// Where the broker does not declare it: the case cannot go on.
    pub async fn queue(&mut self, name: &str, policy: &Policy) -> Result<Queue, Stop> {
        let queue = self.queue_named(name);
        self.declare(queue, policy).await
    }

    /// A tenant's queue with this policy.
    ///
    /// # Errors
    /// Where the broker does not declare it: the case cannot go on.
    pub async fn tenant_queue(&mut self, tenant: &str, name: &str, policy: &Policy) -> Result<Queue, Stop> {
        let queue = self.queue_of(tenant, name);
        self.declare(queue, policy).await
    }

    async fn declare(&mut self, queue: Queue, policy: &Policy) -> Result<Queue, Stop> {
        self.clean_up(&queue);
        let keeper = self.client("keeper").await?;
        let told = keeper.declare(&queue, policy).await;
        self.need(told)?;
        self.need(keeper.close(CloseMode::Graceful).await)?;
        Ok(queue)
    }

    /// The machine.
    ///
    /// # Errors
    /// Where there is none: such a case is not run.
    pub fn host(&self) -> Result<Arc<dyn Host>, Stop> {
        self.host.clone().ok_or(Stop)
    }

    /// Starts a process of the broker on a store of the machine. Its operations stand in the same history.
    ///
    /// # Errors
    /// Where there is no machine: such a case is not run.
    pub async fn process(&self, name: &str, place: &Place) -> Result<Told<Option<Recorder>>, Stop> {
        let host = self.host()?;
        Ok(match host.start(place).await {
            Ok(reached) => {
                let told = self.recorder.started(name, Ok(()));
                Told::of_several(told.numbers().to_vec(), Ok(Some(self.recorder.beside(reached.broker))))
            }
            Err(error) => {
                // It did not start: nothing has happened.
                let error = BrokerError::forbidden(error.to_string());
                let told = self.recorder.started(name, Err(error.clone()));
                Told::of_several(told.numbers().to_vec(), Err(error))
            }
        })
    }

    /// Has the broker stop and start again.
    ///
    /// # Errors
    /// Where it does not: the case cannot go on.
    pub async fn restart(&mut self, mode: RestartMode) -> Result<Told<()>, Stop> {
        let told = self.recorder.restart(mode).await;
        self.need(told.clone())?;
        Ok(told)
    }

    /// Asks the broker to stop and start again, whatever comes of it.
    pub async fn try_restart(&self, mode: RestartMode) -> Told<()> {
        self.recorder.restart(mode).await
    }

    /// What a step answered on which the rest builds.
    ///
    /// # Errors
    /// Where it was refused, or nobody knows: the case cannot go on.
    pub fn need<T>(&self, told: Told<T>) -> Result<T, Stop> {
        let numbers = told.numbers().to_vec();
        told.into_answer().map_err(|_| {
            self.note(String::new(), numbers, Expectation::Accepted, Role::Needed);
            Stop
        })
    }

    /// Something on which the rest builds.
    ///
    /// # Errors
    /// Where it is not so: the case cannot go on.
    pub fn need_that<T>(&self, told: &Told<T>, expect: Expectation) -> Result<(), Stop> {
        let demand = Demand { clause: String::new(), of: told.numbers().to_vec(), expect, role: Role::Needed };
        let mut holds = false;
        self.recorder.note(|history| {
            holds = demand.judge(history) == crate::demand::Holding::Yes;
            if !holds {
                history.demand(demand);
            }
        });
        if holds { Ok(()) } else { Err(Stop) }
    }

    /// Publishes a message on which the rest builds.
    ///
    /// # Errors
    /// Where it is not stored: the case cannot go on.
    pub async fn publish(&self, by: &Actor, queue: &Queue, message: &Message) -> Result<Told<()>, Stop> {
        let told = by.publish(queue, message).await;
        self.need_that(&told, Expectation::stored())?;
        Ok(Told::of_several(told.numbers().to_vec(), Ok(())))
    }

    /// Publishes messages one after the other, on which the rest builds.
    ///
    /// # Errors
    /// Where one is not stored: the case cannot go on.
    pub async fn publish_all(&self, by: &Actor, queue: &Queue, messages: &[Message]) -> Result<(), Stop> {
        for message in messages {
            self.publish(by, queue, message).await?;
        }
        Ok(())
    }

    /// Takes one message on which the rest builds.
    ///
    /// # Errors
    /// Where none comes: the case cannot go on.
    pub async fn take_one(&self, by: &Actor, queue: &Queue) -> Result<Delivery, Stop> {
        let told = self.take(by, queue, Fetch::up_to(1), 1).await;
        self.need_that(&told, Expectation::count(1))?;
        told.into_answer().map_err(|_| Stop)?.pop().ok_or(Stop)
    }

    /// Takes one message that lives for so long, on which the rest builds. Where the first look came
    /// later than that, it shows nothing of the broker.
    ///
    /// # Errors
    /// Where none comes: the case cannot go on.
    pub async fn take_one_alive(
        &self,
        by: &Actor,
        queue: &Queue,
        published: &Told<()>,
        ttl_ms: i64,
    ) -> Result<Delivery, Stop> {
        let told = self.take(by, queue, Fetch::up_to(1), 1).await;
        let first = told.numbers().first().copied().into_iter().collect();
        let in_time = Expectation::EndsBy { moment: published.after_asking(ttl_ms) };
        self.note(String::new(), first, in_time, Role::Premise);
        self.need_that(&told, Expectation::count(1))?;
        told.into_answer().map_err(|_| Stop)?.pop().ok_or(Stop)
    }

    // Taking, with patience.

    /// Fetches until so many have come, or patience is at an end. Settles nothing.
    pub async fn take(&self, by: &Actor, queue: &Queue, fetch: Fetch, count: usize) -> Told<Vec<Delivery>> {
        self.take_within(by, queue, fetch, count, self.patience()).await
    }

    /// The same of what comes only after a time: patience with it begins then.
    pub async fn take_after(
        &self,
        by: &Actor,
        queue: &Queue,
        fetch: Fetch,
        count: usize,
        after_ms: i64,
    ) -> Told<Vec<Delivery>> {
        self.take_within(by, queue, fetch, count, after_ms + self.patience()).await
    }

    /// Fetches until so many have come, or the time is over. Settles nothing.
    pub async fn take_within(
        &self,
        by: &Actor,
        queue: &Queue,
        fetch: Fetch,
        count: usize,
        within_ms: i64,
    ) -> Told<Vec<Delivery>> {
        let end = Instant::now() + Duration::from_millis(u64::try_from(within_ms).unwrap_or(0));
        let (mut numbers, mut taken) = (Vec::new(), Vec::new());
        loop {
            let missing = u32::try_from(count - taken.len()).unwrap_or(u32::MAX);
            let told = by.fetch(queue, Fetch { max: fetch.max.min(missing), ..fetch.clone() }).await;
            let is_something = told.is_something();
            if is_something || numbers.is_empty() || told.answer().is_err() {
                numbers.extend_from_slice(told.numbers());
            }
            match told.into_answer() {
                Err(error) => return Told::of_several(numbers, Err(error)),
                Ok(deliveries) => taken.extend(deliveries),
            }
            // As long as something comes, the next look may bring more, however slow the broker is.
            if taken.len() >= count || (!is_something && Instant::now() >= end) {
                return Told::of_several(numbers, Ok(taken));
            }
            if !is_something {
                self.pass(self.scale.rest_ms(POLL_MS)).await;
            }
        }
    }

    /// Looks for a while whether something comes, and takes it if it does. Demand that it is nothing.
    pub async fn take_for_a_while(&self, by: &Actor, queue: &Queue, fetch: Fetch) -> Told<Vec<Delivery>> {
        self.take_within(by, queue, fetch, 1, self.a_while()).await
    }

    /// Fetches and settles as done until the queue stands empty: nothing ready, nothing held, nothing
    /// resting, as far as it tells. Where it tells less, until nothing has come for as long as a
    /// lease and a while.
    ///
    /// # Errors
    /// Where the queue cannot be fetched from, or does not end.
    pub async fn drain(&self, by: &Actor, queue: &Queue, group: Option<&str>, lease_ms: i64) -> Result<u64, Stop> {
        let fetch = Fetch { group: group.map(str::to_owned), ..Fetch::up_to(100) };
        let mut drained = 0;
        let mut quiet_since = Instant::now();
        let end = quiet_since + Duration::from_millis(u64::try_from(lease_ms + 10 * self.patience()).unwrap_or(0));
        loop {
            let told = by.fetch(queue, fetch.clone()).await;
            let deliveries = self.need(told)?;
            if deliveries.is_empty() {
                let depth = self.need(by.depth(queue, group).await)?;
                let told_all = depth.leased.is_some() && depth.delayed.is_some();
                let is_empty = depth.ready + depth.leased.unwrap_or(0) + depth.delayed.unwrap_or(0) == 0;
                let quiet = quiet_since.elapsed().as_millis();
                if is_empty && (told_all || quiet > u128::try_from(lease_ms + self.a_while()).unwrap_or(0)) {
                    by.drained(queue, group);
                    return Ok(drained);
                }
                if Instant::now() >= end {
                    let told = by.depth(queue, group).await;
                    self.need_that(&told, Expectation::depth(0, 0, 0, depth.dead.unwrap_or(0)))?;
                    return Err(Stop);
                }
                self.pass(self.scale.rest_ms(POLL_MS)).await;
            } else {
                quiet_since = Instant::now();
            }
            for delivery in deliveries {
                drained += 1;
                // A lease that ran out meanwhile comes back, and is taken again.
                by.settle(queue, &delivery.tag, Verdict::Done).await;
            }
        }
    }

    // Demands.

    /// Demands, by a clause, that this is so of what was told.
    pub fn demand<T>(&self, clause: &'static str, told: &Told<T>, expect: Expectation) {
        self.note(clause.to_owned(), told.numbers().to_vec(), expect, Role::Demanded);
    }

    /// Demands something of operations that stand for one.
    pub fn demand_of(&self, clause: &'static str, numbers: &[Number], expect: Expectation) {
        self.note(clause.to_owned(), numbers.to_vec(), expect, Role::Demanded);
    }

    /// Says by when a step of the case itself had to be done; later, it shows nothing of the broker.
    pub fn premise<T>(&self, told: &Told<T>, expect: Expectation) {
        self.note(String::new(), told.numbers().to_vec(), expect, Role::Premise);
    }

    fn note(&self, clause: String, of: Vec<Number>, expect: Expectation, role: Role) {
        self.recorder.note(|history| history.demand(Demand { clause, of, expect, role }));
    }

    // The end.

    /// Puts into the history what the adapter has done so far in this run that its protocol does not
    /// allow. That it did so while another case played makes it no better.
    pub(crate) fn misbehaved(&self, findings: &[Finding]) {
        self.recorder.misbehaved(findings);
    }

    /// How long the broker was away because the case wanted it to restart.
    pub(crate) fn restarts(&self) -> Arc<Restarts> {
        self.recorder.restarts()
    }

    /// What was recorded, with how the runner itself fared.
    pub(crate) fn history(&self, complete: bool, stall: Duration) -> History {
        let mut history = self.recorder.history();
        history.about.complete = complete;
        history.about.stall = u64::try_from(stall.as_micros()).unwrap_or(u64::MAX);
        history
    }

    /// What the runner cleans away, and by which broker.
    pub(crate) fn left(&self) -> (Arc<dyn Broker>, Vec<Queue>, String) {
        (Arc::clone(self.recorder.broker()), self.queues.clone(), self.name("cleaner"))
    }
}

/// How long a case rests between two looks, in milliseconds.
const POLL_MS: i64 = 4;
