//! The brokers that each test is about.

use std::sync::Arc;

use workwire_broker::clock::ManualClock;
use workwire_broker::{Broker, MemoryBroker};

#[allow(clippy::unused_async, reason = "a constructor as the others are")]
pub(crate) async fn memory(clock: ManualClock) -> Arc<dyn Broker> {
    Arc::new(MemoryBroker::new(Arc::new(clock)))
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
        }
    )+ };
}
pub(crate) use each_broker;
