//! Brokers that keep what rests themselves, and hand it to its queue at the wrong moment.

use std::sync::{Arc, Mutex};

use tokio::time::Instant;
use workwire_broker::{
    Answer, Broker, BrokerError, Delivery, Depth, Fetch, Message, Peek, Peeked, Queue, RestartMode, Stored,
};

use crate::saboteurs::stash::{locked, millis};
use crate::saboteurs::{Defect, Inner};

/// What ends a rest, or holds it, besides its time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    UntilAPublish,
    InOrder,
    AtTheHead,
    UnlessAskedFor,
    UnlessLookedAt,
    UntilARestart,
    InMemory,
    SavedAtTheEnd,
}

struct Sleeper {
    queue: Queue,
    due: Instant,
    message: Message,
}

pub(super) struct Resting {
    rest: Rest,
    sleepers: Mutex<Vec<Sleeper>>,
}

impl Resting {
    pub(super) fn new(rest: Rest) -> Self {
        Resting { rest, sleepers: Mutex::default() }
    }

    /// Hands over what is due.
    async fn wake(&self, inner: &Inner, queue: &Queue) -> Result<(), BrokerError> {
        loop {
            let next = {
                let mut sleepers = locked(&self.sleepers);
                let is_due = |sleeper: &Sleeper| sleeper.queue == *queue && Instant::now() >= sleeper.due;
                sleepers.iter().position(is_due).map(|place| sleepers.remove(place))
            };
            let Some(Sleeper { message, .. }) = next else { return Ok(()) };
            inner.client.publish(queue, message).await?;
        }
    }

    fn is_resting(&self, queue: &Queue) -> bool {
        locked(&self.sleepers).iter().any(|sleeper| sleeper.queue == *queue)
    }

    /// When the next of a queue falls due.
    fn next_due(&self, queue: &Queue) -> Option<Instant> {
        locked(&self.sleepers).iter().filter(|sleeper| sleeper.queue == *queue).map(|sleeper| sleeper.due).min()
    }
}

impl Defect for Resting {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            self.wake(inner, queue).await?;
            // What it does not get wrong it leaves to others.
            let is_kept = message.ttl_ms.is_none() && message.to.is_none();
            let Some(delay) = message.delay_ms.filter(|delay| *delay > 0 && is_kept) else {
                return inner.client.publish(queue, message).await;
            };
            let mut sleepers = locked(&self.sleepers);
            let mut due = Instant::now() + millis(delay);
            if self.rest == Rest::InOrder {
                let before = sleepers.iter().filter(|sleeper| sleeper.queue == *queue).map(|sleeper| sleeper.due).max();
                due = due.max(before.unwrap_or(due));
            }
            let message = Message { delay_ms: None, ..message };
            sleepers.push(Sleeper { queue: queue.clone(), due, message });
            Ok(Stored::Stored)
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            if let (Rest::UnlessAskedFor, Some(id)) = (self.rest, fetch.id) {
                for sleeper in locked(&self.sleepers).iter_mut().filter(|sleeper| sleeper.message.id == id) {
                    sleeper.due = Instant::now();
                }
            }
            if self.rest != Rest::UntilAPublish {
                self.wake(inner, queue).await?;
            }
            if self.rest == Rest::AtTheHead && self.is_resting(queue) {
                return Ok(Vec::new());
            }
            let due = self.next_due(queue).filter(|_| fetch.wait_ms > 0 && self.rest != Rest::UntilAPublish);
            let Some(due) = due else { return inner.client.fetch(queue, fetch).await };
            // Waits no longer than to what falls due next.
            let left = due.saturating_duration_since(Instant::now()).as_millis();
            let left = i64::try_from(left).unwrap_or(i64::MAX).min(fetch.wait_ms) + 1;
            let rest = Fetch { wait_ms: (fetch.wait_ms - left).max(0), ..fetch.clone() };
            let taken = inner.client.fetch(queue, Fetch { wait_ms: left, ..fetch }).await?;
            if !taken.is_empty() {
                return Ok(taken);
            }
            self.wake(inner, queue).await?;
            inner.client.fetch(queue, rest).await
        })
    }

    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            let mut shown = inner.client.peek(queue, peek).await?;
            if self.rest == Rest::UnlessLookedAt {
                let look = |sleeper: &Sleeper| {
                    let Message { id, body, priority, .. } = sleeper.message.clone();
                    Peeked { id, body, priority: priority.unwrap_or(3), attempt: 1 }
                };
                let sleepers = locked(&self.sleepers);
                shown.extend(sleepers.iter().filter(|sleeper| sleeper.queue == *queue).map(look));
            }
            Ok(shown)
        })
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            let depth = inner.client.depth(queue, group).await?;
            let resting = locked(&self.sleepers).iter().filter(|sleeper| sleeper.queue == *queue).count();
            let resting = u64::try_from(resting).unwrap_or(0);
            Ok(Depth { delayed: depth.delayed.map(|delayed| delayed + resting), ..depth })
        })
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        {
            let mut sleepers = locked(&self.sleepers);
            match (self.rest, mode) {
                (Rest::InMemory, _) | (Rest::SavedAtTheEnd, RestartMode::Kill) => sleepers.clear(),
                (Rest::UntilARestart, _) => {
                    for sleeper in sleepers.iter_mut() {
                        sleeper.due = Instant::now();
                    }
                }
                _ => {}
            }
        }
        broker.restart(mode)
    }
}
