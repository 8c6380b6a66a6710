//! Publishing: messages of one queue that come at the same moment are one step.

use std::sync::Arc;

use ::redis::Value;
use bytes::Bytes;
use tokio::sync::oneshot;

use crate::contract::{Message, Stored};
use crate::demand::Terms;
use crate::error::BrokerError;
use crate::queue::Queue;
use crate::redis::Shared;
use crate::redis::batch::{Batches, Item, Lane};
use crate::redis::book::{Missed, Place};
use crate::redis::entry::{Written, write};
use crate::redis::reply::{array, text, wrong};
use crate::redis::script::PUBLISH;
use crate::redis::trouble;

/// Messages of one step.
pub(super) const MOST: usize = 256;

/// Bytes of one step: the server serves nobody else meanwhile.
pub(super) const MOST_BYTES: usize = 2 * 1_048_576;

type Outcome = Result<Stored, Missed>;

/// A message on its way, as the policy that is known of its queue has it.
pub(super) struct Sent {
    lane: Lane,
    args: Vec<Bytes>,
    bytes: usize,
    reply: oneshot::Sender<Outcome>,
}

impl Item for Sent {
    fn lane(&self) -> &Lane {
        &self.lane
    }

    fn size(&self) -> usize {
        self.bytes
    }
}

impl Sent {
    fn of(place: &Arc<Place>, message: &Message, terms: &Terms, reply: oneshot::Sender<Outcome>) -> Self {
        let Written { fields, expiry } = write(message, terms.ttl_ms);
        let number = |number: i64| Bytes::from(number.to_string());
        let mut args = Vec::with_capacity(6 + 2 * fields.len());
        args.push(Bytes::copy_from_slice(message.id.as_bytes()));
        args.push(number(terms.priority));
        args.push(number(message.delay_ms.unwrap_or(0)));
        args.push(terms.ttl_ms.map_or_else(Bytes::new, number));
        args.push(Bytes::from_static(expiry.as_bytes()));
        args.push(Bytes::from((2 * fields.len()).to_string()));
        for (name, value) in fields {
            args.push(match name {
                std::borrow::Cow::Borrowed(name) => Bytes::from_static(name.as_bytes()),
                std::borrow::Cow::Owned(name) => Bytes::from(name),
            });
            args.push(value);
        }
        let bytes = args.iter().map(Bytes::len).sum();
        Sent { lane: Lane::of(place), args, bytes, reply }
    }
}

impl Shared {
    /// Stores messages, each with an answer of its own, in their order.
    pub(super) async fn publish(
        self: &Arc<Self>,
        queue: &Queue,
        messages: Vec<Message>,
    ) -> Result<Vec<Result<Stored, BrokerError>>, BrokerError> {
        let mut answers: Vec<Option<Result<Stored, BrokerError>>> = messages.iter().map(|_| None).collect();
        loop {
            let place = self.book.find(&self.working, queue).await?;
            let mut waiting = Vec::new();
            let mut items = Vec::new();
            for (index, message) in messages.iter().enumerate() {
                if answers[index].is_some() {
                    continue;
                }
                match Terms::of(message, &place.policy, &self.about, 0) {
                    Err(error) => answers[index] = Some(Err(error)),
                    Ok(terms) => {
                        let (reply, answer) = oneshot::channel();
                        items.push(Sent::of(&place, message, &terms, reply));
                        waiting.push((index, answer));
                    }
                }
            }
            if !items.is_empty() {
                let shared = Arc::clone(self);
                self.sent.push(&self.runtime, items, move |batch| Arc::clone(&shared).send(batch));
            }
            let mut is_changed = false;
            for (index, answer) in waiting {
                match answer.await {
                    Ok(Ok(stored)) => answers[index] = Some(Ok(stored)),
                    Ok(Err(Missed::Error(error))) => answers[index] = Some(Err(error)),
                    Ok(Err(Missed::Changed)) => is_changed = true,
                    Err(_) => answers[index] = Some(Err(BrokerError::unavailable("the publish was broken off"))),
                }
            }
            if !is_changed {
                return Ok(answers.into_iter().flatten().collect());
            }
        }
    }

    async fn send(self: Arc<Self>, batch: Vec<Sent>) {
        let Some(first) = batch.first() else { return };
        let place = Arc::clone(&first.lane.place);
        let mut args = vec![
            Bytes::from(place.epoch.clone()),
            Bytes::from(place.channel.clone()),
            Bytes::from(batch.len().to_string()),
        ];
        let mut replies = Vec::with_capacity(batch.len());
        for sent in batch {
            args.extend(sent.args);
            replies.push(sent.reply);
        }
        let args: Vec<&[u8]> = args.iter().map(|arg| &arg[..]).collect();
        let answered = self.book.run(&self.publishing, &place, &PUBLISH, &args).await;
        let mut outcomes = outcomes(answered, &place, replies.len()).into_iter();
        for reply in replies {
            let outcome = outcomes.next().unwrap_or_else(|| Err(wrong("answer to each message").into()));
            // Who asked may have gone.
            let _ = reply.send(outcome);
        }
    }
}

fn outcomes(answered: Result<Vec<Value>, Missed>, place: &Place, number: usize) -> Vec<Outcome> {
    let each = |error: &Missed| match error {
        Missed::Changed => Missed::Changed,
        Missed::Error(error) => Missed::Error(error.clone()),
    };
    let answers = answered.and_then(|mut found| Ok(array(found.pop().unwrap_or_default())?));
    match answers {
        Err(error) => (0..number).map(|_| Err(each(&error))).collect(),
        Ok(answers) => answers.into_iter().map(|answer| outcome(answer, place)).collect(),
    }
}

fn outcome(answer: Value, place: &Place) -> Outcome {
    match answer {
        Value::Int(1) => Ok(Stored::Stored),
        Value::Int(0) => Ok(Stored::Duplicate),
        Value::Int(_) => Err(full(place).into()),
        other => Err(trouble::of_text(&text(other)?).into()),
    }
}

pub(super) fn full(place: &Place) -> BrokerError {
    let most = place.policy.max_length.unwrap_or(i64::MAX);
    BrokerError::full(format!("the queue holds {most} messages, as many as its max_length allows"))
}

/// Steps of publishing that are gathered: several on the way, for who publishes waits for nothing else.
pub(super) fn gathered() -> Arc<Batches<Sent>> {
    Arc::new(Batches::of(MOST, MOST_BYTES, 4))
}
