//! The brokers that the typed faces are tried on, each with a clock that jumps.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use workwire_broker::clock::ManualClock;
use workwire_broker::{Broker, Client, MemoryBroker};

/// A broker, and the clock that it and the faces go by.
pub(crate) struct Bench {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) clock: ManualClock,
}

pub(crate) async fn memory() -> Bench {
    let clock = ManualClock::at(1_800_000_000_000);
    Bench { broker: Arc::new(MemoryBroker::new(Arc::new(clock.clone()))), clock }
}

/// Each scenario on each broker. A broker more is a line more.
macro_rules! on_each_broker {
    ($($scenario:ident)+) => {
        crate::brokers::on_broker!(memory: $($scenario)+);
    };
}
pub(crate) use on_each_broker;

macro_rules! on_broker {
    ($broker:ident: $($scenario:ident)+) => {
        mod $broker {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $scenario() {
                let bench = crate::brokers::$broker().await;
                crate::brokers::in_time(super::$scenario(bench)).await;
            })+
        }
    };
}
pub(crate) use on_broker;

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
        self.pass_while(|| !task.is_finished()).await;
        task.await.unwrap()
    }

    /// Lets time pass in small jumps for as long as it is so.
    pub(crate) async fn pass_while(&self, is_so: impl Fn() -> bool) {
        while is_so() {
            self.clock.advance(50);
            // Whoever woke gets its turn before the next jump.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
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
