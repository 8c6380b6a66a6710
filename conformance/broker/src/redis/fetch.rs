//! Fetching, and waiting. Of those who wait for the same, the first looks when something may have
//! changed, and the next when the first was served: all are, and next to none looks in vain. Where there is plenty,
//! more of them look at a time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;
use uuid::Uuid;

use crate::contract::{CloseMode, Delivery, Fetch};
use crate::error::BrokerError;
use crate::queue::Queue;
use crate::redis::Shared;
use crate::redis::book::Missed;
use crate::redis::held::{Own, Ticket};
use crate::redis::looking::{Looking, Taken};

/// So many of those who wait for the same look at a time, at most.
const WIDEST: usize = 8;

/// How often somebody who waits looks without being told to.
const LOOK: Duration = Duration::from_millis(200);

/// What somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    queue: Queue,
    group: Option<String>,
    recipient: Option<String>,
    id: Option<Uuid>,
}

/// How many of those who wait for the same may look now: one, and more while there is more than that one takes.
struct Turn {
    places: Semaphore,
    width: AtomicUsize,
}

impl Default for Turn {
    fn default() -> Self {
        Turn { places: Semaphore::new(1), width: AtomicUsize::new(1) }
    }
}

impl Turn {
    fn widen(&self) {
        let wider = |width| (width < WIDEST).then_some(width + 1);
        if self.width.fetch_update(Ordering::Relaxed, Ordering::Relaxed, wider).is_ok() {
            self.places.add_permits(1);
        }
    }

    /// Whether whoever looks is one too many, and has to forget his place.
    fn narrow(&self) -> bool {
        let narrower = |width| (width > 1).then(|| width - 1);
        self.width.fetch_update(Ordering::Relaxed, Ordering::Relaxed, narrower).is_ok()
    }
}

/// Whose turn it is to look.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<Kind, Arc<Turn>>>);

impl Turns {
    fn of(&self, kind: &Kind) -> Arc<Turn> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(kind.clone()).or_default())
    }

    fn leave(&self, kind: &Kind) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The table's own, and that of who leaves.
        if turns.get(kind).is_some_and(|turn| Arc::strong_count(turn) <= 2) {
            turns.remove(kind);
        }
    }
}

/// Somebody who waits. Dropped, it leaves.
struct Waits<'a> {
    turns: &'a Turns,
    kind: Kind,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.turns.leave(&self.kind);
    }
}

impl Shared {
    /// Takes for a client.
    pub(super) async fn fetch(
        self: &Arc<Self>,
        own: &Arc<Own>,
        queue: &Queue,
        fetch: &Fetch,
    ) -> Result<Vec<Delivery>, BrokerError> {
        tokio::select! {
            biased;
            () = own.closing() => Err(BrokerError::unavailable("the client was closed while it waited")),
            taken = self.wait(own, queue, fetch) => taken,
        }
    }

    async fn wait(
        self: &Arc<Self>,
        own: &Arc<Own>,
        queue: &Queue,
        fetch: &Fetch,
    ) -> Result<Vec<Delivery>, BrokerError> {
        let deadline = Instant::now() + Duration::from_millis(fetch.wait_ms.unsigned_abs());
        let (taken, _) = self.look(own, queue, fetch).await?;
        if !taken.is_empty() || fetch.wait_ms == 0 {
            return Ok(taken);
        }
        let kind =
            Kind { queue: queue.clone(), group: fetch.group.clone(), recipient: fetch.recipient.clone(), id: fetch.id };
        let turn = self.turns.of(&kind);
        let _waits = Waits { turns: &self.turns, kind };
        tokio::select! {
            waited = self.wait_in_turn(own, queue, fetch, &turn) => waited,
            () = tokio::time::sleep_until(deadline) => Ok(Vec::new()),
        }
    }

