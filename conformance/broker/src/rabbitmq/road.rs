//! How a message gets to its queue: at once, or by way of a queue in which it rests.
//!
//! A queue for each length of rest, so that no short rest waits behind a long one; when its time is over
//! the server itself sends the message on. Such a queue ends when nobody has used it for a minute longer
//! than it lets rest.

use std::sync::PoisonError;
use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use tokio::time::Instant;

use super::deadline::Deadline;
use super::link::Link;
use super::names::Names;
use super::options::QueueKind;
use super::parcel::Parcel;
use super::publisher::{DIRECT, Publisher, Sent};
use super::register::Declared;
use crate::error::BrokerError;

/// The longest rest in one queue, some 23 days: the server counts milliseconds in 32 bits. Who rests
/// longer goes from one to the next.
const LONGEST_MS: i64 = 2_000_000_000;

/// For how much longer than its rest a queue stays that nobody uses.
const SPARE_MS: i64 = 60_000;

/// How old a declaration may be that keeps a queue alive for another rest.
const FRESH: Duration = Duration::from_secs(20);

/// Sends a message by this routing key, or lets it rest first.
pub(super) async fn send(
    (link, publisher): (&Link, &Publisher),
    (declared, kind): (&Declared, QueueKind),
    key: &str,
    parcel: &Parcel,
    deadline: Deadline,
) -> Result<Sent, BrokerError> {
    if parcel.rest_ms <= 0 {
        return publisher.send(DIRECT, key, &parcel.body, parcel.properties(0), deadline).await;
    }
    let rest = rounded(parcel.rest_ms.min(LONGEST_MS));
    let left = (parcel.rest_ms - rest).max(0);
    let name = Names::rest(key, rest);
    keep(link, declared, kind, (&name, key, rest), deadline).await?;
    publisher.send("", &name, &parcel.body, parcel.properties(left), deadline).await
}

/// Declares a queue of resting messages, unless it was declared a moment ago.
async fn keep(
    link: &Link,
    declared: &Declared,
    kind: QueueKind,
    (name, key, rest): (&str, &str, i64),
    deadline: Deadline,
) -> Result<(), BrokerError> {
    let rests = || declared.rests.lock().unwrap_or_else(PoisonError::into_inner);
    if rests().get(name).is_some_and(|at| at.elapsed() < FRESH) {
        return Ok(());
    }
    let mut arguments = FieldTable::default();
    arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(rest));
    arguments.insert("x-expires".into(), AMQPValue::LongLongInt(rest + SPARE_MS));
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString(DIRECT.into()));
    arguments.insert("x-dead-letter-routing-key".into(), AMQPValue::LongString(key.into()));
    if kind == QueueKind::Quorum {
        // What is sent on leaves this queue when the next one has it.
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        arguments.insert("x-dead-letter-strategy".into(), AMQPValue::LongString("at-least-once".into()));
        arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    }
    let (line, now) = (link.borrow(deadline).await?, Instant::now());
    let declaring = line.channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments);
    deadline.wait("declaring a queue of resting messages", declaring).await?;
    link.give_back(line);
    rests().insert(name.to_owned(), now);
    Ok(())
}

/// A rest of at most three digits that count, never shorter: so there are not more queues than some
/// thousands, however different the rests are.
fn rounded(ms: i64) -> i64 {
    let mut unit = 1;
    while ms / unit >= 1_000 {
        unit *= 10;
    }
    (ms + unit - 1) / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_is_never_shorter_and_hardly_longer() {
        for (ms, wanted) in [(1, 1), (999, 999), (1_000, 1_000), (1_001, 1_010), (60_000, 60_000), (123_456, 124_000)] {
            assert_eq!(rounded(ms), wanted, "{ms}");
        }
        assert_eq!(rounded(LONGEST_MS), LONGEST_MS);
    }
}
