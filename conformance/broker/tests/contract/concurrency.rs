//! Many at once, on several threads: nothing is lost, nothing is done twice, nobody is stuck.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use workwire_broker::clock::ManualClock;
use workwire_broker::{Broker, Client, CloseMode, Fetch, Policy, Queue, Stored, Verdict};

use super::desk::{START, World, id, message};

crate::subjects::each_broker![run:
    five_publishers_and_three_consumers,
    consumers_that_come_and_go_lose_nothing,
    twenty_agents_and_a_thousand_messages,
    it_recovers_after_every_consumer_has_timed_out,
];

/// As for every scenario, on several threads, and with an end for those that are stuck.
fn run<B, S>(make: impl FnOnce(ManualClock) -> B, scenario: impl FnOnce(World) -> S)
where
    B: Future<Output = Arc<dyn Broker>>,
    S: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = ManualClock::at(START);
        let broker = make(clock.clone()).await;
        let world = World { broker: Arc::clone(&broker), clock };
        tokio::time::timeout(Duration::from_mins(2), scenario(world)).await.expect("nobody is stuck");
        broker.shutdown().await.unwrap();
    });
}

fn tasks() -> Queue {
    Queue::new("tasks")
}

async fn declared(world: &World, policy: Policy) -> Arc<dyn Client> {
    let client = world.open("overseer").await;
    client.declare(&tasks(), &policy).await.unwrap();
    client
}

/// Publishes these, one after the other.
async fn publisher(client: Arc<dyn Client>, numbers: Vec<u128>) {
    for number in numbers {
        assert_eq!(client.publish(&tasks(), message(number)).await, Ok(Stored::Stored));
    }
}

/// Takes and settles until all of them together have done all, and says how many it did itself.
async fn consumer(client: Arc<dyn Client>, max: u32, all: usize, done: Arc<tokio::sync::Mutex<Vec<u128>>>) -> usize {
    let mut own = 0;
    while done.lock().await.len() < all {
        let taken = client.fetch(&tasks(), Fetch::up_to(max)).await.unwrap();
        if taken.is_empty() {
            tokio::task::yield_now().await;
        }
        for delivery in taken {
            client.settle(&tasks(), &delivery.tag, Verdict::Done).await.unwrap();
            done.lock().await.push(delivery.id.as_u128());
            own += 1;
        }
    }
    own
}

async fn five_publishers_and_three_consumers(world: World) {
    let overseer = declared(&world, Policy::default()).await;
    let done = Arc::default();
    let mut publishing = JoinSet::new();
    for publisher_no in 0..5_u128 {
        let client = world.open(&format!("publisher-{publisher_no}")).await;
        publishing.spawn(publisher(client, (1..=100).map(|number| publisher_no * 100 + number).collect()));
    }
    let mut consuming = JoinSet::new();
    for number in 0..3 {
        let client = world.open(&format!("consumer-{number}")).await;
        consuming.spawn(consumer(client, 3, 500, Arc::clone(&done)));
    }
    publishing.join_all().await;
    let shares = consuming.join_all().await;
    let mut done = done.lock().await.clone();
    done.sort_unstable();
    assert_eq!(done, (1..=500).collect::<Vec<_>>());
    assert_eq!(shares.iter().sum::<usize>(), 500);
    let depth = overseer.depth(&tasks(), None).await.unwrap();
    assert_eq!((depth.ready, depth.leased), (0, Some(0)));
}

