//! Who reads which channel, kept in the broker itself: one message for each agent and channel, for
//! that agent.

use serde::{Deserialize, Serialize};
use workwire::{Name, Timestamp};

use super::Channels;
use super::name::subscription_id;
use crate::clock::timestamp;
use crate::contract::{Fetch, Message, Peek, Peeked, Verdict};
use crate::face::{FaceError, Taken};
use crate::policy::Policy;
use crate::queue::Queue;

/// The queue that subscriptions are kept in.
#[must_use]
pub fn subscriptions_queue() -> Queue {
    Queue::new("channel_subscriptions")
}

/// That an agent reads a channel.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use workwire_broker::{Channels, MemoryBroker};
/// let channels = Channels::open(&MemoryBroker::default(), "coder").await?;
/// let coder = "coder".parse()?;
/// channels.subscribe(&coder, &"builds".parse()?).await?;
/// assert_eq!(channels.subscriptions(&coder).await?[0].channel.as_str(), "builds");
/// assert!(channels.unsubscribe(&coder, &"builds".parse()?).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Which channel.
    pub channel: Name,
    /// Who reads it.
    pub agent: Name,
    /// Since when.
    pub subscribed_at: Timestamp,
}

/// So many are looked at at once.
const PAGE: u32 = 500;

impl Channels {
    /// Subscribes an agent to a channel. Twice is once.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn subscribe(&self, agent: &Name, channel: &Name) -> Result<(), FaceError> {
        let subscribed = self.subscriptions(agent).await?;
        if subscribed.iter().any(|subscription| subscription.channel == *channel) {
            return Ok(());
        }
        let subscription = Subscription {
            channel: channel.clone(),
            agent: agent.clone(),
            subscribed_at: timestamp(self.line.clock().now()),
        };
        let body = serde_json::to_vec(&subscription).map_err(|error| FaceError::Misplaced {
            place: "subscription",
            expected: "what can be written as JSON".to_owned(),
            found: error.to_string(),
        })?;
        let id = subscription_id(agent, channel);
        let message = Message { to: Some(agent.to_string()), ..Message::new(id, body) };
        self.line.publish(&self.subscription_queue().await?, message).await.map(drop)
    }

    /// Ends an agent's subscription to a channel; says whether there was one.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn unsubscribe(&self, agent: &Name, channel: &Name) -> Result<bool, FaceError> {
        let queue = self.subscription_queue().await?;
        let id = subscription_id(agent, channel);
        let mut found = false;
        // Two who subscribed at the same moment have left two.
        loop {
            let fetch = Fetch { consumer: agent.to_string(), ..Fetch::up_to(1) };
            let fetch = fetch.for_recipient(agent.as_str()).only(id);
            let deliveries = self.line.client().fetch(&queue, fetch).await;
            let Some(delivery) = self.line.checked(&queue, "taking from", deliveries)?.pop() else { return Ok(found) };
            self.line.settle(&Taken::new((), &queue, delivery), Verdict::Done).await?;
            found = true;
        }
    }

    /// What an agent is subscribed to, in the order in which it subscribed.
    ///
    /// # Errors
    /// Those of the broker.
    pub async fn subscriptions(&self, agent: &Name) -> Result<Vec<Subscription>, FaceError> {
        let queue = self.subscription_queue().await?;
        let mut subscriptions: Vec<Subscription> = Vec::new();
        let mut after = None;
        loop {
            let peek = Peek { max: PAGE, recipient: Some(agent.to_string()), after, ..Peek::default() };
            let page: Vec<Peeked> =
                self.line.checked(&queue, "looking into", self.line.client().peek(&queue, peek).await)?;
            let Some(last) = page.last() else { return Ok(subscriptions) };
            after = Some(last.id);
            for found in page {
                // What is no subscription of this agent concerns nobody here.
                let Ok(found) = serde_json::from_slice::<Subscription>(&found.body) else { continue };
                let is_known = subscriptions.iter().any(|known| known.channel == found.channel);
                if found.agent == *agent && !is_known {
                    subscriptions.push(found);
                }
            }
        }
    }

    async fn subscription_queue(&self) -> Result<Queue, FaceError> {
        let queue = subscriptions_queue();
        // Who ends a subscription can begin it again at once.
        self.line.declare(&queue, &Policy { dedupe_ms: 0, ..Policy::default() }).await?;
        Ok(queue)
    }
}
