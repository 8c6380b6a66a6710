//! Looks of one queue and group that come at the same moment are one step.

use std::sync::Arc;
use std::time::Duration;

use ::redis::Value;
use tokio::sync::oneshot;

use crate::contract::{Delivery, Fetch};
use crate::redis::batch::{Batches, Item, Lane};
use crate::redis::book::{Missed, Place};
use crate::redis::held::{Own, Ticket};
use crate::redis::reply::{array, fields, integer, text, wrong};
use crate::redis::script::FETCH;
use crate::redis::{Shared, UNNAMED, entry};

/// Looks of one step.
const MOST: usize = 256;

/// Messages of one step, unless one look wants more.
const MOST_MESSAGES: usize = 1_024;

/// The most that one fetch takes.
const MOST_OF_ONE: u32 = 10_000;

pub(super) struct Taken {
    pub(super) deliveries: Vec<(Ticket, Delivery)>,
    /// How long nothing changes by itself.
    pub(super) quiet: Option<Duration>,
}

/// Nothing where the answer was full before its turn came.
type Outcome = Result<Option<Taken>, Missed>;

pub(super) struct Looking {
    lane: Lane,
    consumer: String,
    recipient: String,
    most: u32,
    holder: String,
    id: String,
    reply: oneshot::Sender<Outcome>,
}

impl Item for Looking {
    fn lane(&self) -> &Lane {
        &self.lane
    }

    fn size(&self) -> usize {
        usize::try_from(self.most).unwrap_or(usize::MAX)
    }
}

impl Looking {
    pub(super) fn of(place: &Arc<Place>, own: &Own, fetch: &Fetch, reply: oneshot::Sender<Outcome>) -> Self {
        Looking {
            lane: Lane { group: fetch.group.clone().unwrap_or_else(|| UNNAMED.to_owned()), ..Lane::of(place) },
            consumer: consumer(&fetch.consumer),
            recipient: fetch.recipient.clone().unwrap_or_default(),
            most: fetch.max.min(MOST_OF_ONE),
            holder: own.next_holder(),
            id: fetch.id.map(|id| id.to_string()).unwrap_or_default(),
            reply,
        }
    }

    fn taken(&self, answer: Value, quiet: Option<Duration>) -> Outcome {
        if matches!(answer, Value::Int(0)) {
            return Ok(None);
        }
        let mut items = array(answer)?.into_iter();
        let mut deliveries = Vec::with_capacity(items.len() / 4);
        while let (Some(level), Some(id), Some(used), Some(told)) =
            (items.next(), items.next(), items.next(), items.next())
        {
            let (level, id) = (integer(&level)?, text(id)?);
            let (message, body) = entry::read(&id, fields(told)?);
            let attempt = u32::try_from(integer(&used)?).unwrap_or(u32::MAX).saturating_add(1);
            let ticket = Ticket { group: self.lane.group.clone(), level, entry: id, holder: self.holder.clone() };
            let delivery = Delivery { tag: ticket.tag(), id: message, body, priority: level, attempt };
            deliveries.push((ticket, delivery));
        }
        Ok(Some(Taken { deliveries, quiet }))
    }
}

impl Shared {
    /// Looks for all of them, in their order.
    pub(super) async fn look_for(self: Arc<Self>, batch: Vec<Looking>) {
        let Some(first) = batch.first() else { return };
        let place = Arc::clone(&first.lane.place);
        let survey = if place.is_survey_due() { "1" } else { "0" };
        let number = batch.len().to_string();
        let mosts: Vec<String> = batch.iter().map(|one| one.most.to_string()).collect();
        let mut args: Vec<&str> = vec![&place.epoch, &place.channel, &first.lane.group, survey, &number];
        for (one, most) in batch.iter().zip(&mosts) {
            args.extend([&*one.consumer, &*one.recipient, &**most, &*one.holder, &*one.id]);
        }
        let answered = self.book.run(&self.working, &place, &FETCH, &args).await.and_then(|found| Ok(told(found)?));
        let (quiet, mut answers, failed) = match answered {
            Ok((quiet, answers)) => (quiet, answers.into_iter(), None),
            Err(error) => (None, Vec::new().into_iter(), Some(error)),
        };
        for one in batch {
            let outcome = match &failed {
                Some(Missed::Changed) => Err(Missed::Changed),
                Some(Missed::Error(error)) => Err(error.clone().into()),
                None => match answers.next() {
                    Some(answer) => one.taken(answer, quiet),
                    None => Err(wrong("answer to each look").into()),
                },
            };
            // Whoever asked sees it to the end.
            let _ = one.reply.send(outcome);
        }
    }
}

fn told(found: Vec<Value>) -> Result<(Option<Duration>, Vec<Value>), crate::error::BrokerError> {
    let mut found = found.into_iter();
    let quiet = found.next().map(|quiet| integer(&quiet)).transpose()?;
    let quiet = quiet.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
    Ok((quiet, array(found.next().unwrap_or_default())?))
}

/// The name of a consumer as the server's lists show it.
fn consumer(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = name.chars().take(128).map(plain).collect();
    if name.is_empty() { "consumer".to_owned() } else { name }
}

/// Looks that are gathered: while the server does one step, the next is on its way.
pub(super) fn gathered() -> Arc<Batches<Looking>> {
    Arc::new(Batches::of(MOST, MOST_MESSAGES, 2))
}
