//! Settling, holding on and giving back. Settlements of one queue that come at the same moment are one
//! step.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::contract::{CloseMode, Tag, Verdict};
use crate::demand::{check_verdict, kept_reason};
use crate::error::BrokerError;
use crate::queue::Queue;
use crate::redis::Shared;
use crate::redis::batch::{Batches, Item, Lane};
use crate::redis::book::{Missed, Place};
use crate::redis::held::{Own, Ticket};
use crate::redis::reply::{array, integer, wrong};
use crate::redis::script::{EXTEND, RELEASE, SETTLE};

/// Settlements of one step.
const MOST: usize = 256;

/// Bytes of one step: reasons may be long.
const MOST_BYTES: usize = 1_048_576;

/// What is given back in one step.
const GIVEN_BACK: usize = 500;

type Outcome = Result<bool, Missed>;

pub(super) struct Settled {
    lane: Lane,
    args: [String; 8],
    reply: oneshot::Sender<Outcome>,
}

impl Item for Settled {
    fn lane(&self) -> &Lane {
        &self.lane
    }

    fn size(&self) -> usize {
        self.args.iter().map(String::len).sum()
    }
}

fn written(ticket: &Ticket, verdict: Verdict) -> [String; 8] {
    let (word, delay, reason) = match verdict {
        Verdict::Done => ("done", None, None),
        Verdict::Retry { delay_ms, reason } => ("retry", delay_ms, reason),
        Verdict::Dead { reason } => ("dead", None, reason),
    };
    let [group, level, entry, holder] = named(ticket);
    let delay = delay.map(|delay| delay.to_string()).unwrap_or_default();
    let has_reason = if reason.is_some() { "1" } else { "0" };
    let reason = reason.map(|reason| kept_reason(&reason)).unwrap_or_default();
    [group, level, entry, holder, word.to_owned(), delay, has_reason.to_owned(), reason]
}

fn named(ticket: &Ticket) -> [String; 4] {
    [ticket.group.clone(), ticket.level.to_string(), ticket.entry.clone(), ticket.holder.clone()]
}

impl Shared {
    /// Ends deliveries of a client, each with an answer of its own, in their order.
    pub(super) async fn settle(
        self: &Arc<Self>,
        own: &Own,
        queue: &Queue,
        settled: Vec<(Tag, Verdict)>,
    ) -> Result<Vec<Result<(), BrokerError>>, BrokerError> {
        let mut answers: Vec<Result<(), BrokerError>> = Vec::with_capacity(settled.len());
        let mut wanted = Vec::new();
        for (index, (tag, verdict)) in settled.into_iter().enumerate() {
            answers.push(check_verdict(&verdict).and(Err(BrokerError::stale())));
            let is_right = check_verdict(&verdict).is_ok();
            if let Some(ticket) = Ticket::of(&tag, &own.number).filter(|_| is_right) {
                wanted.push((index, ticket, verdict));
            }
        }
        loop {
            let place = self.book.find(&self.working, queue).await?;
            let mut waiting = Vec::new();
            let mut items = Vec::new();
            for (index, ticket, verdict) in wanted.drain(..) {
                let (reply, answer) = oneshot::channel();
                items.push(Settled { lane: Lane::of(&place), args: written(&ticket, verdict.clone()), reply });
                waiting.push((index, ticket, verdict, answer));
            }
            if !items.is_empty() {
                let shared = Arc::clone(self);
                self.settled.push(&self.runtime, items, move |batch| Arc::clone(&shared).end(batch));
            }
            for (index, ticket, verdict, answer) in waiting {
                match answer.await {
                    Ok(Err(Missed::Changed)) => wanted.push((index, ticket, verdict)),
                    Ok(Ok(was_held)) => {
                        own.let_go(queue, std::iter::once(&ticket));
                        answers[index] = if was_held { Ok(()) } else { Err(BrokerError::stale()) };
                    }
                    Ok(Err(Missed::Error(error))) => answers[index] = Err(error),
                    Err(_) => answers[index] = Err(BrokerError::unavailable("the settling was broken off")),
                }
            }
            if wanted.is_empty() {
                return Ok(answers);
            }
        }
    }

    async fn end(self: Arc<Self>, batch: Vec<Settled>) {
        let Some(first) = batch.first() else { return };
        let place = Arc::clone(&first.lane.place);
        let number = batch.len().to_string();
        let mut args: Vec<&str> = vec![&place.epoch, &place.channel, &number];
        for settled in &batch {
            args.extend(settled.args.iter().map(String::as_str));
        }
        let answered = self.book.run(&self.working, &place, &SETTLE, &args).await;
        let answered = answered.and_then(|mut found| Ok(array(found.pop().unwrap_or_default())?));
        let (mut answers, failed) = match answered {
            Ok(answers) => (answers.into_iter(), None),
            Err(error) => (Vec::new().into_iter(), Some(error)),
        };
        for settled in batch {
            let outcome = match &failed {
                Some(Missed::Changed) => Err(Missed::Changed),
                Some(Missed::Error(error)) => Err(error.clone().into()),
                None => answers.next().map_or_else(
                    || Err(wrong("answer to each settlement").into()),
                    |answer| Ok(integer(&answer)? == 1),
                ),
            };
            // Who asked may have gone.
            let _ = settled.reply.send(outcome);
        }
    }

    pub(super) async fn extend(&self, own: &Own, queue: &Queue, tag: &Tag, lease_ms: i64) -> Result<(), BrokerError> {
        self.book.find(&self.working, queue).await?;
        let ticket = Ticket::of(tag, &own.number).ok_or_else(BrokerError::stale)?;
        let args = |_: &Place| [&named(&ticket)[..], &[lease_ms.to_string()]].concat();
        let found = self.book.step(&self.working, queue, &EXTEND, args).await?;
        match found.first().map(integer).transpose()? {
            Some(1) => {
                let until = Instant::now() + Duration::from_millis(lease_ms.unsigned_abs());
                own.hold(queue, std::iter::once(ticket), until);
                Ok(())
            }
            _ => Err(BrokerError::stale()),
        }
    }

    /// Gives back what is held so. A queue that is gone holds nothing.
    pub(super) async fn give_back(
        &self,
        queue: &Queue,
        tickets: Vec<Ticket>,
        mode: CloseMode,
    ) -> Result<(), BrokerError> {
        let mode = if mode == CloseMode::Graceful { "graceful" } else { "abort" };
        for some in tickets.chunks(GIVEN_BACK) {
            let args = |_: &Place| {
                let mut args = vec![mode.to_owned(), some.len().to_string()];
                args.extend(some.iter().flat_map(named));
                args
            };
            match self.book.step(&self.working, queue, &RELEASE, args).await {
                Err(error) if error.code() == crate::error::Code::NotFound => return Ok(()),
                answer => answer?,
            };
        }
        Ok(())
    }
}

/// Steps of settling that are gathered: while the server does one, the next is on its way.
pub(super) fn gathered() -> Arc<Batches<Settled>> {
    Arc::new(Batches::of(MOST, MOST_BYTES, 2))
}
