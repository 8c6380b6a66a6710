//! Brokers that replay, and get something about it wrong.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::time::Instant;
use uuid::Uuid;
use workwire_broker::{
    Answer, Broker, BrokerError, CloseMode, Code, Delivery, Fetch, Letter, Message, Queue, RestartMode, Stored, Tag,
    Verdict,
};

use crate::saboteurs::stash::{Taken, locked, millis};
use crate::saboteurs::{Defect, Inner};

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    DropsTheUsedUp,
    CountsOn,
    OneAttempt,
    AsText,
    KeepsTheLetter,
    OkForNothing,
    AllBefore,
    TheYounger,
    ToTheFront,
    OldExpiry,
    OverTheBrim,
    DropsTheRefused,
    InMemory,
}

pub(super) struct Back {
    how: How,
    /// The letters that were replayed.
    replayed: Mutex<HashMap<(Queue, Uuid), Letter>>,
    /// Letters that are not listed any more.
    hidden: Mutex<Vec<(Queue, Uuid)>>,
    ends: Mutex<HashMap<(Queue, Uuid), Instant>>,
    taken: Taken,
}

impl Back {
    pub(super) fn new(how: How) -> Self {
        Back {
            how,
            replayed: Mutex::default(),
            hidden: Mutex::default(),
            ends: Mutex::default(),
            taken: Taken::default(),
        }
    }

    fn replayed(&self, queue: &Queue, id: Uuid) -> Option<Letter> {
        locked(&self.replayed).get(&(queue.clone(), id)).cloned()
    }

    /// Takes a message out of the queue again.
    async fn drop_it(inner: &Inner, queue: &Queue, id: Uuid) -> Result<(), BrokerError> {
        for delivery in inner.client.fetch(queue, Fetch::up_to(1).only(id)).await? {
            inner.client.settle(queue, &delivery.tag, Verdict::Done).await?;
        }
        Ok(())
    }

    /// Drops what was replayed and would have expired.
    async fn drop_the_old(&self, inner: &Inner, queue: &Queue) -> Result<(), BrokerError> {
        let replayed: Vec<(Queue, Uuid)> =
            locked(&self.replayed).keys().filter(|(of, _)| of == queue).cloned().collect();
        for key in replayed {
            let is_over = locked(&self.ends).get(&key).is_some_and(|end| Instant::now() >= *end);
            if is_over {
                Self::drop_it(inner, queue, key.1).await?;
            }
        }
        Ok(())
    }

    /// Lets the oldest letter of an id die once more, so that it is the youngest.
    async fn turn(inner: &Inner, queue: &Queue, letter: &Letter) -> Result<(), BrokerError> {
        inner.client.replay(queue, letter.id, None).await?;
        for delivery in inner.client.fetch(queue, Fetch::up_to(1).only(letter.id)).await? {
            inner.client.settle(queue, &delivery.tag, Verdict::dead(letter.reason.clone())).await?;
        }
        Ok(())
    }

    async fn before(&self, inner: &Inner, queue: &Queue, id: Uuid, letters: &[Letter]) -> Result<(), BrokerError> {
        match self.how {
            How::TheYounger => {
                let same: Vec<&Letter> = letters.iter().filter(|letter| letter.id == id).collect();
                if let [older, _] = same[..] {
                    Self::turn(inner, queue, older).await?;
                }
            }
            How::AllBefore => {
                for letter in letters.iter().take_while(|letter| letter.id != id) {
                    inner.client.replay(queue, letter.id, None).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn after(&self, inner: &Inner, queue: &Queue, letter: &Letter) -> Result<(), BrokerError> {
        let is_used_up = letter.reason.starts_with("attempts used up");
        let is_dropped = self.how == How::DropsTheUsedUp && is_used_up;
        if is_dropped { Self::drop_it(inner, queue, letter.id).await } else { Ok(()) }
    }
}

impl Defect for Back {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        if let Some(ttl) = message.ttl_ms {
            locked(&self.ends).insert((queue.clone(), message.id), Instant::now() + millis(ttl));
        }
        inner.client.publish(queue, message)
    }

    fn replay<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            let letters = inner.client.dead_letters(queue, 1_000, group).await?;
            self.before(inner, queue, id, &letters).await?;
            match (inner.client.replay(queue, id, group).await, self.how) {
                (Err(error), How::OkForNothing) if error.code() == Code::NotFound => return Ok(()),
                (Err(error), How::OverTheBrim) if error.code() == Code::Full => return Ok(()),
                (Err(error), How::DropsTheRefused) if error.code() == Code::Full => {
                    locked(&self.hidden).push((queue.clone(), id));
                    return Err(error);
                }
                (Err(error), _) => return Err(error),
                (Ok(()), _) => {}
            }
            let Some(letter) = letters.into_iter().find(|letter| letter.id == id) else { return Ok(()) };
            self.after(inner, queue, &letter).await?;
            locked(&self.replayed).insert((queue.clone(), id), letter);
            Ok(())
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut deliveries = Vec::new();
            if self.how == How::ToTheFront && fetch.id.is_none() {
                let first = locked(&self.replayed).keys().find(|(of, _)| of == queue).map(|(_, id)| *id);
                if let Some(id) = first {
                    deliveries =
                        inner.client.fetch(queue, Fetch { max: 1, wait_ms: 0, ..fetch.clone().only(id) }).await?;
                }
            }
            if self.how == How::OldExpiry {
                self.drop_the_old(inner, queue).await?;
            }
            if deliveries.is_empty() {
                deliveries = inner.client.fetch(queue, fetch).await?;
            }
            self.taken.remember(&deliveries);
            for delivery in &mut deliveries {
                let Some(letter) = self.replayed(queue, delivery.id) else { continue };
                match self.how {
                    How::CountsOn => delivery.attempt += letter.attempts,
                    How::AsText => {
                        delivery.body = Bytes::from(String::from_utf8_lossy(&delivery.body).into_owned());
                    }
                    _ => {}
                }
            }
            Ok(deliveries)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        let is_replayed = self.taken.of(tag).is_some_and(|delivery| self.replayed(queue, delivery.id).is_some());
        let verdict = match verdict {
            Verdict::Retry { reason, .. } if self.how == How::OneAttempt && is_replayed => Verdict::Dead { reason },
            other => other,
        };
        inner.client.settle(queue, tag, verdict)
    }

    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let mut letters = inner.client.dead_letters(queue, max, group).await?;
            let hidden = locked(&self.hidden).clone();
            letters.retain(|letter| !hidden.contains(&(queue.clone(), letter.id)));
            if self.how == How::KeepsTheLetter {
                let replayed = locked(&self.replayed);
                letters.extend(replayed.iter().filter(|((of, _), _)| of == queue).map(|(_, letter)| letter.clone()));
            }
            Ok(letters)
        })
    }

    fn restart<'a>(&'a self, broker: &'a Arc<dyn Broker>, mode: RestartMode) -> Answer<'a, ()> {
        Box::pin(async move {
            if self.how == How::InMemory && mode == RestartMode::Kill {
                let client: Arc<dyn workwire_broker::Client> = broker.open("restarting").await?.into();
                let inner = Inner { broker: Arc::clone(broker), client, name: "restarting".into() };
                let replayed: Vec<(Queue, Uuid)> = locked(&self.replayed).keys().cloned().collect();
                for (queue, id) in replayed {
                    Self::drop_it(&inner, &queue, id).await?;
                }
                inner.client.close(CloseMode::Graceful).await?;
            }
            broker.restart(mode).await
        })
    }
}
