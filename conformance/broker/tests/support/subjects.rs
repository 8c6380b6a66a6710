//! The brokers that each test is about.

use std::sync::Arc;

use workwire_broker::clock::ManualClock;
use workwire_broker::{Broker, Durability, MemoryBroker, SqliteBroker, SqliteOptions};

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

/// Makes a test of each function for each broker: `run` is given the broker's constructor and the
/// function. A function that is in no list is dead code, which is an error.
macro_rules! each_broker {
    ($run:ident: $($scenario:ident,)+) => { $(
        mod $scenario {
            #[test]
            fn memory() {
                super::$run($crate::subjects::memory, super::$scenario);
            }

            #[test]
            fn sqlite() {
                super::$run($crate::subjects::sqlite, super::$scenario);
            }
        }
    )+ };
}
pub(crate) use each_broker;
