//! Everything that a broker can be asked, on a clock that stands still, with every answer in words.

use std::fmt::Debug;

use uuid::Uuid;
use workwire::{AgentId, AgentStatus, AgentType, Name, Resources, StatusUpdate, TaskId, Timestamp};
use workwire_broker::clock::ManualClock;
use workwire_broker::{
    Broker, Client, CloseMode, Fetch, Health, HealthStatus, Message, Overflow, Peek, Policy, Purge, Queue, RestartMode,
    Tag, Update, Verdict,
};

/// What is asked, and what was answered.
struct Transcript(Vec<String>);

impl Transcript {
    fn note(&mut self, asked: &str, answer: impl Debug) {
        self.0.push(format!("{asked}: {answer:?}"));
    }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Asks it all. Two brokers are the same if this is.
pub(crate) async fn transcript(broker: &dyn Broker, clock: &ManualClock) -> Vec<String> {
    let mut transcript = Transcript(Vec::new());
    transcript.note("about", broker.about());
    let client = broker.open("first").await.unwrap();
    transcript.note("open twice", broker.open("first").await.err());
    transcript.note("open with a bad name", broker.open("no name").await.err());
    messages(&mut transcript, &*client, clock).await;
    letters(&mut transcript, &*client, clock).await;
    queues(&mut transcript, &*client, clock).await;
    presence(&mut transcript, &*client, clock).await;
    endings(&mut transcript, broker, client).await;
    transcript.0
}

async fn messages(transcript: &mut Transcript, client: &dyn Client, clock: &ManualClock) {
    let queue = Queue::of_tenant("acme", "tasks");
    let policy = Policy {
        max_priority: 10,
        backoff_ms: vec![1_000, 4_000],
        ttl_ms: Some(60_000),
        max_length: Some(50),
        overflow: Overflow::DropOldest,
        ..Policy::default()
    };
    transcript.note("undeclared", client.publish(&queue, Message::new(id(1), "early")).await);
    transcript.note("declare", client.declare(&queue, &policy).await);
    transcript.note("declare again", client.declare(&queue, &policy).await);
    transcript.note("declare otherwise", client.declare(&queue, &Policy::default()).await);
    transcript.note("declare wrongly", client.declare(&queue, &Policy { max_priority: 99, ..policy }).await);
    transcript.note("publish", client.publish(&queue, Message::new(id(1), "one")).await);
    transcript.note("publish again", client.publish(&queue, Message::new(id(1), "one")).await);
    let full = Message {
        priority: Some(9),
        ttl_ms: Some(5_000),
        delay_ms: Some(100),
        to: Some("bob".to_owned()),
        ..Message::new(id(2), vec![0, 255, 10])
    };
    transcript.note("publish all", client.publish(&queue, full).await);
    let batch = vec![
        Message::new(id(3), "three"),
        Message { priority: Some(11), ..Message::new(id(4), "four") },
        Message::new(id(3), "three"),
    ];
    transcript.note("batch", client.publish_batch(&queue, batch).await);
    transcript.note("peek", client.peek(&queue, Peek { max: 5, ..Peek::default() }).await);
    let behind = Peek { max: 5, after: Some(id(1)), recipient: Some("bob".to_owned()), ..Peek::default() };
    transcript.note("peek behind", client.peek(&queue, behind).await);
    transcript.note("depth", client.depth(&queue, None).await);
    clock.advance(100);
    let of_bob = client.fetch(&queue, Fetch::up_to(2).for_recipient("bob").waiting(10)).await;
    transcript.note("fetch", &of_bob);
    let of_bob = of_bob.unwrap();
    transcript.note("extend", client.extend(&queue, &of_bob[0].tag, 50_000).await);
    transcript.note("extend wrongly", client.extend(&queue, &of_bob[0].tag, 0).await);
    let retry = Verdict::Retry { delay_ms: Some(7), reason: Some("later".to_owned()) };
    transcript.note("retry", client.settle(&queue, &of_bob[0].tag, retry).await);
    transcript.note("stale", client.settle(&queue, &of_bob[0].tag, Verdict::Done).await);
    let both = vec![(of_bob[1].tag.clone(), Verdict::Done), (Tag("none".to_owned()), Verdict::retry())];
    transcript.note("settle many", client.settle_many(&queue, both).await);
    transcript.note("group", client.fetch(&queue, Fetch::up_to(9).of_group("logs")).await);
    transcript.note("one", client.fetch(&queue, Fetch::up_to(1).only(id(3))).await);
    transcript.note("none", client.fetch(&queue, Fetch::up_to(1)).await);
    transcript.note("too few", client.fetch(&queue, Fetch::up_to(0)).await);
    transcript.note("depth of group", client.depth(&queue, Some("logs")).await);
}

async fn letters(transcript: &mut Transcript, client: &dyn Client, clock: &ManualClock) {
    let queue = Queue::new("letters");
    client.declare(&queue, &Policy { max_attempts: 1, ..Policy::default() }).await.unwrap();
    for number in 1..=3 {
        client.publish(&queue, Message::new(id(number), format!("letter {number}"))).await.unwrap();
    }
    let taken = client.fetch(&queue, Fetch::up_to(3)).await.unwrap();
    transcript.note("dead", client.settle(&queue, &taken[0].tag, Verdict::dead("broken")).await);
    transcript.note("dead silently", client.settle(&queue, &taken[1].tag, Verdict::Dead { reason: None }).await);
    clock.advance(30_000);
    transcript.note("letters", client.dead_letters(&queue, 10, None).await);
    transcript.note("letters of group", client.dead_letters(&queue, 10, Some("none")).await);
    transcript.note("replay", client.replay(&queue, id(2), None).await);
    transcript.note("replay again", client.replay(&queue, id(2), None).await);
    transcript.note("purge letters", client.purge(&queue, Purge { group: None, dead: true }).await);
    transcript.note("purge group", client.purge(&queue, Purge { group: Some("none"), dead: false }).await);
    transcript.note("purge", client.purge(&queue, Purge::default()).await);
}

async fn queues(transcript: &mut Transcript, client: &dyn Client, clock: &ManualClock) {
    let queue = Queue::new("short");
    client.declare(&queue, &Policy { ttl_ms: Some(1), ..Policy::default() }).await.unwrap();
    client.publish(&queue, Message::new(id(1), "gone soon")).await.unwrap();
    clock.advance(5);
    transcript.note("sweep", client.sweep(&queue).await);
    transcript.note("delete", client.delete(&queue).await);
    transcript.note("delete again", client.delete(&queue).await);
    transcript.note("crafted name", client.depth(&Queue::new("a:b\0\"\u{202e}"), None).await);
}

async fn presence(transcript: &mut Transcript, client: &dyn Client, clock: &ManualClock) {
    let at: Timestamp = "2026-01-01T00:00:00.250Z".parse().unwrap();
    let agent = StatusUpdate::builder()
        .agent_id(AgentId::from_uuid(id(7)))
        .agent_type(AgentType::Infra)
        .status(AgentStatus::Busy)
        .current_task_id(TaskId::from_uuid(id(8)))
        .resources(Resources::new(12.5, 40.0, 6.0, 8.0).unwrap())
        .timestamp(at)
        .build()
        .unwrap();
    let health = Health {
        current_task: Some("thinking".to_owned()),
        error_count: Some(2),
        ..Health::new(Name::new("planner").unwrap(), HealthStatus::Degraded)
    };
    transcript.note("heartbeat", client.heartbeat(Update::Agent(agent), None).await);
    transcript.note("health", client.heartbeat(Update::Channel(health), Some("acme")).await);
    transcript.note("agents", client.agents(None, None).await);
    clock.advance(1_000);
    transcript.note("offline", client.agents(Some(1_000), Some("acme")).await);
    transcript.note("nobody", client.agents(Some(0), Some("other")).await);
}

async fn endings(transcript: &mut Transcript, broker: &dyn Broker, client: Box<dyn Client>) {
    let queue = Queue::new("held");
    client.declare(&queue, &Policy::default()).await.unwrap();
    client.publish(&queue, Message::new(id(1), "held")).await.unwrap();
    client.fetch(&queue, Fetch::up_to(1)).await.unwrap();
    transcript.note("close", client.close(CloseMode::Graceful).await);
    transcript.note("closed", client.depth(&queue, None).await);
    transcript.note("close again", client.close(CloseMode::Graceful).await);
    let second = broker.open("first").await.unwrap();
    transcript.note("given back", second.fetch(&queue, Fetch::up_to(1)).await);
    transcript.note("abort", second.close(CloseMode::Abort).await);
    let third = broker.open("third").await.unwrap();
    transcript.note("lost", third.fetch(&queue, Fetch::up_to(1)).await);
    transcript.note("restart", broker.restart(RestartMode::Kill).await);
    transcript.note("gone", third.depth(&queue, None).await);
    let fourth = broker.open("third").await.unwrap();
    // The name is another's now, who must not be closed by this.
    drop(third);
    transcript.note("after the restart", fourth.fetch(&queue, Fetch::up_to(1)).await);
    transcript.note("shutdown", broker.shutdown().await);
}
