//! The brokers that each test is about.

use std::sync::Arc;

use workwire_broker::clock::ManualClock;
use workwire_broker::{Broker, MemoryBroker};

#[allow(clippy::unused_async, reason = "a constructor as the others are")]
pub(crate) async fn memory(clock: ManualClock) -> Arc<dyn Broker> {
    Arc::new(MemoryBroker::new(Arc::new(clock)))
}

/// The broker in memory, behind the adapter protocol.
#[cfg(feature = "adapter")]
pub(crate) async fn memory_behind_an_adapter(clock: ManualClock) -> Arc<dyn Broker> {
    use workwire_broker::adapter::{AdapterBroker, AdapterOptions, serve};

    let (near, far) = tokio::io::duplex(64 * 1024);
    let (input, output) = tokio::io::split(far);
    tokio::spawn(serve(memory(clock).await, input, output));
    let (output, input) = tokio::io::split(near);
    Arc::new(AdapterBroker::over(output, input, &AdapterOptions::default()).await.unwrap())
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

            #[cfg(feature = "adapter")]
            #[test]
            fn memory_behind_an_adapter() {
                super::$run($crate::subjects::memory_behind_an_adapter, super::$scenario);
            }
        }
    )+ };
}
pub(crate) use each_broker;
