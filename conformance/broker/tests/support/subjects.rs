//! The brokers that each test is about.

use std::sync::Arc;

use workwire_broker::clock::ManualClock;
use workwire_broker::{Broker, Durability, MemoryBroker, SqliteBroker, SqliteOptions};

/// The clock of these brokers, and of what is put over them.
#[allow(dead_code, reason = "not every test over these brokers has more than one kind of clock")]
pub(crate) type BenchClock = ManualClock;

#[allow(clippy::unused_async, reason = "a constructor as the others are")]
pub(crate) async fn memory(clock: ManualClock) -> Arc<dyn Broker> {
    Arc::new(MemoryBroker::new(Arc::new(clock)))
}

#[allow(clippy::unused_async, reason = "a constructor as the others are")]
pub(crate) async fn sqlite(clock: ManualClock) -> Arc<dyn Broker> {
    // What is on the disk is another test's subject: this one need not wait for it.
    let options = SqliteOptions { durability: Durability::Normal, ..SqliteOptions::temporary() };
    Arc::new(SqliteBroker::open_with_clock(options, Arc::new(clock)).expect("a store"))
}

/// The broker in memory, behind the adapter protocol.
#[cfg(feature = "adapter")]
pub(crate) async fn memory_behind_an_adapter(clock: ManualClock) -> Arc<dyn Broker> {
    behind_an_adapter(memory(clock).await).await
}

/// The broker in a file, behind the adapter protocol.
#[cfg(feature = "adapter")]
pub(crate) async fn sqlite_behind_an_adapter(clock: ManualClock) -> Arc<dyn Broker> {
    behind_an_adapter(sqlite(clock).await).await
}

#[cfg(feature = "adapter")]
async fn behind_an_adapter(broker: Arc<dyn Broker>) -> Arc<dyn Broker> {
    use workwire_broker::adapter::{AdapterBroker, AdapterOptions, serve};

    let (near, far) = tokio::io::duplex(64 * 1024);
    let (input, output) = tokio::io::split(far);
    tokio::spawn(serve(broker, input, output));
    let (output, input) = tokio::io::split(near);
    Arc::new(AdapterBroker::over(output, input, &AdapterOptions::default()).await.unwrap())
}

/// Makes a test of each function for each broker: `run` is given the broker's constructor and the
/// function. A function that is in no list is dead code, which is an error.
macro_rules! each_broker {
    ($run:ident: $($scenario:ident,)+) => { $(
        mod $scenario {
            $crate::subjects::each_broker! { @test $run $scenario: memory, sqlite }
            #[cfg(feature = "adapter")]
            $crate::subjects::each_broker! { @test $run $scenario: memory_behind_an_adapter, sqlite_behind_an_adapter }
        }
    )+ };
    // Those that move the broker's clock: an engine has its own.
    (where time jumps: $run:ident: $($scenario:ident,)+) => { $crate::subjects::each_broker! { $run: $($scenario,)+ } };
    // Not those behind an adapter. Its protocol has no word by which a fetch is taken back: one that
    // nobody waits for any more goes on at the broker, and holds what it gets until its client closes.
    (where a fetch can be taken back: $run:ident: $($scenario:ident,)+) => { $(
        mod $scenario {
            $crate::subjects::each_broker! { @test $run $scenario: memory, sqlite }
        }
    )+ };
    (@test $run:ident $scenario:ident: $($subject:ident),+) => { $(
        #[test]
        fn $subject() {
            super::$run($crate::subjects::$subject, super::$scenario);
        }
    )+ };
}
pub(crate) use each_broker;
