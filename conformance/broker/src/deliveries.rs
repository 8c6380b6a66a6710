//! Deliveries one after the other, with a bound on how many are open at once, from an engine that
//! pushes or from one that is fetched from.

use std::collections::VecDeque;

use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::{Mutex, Notify};

use crate::contract::{Client, Delivery, Fetch, Push, Tag, Verdict};
use crate::error::BrokerError;
use crate::queue::Queue;

/// A consumer's stream of deliveries. At most `credit` of them are unsettled at a time; each is
/// settled through it.
pub struct Deliveries<'a> {
    client: &'a dyn Client,
    queue: &'a Queue,
    fetch: Fetch,
    credit: u32,
    open: AtomicU32,
    settled: Notify,
    source: Mutex<Source<'a>>,
}

enum Source<'a> {
    Pushed(Box<dyn Push + 'a>),
    Fetched(VecDeque<Delivery>),
}

/// How long one fetch waits before the next is made.
const WAIT_MS: i64 = 5_000;

impl<'a> Deliveries<'a> {
    /// Begins. `fetch.max` and `fetch.wait_ms` are its own matter.
    ///
    /// # Errors
    /// Those of the engine's push, and `invalid` for a credit of 0.
    pub async fn of(
        client: &'a dyn Client,
        queue: &'a Queue,
        fetch: Fetch,
        credit: u32,
    ) -> Result<Deliveries<'a>, BrokerError> {
        if credit == 0 {
            return Err(BrokerError::expected("credit", "an integer of at least 1", credit));
        }
        let source = match client.push(queue, &fetch, credit) {
            Some(push) => Source::Pushed(push.await?),
            None => Source::Fetched(VecDeque::new()),
        };
        let (open, settled) = (AtomicU32::new(0), Notify::new());
        Ok(Deliveries { client, queue, fetch, credit, open, settled, source: Mutex::new(source) })
    }

    /// The next delivery, when it comes and the credit allows it.
    ///
    /// # Errors
    /// Those of the client's fetch.
    pub async fn next(&self) -> Result<Delivery, BrokerError> {
        let mut source = self.source.lock().await;
        loop {
            let settled = self.settled.notified();
            if self.open.load(Ordering::Acquire) >= self.credit {
                settled.await;
                continue;
            }
            let next = match &mut *source {
                Source::Pushed(push) => Some(push.next().await?),
                Source::Fetched(fetched) => {
                    if fetched.is_empty() {
                        let max = self.credit - self.open.load(Ordering::Acquire);
                        let fetch = Fetch { max, wait_ms: WAIT_MS, ..self.fetch.clone() };
                        fetched.extend(self.client.fetch(self.queue, fetch).await?);
                    }
                    fetched.pop_front()
                }
            };
            if let Some(delivery) = next {
                self.open.fetch_add(1, Ordering::AcqRel);
                return Ok(delivery);
            }
        }
    }

    /// Ends a delivery, and makes room for another.
    ///
    /// # Errors
    /// Those of the client's settle. A delivery whose tag is stale is over too, and makes room.
    pub async fn settle(&self, tag: &Tag, verdict: Verdict) -> Result<(), BrokerError> {
        let answer = self.client.settle(self.queue, tag, verdict).await;
        if answer.as_ref().err().is_none_or(|error| error.code() == crate::Code::Stale) {
            let _ = self.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| open.checked_sub(1));
            self.settled.notify_one();
        }
        answer
    }
}
