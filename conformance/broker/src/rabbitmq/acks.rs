//! Acknowledgements that a queue has surely seen.
//!
//! They are not answered. What is asked of the same queue after them over the same channel is answered after
//! them, where the queue does not prefer the question.

use std::sync::atomic::{AtomicU64, Ordering};

use lapin::Channel;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio::sync::Mutex as AsyncMutex;

use super::deadline::Deadline;
use super::intake::count;
use super::options::QueueKind;
use crate::error::BrokerError;

/// What a queue is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// To have a consumer without credit, which is sent nothing. A classic queue looks at acknowledgements
    /// first.
    Consumer,
    /// How many messages it has. A classic queue that has been busy may answer before it looks at
    /// acknowledgements that came with the question.
    Count,
}

impl Question {
    /// What is asked of queues of this kind. Since 4.0, a server does not know
    /// of consumers without credit, and would send this one messages.
    pub(super) fn of(kind: QueueKind, version: &str) -> Self {
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        match kind {
            QueueKind::Classic if major.is_some_and(|major| major < 4) => Question::Consumer,
            QueueKind::Classic | QueueKind::Quorum => Question::Count,
        }
    }

    async fn ask(self, channel: &Channel, queue: &str, deadline: Deadline) -> Result<(), BrokerError> {
        if self == Question::Count {
            return count(channel, queue, deadline).await.map(drop);
        }
        let mut credit = FieldTable::default();
        credit.insert("credit".into(), AMQPValue::LongLongInt(0));
        credit.insert("drain".into(), AMQPValue::Boolean(false));
        let mut arguments = FieldTable::default();
        arguments.insert("x-credit".into(), AMQPValue::FieldTable(credit));
        let consuming = channel.basic_consume(queue.into(), "".into(), BasicConsumeOptions::default(), arguments);
        let consumer = deadline.wait("settling", consuming).await?;
        let canceling = channel.basic_cancel(consumer.tag(), BasicCancelOptions { nowait: true });
        deadline.wait("settling", canceling).await
    }
}

/// The acknowledgements of one channel.
pub(super) struct Acks {
    question: Question,
    sent: AtomicU64,
    seen: AsyncMutex<u64>,
}

impl Acks {
    pub(super) fn new(question: Question) -> Self {
        Acks { question, sent: AtomicU64::new(0), seen: AsyncMutex::new(0) }
    }

    /// Waits until the one that was just sent is seen. One question does for all that were sent before it.
    pub(super) async fn are_seen(&self, channel: &Channel, queue: &str, deadline: Deadline) -> Result<(), BrokerError> {
        let mine = self.sent.fetch_add(1, Ordering::AcqRel) + 1;
        let mut seen = deadline.keep("settling", async { Ok(self.seen.lock().await) }).await?;
        if *seen < mine {
            let now = self.sent.load(Ordering::Acquire);
            self.question.ask(channel, queue, deadline).await?;
            *seen = now;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_servers_that_know_credit_are_asked_for_a_consumer_without_it() {
        for (kind, version, wanted) in [
            (QueueKind::Classic, "3.8.0", Question::Consumer),
            (QueueKind::Classic, "3.13.7", Question::Consumer),
            (QueueKind::Classic, "4.0.2", Question::Count),
            (QueueKind::Classic, "unknown", Question::Count),
            (QueueKind::Quorum, "3.10.8", Question::Count),
        ] {
            assert_eq!(Question::of(kind, version), wanted, "{kind:?} {version}");
        }
    }
}
