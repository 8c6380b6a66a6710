//! Random histories: the broker answers as the oracle does.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::{TestCaseError, TestRunner};
use workwire_broker::Broker;
use workwire_broker::clock::ManualClock;

use super::session::{START, play};
use super::steps::{History, history};

crate::subjects::each_broker![run:
    every_answer_is_the_oracles,
];

/// As many cases as `PROPTEST_CASES` says, 64 otherwise, and no files of past failures.
fn config() -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { ProptestConfig { cases: 64, ..config } }
}

fn run<B, S>(make: impl Fn(ManualClock) -> B, holds: impl Fn(Arc<dyn Broker>, ManualClock, History) -> S)
where
    B: Future<Output = Arc<dyn Broker>>,
    S: Future<Output = Result<(), String>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let played = TestRunner::new(config()).run(&history(), |history| {
        runtime.block_on(async {
            let clock = ManualClock::at(START);
            let broker = make(clock.clone()).await;
            let holding = tokio::time::timeout(Duration::from_mins(1), holds(broker, clock, history)).await;
            holding.unwrap_or_else(|_| Err("a step was never answered".to_owned())).map_err(TestCaseError::fail)
        })
    });
    if let Err(difference) = played {
        panic!("{difference}");
    }
}

async fn every_answer_is_the_oracles(
    broker: Arc<dyn Broker>,
    clock: ManualClock,
    history: History,
) -> Result<(), String> {
    play(broker, clock, history).await
}