    async fn wait_in_turn(
        self: &Arc<Self>,
        own: &Arc<Own>,
        queue: &Queue,
        fetch: &Fetch,
        turn: &Turn,
    ) -> Result<Vec<Delivery>, BrokerError> {
        loop {
            let place = turn.places.acquire().await.map_err(|_| BrokerError::unavailable("nobody waits any more"))?;
            if let Some(deliveries) = self.look_in_turn(own, queue, fetch, turn).await? {
                return Ok(deliveries);
            }
            place.forget();
        }
    }

    /// Looks until there is something; nothing where fewer should.
    async fn look_in_turn(
        self: &Arc<Self>,
        own: &Arc<Own>,
        queue: &Queue,
        fetch: &Fetch,
        turn: &Turn,
    ) -> Result<Option<Vec<Delivery>>, BrokerError> {
        loop {
            let place = self.book.find(&self.working, queue).await?;
            let mut signal = self.ears.signal(&place.channel);
            self.ears.listen(&place.channel).await;
            signal.mark_unchanged();
            let (deliveries, quiet) = self.look(own, queue, fetch).await?;
            if !deliveries.is_empty() {
                if deliveries.len() >= usize::try_from(fetch.max).unwrap_or(usize::MAX) {
                    turn.widen();
                }
                return Ok(Some(deliveries));
            }
            if turn.narrow() {
                return Ok(None);
            }
            let rest = quiet.map_or(LOOK, |quiet| quiet.clamp(Duration::from_millis(1), LOOK));
            tokio::select! {
                _ = signal.changed() => {}
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Looks once. It is seen to the end also where who waits gives up meanwhile, so that what it takes
    /// is not held by nobody.
    async fn look(
        self: &Arc<Self>,
        own: &Arc<Own>,
        queue: &Queue,
        fetch: &Fetch,
    ) -> Result<(Vec<Delivery>, Option<Duration>), BrokerError> {
        let (reply, answer) = oneshot::channel();
        let (shared, own, queue, fetch) = (Arc::clone(self), Arc::clone(own), queue.clone(), fetch.clone());
        self.runtime.spawn(async move {
            let answer = shared.take(&own, &queue, &fetch).await;
            if let Err(Ok(taken)) = reply.send(answer) {
                let tickets: Vec<Ticket> = taken.deliveries.into_iter().map(|(ticket, _)| ticket).collect();
                if tickets.is_empty() {
                    return;
                }
                own.let_go(&queue, tickets.iter());
                // Where that fails, their leases end.
                let _ = shared.give_back(&queue, tickets, CloseMode::Graceful).await;
            }
        });
        let taken = answer.await.map_err(|_| BrokerError::unavailable("the fetch was broken off"))??;
        Ok((taken.deliveries.into_iter().map(|(_, delivery)| delivery).collect(), taken.quiet))
    }

    async fn take(self: &Arc<Self>, own: &Own, queue: &Queue, fetch: &Fetch) -> Result<Taken, BrokerError> {
        loop {
            let place = self.book.find(&self.working, queue).await?;
            let (reply, answer) = oneshot::channel();
            let shared = Arc::clone(self);
            let looking = vec![Looking::of(&place, own, fetch, reply)];
            self.looking.push(&self.runtime, looking, move |batch| Arc::clone(&shared).look_for(batch));
            let taken = match answer.await {
                Ok(Ok(Some(taken))) => taken,
                Ok(Ok(None) | Err(Missed::Changed)) => continue,
                Ok(Err(Missed::Error(error))) => return Err(error),
                Err(_) => return Err(BrokerError::unavailable("the fetch was broken off")),
            };
            let until = Instant::now() + Duration::from_millis(place.policy.lease_ms.unsigned_abs());
            if !own.hold(queue, taken.deliveries.iter().map(|(ticket, _)| ticket.clone()), until) {
                let tickets = taken.deliveries.into_iter().map(|(ticket, _)| ticket).collect();
                self.give_back(queue, tickets, CloseMode::Graceful).await?;
                return Err(BrokerError::unavailable("the client was closed while it fetched"));
            }
            return Ok(taken);
        }
    }
}
