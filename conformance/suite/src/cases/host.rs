//! Clauses of DUR and CON that need the machine: processes on one store, a full disk, a damaged
//! store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;
use workwire_broker::{Capability, CloseMode, Code, Fetch, Message, Peek, Queue};

use crate::case::{Alone, Case, Stage, Stop};
use crate::demand::Expectation;
use crate::history::Number;
use crate::host::Place;
use crate::recorder::{Actor, Recorder};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "dur/a_full_disk_is_a_clean_refusal",
        clauses: &["DUR-10"],
        needs: &[Capability::Durable],
        checks: &[],
        alone: Alone::OnHostWithSmallDisk,
        run: |stage| Box::pin(a_full_disk_is_a_clean_refusal(stage)),
    },
    Case {
        id: "dur/a_damaged_store_is_reported",
        clauses: &["DUR-11"],
        needs: &[Capability::Durable],
        checks: &[],
        alone: Alone::OnHost,
        run: |stage| Box::pin(a_damaged_store_is_reported(stage)),
    },
    Case {
        id: "con/several_processes_share_a_store",
        clauses: &["CON-7"],
        needs: &[Capability::Durable],
        checks: &[],
        alone: Alone::OnHost,
        run: |stage| Box::pin(several_processes_share_a_store(stage)),
    },
    Case {
        id: "con/of_eight_processes_none_starves",
        clauses: &["CON-8"],
        needs: &[Capability::Durable],
        checks: &[],
        alone: Alone::OnHost,
        run: |stage| Box::pin(of_eight_processes_none_starves(stage)),
    },
];

/// How many processes work on one store.
const PROCESSES: usize = 8;

fn place(store: &str) -> Place {
    Place { store: store.to_owned(), room: None }
}

/// A process of the broker and a client of it.
async fn start(stage: &Stage, name: &str, place: &Place) -> Result<(Recorder, Actor), Stop> {
    let told = stage.process(name, place).await?;
    let broker = stage.need(told)?.ok_or(Stop)?;
    let told = broker.open(&stage.name(name)).await;
    let client = stage.need(told)?.ok_or(Stop)?;
    Ok((broker, client))
}

/// DUR-10: Where the disk is full, a publish is refused or stored as ever, and what was stored before stays.
async fn a_full_disk_is_a_clean_refusal(stage: &mut Stage) -> Result<(), Stop> {
    const ROOM: u64 = 16 << 20;
    const BODY: usize = 64 << 10;
    let (queue, place) = (stage.queue_named("tasks"), Place { store: "full".to_owned(), room: Some(ROOM) });
    let (broker, client) = start(stage, "process", &place).await?;
    stage.need(client.declare(&queue, &stage.policy()).await)?;
    let (mut stored, mut refused) = (Vec::new(), None);
    let too_many = 2 * usize::try_from(ROOM).unwrap_or(usize::MAX) / BODY;
    for _ in 0..too_many {
        let message = stage.message(vec![b'x'; BODY]);
        let told = client.publish(&queue, &message).await;
        if told.answer().is_err() {
            refused = Some(told);
            break;
        }
        stored.push(message.id);
        refused = Some(told);
    }
    let refused = refused.ok_or(Stop)?;
    stage.demand("DUR-10", &refused, Expectation::refused(Code::Full));
    // What was acknowledged is there.
    let depth = client.depth(&queue, None).await;
    stage.demand("DUR-10", &depth, Expectation::ready(stored.len() as u64));
    if stage.claims(Capability::Browse) {
        let seen = look_at_all(&client, &queue, stored.len()).await;
        stage.demand_of("DUR-10", &seen, Expectation::in_any_order(stored));
    }
    let _ = broker.broker().shutdown().await;
    Ok(())
}

/// Looks at messages page after page.
async fn look_at_all(client: &Actor, queue: &Queue, most: usize) -> Vec<Number> {
    let (mut numbers, mut after, mut seen) = (Vec::new(), None, 0);
    while seen < most {
        let told = client.peek(queue, Peek { max: 50, after, ..Peek::default() }).await;
        numbers.extend_from_slice(told.numbers());
        match told.into_answer() {
            Ok(page) if !page.is_empty() => {
                seen += page.len();
                after = page.last().map(|message| message.id);
            }
            _ => break,
        }
    }
    numbers
}

/// DUR-11: A store that is corrupt is reported; none of it is skipped over in silence.
async fn a_damaged_store_is_reported(stage: &mut Stage) -> Result<(), Stop> {
    const MESSAGES: usize = 50;
    let (queue, place) = (stage.queue_named("tasks"), place("damaged"));
    let (broker, client) = start(stage, "process", &place).await?;
    stage.need(client.declare(&queue, &stage.policy()).await)?;
    let messages = stage.messages(MESSAGES);
    stage.publish_all(&client, &queue, &messages).await?;
    stage.need(client.close(CloseMode::Graceful).await)?;
    let _ = broker.broker().shutdown().await;
    drop((client, broker));
    stage.host()?.damage(&place.store).map_err(|_| Stop)?;

    let started = stage.process("process-again", &place).await?;
    let Ok(Some(broker)) = started.answer() else {
        stage.demand("DUR-11", &started, Expectation::NotAccepted);
        return Ok(());
    };
    let opened = broker.open(&stage.name("again")).await;
    let Ok(Some(client)) = opened.answer() else {
        stage.demand("DUR-11", &opened, Expectation::NotAccepted);
        return Ok(());
    };
    let declared = client.declare(&queue, &stage.policy()).await;
    if declared.answer().is_err() {
        stage.demand("DUR-11", &declared, Expectation::NotAccepted);
        return Ok(());
    }
    // Whoever says nothing has to have it all.
    let taken = stage.take(client, &queue, Fetch::up_to(100), MESSAGES).await;
    if taken.answer().is_err() {
        stage.demand("DUR-11", &taken, Expectation::NotAccepted);
    } else {
        stage.demand("DUR-11", &taken, Expectation::in_any_order(messages.iter().map(|message| message.id)));
        stage.demand("DUR-11", &taken, Expectation::SameBytes);
    }
    let _ = broker.broker().shutdown().await;
    Ok(())
}

