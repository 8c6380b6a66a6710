//! Real threads: whatever the schedule, each message that was stored ends once, as done or as dead.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use uuid::Uuid;
use workwire_broker::clock::ManualClock;
use workwire_broker::{Broker, BrokerError, CloseMode, Fetch, Message, Policy, Queue, Stored, Verdict};

use super::session::START;

crate::subjects::each_broker![run:
    each_message_ends_once_under_any_schedule,
];

const PUBLISHERS: u64 = 5;
const CONSUMERS: u64 = 3;
/// Each publisher has as many of its own, and one in four of its publications is another's too.
const EACH: u64 = 60;

fn run<B, S>(make: impl Fn(ManualClock) -> B, scenario: impl Fn(Arc<dyn Broker>, u64) -> S)
where
    B: Future<Output = Arc<dyn Broker>>,
    S: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    for seed in 1..=5 {
        runtime.block_on(async {
            let broker = make(ManualClock::at(START)).await;
            let playing = scenario(Arc::clone(&broker), seed);
            tokio::time::timeout(Duration::from_mins(2), playing).await.expect("nobody is stuck");
            broker.shutdown().await.unwrap();
        });
    }
}

/// Numbers that look random, the same for the same seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)) % sides
    }
}

fn tasks() -> Queue {
    Queue::new("tasks")
}

async fn each_message_ends_once_under_any_schedule(broker: Arc<dyn Broker>, seed: u64) {
    let overseer = broker.open("overseer").await.unwrap();
    overseer.declare(&tasks(), &Policy { max_attempts: 1_000_000, ..Policy::default() }).await.unwrap();
    let stored = Arc::new(AtomicUsize::new(0));
    let mut publishing = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        publishing.spawn(publish(Arc::clone(&broker), publisher, Dice(seed * 100 + publisher), Arc::clone(&stored)));
    }
    let is_over = Arc::new(AtomicUsize::new(0));
    let mut consuming = JoinSet::new();
    for consumer in 0..CONSUMERS {
        let dice = Dice(seed * 1_000 + consumer);
        consuming.spawn(consume(Arc::clone(&broker), consumer, dice, Arc::clone(&is_over)));
    }
    publishing.join_all().await;
    is_over.store(1, Ordering::SeqCst);
    let mut ended: BTreeMap<Uuid, u32> = BTreeMap::new();
    for id in consuming.join_all().await.into_iter().flatten() {
        *ended.entry(id).or_default() += 1;
    }
    let all: Vec<Uuid> = (0..PUBLISHERS * EACH).map(|number| Uuid::from_u128(number.into())).collect();
    assert_eq!(ended.keys().copied().collect::<Vec<_>>(), all, "seed {seed}: published is done");
    assert!(ended.values().all(|times| *times == 1), "seed {seed}: none twice, {ended:?}");
    assert_eq!(stored.load(Ordering::SeqCst), all.len(), "seed {seed}: each id is stored once");
    let depth = overseer.depth(&tasks(), None).await.unwrap();
    assert_eq!((depth.ready, depth.leased, depth.delayed), (0, Some(0), Some(0)), "seed {seed}");
}

async fn publish(broker: Arc<dyn Broker>, publisher: u64, mut dice: Dice, stored: Arc<AtomicUsize>) {
    let client = broker.open(&format!("publisher-{publisher}")).await.unwrap();
    for number in publisher * EACH..(publisher + 1) * EACH {
        let another = (dice.roll(4) == 0).then(|| dice.roll(PUBLISHERS * EACH));
        for number in another.into_iter().chain([number]) {
            let priority = Some(i64::try_from(dice.roll(5)).unwrap() + 1);
            let message = Message { priority, ..Message::new(Uuid::from_u128(number.into()), number.to_string()) };
            if client.publish(&tasks(), message).await.unwrap() == Stored::Stored {
                stored.fetch_add(1, Ordering::SeqCst);
            }
        }
        if dice.roll(3) == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Takes, settles one way or another, comes and goes, and says what it ended.
async fn consume(broker: Arc<dyn Broker>, consumer: u64, mut dice: Dice, is_over: Arc<AtomicUsize>) -> Vec<Uuid> {
    let name = format!("consumer-{consumer}");
    let mut ended = Vec::new();
    let mut client = broker.open(&name).await.unwrap();
    loop {
        let was_over = is_over.load(Ordering::SeqCst) == 1;
        let taken = client.fetch(&tasks(), Fetch::up_to(1 + u32::try_from(dice.roll(4)).unwrap())).await.unwrap();
        let is_empty = taken.is_empty();
        for delivery in taken {
            assert_eq!(delivery.body, delivery.id.as_u128().to_string().as_bytes());
            let verdict = match dice.roll(8) {
                0 => Verdict::retry(),
                1 => Verdict::dead("broken"),
                2 => continue,
                _ => Verdict::Done,
            };
            let is_end = !matches!(verdict, Verdict::Retry { .. });
            client.settle(&tasks(), &delivery.tag, verdict).await.unwrap();
            if is_end {
                ended.push(delivery.id);
            }
        }
        if is_empty && was_over && is_quiet(&*client).await.unwrap() {
            return ended;
        }
        // What was passed over comes back when its holder goes, one way or the other.
        if is_empty || dice.roll(6) == 0 {
            let mode = if dice.roll(2) == 0 { CloseMode::Graceful } else { CloseMode::Abort };
            client.close(mode).await.unwrap();
            tokio::task::yield_now().await;
            client = broker.open(&name).await.unwrap();
        }
    }
}

async fn is_quiet(client: &dyn workwire_broker::Client) -> Result<bool, BrokerError> {
    let depth = client.depth(&tasks(), None).await?;
    Ok(depth.ready == 0 && depth.leased == Some(0))
}
