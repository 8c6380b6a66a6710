//! The load, and the kills in the middle of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use uuid::Uuid;
use workwire_broker::{
    Broker, BrokerError, Capability, Client, Code, Fetch, Message, Policy, Queue, RestartMode, Target, Verdict,
};

use super::account::Account;
use crate::live::instance;

const PUBLISHERS: u32 = 3;
const CONSUMERS: u32 = 3;
/// What is held is back after this, where the engine does not see that its holder is gone.
const LEASE_MS: i64 = 5_000;
/// So many that nothing dies of being held while its server is killed.
const ATTEMPTS: i64 = 100;
/// How long every other message rests before it is delivered, where the engine has delays.
const RESTS_MS: [i64; 4] = [50, 200, 500, 1_000];
/// How long a life may be before it is ended, in milliseconds.
const SHORTEST_MS: u64 = 100;
const LONGEST_MS: u64 = 900;
/// Nothing comes any more for so long: all was taken.
const QUIET: Duration = Duration::from_millis(LEASE_MS.unsigned_abs() + 2_000);
/// How long the server may be away.
const AWAY: Duration = Duration::from_mins(2);

#[derive(Clone)]
struct Work {
    broker: Arc<dyn Broker>,
    queue: Queue,
    account: Arc<Mutex<Account>>,
    is_over: Arc<AtomicBool>,
    hands: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

/// Loads a private instance and kills it so many times. Nothing where its program is not here.
pub(crate) async fn killed(target: &str, kills: u32) -> Option<Account> {
    let broker = match target.parse::<Target>().unwrap().open().await {
        Ok(broker) => broker,
        Err(error) => {
            let is_missing = error.to_string().contains("is not on this machine");
            assert!(is_missing && std::env::var_os("CI").is_none(), "{error}");
            println!("not run: {error}");
            return None;
        }
    };
    let work = Work::begin(broker).await;
    for kill in 0..kills {
        // Somewhere in the middle of the work; where exactly is the machine's own matter.
        tokio::time::sleep(Duration::from_millis(moment())).await;
        work.broker.restart(RestartMode::Kill).await.unwrap_or_else(|error| panic!("{target}, kill {kill}: {error}"));
        work.account().kills += 1;
    }
    Some(work.end().await)
}

/// Loads a private instance, and has it vanish twice for so long: killed, and standing still. Nothing where its program
/// is not here.
pub(crate) async fn gone(engine: &str, time: Duration) -> Option<Account> {
    let mut server = instance(engine).await?;
    let broker = server.address().parse::<Target>().unwrap().open().await.unwrap();
    let work = Work::begin(broker).await;
    let busy = Duration::from_millis(LONGEST_MS);
    tokio::time::sleep(busy).await;
    server.kill().await.unwrap();
    work.account().kills += 1;
    tokio::time::sleep(time).await;
    server.start_again().await.unwrap();
    tokio::time::sleep(busy).await;
    server.pause();
    tokio::time::sleep(time).await;
    server.resume();
    Some(work.end().await)
}

fn moment() -> u64 {
    let (first, _) = Uuid::new_v4().as_u64_pair();
    SHORTEST_MS + first % (LONGEST_MS - SHORTEST_MS)
}

fn policy(broker: &dyn Broker) -> Policy {
    let has_leases = broker.about().capabilities.has(Capability::Lease);
    let mut policy = Policy { max_attempts: ATTEMPTS, ..Policy::default() };
    if has_leases {
        policy.lease_ms = LEASE_MS;
    }
    policy
}

impl Work {
    /// Declares the queue and has all hands work on it.
    async fn begin(broker: Arc<dyn Broker>) -> Work {
        let queue = Queue::new("killed");
        let work = Work { broker, queue, account: Arc::default(), is_over: Arc::default(), hands: Arc::default() };
        work.client("declares").await.declare(&work.queue, &policy(&*work.broker)).await.unwrap();
        let publish = (0..PUBLISHERS).map(|number| tokio::spawn(work.clone().publishes(number)));
        let consume = (0..CONSUMERS).map(|number| tokio::spawn(work.clone().consumes(number)));
        let hands = publish.chain(consume).collect();
        *work.hands.lock().unwrap() = hands;
        work
    }

