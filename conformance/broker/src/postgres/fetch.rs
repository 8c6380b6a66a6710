//! From the server to consumers: looks go together, deliveries come back.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio_postgres::Row;

use super::lane::Item;
use super::link::Link;
use super::release::{How, Released, release};
use super::tag;
use super::trouble::Trouble;
use super::waiting::Hub;
use crate::contract::{Delivery, Fetch, Tag};
use crate::error::BrokerError;
use crate::queue::Queue;

const FETCH: &str = "SELECT item, code, due_ms, place, seq, delivery, id, priority, attempt, body
                     FROM ww.fetch($1, $2, $3, $4, $5, $6, $7, $8)";

/// The most messages in one answer, however small they are.
const MAX_COUNT: u32 = 65_536;

/// What the schema's `fetch` says of those for whom it did not look.
const NOT_LOOKED: i32 = 4;

/// One look for messages.
#[derive(Debug)]
pub(super) struct Looking {
    pub(super) queue: Queue,
    pub(super) fetch: Arc<Fetch>,
    pub(super) client: i64,
    pub(super) reply: oneshot::Sender<Result<Found, BrokerError>>,
}

/// What a look has come to.
#[derive(Debug)]
pub(super) enum Found {
    /// Messages, held from now on.
    Deliveries(Vec<Delivery>),
    /// There is nothing.
    Nothing,
    /// The group was never there: it has to be made.
    NoGroup,
}

impl Item for Looking {
    fn queue(&self) -> &Queue {
        &self.queue
    }
}

/// Looks for several callers; where the server refuses all of it, for each by itself.
pub(super) async fn run(link: Arc<Link>, hub: Arc<Hub>, session: i32, mut batch: Vec<Looking>) {
    // Side by side what is of one queue and group; in the order in which they came otherwise.
    batch.sort_by(|one, other| (&one.queue, &one.fetch.group).cmp(&(&other.queue, &other.fetch.group)));
    while !batch.is_empty() {
        batch = look_once(&link, &hub, session, batch).await;
    }
}

/// Looks for those who come first, and says for whom it has not looked yet: one answer carries only so much.
async fn look_once(link: &Arc<Link>, hub: &Arc<Hub>, session: i32, batch: Vec<Looking>) -> Vec<Looking> {
    match look(link, session, &batch).await {
        Ok(rows) => return answer_all(link, hub, session, batch, &rows),
        Err(trouble) if batch.len() > 1 && trouble.may_be_of_one() => {
            for one in batch {
                let alone = [one];
                let answer = look(link, session, &alone).await;
                let alone = Vec::from(alone);
                match answer {
                    Ok(rows) => drop(answer_all(link, hub, session, alone, &rows)),
                    Err(trouble) => refuse_all(alone, &trouble),
                }
            }
        }
        Err(trouble) => refuse_all(batch, &trouble),
    }
    Vec::new()
}

async fn look(link: &Link, session: i32, batch: &[Looking]) -> Result<Vec<Row>, Trouble> {
    let text = |name: &Option<String>| name.clone().unwrap_or_default();
    let tenants: Vec<&str> = batch.iter().map(|one| one.queue.tenant().unwrap_or("")).collect();
    let names: Vec<&str> = batch.iter().map(|one| one.queue.name()).collect();
    let groups: Vec<String> = batch.iter().map(|one| text(&one.fetch.group)).collect();
    let recipients: Vec<String> = batch.iter().map(|one| text(&one.fetch.recipient)).collect();
    let maxes: Vec<i64> = batch.iter().map(|one| i64::from(one.fetch.max.min(MAX_COUNT))).collect();
    let ids: Vec<_> = batch.iter().map(|one| one.fetch.id).collect();
    let clients: Vec<i64> = batch.iter().map(|one| one.client).collect();
    link.query(FETCH, &[&session, &tenants, &names, &groups, &recipients, &maxes, &ids, &clients]).await
}

fn answer_all(link: &Arc<Link>, hub: &Arc<Hub>, session: i32, batch: Vec<Looking>, rows: &[Row]) -> Vec<Looking> {
    let mut rows = rows.iter().peekable();
    let mut later = Vec::new();
    for (item, one) in (1_i32..).zip(batch) {
        if rows.next_if(|row| row.get::<_, i32>(0) == item && row.get::<_, i32>(1) == NOT_LOOKED).is_some() {
            later.push(one);
            continue;
        }
        let mut found = Err(BrokerError::unavailable("the server did not say what a fetch has come to"));
        while let Some(row) = rows.next_if(|row| row.get::<_, i32>(0) == item) {
            found = match (row.get(1), found) {
                (0, Ok(Found::Deliveries(mut deliveries))) => {
                    deliveries.push(delivery(row));
                    Ok(Found::Deliveries(deliveries))
                }
                (0, _) => Ok(Found::Deliveries(vec![delivery(row)])),
                (1, _) => Ok(Found::Nothing),
                (3, _) => Ok(Found::NoGroup),
                _ => Err(BrokerError::no_queue(&one.queue)),
            };
            if let Some(millis) = row.get(2) {
                hub.due_in(&one.queue, millis);
            }
        }
        if let Err(Ok(Found::Deliveries(deliveries))) = one.reply.send(found) {
            // Who asked has gone: what he would have got goes back.
            give_back(link, hub, session, one.client, &deliveries);
        }
    }
    later
}

/// Gives back deliveries that never reached their consumer, in the background. Where that fails, the
/// end of their lease does it.
pub(super) fn give_back(link: &Arc<Link>, hub: &Arc<Hub>, session: i32, client: i64, deliveries: &[Delivery]) {
    let numbers = deliveries.iter().filter_map(|delivery| tag::read(&delivery.tag)).map(|(_, _, delivery)| delivery);
    let (link, hub, numbers) = (Arc::clone(link), Arc::clone(hub), numbers.collect());
    tokio::spawn(async move {
        let what = Released { session, first: client, last: client, deliveries: Some(numbers), how: How::GivenBack };
        // Nobody is left to hear of it.
        let _ = release(&link, &hub, &what).await;
    });
}

fn delivery(row: &Row) -> Delivery {
    let (place, seq, delivery) = (row.get(3), row.get(4), row.get(5));
    Delivery {
        tag: Tag(tag::write(place, seq, delivery)),
        id: row.get(6),
        body: Bytes::copy_from_slice(row.get(9)),
        priority: i64::from(row.get::<_, i32>(7)),
        attempt: u32::try_from(row.get::<_, i32>(8)).unwrap_or(u32::MAX),
    }
}

fn refuse_all(batch: Vec<Looking>, trouble: &Trouble) {
    let error = trouble.told();
    for one in batch {
        // Who asked may have gone.
        let _ = one.reply.send(Err(error.clone()));
    }
}
