//! Where everything runs that waits for a broker.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::exit::Failure;

/// How long is waited for what does not end by itself, so that adapters are killed with it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs it to its end. What it began and did not wait for is dropped then: an adapter that is still
/// there is killed, with all that it started.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("cannot start the runtime: {error}")))?;
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(PATIENCE);
    result
}
