//! Nothing here may hang: what does not end fails.

use std::time::Duration;

use tokio::time::{sleep, timeout};

/// Far more than anything takes on the slowest machine.
const AGES: Duration = Duration::from_mins(2);

/// The future's answer, or a failed test.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(AGES, future).await.unwrap_or_else(|_| panic!("{what}: it hangs"))
}

/// Looks again and again until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    soon(what, async {
        while !is_so() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
