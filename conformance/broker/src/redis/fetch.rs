//! Fetching, and waiting. Of those who wait for the same, the first looks when something may have
//! changed, and the next when the first was served: all are, and none looks in vain.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::Value;
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

use crate::contract::{CloseMode, Delivery, Fetch};
use crate::error::BrokerError;
use crate::queue::Queue;
use crate::redis::Shared;
use crate::redis::book::Place;
use crate::redis::held::{Own, Ticket};
use crate::redis::reply::{array, fields, integer, text};
use crate::redis::script::FETCH;
use crate::redis::{UNNAMED, entry};

/// The most that one fetch takes.
const MOST: u32 = 10_000;

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

/// Whose turn it is to look.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<Kind, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    fn of(&self, kind: &Kind) -> Arc<tokio::sync::Mutex<()>> {
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

struct Taken {
    deliveries: Vec<(Ticket, Delivery)>,
    /// How long nothing changes by itself.
    quiet: Option<Duration>,
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
        turn: &tokio::sync::Mutex<()>,
    ) -> Result<Vec<Delivery>, BrokerError> {
        let _turn = turn.lock().await;
        loop {
            let place = self.book.find(&self.working, queue).await?;
            let mut signal = self.ears.signal(&place.channel);
            self.ears.listen(&place.channel).await;
            signal.mark_unchanged();
            let (deliveries, quiet) = self.look(own, queue, fetch).await?;
            if !deliveries.is_empty() {
                return Ok(deliveries);
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

    async fn take(&self, own: &Own, queue: &Queue, fetch: &Fetch) -> Result<Taken, BrokerError> {
        let holder = own.next_holder();
        let group = fetch.group.as_deref().unwrap_or(UNNAMED);
        let lease_ms = AtomicU64::new(0);
        let wanted = |place: &Place| {
            lease_ms.store(place.policy.lease_ms.unsigned_abs(), Ordering::Relaxed);
            vec![
                group.to_owned(),
                consumer(&fetch.consumer),
                fetch.recipient.clone().unwrap_or_default(),
                fetch.max.min(MOST).to_string(),
                holder.clone(),
                fetch.id.map(|id| id.to_string()).unwrap_or_default(),
                if place.is_survey_due() { "1" } else { "0" }.to_owned(),
            ]
        };
        let mut found = self.book.step(&self.working, queue, &FETCH, wanted).await?.into_iter();
        let quiet = found.next().map(|quiet| integer(&quiet)).transpose()?.and_then(|ms| u64::try_from(ms).ok());
        let deliveries = deliveries(found.next().unwrap_or_default(), group, &holder)?;
        let until = Instant::now() + Duration::from_millis(lease_ms.load(Ordering::Relaxed));
        if !own.hold(queue, deliveries.iter().map(|(ticket, _)| ticket.clone()), until) {
            let tickets = deliveries.into_iter().map(|(ticket, _)| ticket).collect();
            self.give_back(queue, tickets, CloseMode::Graceful).await?;
            return Err(BrokerError::unavailable("the client was closed while it fetched"));
        }
        Ok(Taken { deliveries, quiet: quiet.map(Duration::from_millis) })
    }
}

fn deliveries(found: Value, group: &str, holder: &str) -> Result<Vec<(Ticket, Delivery)>, BrokerError> {
    let mut items = array(found)?.into_iter();
    let mut deliveries = Vec::with_capacity(items.len() / 4);
    while let (Some(level), Some(id), Some(used), Some(told)) = (items.next(), items.next(), items.next(), items.next())
    {
        let (level, id) = (integer(&level)?, text(id)?);
        let (message, body) = entry::read(&id, fields(told)?);
        let attempt = u32::try_from(integer(&used)?).unwrap_or(u32::MAX).saturating_add(1);
        let ticket = Ticket { group: group.to_owned(), level, entry: id, holder: holder.to_owned() };
        deliveries.push((ticket.clone(), Delivery { tag: ticket.tag(), id: message, body, priority: level, attempt }));
    }
    Ok(deliveries)
}

/// The name of a consumer as the server's lists show it.
fn consumer(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = name.chars().take(128).map(plain).collect();
    if name.is_empty() { "consumer".to_owned() } else { name }
}
