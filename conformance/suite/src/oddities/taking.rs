//! Oddities of fetching.

use std::time::Duration;

use tokio::time::Instant;
use workwire_broker::{Answer, BrokerError, Code, Delivery, Fetch, Queue};

use crate::saboteurs::{Defect, Inner};

pub(super) struct OneAtATime;

impl Defect for OneAtATime {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        inner.client.fetch(queue, Fetch { max: fetch.max.min(1), ..fetch })
    }
}

pub(super) struct LooksInSteps;

const STEP: Duration = Duration::from_millis(7);

impl Defect for LooksInSteps {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let Ok(wait) = u64::try_from(fetch.wait_ms) else { return inner.client.fetch(queue, fetch).await };
            let end = Instant::now() + Duration::from_millis(wait);
            let look = Fetch { wait_ms: 0, ..fetch };
            let mut taken = inner.client.fetch(queue, look.clone()).await?;
            while taken.is_empty() && Instant::now() < end {
                tokio::time::sleep_until(end.min(Instant::now() + STEP)).await;
                taken = inner.client.fetch(queue, look.clone()).await.map_err(closed_meanwhile)?;
            }
            Ok(taken)
        })
    }
}

/// Between two looks the client may be closed, or the queue removed.
fn closed_meanwhile(error: BrokerError) -> BrokerError {
    if error.code() == Code::NotFound && error.message().contains("client") {
        return BrokerError::unavailable("the client was closed while it waited");
    }
    error
}
