//! CON · Concurrency.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use workwire_broker::{Capability, CloseMode, Fetch, Message, Policy, Queue, Tag, Verdict};

use crate::case::{Alone, Case, Stage, Stop};
use crate::checkers::{CORRUPTED, DUPLICATES, LOST, PHANTOM, TWO_HOLDERS};
use crate::demand::Expectation;
use crate::history::Number;
use crate::recorder::Actor;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "con/five_publishers_and_three_consumers",
        clauses: &["CON-1", "CON-2"],
        needs: &[],
        checks: &[
            (&LOST, "CON-1"),
            (&PHANTOM, "CON-1"),
            (&CORRUPTED, "CON-1"),
            (&DUPLICATES, "CON-2"),
            (&TWO_HOLDERS, "CON-2"),
        ],
        alone: Alone::No,
        run: |stage| Box::pin(five_publishers_and_three_consumers(stage)),
    },
    Case {
        id: "con/consumers_come_and_go",
        clauses: &["CON-3"],
        needs: &[Capability::Lease],
        checks: &[(&LOST, "CON-3")],
        alone: Alone::No,
        run: |stage| Box::pin(consumers_come_and_go(stage)),
    },
    Case {
        id: "con/twenty_agents_and_a_thousand_messages",
        clauses: &["CON-4"],
        needs: &[],
        checks: &[(&LOST, "CON-4")],
        alone: Alone::Yes,
        run: |stage| Box::pin(twenty_agents_and_a_thousand_messages(stage)),
    },
    Case {
        id: "con/work_spreads",
        clauses: &["CON-5"],
        needs: &[],
        checks: &[],
        alone: Alone::Yes,
        run: |stage| Box::pin(work_spreads(stage)),
    },
    Case {
        id: "con/recovers_after_every_consumer_timed_out",
        clauses: &["CON-6"],
        needs: &[Capability::Lease],
        checks: &[(&LOST, "CON-6")],
        alone: Alone::No,
        run: |stage| Box::pin(recovers_after_every_consumer_timed_out(stage)),
    },
];

/// CON-1: Of what several clients publish while several others take and settle it, nothing is lost and nothing is
/// changed.
/// CON-2: Of what several consumers of a queue take at the same time, each message goes to one of them alone.
async fn five_publishers_and_three_consumers(stage: &mut Stage) -> Result<(), Stop> {
    const PUBLISHERS: usize = 5;
    const EACH: usize = 24;
    let policy = Policy { lease_ms: stage.ms(4_000), ..stage.policy() };
    let queue = stage.queue("tasks", &policy).await?;
    let work = Work::new(stage, PUBLISHERS * EACH);
    let mut crowd = JoinSet::new();
    for _ in 0..PUBLISHERS {
        let (publisher, messages) = (stage.client("publisher").await?, stage.messages(EACH));
        crowd.spawn(publish_one_by_one(publisher, queue.clone(), messages));
    }
    for _ in 0..3 {
        crowd.spawn(consume(stage.client("consumer").await?, queue.clone(), 3, work.clone()));
    }
    all_of(crowd).await;
    let last = stage.client("last").await?;
    stage.drain(&last, &queue, None, policy.lease_ms).await?;
    Ok(())
}

/// CON-3: Consumers that come and go while others work, with a goodbye or without, lose no message.
async fn consumers_come_and_go(stage: &mut Stage) -> Result<(), Stop> {
    const MESSAGES: usize = 60;
    let policy = Policy { lease_ms: stage.ms(300), max_attempts: 100, ..stage.policy() };
    let queue = stage.queue("tasks", &policy).await?;
    let publisher = stage.client("publisher").await?;
    let messages = stage.messages(MESSAGES);
    let mut crowd = JoinSet::new();
    crowd.spawn(publish_one_by_one(publisher, queue.clone(), messages));
    let work = Work::new(stage, MESSAGES).slowly(stage.ms(2));
    crowd.spawn(consume(stage.client("steady").await?, queue.clone(), 2, work.clone()));
    // Each takes some, finishes one of them, and leaves with the others in its hands.
    for mode in [CloseMode::Graceful, CloseMode::Abort].into_iter().cycle().take(12) {
        let guest = stage.client("guest").await?;
        let told = stage.take_within(&guest, &queue, Fetch::up_to(3), 3, stage.ms(20)).await;
        if let Some(first) = told.into_answer().unwrap_or_default().first() {
            guest.done(&queue, first).await;
        }
        guest.close(mode).await;
    }
    work.left.store(0, Ordering::Relaxed);
    all_of(crowd).await;
    let last = stage.client("last").await?;
    stage.drain(&last, &queue, None, policy.lease_ms).await?;
    Ok(())
}