    /// A little more work, then what is left is counted.
    async fn end(self) -> Account {
        tokio::time::sleep(Duration::from_millis(LONGEST_MS)).await;
        self.is_over.store(true, Ordering::Relaxed);
        let hands = std::mem::take(&mut *self.hands.lock().unwrap());
        for hand in hands {
            hand.await.unwrap();
        }
        self.takes_the_rest().await;
        self.broker.shutdown().await.unwrap();
        std::mem::take(&mut *self.account())
    }

    fn account(&self) -> std::sync::MutexGuard<'_, Account> {
        self.account.lock().unwrap()
    }

    /// Connects, as soon as the server is there.
    async fn client(&self, name: &str) -> Box<dyn Client> {
        let deadline = Instant::now() + AWAY;
        loop {
            match self.broker.open(name).await {
                Ok(client) => return client,
                // Its name is free again once the broker has seen that its last connection is gone.
                Err(error)
                    if Instant::now() < deadline && matches!(error.code(), Code::Unavailable | Code::Conflict) => {}
                Err(error) => panic!("{name}: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Whether it goes on with this connection: an answer that did not come means that it is lost.
    fn goes_on<T>(&self, what: &str, answer: &Result<T, BrokerError>) -> bool {
        let Err(error) = answer else { return true };
        let mut account = self.account();
        match error.code() {
            Code::Unavailable => account.unanswered += 1,
            // What came back before it was settled is another's by now.
            Code::Stale => return true,
            _ => account.refused.push(format!("{what}: {error}")),
        }
        false
    }

    async fn publishes(self, number: u32) {
        let body = vec![b'.'; 600];
        let has_delays = self.broker.about().capabilities.has(Capability::Delay);
        let mut rests = RESTS_MS.into_iter().cycle();
        let mut is_other = false;
        while !self.is_over() {
            let client = self.client(&format!("publisher-{number}")).await;
            while !self.is_over() {
                let id = Uuid::new_v4();
                let mut message = Message::new(id, body.clone());
                is_other = !is_other;
                if has_delays && is_other {
                    message.delay_ms = rests.next();
                }
                let answer = client.publish(&self.queue, message).await;
                if answer.is_ok() {
                    self.account().confirmed(id);
                }
                if !self.goes_on("publish", &answer) {
                    break;
                }
            }
        }
    }

    async fn consumes(self, number: u32) {
        while !self.is_over() {
            let client = self.client(&format!("consumer-{number}")).await;
            while !self.is_over() && self.takes_some(&*client, 200).await.is_some() {}
        }
    }

    /// Takes a few and settles them. Says how many came; nothing where the connection is lost.
    async fn takes_some(&self, client: &dyn Client, wait_ms: i64) -> Option<usize> {
        let fetched = client.fetch(&self.queue, Fetch::up_to(10).waiting(wait_ms)).await;
        if !self.goes_on("fetch", &fetched) {
            return None;
        }
        let deliveries = fetched.unwrap_or_default();
        for delivery in &deliveries {
            self.account().delivered(delivery.id);
        }
        for delivery in &deliveries {
            self.account().settling(delivery.id);
            let answer = client.settle(&self.queue, &delivery.tag, Verdict::Done).await;
            if answer.is_ok() {
                self.account().settled(delivery.id);
            }
            if !self.goes_on("settle", &answer) {
                return None;
            }
        }
        Some(deliveries.len())
    }

    /// Nobody else works any more: what is still there is found.
    async fn takes_the_rest(&self) {
        let client = self.client("last").await;
        let mut quiet_since = Instant::now();
        while quiet_since.elapsed() < QUIET {
            let deliveries = client.fetch(&self.queue, Fetch::up_to(100).waiting(500)).await.unwrap();
            if deliveries.is_empty() {
                continue;
            }
            quiet_since = Instant::now();
            for delivery in &deliveries {
                let mut account = self.account();
                account.delivered(delivery.id);
                account.found(delivery.id);
            }
            let done = deliveries.into_iter().map(|delivery| (delivery.tag, Verdict::Done)).collect();
            for answer in client.settle_many(&self.queue, done).await.unwrap() {
                // On a slow machine a lease may end before it is settled: it comes once more.
                assert!(
                    answer.is_ok() || answer.as_ref().is_err_and(|error| error.code() == Code::Stale),
                    "{answer:?}"
                );
            }
        }
    }
}
