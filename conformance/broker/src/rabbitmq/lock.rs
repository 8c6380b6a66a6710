//! Work that one at a time may do, of whatever process: a queue with a consumer that suffers no other.
//!
//! Both are gone with the channel on which they were made, so nobody's death leaves a lock behind.

use std::time::Duration;

use lapin::options::{BasicCancelOptions, BasicConsumeOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Consumer, Error};

use super::deadline::Deadline;
use super::link::{Line, Link};
use super::trouble;
use crate::error::BrokerError;

/// How long who finds it taken waits before it tries again.
const PAUSE: Duration = Duration::from_millis(5);

/// How long a lock stays that nobody holds.
const EXPIRES_MS: i32 = 60_000;

/// A lock that is held.
pub(super) struct Lock {
    line: Line,
    consumer: Consumer,
}

impl Lock {
    /// Takes the lock of this name, when it is free.
    pub(super) async fn take(link: &Link, name: &str, deadline: Deadline) -> Result<Lock, BrokerError> {
        let doing = format!("waiting for {name}");
        loop {
            let line = link.borrow(deadline).await?;
            let held = tokio::time::timeout_at(deadline.end(), hold(&line, name)).await;
            match held {
                Ok(Ok(consumer)) => return Ok(Lock { line, consumer }),
                Ok(Err(error)) if is_taken(&error) && !deadline.is_over() => tokio::time::sleep(PAUSE).await,
                Ok(Err(error)) => return Err(trouble::refusal(&doing, &error)),
                Err(_) => return Err(deadline.silence(&doing)),
            }
        }
    }

    /// Frees it. Dropped it is free too, a moment later.
    pub(super) async fn release(self, link: &Link, deadline: Deadline) {
        let canceling = self.line.channel.basic_cancel(self.consumer.tag(), BasicCancelOptions::default());
        if deadline.wait("freeing a lock", canceling).await.is_ok() {
            link.give_back(self.line);
        }
    }
}

async fn hold(line: &Line, name: &str) -> lapin::Result<Consumer> {
    let options = QueueDeclareOptions { auto_delete: true, ..QueueDeclareOptions::durable() };
    let mut arguments = FieldTable::default();
    // One that outlives its consumer, with the node, has nobody to end it.
    arguments.insert("x-expires".into(), AMQPValue::LongInt(EXPIRES_MS));
    line.channel.queue_declare(name.into(), options, arguments).await?;
    let options = BasicConsumeOptions { exclusive: true, no_ack: true, ..BasicConsumeOptions::default() };
    line.channel.basic_consume(name.into(), "".into(), options, FieldTable::default()).await
}

/// Somebody else holds it (403, in words that no lack of permission is told in), or freed it between the
/// two steps (404).
fn is_taken(error: &Error) -> bool {
    match trouble::number(error) {
        Some(403) => error.to_string().contains("exclusive"),
        number => number == Some(404),
    }
}
