//! Where a test works: a broker on a clock that the test moves, a client, and a queue.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use uuid::Uuid;
use workwire_broker::clock::{Clock, ManualClock};
use workwire_broker::{
    Broker, BrokerError, Client, CloseMode, Code, Delivery, Depth, Fetch, Letter, Message, Peek, Policy, Purge, Queue,
    RestartMode, Stored, Tag, Verdict,
};

/// When the clock begins.
pub(crate) const START: i64 = 1_800_000_000_000;

/// How long a test waits for what has to come, before it says that it did not.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a scenario against a broker.
pub(crate) fn run<B, S>(make: impl FnOnce(ManualClock) -> B, scenario: impl FnOnce(World) -> S)
where
    B: Future<Output = Arc<dyn Broker>>,
    S: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = ManualClock::at(START);
        let broker = make(clock.clone()).await;
        let scenario = scenario(World { broker: Arc::clone(&broker), clock });
        tokio::time::timeout(2 * PATIENCE, scenario).await.expect("an end of the scenario: something never answered");
        // A scenario may have shut it down itself.
        let _ = broker.shutdown().await;
    });
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) clock: ManualClock,
}

impl World {
    pub(crate) async fn open(&self, name: &str) -> Arc<dyn Client> {
        self.broker.open(name).await.unwrap().into()
    }

    /// A client `worker` and a queue `tasks` with this policy.
    pub(crate) async fn desk(&self, policy: Policy) -> Desk {
        self.desk_at(Queue::new("tasks"), policy).await
    }

    pub(crate) async fn desk_at(&self, queue: Queue, policy: Policy) -> Desk {
        let client = match self.broker.open("worker").await {
            Ok(client) => client.into(),
            Err(error) => panic!("a desk needs its client: {error}"),
        };
        let desk = Desk { world: self.clone(), client, queue };
        desk.client.declare(&desk.queue, &policy).await.unwrap();
        desk
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }
}

/// A client at a queue.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) client: Arc<dyn Client>,
    pub(crate) queue: Queue,
}

impl Desk {
    /// Another client at the same queue.
    pub(crate) async fn beside(&self, name: &str) -> Desk {
        Desk { client: self.world.open(name).await, ..self.clone() }
    }

    /// The same client at another queue, which it declares.
    pub(crate) async fn at(&self, queue: Queue, policy: Policy) -> Desk {
        self.client.declare(&queue, &policy).await.unwrap();
        Desk { queue, ..self.clone() }
    }

    pub(crate) fn advance(&self, millis: i64) {
        self.world.clock.advance(millis);
    }

    pub(crate) async fn publish(&self, message: Message) -> Result<Stored, BrokerError> {
        self.client.publish(&self.queue, message).await
    }

    pub(crate) async fn put(&self, message: Message) {
        assert_eq!(self.publish(message).await, Ok(Stored::Stored));
    }

    /// Publishes a plain message for each number.
    pub(crate) async fn put_all(&self, numbers: impl IntoIterator<Item = u128>) {
        for number in numbers {
            self.put(message(number)).await;
        }
    }

    pub(crate) async fn fetch(&self, fetch: Fetch) -> Vec<Delivery> {
        self.client.fetch(&self.queue, fetch).await.unwrap()
    }

    pub(crate) async fn take(&self, max: u32) -> Vec<Delivery> {
        self.fetch(Fetch::up_to(max)).await
    }

    /// The one message that is there, or the first of several.
    pub(crate) async fn one(&self) -> Delivery {
        self.one_of(Fetch::up_to(1)).await
    }

    pub(crate) async fn one_of(&self, fetch: Fetch) -> Delivery {
        let mut taken = self.fetch(Fetch { max: 1, ..fetch }).await;
        assert_eq!(taken.len(), 1, "expected a message to be there for {:?}", self.queue);
        taken.remove(0)
    }

    /// The numbers of all that is ready, in the order in which they are taken; they stay held.
    pub(crate) async fn taken(&self) -> Vec<u128> {
        numbers(&self.take(1_000).await)
    }

    pub(crate) async fn settle(&self, tag: &Tag, verdict: Verdict) -> Result<(), BrokerError> {
        self.client.settle(&self.queue, tag, verdict).await
    }

    pub(crate) async fn done(&self, delivery: &Delivery) {
        self.settle(&delivery.tag, Verdict::Done).await.unwrap();
    }

    pub(crate) async fn retry(&self, delivery: &Delivery) {
        self.settle(&delivery.tag, Verdict::retry()).await.unwrap();
    }

    pub(crate) async fn dead(&self, delivery: &Delivery, reason: &str) {
        self.settle(&delivery.tag, Verdict::dead(reason)).await.unwrap();
    }

    /// Publishes a message and gives it up at once.
    pub(crate) async fn bury(&self, number: u128, reason: &str) {
        self.put(message(number)).await;
        let taken = self.one_of(Fetch::up_to(1).only(id(number))).await;
        self.dead(&taken, reason).await;
    }

    pub(crate) async fn extend(&self, tag: &Tag, lease_ms: i64) -> Result<(), BrokerError> {
        self.client.extend(&self.queue, tag, lease_ms).await
    }

