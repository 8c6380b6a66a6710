//! A connection as the faces use it: queues are made when they are first needed, and what is taken is
//! read before anybody sees it.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;
use workwire::Document;

use super::{DeadLetter, FaceError, Taken, millis};
use crate::capability::Capability;
use crate::clock::{Clock, RuntimeClock};
use crate::contract::{Broker, Client, Depth, Fetch, Message, Stored, Verdict};
use crate::error::{BrokerError, Code};
use crate::policy::Policy;
use crate::queue::Queue;

/// A client, the time, and the queues that it is known to have.
#[derive(Clone)]
pub(crate) struct Line {
    client: Arc<dyn Client>,
    clock: Arc<dyn Clock>,
    declared: Arc<Mutex<HashSet<Queue>>>,
}

impl Line {
    /// Opens a connection to a broker that claims what the face needs.
    pub(crate) async fn open(broker: &dyn Broker, client: &str, needs: &[Capability]) -> Result<Self, FaceError> {
        let about = broker.about();
        let missing: Vec<Capability> =
            needs.iter().copied().filter(|capability| !about.capabilities.has(*capability)).collect();
        if !missing.is_empty() {
            return Err(FaceError::Lacking { broker: about.name.clone(), missing });
        }
        let opened = broker.open(client).await;
        let client = opened.map_err(|error| FaceError::Broker { doing: format!("opening client {client}"), error })?;
        Ok(Line::over(client.into()))
    }

    pub(crate) fn over(client: Arc<dyn Client>) -> Self {
        Line { client, clock: Arc::new(RuntimeClock::new()), declared: Arc::default() }
    }

    pub(crate) fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Line { clock, ..self }
    }

    pub(crate) fn client(&self) -> &Arc<dyn Client> {
        &self.client
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    fn declared(&self) -> MutexGuard<'_, HashSet<Queue>> {
        // A set is whole whatever happened to who held it.
        self.declared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the queue if this line has not done so.
    pub(crate) async fn declare(&self, queue: &Queue, policy: &Policy) -> Result<(), FaceError> {
        if self.declared().contains(queue) {
            return Ok(());
        }
        self.checked(queue, "declaring", self.client.declare(queue, policy).await)?;
        self.declared().insert(queue.clone());
        Ok(())
    }

    /// The queues that were made through this line.
    pub(crate) fn known(&self) -> Vec<Queue> {
        let mut known: Vec<Queue> = self.declared().iter().cloned().collect();
        known.sort();
        known
    }

    /// Says what was being done when the broker refused.
    pub(crate) fn checked<T>(
        &self,
        queue: &Queue,
        doing: &str,
        answer: Result<T, BrokerError>,
    ) -> Result<T, FaceError> {
        answer.map_err(|error| {
            if error.code() == Code::NotFound {
                // Somebody deleted it: it is made anew when it is next needed.
                self.declared().remove(queue);
            }
            FaceError::Broker { doing: format!("{doing} {queue}"), error }
        })
    }

    pub(crate) async fn publish(&self, queue: &Queue, message: Message) -> Result<Stored, FaceError> {
        self.checked(queue, "publishing to", self.client.publish(queue, message).await)
    }

    pub(crate) async fn settle<T>(&self, taken: &Taken<T>, verdict: Verdict) -> Result<(), FaceError> {
        let queue = taken.queue();
        self.checked(queue, "settling a delivery of", self.client.settle(queue, taken.tag(), verdict).await)
    }

    pub(crate) async fn extend<T>(&self, taken: &Taken<T>, lease: Duration) -> Result<(), FaceError> {
        let queue = taken.queue();
        let lease = millis(lease);
        self.checked(queue, "extending a delivery of", self.client.extend(queue, taken.tag(), lease).await)
    }

    /// Takes what is next and can be read; waits so long for the first. What cannot be read goes to
    /// the dead letters, with what is wrong with it.
    pub(crate) async fn take<T>(
        &self,
        queue: &Queue,
        fetch: Fetch,
        wait: Duration,
        read: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<Vec<Taken<T>>, FaceError> {
        /// How long to rest after a fetch that came back early with nothing, as it does from an
        /// engine that cannot wait.
        const REST: Duration = Duration::from_millis(20);
        let end = self.clock.now().saturating_add(millis(wait));
        loop {
            let wait_ms = end.saturating_sub(self.clock.now()).max(0);
            let fetched = self.client.fetch(queue, Fetch { wait_ms, ..fetch.clone() }).await;
            let deliveries = self.checked(queue, "taking from", fetched)?;
            let came = !deliveries.is_empty();
            let mut taken = Vec::with_capacity(deliveries.len());
            let mut failed = None;
            for delivery in deliveries {
                match read(&delivery.body) {
                    Ok(message) => taken.push(Taken::new(message, queue, delivery)),
                    Err(reason) => failed = self.quarantine(&Taken::new((), queue, delivery), &reason).await.err(),
                }
            }
            match failed {
                // What could be read is held, and must not be lost sight of for the sake of what could not.
                Some(error) if taken.is_empty() => return Err(error),
                _ if !taken.is_empty() => return Ok(taken),
                _ => {}
            }
            if !came {
                if self.clock.now() >= end {
                    return Ok(taken);
                }
                tokio::time::sleep(REST).await;
            }
        }
    }

    /// Puts what cannot be read to the dead letters. If its lease has ended, another will.
    async fn quarantine(&self, poison: &Taken<()>, reason: &str) -> Result<(), FaceError> {
        match self.settle(poison, Verdict::dead(reason)).await {
            Err(error) if !error.is_stale() => Err(error),
            _ => Ok(()),
        }
    }

    pub(crate) async fn depth(&self, queue: &Queue, group: Option<&str>) -> Result<Depth, FaceError> {
        self.checked(queue, "counting", self.client.depth(queue, group).await)
    }

    pub(crate) async fn dead_letters<T: Document>(
        &self,
        queue: &Queue,
        max: u32,
        group: Option<&str>,
    ) -> Result<Vec<DeadLetter<T>>, FaceError> {
        let letters = self.client.dead_letters(queue, max, group).await;
        let letters = self.checked(queue, "listing the dead letters of", letters)?;
        Ok(letters.into_iter().map(DeadLetter::from).collect())
    }

    pub(crate) async fn replay(&self, queue: &Queue, id: Uuid, group: Option<&str>) -> Result<(), FaceError> {
        let replayed = self.client.replay(queue, id, group).await;
        self.checked(queue, "replaying a dead letter of", replayed)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("clock", &self.clock).finish_non_exhaustive()
    }
}