async fn consumers_that_come_and_go_lose_nothing(world: World) {
    let overseer = declared(&world, Policy { max_attempts: 1_000, ..Policy::default() }).await;
    let done = Arc::new(tokio::sync::Mutex::new(BTreeMap::<u128, u32>::new()));
    let publishing = tokio::spawn(publisher(world.open("publisher").await, (1..=300).collect()));
    let mut consuming = JoinSet::new();
    for number in 0..4_u128 {
        let (world, done) = (world.clone(), Arc::clone(&done));
        consuming.spawn(async move {
            let mut round = 0;
            while done.lock().await.len() < 300 {
                round += 1;
                let client = world.open(&format!("consumer-{number}")).await;
                let taken = client.fetch(&tasks(), Fetch::up_to(3)).await.unwrap();
                // All but the last of a round are settled; some leave, some are lost.
                for delivery in taken.iter().skip(1) {
                    client.settle(&tasks(), &delivery.tag, Verdict::Done).await.unwrap();
                    *done.lock().await.entry(delivery.id.as_u128()).or_default() += 1;
                }
                if let ([delivery], 0) = (taken.as_slice(), round % 2) {
                    client.settle(&tasks(), &delivery.tag, Verdict::Done).await.unwrap();
                    *done.lock().await.entry(delivery.id.as_u128()).or_default() += 1;
                }
                client.close(if round % 3 == 0 { CloseMode::Abort } else { CloseMode::Graceful }).await.unwrap();
            }
        });
    }
    publishing.await.unwrap();
    consuming.join_all().await;
    let done = done.lock().await;
    assert_eq!(done.keys().copied().collect::<Vec<_>>(), (1..=300).collect::<Vec<_>>());
    assert!(done.values().all(|times| *times == 1), "each is done once: {done:?}");
    assert_eq!(overseer.depth(&tasks(), None).await.unwrap().dead, Some(0));
}

async fn twenty_agents_and_a_thousand_messages(world: World) {
    let overseer = declared(&world, Policy::default()).await;
    let done: Arc<tokio::sync::Mutex<BTreeSet<u128>>> = Arc::default();
    let mut agents = JoinSet::new();
    for number in 0..20 {
        let (client, done) = (world.open(&format!("agent-{number}")).await, Arc::clone(&done));
        agents.spawn(async move {
            loop {
                // They wait; what ends them is the last message.
                let taken = client.fetch(&tasks(), Fetch::up_to(1).waiting(3_600_000)).await.unwrap();
                for delivery in taken {
                    client.settle(&tasks(), &delivery.tag, Verdict::Done).await.unwrap();
                    if delivery.priority == 1 {
                        return;
                    }
                    assert!(done.lock().await.insert(delivery.id.as_u128()), "done twice: {}", delivery.id);
                }
            }
        });
    }
    let publisher = world.open("publisher").await;
    for number in 1..=1_000 {
        publisher.publish(&tasks(), message(number)).await.unwrap();
    }
    for number in 0..20 {
        let last = workwire_broker::Message { priority: Some(1), ..message(2_000 + number) };
        publisher.publish(&tasks(), last).await.unwrap();
    }
    agents.join_all().await;
    assert_eq!(done.lock().await.iter().copied().collect::<Vec<_>>(), (1..=1_000).collect::<Vec<_>>());
    assert_eq!(overseer.depth(&tasks(), None).await.unwrap().ready, 0);
}

async fn it_recovers_after_every_consumer_has_timed_out(world: World) {
    let overseer = declared(&world, Policy { lease_ms: 1_000, ..Policy::default() }).await;
    for number in 1..=20 {
        overseer.publish(&tasks(), message(number)).await.unwrap();
    }
    let mut stuck = Vec::new();
    for number in 0..4 {
        let client = world.open(&format!("stuck-{number}")).await;
        let taken = client.fetch(&tasks(), Fetch::up_to(5)).await.unwrap();
        assert_eq!(taken.len(), 5);
        stuck.push((client, taken));
    }
    world.clock.advance(1_000);
    let taken = overseer.fetch(&tasks(), Fetch::up_to(100)).await.unwrap();
    assert_eq!(taken.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), (1..=20).map(id).collect::<Vec<_>>());
    for (client, late) in stuck {
        for delivery in late {
            client.settle(&tasks(), &delivery.tag, Verdict::Done).await.unwrap_err();
        }
    }
    for delivery in taken {
        overseer.settle(&tasks(), &delivery.tag, Verdict::Done).await.unwrap();
    }
}