/// CON-4: Twenty agents that publish and take a thousand messages at the same time come to an end, without an error and
/// without a loss.
async fn twenty_agents_and_a_thousand_messages(stage: &mut Stage) -> Result<(), Stop> {
    const AGENTS: usize = 20;
    const EACH: usize = 50;
    const MESSAGES: usize = 1_000;
    let policy = Policy { lease_ms: stage.ms(4_000), ..stage.policy() };
    let queue = stage.queue("tasks", &policy).await?;
    let batch = stage.claims(Capability::Batch);
    let work = Work::new(stage, MESSAGES);
    let mut crowd = JoinSet::new();
    for _ in 0..AGENTS {
        let (agent, messages) = (stage.client("agent").await?, stage.messages(EACH));
        let (queue, work) = (queue.clone(), work.clone());
        crowd.spawn(async move {
            let mut numbers = Vec::new();
            if batch {
                let told = agent.publish_batch(&queue, &messages).await;
                numbers.extend(told.iter().flat_map(|told| told.numbers().to_vec()));
            } else {
                for message in &messages {
                    numbers.extend_from_slice(agent.publish(&queue, message).await.numbers());
                }
            }
            numbers.extend(consume(agent, queue, 50, work).await);
            numbers
        });
    }
    let numbers = all_of(crowd).await;
    stage.demand_of("CON-4", &numbers, Expectation::Accepted);
    let last = stage.client("last").await?;
    stage.drain(&last, &queue, None, policy.lease_ms).await?;
    let told = last.depth(&queue, None).await;
    stage.demand("CON-4", &told, Expectation::ready(0));
    // What they left for others was no end of theirs.
    stage.demand_of("CON-4", &numbers, Expectation::Count { least: MESSAGES as u64, most: u64::MAX });
    Ok(())
}

/// CON-5: Of consumers that keep asking while there is work for all, each gets a part of it.
async fn work_spreads(stage: &mut Stage) -> Result<(), Stop> {
    const CONSUMERS: usize = 4;
    const MESSAGES: usize = 60;
    let queue = stage.queue("tasks", &stage.policy()).await?;
    let publisher = stage.client("publisher").await?;
    let messages = stage.messages(MESSAGES);
    stage.publish_all(&publisher, &queue, &messages).await?;
    let work = Work::new(stage, messages.len()).slowly(stage.ms(3));
    let mut consumers = Vec::new();
    for _ in 0..CONSUMERS {
        consumers.push(stage.client("consumer").await?);
    }
    let consumers = consumers.into_iter();
    let asked: Vec<_> =
        consumers.map(|consumer| tokio::spawn(consume(consumer, queue.clone(), 1, work.clone()))).collect();
    for asked in asked {
        // A fair part is fifteen; one that is served now and then gets three.
        let numbers = asked.await.unwrap_or_default();
        stage.demand_of("CON-5", &numbers, Expectation::Count { least: 3, most: u64::MAX });
    }
    Ok(())
}

