//! Brokers that replay by publishing once more.

use std::collections::HashMap;
use std::sync::Mutex;

use uuid::Uuid;
use workwire_broker::{Answer, BrokerError, Code, Fetch, Message, Queue, Stored, Verdict};

use crate::saboteurs::stash::locked;
use crate::saboteurs::{Defect, Inner};

/// What is lost, or won, on the way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    /// Nothing.
    ItIs,
    /// Its priority.
    OfNoPriority,
    /// Its ttl.
    ForEver,
    /// Its recipient.
    ToNobody,
    /// Nothing, but between the look and the publish somebody else may look.
    InTwoSteps,
    /// Nothing, but the letter can be replayed again and again.
    OftenAsWanted,
}

pub(super) struct Again {
    how: As,
    published: Mutex<HashMap<(Queue, Uuid), Message>>,
}

impl Again {
    pub(super) fn new(how: As) -> Self {
        Again { how, published: Mutex::default() }
    }

    fn message(&self, queue: &Queue, id: Uuid) -> Option<Message> {
        let message = locked(&self.published).get(&(queue.clone(), id)).cloned()?;
        Some(match self.how {
            As::OfNoPriority => Message { priority: None, ..message },
            As::ForEver => Message { ttl_ms: None, ..message },
            As::ToNobody => Message { to: None, ..message },
            As::ItIs | As::InTwoSteps | As::OftenAsWanted => message,
        })
    }

    /// Takes the letter away by replaying it as it should be, then taking what came of that.
    async fn remove(&self, inner: &Inner, queue: &Queue, id: Uuid, group: Option<&str>) -> Result<(), BrokerError> {
        let to = locked(&self.published).get(&(queue.clone(), id)).and_then(|message| message.to.clone());
        inner.client.replay(queue, id, group).await?;
        let fetch = Fetch { group: group.map(str::to_owned), recipient: to, ..Fetch::up_to(1).only(id) };
        for delivery in inner.client.fetch(queue, fetch).await? {
            inner.client.settle(queue, &delivery.tag, Verdict::Done).await?;
        }
        Ok(())
    }
}

impl Defect for Again {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        locked(&self.published).insert((queue.clone(), message.id), message.clone());
        inner.client.publish(queue, message)
    }

    fn replay<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            let was_there = inner.client.dead_letters(queue, 1_000, group).await?.iter().any(|letter| letter.id == id);
            if self.how == As::InTwoSteps {
                tokio::task::yield_now().await;
            }
            match self.remove(inner, queue, id, group).await {
                Err(error) if error.code() != Code::NotFound => return Err(error),
                Err(error) if !was_there && self.how != As::OftenAsWanted => return Err(error),
                _ => {}
            }
            let message = self.message(queue, id).ok_or_else(|| BrokerError::not_found("no such letter"))?;
            inner.client.publish(queue, message).await.map(drop)
        })
    }
}
