//! What the server keeps of a queue: its policy, the name of its life, its groups.
//!
//! It is one message in a queue of its own. Who reads it takes it and puts it back; whoever looks meanwhile
//! looks again.

use std::collections::BTreeSet;
use std::time::Duration;

use lapin::BasicProperties;
use lapin::options::{BasicGetOptions, BasicNackOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use super::deadline::Deadline;
use super::link::{Line, Link};
use super::making::{declare, unlike};
use super::names::Names;
use super::publisher::{Publisher, Sent};
use super::trouble;
use crate::error::BrokerError;
use crate::policy::Policy;
use crate::queue::Queue;

/// How long who finds the policy in somebody else's hands waits before it looks again.
const PAUSE: Duration = Duration::from_millis(4);

/// How long it is looked for: who reads it gives it back within a round trip.
const READING: Duration = Duration::from_secs(3);

/// What the server keeps of a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) policy: Policy,
    /// Which of the queues of this name, one after the other, it is.
    pub(super) life: String,
    /// The named groups.
    #[serde(default)]
    pub(super) groups: BTreeSet<String>,
}

impl Record {
    /// Of a queue that begins.
    pub(super) fn new(policy: Policy) -> Self {
        let life = Uuid::new_v4().simple().to_string()[..12].to_owned();
        Record { policy, life, groups: BTreeSet::new() }
    }
}

/// Makes the queue of the policy, or finds that it is of the same one.
pub(super) async fn agree(
    link: &Link,
    queue: &Queue,
    names: &Names,
    policy: &Policy,
    deadline: Deadline,
) -> Result<(), BrokerError> {
    let line = link.borrow(deadline).await?;
    let made = declare(&line.channel, &names.policy(), policy_arguments(policy)?, deadline).await;
    let why = format!("{queue} is declared with another policy");
    made.map_err(|error| unlike(&error, &format!("declaring {queue}"), &why))?;
    link.give_back(line);
    Ok(())
}

/// The digest is where the server compares it; where dead letters of this queue would go, there is nobody.
fn policy_arguments(policy: &Policy) -> Result<FieldTable, BrokerError> {
    let text = serde_json::to_vec(policy).map_err(|error| BrokerError::invalid(format!("policy: {error}")))?;
    let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, &text).simple().to_string();
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(1));
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("".into()));
    arguments.insert("x-dead-letter-routing-key".into(), AMQPValue::LongString(digest.into()));
    Ok(arguments)
}

/// Writes it, in the place of the one before.
pub(super) async fn write(
    publisher: &Publisher,
    names: &Names,
    record: &Record,
    deadline: Deadline,
) -> Result<(), BrokerError> {
    let text = serde_json::to_vec(record).map_err(|error| BrokerError::invalid(format!("policy: {error}")))?;
    let properties = BasicProperties::default().with_delivery_mode(2).with_content_type("application/json".into());
    match publisher.send("", &names.policy(), &text, properties, deadline).await? {
        Sent::Stored => Ok(()),
        Sent::Unroutable => Err(BrokerError::not_found("the queue was deleted while it was declared")),
    }
}

/// Looks at the policy and puts it back.
pub(super) async fn read(link: &Link, queue: &Queue, names: &Names, deadline: Deadline) -> Result<Record, BrokerError> {
    let until = Instant::now() + READING;
    let line = link.borrow(deadline).await?;
    loop {
        match look(&line, queue, names, deadline).await? {
            Some(record) => {
                link.give_back(line);
                return Ok(record);
            }
            // Somebody else looks, or was broken off before writing it.
            None if Instant::now() < until && !deadline.is_over() => tokio::time::sleep(PAUSE).await,
            None => {
                return Err(BrokerError::unavailable(format!(
                    "{queue}: its policy is not there: whoever declared it did not finish; declare it again"
                )));
            }
        }
    }
}

async fn look(line: &Line, queue: &Queue, names: &Names, deadline: Deadline) -> Result<Option<Record>, BrokerError> {
    let doing = format!("reading the policy of {queue}");
    let getting = line.channel.basic_get(names.policy().into(), BasicGetOptions::default());
    let got = match tokio::time::timeout_at(deadline.end(), getting).await {
        Ok(Ok(got)) => got,
        Ok(Err(error)) if trouble::number(&error) == Some(404) => return Err(BrokerError::no_queue(queue)),
        Ok(Err(error)) => return Err(trouble::refusal(&doing, &error)),
        Err(_) => return Err(deadline.silence(&doing)),
    };
    let Some(message) = got else { return Ok(None) };
    let back = BasicNackOptions { multiple: false, requeue: true };
    deadline.wait(&doing, line.channel.basic_nack(message.delivery_tag, back)).await?;
    let record = serde_json::from_slice(&message.data);
    record
        .map(Some)
        .map_err(|error| BrokerError::conflict(format!("{queue}: {} holds what is no policy: {error}", names.policy())))
}