    /// Ready, leased, delayed, dead, as far as the broker tells.
    pub(crate) async fn depth(&self) -> Counts {
        Counts::of(self.client.depth(&self.queue, None).await.unwrap())
    }

    pub(crate) async fn depth_of(&self, group: &str) -> Counts {
        Counts::of(self.client.depth(&self.queue, Some(group)).await.unwrap())
    }

    pub(crate) async fn letters(&self) -> Vec<Letter> {
        self.client.dead_letters(&self.queue, 1_000, None).await.unwrap()
    }

    pub(crate) async fn letters_of(&self, group: &str) -> Vec<Letter> {
        self.client.dead_letters(&self.queue, 1_000, Some(group)).await.unwrap()
    }

    pub(crate) async fn replay(&self, number: u128) -> Result<(), BrokerError> {
        self.client.replay(&self.queue, id(number), None).await
    }

    pub(crate) async fn purge(&self) -> u64 {
        self.client.purge(&self.queue, Purge::default()).await.unwrap()
    }

    pub(crate) async fn sweep(&self) -> u64 {
        self.client.sweep(&self.queue).await.unwrap()
    }

    /// The numbers of what a look shows.
    pub(crate) async fn seen(&self, peek: Peek) -> Vec<u128> {
        let peeked = self.client.peek(&self.queue, peek).await.unwrap();
        peeked.iter().map(|peeked| peeked.id.as_u128()).collect()
    }

    pub(crate) async fn close(&self, mode: CloseMode) {
        self.client.close(mode).await.unwrap();
    }

    /// Restarts the broker and opens the client anew.
    pub(crate) async fn after_restart(self, mode: RestartMode) -> Desk {
        self.world.broker.restart(mode).await.unwrap();
        let client = self.world.open("worker").await;
        Desk { client, ..self }
    }

    /// Begins a fetch that waits, and lets it arrive at the broker.
    pub(crate) async fn waits(&self, fetch: Fetch) -> JoinHandle<Result<Vec<Delivery>, BrokerError>> {
        let desk = self.clone();
        let fetching = tokio::spawn(async move { desk.client.fetch(&desk.queue, fetch).await });
        self.settle_down().await;
        fetching
    }

    /// Lets all that is under way arrive: requests of one client arrive in their order.
    pub(crate) async fn settle_down(&self) {
        for _ in 0..5 {
            tokio::task::yield_now().await;
            // Closed in some tests, which is an answer as well.
            let _ = self.client.depth(&self.queue, None).await;
        }
    }

    /// The clock goes on in steps until the answer is there.
    pub(crate) async fn in_steps_of<T>(&self, step_ms: i64, waiting: JoinHandle<T>) -> T {
        let steps = async {
            while !waiting.is_finished() {
                self.advance(step_ms);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, steps).await.expect("an answer before patience ends");
        waiting.await.unwrap()
    }
}

/// The answer of what is under way, which needs no more time by the broker's clock.
pub(crate) async fn now<T>(waiting: JoinHandle<T>) -> T {
    tokio::time::timeout(PATIENCE, waiting).await.expect("an answer before patience ends").unwrap()
}

/// Polls until it holds.
pub(crate) async fn until<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    let polling = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, polling).await.expect("it holds before patience ends");
}

pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A message with this number as its id, and a body of its own.
pub(crate) fn message(number: u128) -> Message {
    Message::new(id(number), format!("body of {number}"))
}

pub(crate) fn with_priority(number: u128, priority: i64) -> Message {
    Message { priority: Some(priority), ..message(number) }
}

pub(crate) fn with_ttl(number: u128, ttl_ms: i64) -> Message {
    Message { ttl_ms: Some(ttl_ms), ..message(number) }
}

pub(crate) fn with_delay(number: u128, delay_ms: i64) -> Message {
    Message { delay_ms: Some(delay_ms), ..message(number) }
}

pub(crate) fn to(recipient: &str, number: u128) -> Message {
    Message { to: Some(recipient.to_owned()), ..message(number) }
}

pub(crate) fn numbers(deliveries: &[Delivery]) -> Vec<u128> {
    deliveries.iter().map(|delivery| delivery.id.as_u128()).collect()
}

pub(crate) fn letter_numbers(letters: &[Letter]) -> Vec<u128> {
    letters.iter().map(|letter| letter.id.as_u128()).collect()
}

pub(crate) fn looking_at(max: u32) -> Peek {
    Peek { max, ..Peek::default() }
}

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, BrokerError>, code: Code) -> BrokerError {
    let error = answer.expect_err("a refusal");
    assert_eq!(error.code(), code, "{error}");
    error
}

/// A depth with all that may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) ready: u64,
    pub(crate) leased: u64,
    pub(crate) delayed: u64,
    pub(crate) dead: u64,
}

impl Counts {
    pub(crate) const NONE: Counts = Counts { ready: 0, leased: 0, delayed: 0, dead: 0 };

    fn of(depth: Depth) -> Self {
        let told = |count: Option<u64>| count.expect("the brokers here tell all counts");
        Counts { ready: depth.ready, leased: told(depth.leased), delayed: told(depth.delayed), dead: told(depth.dead) }
    }
}