/// CON-7: Several processes that use one store at the same time lose no message, and none is settled as `done` by
/// two of them.
async fn several_processes_share_a_store(stage: &mut Stage) -> Result<(), Stop> {
    const EACH: usize = 10;
    let (queue, place) = (stage.queue_named("tasks"), place("shared"));
    let processes = processes(stage, &queue, &place).await?;
    let messages = stage.messages(EACH * PROCESSES);
    let ids: Vec<Uuid> = messages.iter().map(|message| message.id).collect();
    // Some store and the others take: what is in a store is there for every process.
    let (publishers, takers) = processes.split_at(PROCESSES / 2);
    let mut working = JoinSet::new();
    for ((_, client), share) in publishers.iter().zip(messages.chunks(2 * EACH)) {
        working.spawn(publish_all(Arc::clone(client), queue.clone(), share.to_vec()));
    }
    let stored: Vec<Number> = working.join_all().await.concat();
    stage.demand_of("CON-7", &stored, Expectation::stored());
    let mut working = JoinSet::new();
    let (done, end) = (Arc::new(AtomicUsize::new(0)), Instant::now() + milliseconds(stage.patience()));
    for (_, client) in takers {
        let (client, queue, done) = (Arc::clone(client), queue.clone(), Arc::clone(&done));
        working.spawn(async move { work_off(&client, &queue, &done, EACH * PROCESSES, end).await });
    }
    let (taken, settled): (Vec<_>, Vec<_>) = working.join_all().await.into_iter().unzip();
    // Together they do all of it, each once.
    stage.demand_of("CON-7", &taken.concat(), Expectation::in_any_order(ids));
    for settled in settled.iter().filter(|settled| !settled.is_empty()) {
        stage.demand_of("CON-7", settled, Expectation::Accepted);
    }
    end_all(&processes).await;
    Ok(())
}

/// CON-8: Of eight processes that keep asking, the one that gets least gets at least half of what the one that gets
/// most does.
async fn of_eight_processes_none_starves(stage: &mut Stage) -> Result<(), Stop> {
    const TIME_MS: i64 = 1_500;
    let (queue, place) = (stage.queue_named("tasks"), place("fair"));
    let processes = processes(stage, &queue, &place).await?;
    let end = Instant::now() + milliseconds(stage.ms(TIME_MS));
    let mut working = JoinSet::new();
    for (number, (_, client)) in processes.iter().enumerate() {
        let (client, queue) = (Arc::clone(client), queue.clone());
        let mut random = fastrand::Rng::with_seed(stage.random().u64(..) ^ number as u64);
        working.spawn(async move {
            let mut numbers = Vec::new();
            while Instant::now() < end {
                let id = uuid::Builder::from_random_bytes(random.u128(..).to_be_bytes()).into_uuid();
                let told = client.publish(&queue, &Message::new(id, "one more")).await;
                numbers.extend_from_slice(told.numbers());
            }
            numbers
        });
    }
    let published: Vec<Number> = working.join_all().await.concat();
    stage.demand_of("CON-8", &published, Expectation::EvenShares { clients: PROCESSES as u64 });
    end_all(&processes).await;
    Ok(())
}

type Process = (Recorder, Arc<Actor>);

async fn processes(stage: &Stage, queue: &Queue, place: &Place) -> Result<Vec<Process>, Stop> {
    let mut processes = Vec::new();
    for number in 0..PROCESSES {
        let (broker, client) = start(stage, &format!("process-{number}"), place).await?;
        stage.need(client.declare(queue, &stage.policy()).await)?;
        processes.push((broker, Arc::new(client)));
    }
    Ok(processes)
}

async fn end_all(processes: &[Process]) {
    for (broker, _) in processes {
        // What the processes leave behind is their folder's matter.
        let _ = broker.broker().shutdown().await;
    }
}

async fn publish_all(client: Arc<Actor>, queue: Queue, messages: Vec<Message>) -> Vec<Number> {
    let mut numbers = Vec::new();
    for message in &messages {
        numbers.extend_from_slice(client.publish(&queue, message).await.numbers());
    }
    numbers
}

/// Takes and settles until all of them together have done all, or the time is over. Which operations
/// took something, and which settled it.
async fn work_off(
    client: &Actor,
    queue: &Queue,
    done: &AtomicUsize,
    all: usize,
    end: Instant,
) -> (Vec<Number>, Vec<Number>) {
    let (mut taken, mut settled, mut last) = (Vec::new(), Vec::new(), Vec::new());
    while done.load(Ordering::Relaxed) < all && Instant::now() < end {
        let told = client.fetch(queue, Fetch::up_to(3)).await;
        if !told.is_something() {
            // Whoever took nothing at all shows that.
            last = told.numbers().to_vec();
            tokio::time::sleep(Duration::from_millis(2)).await;
            continue;
        }
        taken.extend_from_slice(told.numbers());
        for delivery in told.into_answer().unwrap_or_default() {
            settled.extend_from_slice(client.done(queue, &delivery).await.numbers());
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
    (if taken.is_empty() { last } else { taken }, settled)
}

fn milliseconds(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