/// CON-6: When every consumer has held what it took until its lease ended, the next one gets all of it.
async fn recovers_after_every_consumer_timed_out(stage: &mut Stage) -> Result<(), Stop> {
    let policy = Policy { lease_ms: stage.ms(200), ..stage.policy() };
    let queue = stage.queue("tasks", &policy).await?;
    let publisher = stage.client("publisher").await?;
    let messages = stage.messages(30);
    stage.publish_all(&publisher, &queue, &messages).await?;
    let mut silent = Vec::new();
    for _ in 0..3 {
        let consumer = stage.client("silent").await?;
        let told = stage.take(&consumer, &queue, Fetch::up_to(10), 10).await;
        stage.need_that(&told, Expectation::count(10))?;
        silent.push(consumer);
    }
    stage.pass(policy.lease_ms).await;
    let next = stage.client("next").await?;
    let mut numbers = Vec::new();
    let mut seen = 0;
    while seen < messages.len() {
        let told = stage.take(&next, &queue, Fetch::up_to(10), 1).await;
        numbers.extend_from_slice(told.numbers());
        let taken = told.into_answer().unwrap_or_default();
        if taken.is_empty() {
            break;
        }
        seen += taken.len();
        for delivery in taken {
            next.done(&queue, &delivery).await;
        }
    }
    stage.demand_of("CON-6", &numbers, Expectation::Count { least: messages.len() as u64, most: u64::MAX });
    stage.drain(&next, &queue, None, policy.lease_ms).await?;
    Ok(())
}

/// How much there is to do, and for how long it may stand still.
#[derive(Clone)]
pub(super) struct Work {
    /// How many messages are still to be done.
    left: Arc<AtomicUsize>,
    begun: Instant,
    /// When the last one was done, in milliseconds since it was begun: a slow broker goes on for as long as it
    /// gets somewhere.
    moved: Arc<AtomicU64>,
    patience: Duration,
    /// Between two looks where there was nothing.
    rest: Duration,
    /// How long a consumer works on what it took.
    pause: Duration,
}

impl Work {
    pub(super) fn new(stage: &Stage, messages: usize) -> Self {
        Work {
            left: Arc::new(AtomicUsize::new(messages)),
            begun: Instant::now(),
            moved: Arc::new(AtomicU64::new(0)),
            patience: Duration::from_millis(ms(stage.patience() * 3)),
            rest: Duration::from_millis(ms(stage.ms(2))),
            pause: Duration::ZERO,
        }
    }

    /// The same, for consumers that work so long on what they took.
    pub(super) fn slowly(self, pause_ms: i64) -> Self {
        Work { pause: Duration::from_millis(ms(pause_ms)), ..self }
    }

    fn stands_still(&self) -> bool {
        self.begun.elapsed() >= Duration::from_millis(self.moved.load(Ordering::Relaxed)) + self.patience
    }

    fn one_is_done(&self) {
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.fetch_max(now, Ordering::Relaxed);
    }
}

fn ms(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0)
}

/// Takes up to so many at a time and settles them, until all is done or nothing moves. Says which
/// operations took something or went wrong; the first at any rate.
pub(super) async fn consume(actor: Actor, queue: Queue, max: u32, work: Work) -> Vec<Number> {
    let mut numbers = Vec::new();
    while work.left.load(Ordering::Relaxed) > 0 && !work.stands_still() {
        let told = actor.fetch(&queue, Fetch::up_to(max)).await;
        if numbers.is_empty() || told.is_something() || told.answer().is_err() {
            numbers.extend_from_slice(told.numbers());
        }
        let Ok(taken) = told.into_answer() else { return numbers };
        if taken.is_empty() {
            tokio::time::sleep(work.rest).await;
            continue;
        }
        if !work.pause.is_zero() {
            tokio::time::sleep(work.pause).await;
        }
        let settled: Vec<(Tag, Verdict)> = taken.into_iter().map(|one| (one.tag, Verdict::Done)).collect();
        for told in actor.settle_many(&queue, &settled).await {
            if told.answer().is_ok() {
                work.one_is_done();
            }
        }
        // So that others have their turn, where nothing else would let them.
        tokio::task::yield_now().await;
    }
    numbers
}

/// Publishes one after the other. Says which operations those were.
pub(super) async fn publish_one_by_one(actor: Actor, queue: Queue, messages: Vec<Message>) -> Vec<Number> {
    let mut numbers = Vec::new();
    for message in &messages {
        let told = actor.publish(&queue, message).await;
        numbers.extend_from_slice(told.numbers());
        if told.answer().is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    numbers
}

/// Waits for all of them.
pub(super) async fn all_of(mut crowd: JoinSet<Vec<Number>>) -> Vec<Number> {
    let mut numbers = Vec::new();
    while let Some(done) = crowd.join_next().await {
        numbers.extend(done.unwrap_or_default());
    }
    numbers
}
