//! Publishing that is answered: with confirms, and `mandatory`, so that what reaches no queue is returned.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Confirmation, Error};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::timeout_at;

use super::deadline::Deadline;
use super::link::{self, Line, Link};
use super::trouble;
use crate::error::BrokerError;

/// The exchange by which routing keys lead to queues. Every server has it, and nobody can delete it.
pub(super) const DIRECT: &str = "amq.direct";

/// How often who is blocked looks whether it still is.
const BLOCKED: Duration = Duration::from_millis(20);

/// What became of a message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// Each queue that it reached has it safe.
    Stored,
    /// It reached no queue, and is nowhere.
    Unroutable,
}

/// Publishes over a channel of its own.
pub(super) struct Publisher {
    link: Arc<Link>,
    outlet: AsyncMutex<Option<Outlet>>,
}

#[derive(Clone)]
struct Outlet {
    line: Line,
    /// How many messages are on their way: of one alone, it is known what the server refused.
    under_way: Arc<AtomicUsize>,
}

impl Publisher {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Publisher { link, outlet: AsyncMutex::new(None) }
    }

    /// Sends a message, and waits until it is safe.
    pub(super) async fn send(
        &self,
        exchange: &str,
        key: &str,
        body: &[u8],
        properties: BasicProperties,
        deadline: Deadline,
    ) -> Result<Sent, BrokerError> {
        loop {
            let outlet = self.outlet(deadline).await?;
            unblocked(&outlet.line, deadline).await?;
            let _one = Under::way(&outlet.under_way);
            let alone = || outlet.under_way.load(Ordering::Acquire) == 1;
            let options = BasicPublishOptions { mandatory: true, immediate: false };
            let sending =
                outlet.line.channel.basic_publish(exchange.into(), key.into(), options, body, properties.clone());
            let confirm = match timeout_at(deadline.end(), sending).await {
                Ok(Ok(confirm)) => confirm,
                // The connection had ended before: nothing was sent, and there may be another one.
                Ok(Err(error)) if trouble::is_unsent(&error) && !deadline.is_over() => continue,
                Ok(Err(error)) => return Err(unconfirmed(&error, alone())),
                Err(_) => return Err(deadline.silence("publishing")),
            };
            return match timeout_at(deadline.end(), confirm).await {
                Ok(Ok(Confirmation::Ack(None) | Confirmation::NotRequested)) => Ok(Sent::Stored),
                Ok(Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)))) => Ok(Sent::Unroutable),
                Ok(Ok(Confirmation::Nack(None))) => {
                    Err(BrokerError::unavailable("publishing: expected a confirm, the server could not store it"))
                }
                Ok(Err(error)) => Err(unconfirmed(&error, alone())),
                Err(_) => Err(deadline.silence("publishing")),
            };
        }
    }

    /// Gives up the channel.
    pub(super) async fn close(&self, deadline: Deadline) {
        if let Some(outlet) = self.outlet.lock().await.take() {
            outlet.line.close(deadline).await;
        }
    }

    async fn outlet(&self, deadline: Deadline) -> Result<Outlet, BrokerError> {
        let mut kept = self.outlet.lock().await;
        if let Some(outlet) = kept.as_ref().filter(|outlet| outlet.line.is_open()) {
            return Ok(outlet.clone());
        }
        let outlet = Outlet { line: self.link.line(deadline).await?, under_way: Arc::default() };
        *kept = Some(outlet.clone());
        Ok(outlet)
    }
}

/// Waits while the server takes nothing.
async fn unblocked(line: &Line, deadline: Deadline) -> Result<(), BrokerError> {
    while line.is_blocked() && line.is_open() {
        if deadline.is_over() {
            return Err(link::blocked());
        }
        tokio::time::sleep(BLOCKED).await;
    }
    Ok(())
}

/// A refusal ends the channel, and with it all that is under way: of several, nobody knows whose it was.
fn unconfirmed(error: &Error, alone: bool) -> BrokerError {
    let refusal = trouble::refusal("publishing", error);
    if alone || refusal.is_indefinite() { refusal } else { BrokerError::unavailable(refusal.message()) }
}

/// One message on its way.
struct Under<'a>(&'a AtomicUsize);

impl<'a> Under<'a> {
    fn way(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Under(count)
    }
}

impl Drop for Under<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
