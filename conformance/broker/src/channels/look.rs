//! A look at what is there for an agent, on one channel or on several, without taking any of it.

use std::collections::VecDeque;

use uuid::Uuid;
use workwire::{ChannelMessage, Name};

use super::{Channels, read};
use crate::contract::{Fetch, Peek, Peeked, Verdict};
use crate::face::{FaceError, Taken};
use crate::queue::Queue;

impl Channels {
    /// Looks at up to `max` messages that the agent could claim: of these channels, or where none is
    /// named of those that it is subscribed to. The most urgent come first, of equals the oldest;
    /// within a channel they stand as they would be taken. What is no message goes to the dead letters.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn receive(&self, agent: &Name, channels: &[Name], max: u32) -> Result<Vec<ChannelMessage>, FaceError> {
        let subscribed: Vec<Name>;
        let channels = if channels.is_empty() {
            subscribed = self.subscriptions(agent).await?.into_iter().map(|found| found.channel).collect();
            &subscribed
        } else {
            channels
        };
        let mut lanes = Vec::with_capacity(channels.len());
        for (index, channel) in channels.iter().enumerate() {
            if !channels[..index].contains(channel) {
                lanes.push(VecDeque::from(self.look(agent, channel, max).await?));
            }
        }
        Ok(merge(lanes, max))
    }

    /// The first messages of a channel that an agent could claim.
    async fn look(&self, agent: &Name, channel: &Name, max: u32) -> Result<Vec<ChannelMessage>, FaceError> {
        let queue = self.queue(channel).await?;
        loop {
            let peek = Peek { max, recipient: Some(agent.to_string()), ..Peek::default() };
            let mut messages = Vec::new();
            let mut removed = false;
            for found in self.peek(&queue, peek).await? {
                match read(&found.body) {
                    Ok(message) => messages.push(message),
                    Err(reason) => removed |= self.remove(&queue, agent, found.id, &reason).await?,
                }
            }
            // What was removed has made room for a look further on.
            if !removed {
                return Ok(messages);
            }
        }
    }

    pub(super) async fn peek(&self, queue: &Queue, peek: Peek) -> Result<Vec<Peeked>, FaceError> {
        self.line.checked(queue, "looking into", self.line.client().peek(queue, peek).await)
    }

    /// Puts what is no message to the dead letters, if nobody else has it.
    async fn remove(&self, queue: &Queue, agent: &Name, id: Uuid, reason: &str) -> Result<bool, FaceError> {
        let fetch = Fetch { consumer: agent.to_string(), ..Fetch::up_to(1) }.for_recipient(agent.as_str()).only(id);
        let fetched = self.line.client().fetch(queue, fetch).await;
        let Some(delivery) = self.line.checked(queue, "taking from", fetched)?.pop() else { return Ok(false) };
        // Another message can have the same id.
        let verdict = match read(&delivery.body) {
            Ok(_) => Verdict::Retry { delay_ms: Some(0), reason: None },
            Err(_) => Verdict::dead(reason),
        };
        let is_dead = matches!(verdict, Verdict::Dead { .. });
        match self.line.settle(&Taken::new((), queue, delivery), verdict).await {
            Err(error) if !error.is_stale() => Err(error),
            settled => Ok(settled.is_ok() && is_dead),
        }
    }
}

/// One row of several, each of which keeps its order.
fn merge(mut lanes: Vec<VecDeque<ChannelMessage>>, max: u32) -> Vec<ChannelMessage> {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let mut merged = Vec::new();
    while merged.len() < max {
        let rank = |lane: &VecDeque<ChannelMessage>| {
            lane.front().map(|first| (std::cmp::Reverse(*first.priority()), *first.timestamp()))
        };
        let next = lanes.iter_mut().filter(|lane| !lane.is_empty()).min_by_key(|lane| rank(lane));
        let Some(message) = next.and_then(VecDeque::pop_front) else { break };
        merged.push(message);
    }
    merged
}
