//! A client behind a token bucket.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use workwire::Name;
use workwire_broker::{
    Client, CloseMode, Code, Fetch, Health, HealthStatus, Message, Peek, Policy, Purge, Queue, RateLimited, Stored,
    TokenBucket, Update, Verdict,
};

use crate::brokers::{Bench, on_bench};
use crate::subjects::each_broker;

each_broker! { on_bench:
    a_client_beyond_its_rate_waits_and_then_is_told,
    what_ends_a_delivery_is_free,
    a_batch_pays_for_each_of_its_messages,
    clients_can_share_a_bucket,
    everything_goes_through,
}

fn bucket(capacity: u32, bench: &Bench) -> Arc<TokenBucket> {
    let [capacity, pace] = [capacity, 10].map(|number| NonZeroU32::new(number).unwrap());
    Arc::new(TokenBucket::new(capacity, pace).with_clock(Arc::new(bench.clock.clone())))
}

fn message() -> Message {
    Message::new(Uuid::now_v7(), "work")
}

async fn a_client_beyond_its_rate_waits_and_then_is_told(bench: Bench) {
    let queue = Queue::new("tasks");
    let limited = Arc::new(RateLimited::new(bench.client("agent").await, bucket(3, &bench)));
    limited.declare(&queue, &Policy::default()).await.unwrap();
    for _ in 0..2 {
        limited.publish(&queue, message()).await.unwrap();
    }
    let waiting = tokio::spawn({
        let (limited, queue) = (Arc::clone(&limited), queue.clone());
        async move { limited.publish(&queue, message()).await }
    });
    assert_eq!(bench.pass_until(waiting).await.unwrap(), Stored::Stored);

    // One that does not wait.
    let hasty = RateLimited::new(bench.client("hasty").await, bucket(1, &bench)).with_wait(Duration::ZERO);
    hasty.publish(&queue, message()).await.unwrap();
    let error = hasty.publish(&queue, message()).await.unwrap_err();
    assert_eq!((error.code(), error.is_refused()), (Code::Full, true));
    assert!(error.message().starts_with("rate limit exceeded (1007): "), "{error}");
    assert_eq!(bench.client("observer").await.depth(&queue, None).await.unwrap().ready, 4);
}

async fn what_ends_a_delivery_is_free(bench: Bench) {
    let queue = Queue::new("tasks");
    let limited = RateLimited::new(bench.client("agent").await, bucket(3, &bench)).with_wait(Duration::ZERO);
    limited.declare(&queue, &Policy::default()).await.unwrap();
    limited.publish(&queue, message()).await.unwrap();
    let delivery = limited.fetch(&queue, Fetch::up_to(1)).await.unwrap().remove(0);
    assert_eq!(limited.fetch(&queue, Fetch::up_to(1)).await.unwrap_err().code(), Code::Full);
    for _ in 0..10 {
        limited.extend(&queue, &delivery.tag, 30_000).await.unwrap();
    }
    limited.settle(&queue, &delivery.tag, Verdict::Done).await.unwrap();
    limited.heartbeat(Update::Channel(Health::new(name(), HealthStatus::Idle)), None).await.unwrap();
    limited.close(CloseMode::Graceful).await.unwrap();
}

async fn a_batch_pays_for_each_of_its_messages(bench: Bench) {
    let queue = Queue::new("tasks");
    bench.client("first").await.declare(&queue, &Policy::default()).await.unwrap();
    let limited = Arc::new(RateLimited::new(bench.client("agent").await, bucket(5, &bench)));
    limited.publish_batch(&queue, (0..5).map(|_| message()).collect()).await.unwrap();
    let hasty = RateLimited::new(bench.client("hasty").await, bucket(5, &bench)).with_wait(Duration::ZERO);
    let refused = hasty.publish_batch(&queue, (0..6).map(|_| message()).collect()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Full);
    // More than the bucket holds takes longer, and goes through.
    let waiting = tokio::spawn({
        let (limited, queue) = (Arc::clone(&limited), queue.clone());
        async move { limited.publish_batch(&queue, (0..20).map(|_| message()).collect()).await }
    });
    assert_eq!(bench.pass_until(waiting).await.unwrap().len(), 20);
    assert_eq!(bench.client("observer").await.depth(&queue, None).await.unwrap().ready, 25);
}

async fn clients_can_share_a_bucket(bench: Bench) {
    let queue = Queue::new("tasks");
    bench.client("first").await.declare(&queue, &Policy::default()).await.unwrap();
    let shared = bucket(2, &bench);
    let [one, two] = ["one", "two"].map(|name| async { bench.client(name).await });
    let one = RateLimited::new(one.await, Arc::clone(&shared)).with_wait(Duration::ZERO);
    let two = RateLimited::new(two.await, shared).with_wait(Duration::ZERO);
    one.publish(&queue, message()).await.unwrap();
    two.publish(&queue, message()).await.unwrap();
    assert_eq!(one.publish(&queue, message()).await.unwrap_err().code(), Code::Full);
    assert_eq!(two.publish(&queue, message()).await.unwrap_err().code(), Code::Full);
}

async fn everything_goes_through(bench: Bench) {
    everything(&RateLimited::new(bench.client("agent").await, bucket(100, &bench)), &bench).await;
}

fn name() -> Name {
    "planner".parse().unwrap()
}

/// Each operation does through a wrapper what it does without one.
pub(super) async fn everything(client: &dyn Client, bench: &Bench) {
    let queue = Queue::of_tenant("acme", "tasks");
    let policy = Policy { max_attempts: 1, ..Policy::default() };
    client.declare(&queue, &policy).await.unwrap();
    let (id, expiring) = (Uuid::now_v7(), Message { ttl_ms: Some(1_000), ..message() });
    client.publish(&queue, Message::new(id, "work")).await.unwrap();
    let stored = client.publish_batch(&queue, vec![message(), expiring]).await.unwrap();
    assert_eq!(stored, [Ok(Stored::Stored), Ok(Stored::Stored)]);
    assert_eq!(client.peek(&queue, Peek { max: 5, ..Peek::default() }).await.unwrap().len(), 3);
    let taken = client.fetch(&queue, Fetch::up_to(2)).await.unwrap();
    assert_eq!(taken.len(), 2);
    client.extend(&queue, &taken[0].tag, 60_000).await.unwrap();
    client.settle(&queue, &taken[0].tag, Verdict::dead("no")).await.unwrap();
    let settled = client.settle_many(&queue, vec![(taken[1].tag.clone(), Verdict::Done)]).await.unwrap();
    assert_eq!(settled, [Ok(())]);
    assert_eq!(client.dead_letters(&queue, 5, None).await.unwrap()[0].id, id);
    client.replay(&queue, id, None).await.unwrap();
    bench.clock.advance(1_000);
    assert_eq!(client.sweep(&queue).await.unwrap(), 1);
    assert_eq!(client.depth(&queue, None).await.unwrap().ready, 1);
    assert_eq!(client.purge(&queue, Purge::default()).await.unwrap(), 1);
    client.heartbeat(Update::Channel(Health::new(name(), HealthStatus::Idle)), Some("acme")).await.unwrap();
    assert_eq!(client.agents(None, Some("acme")).await.unwrap()[0].agent_id, "planner");
    assert!(client.push(&queue, &Fetch::up_to(1), 1).is_none());
    client.delete(&queue).await.unwrap();
    assert_eq!(client.depth(&queue, None).await.unwrap_err().code(), Code::NotFound);
    client.close(CloseMode::Graceful).await.unwrap();
    assert_eq!(client.agents(None, None).await.unwrap_err().code(), Code::NotFound);
}
