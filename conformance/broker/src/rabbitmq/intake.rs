//! Taking messages from one queue of the server over a channel of one's own.
//!
//! A channel for each pair of client and queue: when the server ends one, since its queue is gone, no other
//! delivery of the client goes with it. What was taken comes back when the channel ends.

use futures_util::StreamExt as _;
use futures_util::future::{join, join_all};
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions, BasicQosOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use tokio::sync::Mutex as AsyncMutex;

use super::acks::{Acks, Question};
use super::deadline::Deadline;
use super::link::Line;
use super::trouble;
use crate::error::BrokerError;

/// How many messages are asked for at once.
const AT_ONCE: usize = 64;

/// The most bytes of bodies that one answer holds, but for one message.
pub(super) const MOST_BYTES: usize = 8 * 1_048_576;

/// A queue of the server, and the channel over which it is taken from.
pub(super) struct Intake {
    pub(super) line: Line,
    /// The queue's name on the server.
    pub(super) source: String,
    /// How many consumers may be begun at a time: each begins with how much it takes.
    beginning: AsyncMutex<()>,
    acks: Acks,
}

impl Intake {
    pub(super) fn new(line: Line, source: String, question: Question) -> Self {
        Intake { line, source, beginning: AsyncMutex::new(()), acks: Acks::new(question) }
    }

    pub(super) fn is_open(&self) -> bool {
        self.line.is_open()
    }

    /// Up to `max` messages that are there, in their order.
    pub(super) async fn get(&self, max: usize, deadline: Deadline) -> Result<Vec<Delivery>, BrokerError> {
        take(&self.line.channel, &self.source, max, deadline).await
    }

    /// Waits for messages: up to `most` are sent without being asked for.
    pub(super) async fn consume(&self, most: u32, deadline: Deadline) -> Result<Consumer, BrokerError> {
        let channel = &self.line.channel;
        let doing = "waiting for messages";
        let _alone = deadline.keep(doing, async { Ok(self.beginning.lock().await) }).await?;
        let most = u16::try_from(most).unwrap_or(u16::MAX);
        deadline.wait(doing, channel.basic_qos(most, BasicQosOptions::default())).await?;
        let options = BasicConsumeOptions::default();
        let consuming = channel.basic_consume(self.source.as_str().into(), "".into(), options, FieldTable::default());
        deadline.wait(doing, consuming).await
    }

    /// Ends a consumer; what had come to it before is answered.
    pub(super) async fn cancel(
        &self,
        mut consumer: Consumer,
        deadline: Deadline,
    ) -> Result<Vec<Delivery>, BrokerError> {
        let canceling = self.line.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
        deadline.wait("waiting for messages no more", canceling).await?;
        let mut came = Vec::new();
        let draining = async {
            while let Some(Ok(delivery)) = consumer.next().await {
                came.push(delivery);
            }
            Ok(())
        };
        deadline.wait("waiting for messages no more", draining).await?;
        Ok(came)
    }

    /// Has a message removed, and waits until the queue has done it.
    pub(super) async fn done(&self, delivery: u64, deadline: Deadline) -> Result<(), BrokerError> {
        let acking = self.line.channel.basic_ack(delivery, BasicAckOptions::default());
        let (acked, seen) =
            join(deadline.wait("settling", acking), self.acks.are_seen(&self.line.channel, &self.source, deadline))
                .await;
        acked.and(seen)
    }

    /// Has a message removed that nobody is told of.
    pub(super) async fn discard(&self, delivery: u64, deadline: Deadline) -> Result<(), BrokerError> {
        let acking = self.line.channel.basic_ack(delivery, BasicAckOptions::default());
        deadline.wait("removing a message", acking).await
    }

    /// Gives messages back, each to its place.
    pub(super) async fn give_back(&self, deliveries: &[u64], deadline: Deadline) -> Result<(), BrokerError> {
        give_back(&self.line.channel, deliveries, deadline).await
    }
}

/// How many messages can be taken from a queue.
pub(super) async fn count(channel: &Channel, queue: &str, deadline: Deadline) -> Result<u32, BrokerError> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    let asking = channel.queue_declare(queue.into(), options, FieldTable::default());
    Ok(deadline.wait("counting messages", asking).await?.message_count())
}

pub(super) async fn give_back(channel: &Channel, deliveries: &[u64], deadline: Deadline) -> Result<(), BrokerError> {
    let options = BasicNackOptions { multiple: false, requeue: true };
    let all = join_all(deliveries.iter().map(|delivery| channel.basic_nack(*delivery, options)));
    let answers = deadline.keep("giving messages back", async { Ok(all.await) }).await?;
    for answer in answers {
        answer.map_err(|error| trouble::refusal("giving messages back", &error))?;
    }
    Ok(())
}

/// Up to `max` messages that are there: one, which tells how many are behind it, and then as many at once
/// as are there and wanted.
pub(super) async fn take(
    channel: &Channel,
    queue: &str,
    max: usize,
    deadline: Deadline,
) -> Result<Vec<Delivery>, BrokerError> {
    let (mut taken, mut bytes, mut behind) = (Vec::new(), 0, 1);
    while taken.len() < max && bytes < MOST_BYTES {
        let average = if taken.is_empty() { 1 } else { (bytes / taken.len()).max(1) };
        let room = ((MOST_BYTES - bytes) / average).max(1);
        let wanted = (max - taken.len()).min(behind).min(room).min(AT_ONCE);
        let getting = (0..wanted).map(|_| channel.basic_get(queue.into(), BasicGetOptions::default()));
        let answers = deadline.keep("fetching", async { Ok(join_all(getting).await) }).await?;
        let asked = answers.len();
        let before = taken.len();
        for answer in answers {
            if let Some(message) = answer.map_err(|error| trouble::refusal("fetching", &error))? {
                behind = usize::try_from(message.message_count).unwrap_or(0);
                bytes += message.delivery.data.len();
                taken.push(message.delivery);
            }
        }
        if taken.len() - before < asked || behind == 0 {
            break;
        }
    }
    taken.sort_by_key(|delivery| delivery.delivery_tag);
    within_bytes(channel, taken, deadline).await
}

/// Gives back what an answer would be too long with.
pub(super) async fn within_bytes(
    channel: &Channel,
    mut taken: Vec<Delivery>,
    deadline: Deadline,
) -> Result<Vec<Delivery>, BrokerError> {
    let mut bytes = 0;
    let kept = taken.iter().take_while(|delivery| {
        let is_first = bytes == 0;
        bytes += delivery.data.len();
        is_first || bytes <= MOST_BYTES
    });
    let beyond = taken.split_off(kept.count());
    let beyond: Vec<u64> = beyond.iter().map(|delivery| delivery.delivery_tag).collect();
    give_back(channel, &beyond, deadline).await?;
    Ok(taken)
}
