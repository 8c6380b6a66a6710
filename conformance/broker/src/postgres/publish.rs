//! From publishers to the server, together.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_postgres::Row;
use uuid::Uuid;

use super::lane::{Item, Queues};
use super::link::Link;
use super::trouble::Trouble;
use super::waiting::Hub;
use crate::contract::{About, Message, Stored};
use crate::demand::Terms;
use crate::error::BrokerError;
use crate::policy::{Policy, within};
use crate::queue::Queue;

pub(super) const PUBLISH: &str = "SELECT item, code, detail FROM ww.publish($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// What became of the messages of one caller, in their order.
pub(super) type Outcomes = Vec<Result<Stored, BrokerError>>;

/// What one caller publishes: messages that are checked.
#[derive(Debug)]
pub(super) struct Publishing {
    pub(super) queue: Queue,
    pub(super) messages: Vec<Message>,
    pub(super) reply: oneshot::Sender<Result<Outcomes, BrokerError>>,
}

impl Item for Publishing {
    fn queue(&self) -> &Queue {
        &self.queue
    }

    fn bytes(&self) -> usize {
        self.messages.iter().map(|message| message.body.len()).sum()
    }
}

/// Whether a message is one, as far as that can be said without its queue's policy.
pub(super) fn check(message: &Message, about: &About) -> Result<(), BrokerError> {
    let anything = Policy { max_priority: 10, ..Policy::default() };
    let without_priority = Message { priority: None, body: message.body.clone(), to: message.to.clone(), ..*message };
    Terms::of(&without_priority, &anything, about, 0).map(drop)
}

/// Publishes what several callers bring; where the server refuses all of it, each by itself.
pub(super) async fn run(link: Arc<Link>, hub: Arc<Hub>, session: i32, batch: Vec<Publishing>) {
    let answer = publish(&link, session, &batch).await;
    match answer {
        Ok(rows) => answer_all(&hub, batch, &rows),
        Err(trouble) if batch.len() > 1 && trouble.may_be_of_one() => {
            for one in batch {
                let alone = [one];
                let answer = publish(&link, session, &alone).await;
                let alone = Vec::from(alone);
                match answer {
                    Ok(rows) => answer_all(&hub, alone, &rows),
                    Err(trouble) => refuse_all(alone, &trouble),
                }
            }
        }
        Err(trouble) => refuse_all(batch, &trouble),
    }
}

async fn publish(link: &Link, session: i32, batch: &[Publishing]) -> Result<Vec<Row>, Trouble> {
    let queues = Queues::of(batch.iter().map(|one| &one.queue));
    let columns = Columns::of(batch.iter().map(|one| (queues.which(&one.queue), &one.messages[..])));
    link.query(
        PUBLISH,
        &[
            &Some(session),
            &queues.tenants,
            &queues.names,
            &columns.which,
            &columns.ids,
            &columns.priorities,
            &columns.ttls,
            &columns.delays,
            &columns.recipients,
            &columns.bodies,
        ],
    )
    .await
}

/// Messages as the server takes them: an array for each of their members.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) which: Vec<i32>,
    pub(super) ids: Vec<Uuid>,
    pub(super) priorities: Vec<Option<i64>>,
    pub(super) ttls: Vec<Option<i64>>,
    pub(super) delays: Vec<Option<i64>>,
    pub(super) recipients: Vec<&'a str>,
    pub(super) bodies: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(parts: impl Iterator<Item = (i32, &'a [Message])>) -> Self {
        let mut columns = Columns::default();
        for (which, messages) in parts {
            for message in messages {
                columns.which.push(which);
                columns.ids.push(message.id);
                columns.priorities.push(message.priority);
                columns.ttls.push(message.ttl_ms);
                columns.delays.push(message.delay_ms);
                columns.recipients.push(message.to.as_deref().unwrap_or(""));
                columns.bodies.push(&message.body);
            }
        }
        columns
    }
}

fn answer_all(hub: &Hub, batch: Vec<Publishing>, rows: &[Row]) {
    let mut codes: Vec<Option<(i32, i64)>> = Vec::new();
    for row in rows {
        let at = usize::try_from(row.get::<_, i32>(0)).unwrap_or(0);
        if codes.len() < at {
            codes.resize(at, None);
        }
        if let Some(code) = at.checked_sub(1).and_then(|at| codes.get_mut(at)) {
            *code = Some((row.get(1), row.get(2)));
        }
    }
    let mut codes = codes.into_iter();
    for one in batch {
        let mut ready = 0;
        let outcomes: Outcomes = one
            .messages
            .iter()
            .map(|message| {
                let stored = outcome(&one.queue, message, codes.next().flatten());
                match (&stored, message.delay_ms.unwrap_or(0)) {
                    (Ok(Stored::Stored), 0) => ready += 1,
                    (Ok(Stored::Stored), delay) => hub.due_in(&one.queue, delay),
                    _ => {}
                }
                stored
            })
            .collect();
        if ready > 0 {
            hub.wake(&one.queue, ready);
        }
        // Who asked may have gone; it is stored all the same.
        let _ = one.reply.send(Ok(outcomes));
    }
}

/// What a code of the schema's `publish` says.
pub(super) fn outcome(queue: &Queue, message: &Message, code: Option<(i32, i64)>) -> Result<Stored, BrokerError> {
    match code {
        Some((0, _)) => Ok(Stored::Stored),
        Some((1, _)) => Ok(Stored::Duplicate),
        Some((2, most)) => Err(BrokerError::full(format!("queue {queue} is full: it holds at most {most}"))),
        Some((3, highest)) => {
            within("priority", message.priority.unwrap_or(0), 1, highest)?;
            Err(BrokerError::unavailable("the server refused a priority that is in its range"))
        }
        Some((4, _)) => Err(BrokerError::no_queue(queue)),
        _ => Err(BrokerError::unavailable("the server did not say what became of a message")),
    }
}

fn refuse_all(batch: Vec<Publishing>, trouble: &Trouble) {
    let error = trouble.told();
    for one in batch {
        // Who asked may have gone.
        let _ = one.reply.send(Err(error.clone()));
    }
}
