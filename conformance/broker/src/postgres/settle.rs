//! From consumers to the server, together: how deliveries ended.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_postgres::Row;

use super::lane::{Item, Queues};
use super::link::Link;
use super::tag;
use super::trouble::Trouble;
use super::waiting::Hub;
use crate::contract::{Tag, Verdict};
use crate::demand::{check_verdict, kept_reason};
use crate::error::BrokerError;
use crate::queue::Queue;

const SETTLE: &str = "SELECT item, code, rests_ms FROM ww.settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// What became of the deliveries that one caller settles, in their order.
pub(super) type Settled = Vec<Result<(), BrokerError>>;

#[derive(Debug)]
pub(super) struct Settling {
    pub(super) queue: Queue,
    pub(super) client: i64,
    pub(super) settled: Vec<(Tag, Verdict)>,
    pub(super) reply: oneshot::Sender<Result<Settled, BrokerError>>,
}

impl Item for Settling {
    fn queue(&self) -> &Queue {
        &self.queue
    }
}

/// Settles what several callers bring; where the server refuses all of it, each by itself.
pub(super) async fn run(link: Arc<Link>, hub: Arc<Hub>, session: i32, batch: Vec<Settling>) {
    match settle(&link, session, &batch).await {
        Ok(rows) => answer_all(&hub, batch, &rows),
        Err(trouble) if batch.len() > 1 && trouble.may_be_of_one() => {
            for one in batch {
                let alone = [one];
                let answer = settle(&link, session, &alone).await;
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

/// Deliveries as the server takes them: an array for each of their members.
#[derive(Default)]
struct Columns {
    which: Vec<i32>,
    places: Vec<i64>,
    seqs: Vec<i64>,
    deliveries: Vec<i64>,
    clients: Vec<i64>,
    verdicts: Vec<i32>,
    delays: Vec<Option<i64>>,
    reasons: Vec<Option<Vec<u8>>>,
}

async fn settle(link: &Link, session: i32, batch: &[Settling]) -> Result<Vec<Row>, Trouble> {
    let queues = Queues::of(batch.iter().map(|one| &one.queue));
    let mut columns = Columns::default();
    for one in batch {
        for (tag, verdict) in &one.settled {
            // What is no tag, or no verdict, is nobody's delivery there, and answered here.
            let named = tag::read(tag).filter(|_| check_verdict(verdict).is_ok());
            let (place, seq, delivery) = named.unwrap_or((0, 0, 0));
            let (number, delay, reason) = match verdict {
                Verdict::Done => (0, None, None),
                Verdict::Retry { delay_ms, reason } => (1, *delay_ms, reason.as_deref()),
                Verdict::Dead { reason } => (2, None, reason.as_deref()),
            };
            columns.which.push(queues.which(&one.queue));
            columns.places.push(place);
            columns.seqs.push(seq);
            columns.deliveries.push(delivery);
            columns.clients.push(one.client);
            columns.verdicts.push(number);
            columns.delays.push(delay);
            columns.reasons.push(reason.map(|reason| kept_reason(reason).into_bytes()));
        }
    }
    link.query(
        SETTLE,
        &[
            &session,
            &queues.tenants,
            &queues.names,
            &columns.which,
            &columns.places,
            &columns.seqs,
            &columns.deliveries,
            &columns.clients,
            &columns.verdicts,
            &columns.delays,
            &columns.reasons,
        ],
    )
    .await
}

fn answer_all(hub: &Hub, batch: Vec<Settling>, rows: &[Row]) {
    let count = batch.iter().map(|one| one.settled.len()).sum();
    // What the server does not speak of is stale.
    let mut codes: Vec<Option<(i32, Option<i64>)>> = vec![None; count];
    for row in rows {
        let at = usize::try_from(row.get::<_, i32>(0)).ok().and_then(|item| item.checked_sub(1));
        if let Some(code) = at.and_then(|at| codes.get_mut(at)) {
            *code = Some((row.get(1), row.get(2)));
        }
    }
    let mut codes = codes.into_iter();
    for one in batch {
        let answers: Settled = one
            .settled
            .iter()
            .map(|(_, verdict)| {
                let code = codes.next().flatten();
                check_verdict(verdict)?;
                match code {
                    None => Err(BrokerError::stale()),
                    Some((0, rests)) => {
                        match rests {
                            Some(0) => hub.wake(&one.queue, 1),
                            Some(millis) => hub.due_in(&one.queue, millis),
                            None => {}
                        }
                        Ok(())
                    }
                    Some(_) => Err(BrokerError::no_queue(&one.queue)),
                }
            })
            .collect();
        // Who asked may have gone; it is settled all the same.
        let _ = one.reply.send(Ok(answers));
    }
}

fn refuse_all(batch: Vec<Settling>, trouble: &Trouble) {
    let error = trouble.told();
    for one in batch {
        // Who asked may have gone.
        let _ = one.reply.send(Err(error.clone()));
    }
}
