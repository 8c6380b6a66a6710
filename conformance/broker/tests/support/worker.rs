//! A process that works: producers and consumers on one store, who say what they do.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use workwire_broker::clock::{Clock, Millis};
use workwire_broker::{Broker as _, BrokerError, Client, Durability, Fetch, SqliteBroker, SqliteOptions};

use super::consumer::Consumer;
use super::desk::Desk;
use super::dice::Dice;
use super::producer::Producer;
use super::said::{Line, Teller};

/// What a worker is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) file: PathBuf,
    /// Whether a publish is answered before the disk has it.
    pub(crate) normal: bool,
    /// The time when it starts.
    pub(crate) begins_at: Millis,
    pub(crate) seed: u64,
    /// How often each producer publishes; without an end where none is given.
    pub(crate) publishes: Option<u32>,
    /// How often the store is opened, worked at, and closed.
    pub(crate) rounds: u32,
}

/// A clock that begins when it is told to.
#[derive(Debug)]
struct Since {
    begins_at: Millis,
    start: Instant,
}

impl Clock for Since {
    fn now(&self) -> Millis {
        self.begins_at + Millis::try_from(self.start.elapsed().as_millis()).unwrap()
    }

    fn sleep_until(&self, moment: Millis) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let left = u64::try_from(moment - self.now()).unwrap_or(0);
        Box::pin(tokio::time::sleep(std::time::Duration::from_millis(left)))
    }
}

/// What each of those who work needs.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) broker: Arc<SqliteBroker>,
    pub(crate) teller: Arc<Teller>,
    /// How many producers have not finished.
    pub(crate) producing: Arc<AtomicUsize>,
}

/// Works until it is killed, or has published all.
pub(crate) fn work(job: &Job) {
    // One thread, so that lines stand in the order of the answers.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(Since { begins_at: job.begins_at, start: Instant::now() });
    let teller = Arc::new(Teller::new(Arc::clone(&clock)));
    let mut dice = Dice::of(job.seed);
    for _ in 0..job.rounds {
        runtime.block_on(round(job, &clock, &teller, &mut dice));
    }
}

async fn round(job: &Job, clock: &Arc<dyn Clock>, teller: &Arc<Teller>, dice: &mut Dice) {
    let durability = if job.normal { Durability::Normal } else { Durability::Full };
    let options = SqliteOptions { durability, ..SqliteOptions::at(&job.file) };
    let broker = Arc::new(SqliteBroker::open_with_clock(options, Arc::clone(clock)).unwrap());
    let clerk = broker.open("clerk").await.unwrap();
    declare(&*clerk).await.unwrap();
    Teller::say(&Line::Ready);
    let at_producers = [Desk::Tasks, Desk::Tasks, Desk::Hurried, Desk::Events];
    let at_consumers = [Desk::Tasks, Desk::Tasks, Desk::Tasks, Desk::Hurried, Desk::Hurried, Desk::Events, Desk::Audit];
    let producing = Arc::new(AtomicUsize::new(at_producers.len()));
    let bench = Bench { broker: Arc::clone(&broker), teller: Arc::clone(teller), producing };
    let mut all = JoinSet::new();
    for (number, desk) in at_producers.into_iter().enumerate() {
        let producer = Producer::new(&bench, desk, format!("producer-{number}"), dice.others());
        let (publishes, producing) = (job.publishes, Arc::clone(&bench.producing));
        all.spawn(async move {
            producer.publish(publishes).await;
            producing.fetch_sub(1, Ordering::AcqRel);
        });
    }
    for (number, desk) in at_consumers.into_iter().enumerate() {
        let consumer = Consumer::new(&bench, desk, format!("consumer-{number}"), dice.others());
        all.spawn(consumer.consume());
    }
    while let Some(ended) = all.join_next().await {
        ended.unwrap();
    }
    broker.shutdown().await.unwrap();
}

/// Declares the queues, and lets their groups be made.
pub(crate) async fn declare(client: &dyn Client) -> Result<(), BrokerError> {
    for desk in Desk::ALL {
        client.declare(&desk.queue(), &desk.policy()).await?;
        if let Some(group) = desk.group() {
            // For a message that nobody publishes: it takes nothing.
            let nothing = Fetch::up_to(1).of_group(group).only(uuid::Uuid::nil());
            client.fetch(&desk.queue(), nothing).await?;
        }
    }
    Ok(())
}
