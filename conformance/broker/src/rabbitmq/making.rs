//! Queues of the server: made, bound, looked for.

use lapin::options::{QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Error};

use super::deadline::Deadline;
use super::link::Link;
use super::publisher::DIRECT;
use super::trouble;
use crate::error::{BrokerError, Code};

/// Makes a queue, or finds that it is there with these arguments; says how many messages it has.
pub(super) async fn declare(
    channel: &Channel,
    name: &str,
    arguments: FieldTable,
    deadline: Deadline,
) -> Result<u32, Declining> {
    let declaring = channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments);
    match tokio::time::timeout_at(deadline.end(), declaring).await {
        Ok(Ok(queue)) => Ok(queue.message_count()),
        Ok(Err(error)) => Err(Declining::Said(error)),
        Err(_) => Err(Declining::Silent(deadline)),
    }
}

/// Why a queue was not declared.
pub(super) enum Declining {
    Said(Error),
    Silent(Deadline),
}

/// What it means that a queue is there with other arguments.
pub(super) fn unlike(error: &Declining, doing: &str, meaning: &str) -> BrokerError {
    match error {
        Declining::Said(error) if trouble::number(error) == Some(406) => BrokerError::conflict(meaning),
        Declining::Said(error) => trouble::refusal(doing, error),
        Declining::Silent(deadline) => deadline.silence(doing),
    }
}

/// Whether the server has a queue of this name.
pub(super) async fn is_there(link: &Link, name: &str, deadline: Deadline) -> Result<bool, BrokerError> {
    let line = link.borrow(deadline).await?;
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    let asking = line.channel.queue_declare(name.into(), options, FieldTable::default());
    match deadline.wait("looking for a queue", asking).await {
        Ok(_) => {
            link.give_back(line);
            Ok(true)
        }
        Err(error) if error.code() == Code::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Has a routing key lead to a queue.
pub(super) async fn bind(channel: &Channel, queue: &str, key: &str, deadline: Deadline) -> Result<(), BrokerError> {
    let options = QueueBindOptions::default();
    let binding = channel.queue_bind(queue.into(), DIRECT.into(), key.into(), options, FieldTable::default());
    deadline.wait("binding a queue", binding).await
}
