//! What the typed faces are tried on: a broker, with a clock that jumps.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use workwire_broker::{Broker, Client};

use crate::subjects::BenchClock;

/// A broker, and the clock that it and the faces go by.
pub(crate) struct Bench {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) clock: BenchClock,
}

/// Runs a scenario against a broker, with threads enough for things to happen at once.
pub(crate) fn on_bench<B, S>(make: impl FnOnce(BenchClock) -> B, scenario: impl FnOnce(Bench) -> S)
where
    B: Future<Output = Arc<dyn Broker>>,
    S: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = BenchClock::at(1_800_000_000_000);
        let broker = make(clock.clone()).await;
        in_time(scenario(Bench { broker: Arc::clone(&broker), clock })).await;
        broker.shutdown().await.unwrap();
    });
}

/// The end of a scenario that hangs.
const DEADLINE: Duration = Duration::from_mins(2);

pub(crate) async fn in_time<T>(scenario: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, scenario).await.expect("the scenario does not end")
}

impl Bench {
    /// A connection without a face.
    pub(crate) async fn client(&self, name: &str) -> Box<dyn Client> {
        self.broker.open(name).await.unwrap()
    }

    /// Lets time pass in small jumps until the task has ended, and gives what it ended with.
    pub(crate) async fn pass_until<T>(&self, task: JoinHandle<T>) -> T {
        pass_until(&self.clock, task).await
    }
}

pub(crate) async fn pass_until<T>(clock: &BenchClock, task: JoinHandle<T>) -> T {
    pass_while(clock, || !task.is_finished()).await;
    task.await.unwrap()
}

/// Lets time pass in small jumps for as long as it is so.
pub(crate) async fn pass_while(clock: &BenchClock, is_so: impl Fn() -> bool) {
    in_time(async {
        while is_so() {
            clock.advance(50);
            // Whoever woke gets its turn before the next jump.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// Waits for something that happens by itself.
pub(crate) async fn eventually<F: Future<Output = bool>>(is_so: impl Fn() -> F) {
    in_time(async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}
