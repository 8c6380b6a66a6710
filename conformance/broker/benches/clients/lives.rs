//! Lives of messages side by side: each is published, fetched and done.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use workwire_broker::{Client, Fetch, Message, Queue, Verdict};

/// How many lives a second, where so many go on at a time for so long.
pub(crate) async fn rate<F: Future<Output = ()> + Send + 'static>(
    in_flight: usize,
    round: Duration,
    life: impl Fn() -> F,
) -> f64 {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..in_flight {
        tasks.spawn(life());
    }
    let mut lives = 0_u32;
    while let Some(lived) = tasks.join_next().await {
        lived.unwrap();
        lives += 1;
        if start.elapsed() < round {
            tasks.spawn(life());
        }
    }
    f64::from(lives) / start.elapsed().as_secs_f64()
}

/// The life of a message in our broker.
pub(crate) async fn ours(client: Arc<dyn Client>, queue: Queue, message: Message) {
    client.publish(&queue, message).await.unwrap();
    let delivery = client.fetch(&queue, Fetch::up_to(1).waiting(10_000)).await.unwrap().remove(0);
    client.settle(&queue, &delivery.tag, Verdict::Done).await.unwrap();
}
