//! How a client's publishes, looks and settles go by the lanes, and how a fetch waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};

use super::ask;
use super::client::PostgresClient;
use super::fetch::{Found, Looking, give_back};
use super::lane::MAX_BYTES;
use super::publish::{Outcomes, Publishing};
use super::settle::{Settled, Settling};
use crate::contract::{Delivery, Fetch, Message, Tag, Verdict};
use crate::error::{BrokerError, Code};
use crate::queue::Queue;

/// How many messages of one caller go in one statement.
const MAX_PART: usize = 1_024;

impl PostgresClient {
    /// Publishes messages that are checked, in parts that a statement can carry.
    pub(super) async fn publish_checked(&self, queue: &Queue, messages: Vec<Message>) -> Outcomes {
        let mut answers = Vec::new();
        let (mut part, mut bytes) = (Vec::new(), 0);
        let count = messages.len();
        let mut outcomes = Vec::with_capacity(count);
        for (index, message) in messages.into_iter().enumerate() {
            bytes += message.body.len();
            part.push(message);
            if part.len() == MAX_PART || bytes >= MAX_BYTES || index + 1 == count {
                let (reply, answer) = oneshot::channel();
                let messages = std::mem::take(&mut part);
                bytes = 0;
                let in_part = messages.len();
                let sent = self.shared.publishing.send(Publishing { queue: queue.clone(), messages, reply }).await;
                answers.push((in_part, sent.map(|()| answer)));
            }
        }
        for (in_part, answer) in answers {
            // What became of one part says nothing about another.
            match self.answered(answer).await {
                Ok(part) => outcomes.extend(part),
                Err(error) => outcomes.extend((0..in_part).map(|_| Err(error.clone()))),
            }
        }
        outcomes
    }

    pub(super) async fn look(&self, queue: &Queue, fetch: &Arc<Fetch>) -> Result<Found, BrokerError> {
        let _turn = self.turn().await?;
        loop {
            let (reply, answer) = oneshot::channel();
            let looking = Looking { queue: queue.clone(), fetch: Arc::clone(fetch), client: self.number, reply };
            let sent = self.shared.fetching.send(looking).await;
            match self.answered(sent.map(|()| answer)).await? {
                Found::NoGroup => ask::make_group(&self.shared, queue, fetch.group.as_deref().unwrap_or("")).await?,
                Found::Deliveries(deliveries) if self.closed.load(Ordering::Acquire) => {
                    // Lost while it looked: what it would have got has no owner.
                    give_back(&self.shared.link, &self.shared.hub, self.shared.session, self.number, &deliveries);
                    return Err(closed_while_waiting());
                }
                found => return Ok(found),
            }
        }
    }

    pub(super) async fn fetch_waiting(&self, queue: &Queue, fetch: Fetch) -> Result<Vec<Delivery>, BrokerError> {
        let wait = u64::try_from(fetch.wait_ms).unwrap_or(0);
        // A moment that no instant can be is never.
        let deadline = Instant::now().checked_add(Duration::from_millis(wait));
        let fetch = Arc::new(fetch);
        let hub = &self.shared.hub;
        let (number, mut owes) = (hub.number(), false);
        loop {
            let mut registered = hub.register(queue, &fetch, number, owes);
            let ended = self.ended.notified();
            tokio::pin!(ended);
            // Listens before it looks, so that an end in between is not missed.
            ended.as_mut().enable();
            let found = self.look(queue, &fetch).await;
            match found {
                Ok(Found::Deliveries(deliveries)) => {
                    registered.has_looked();
                    return Ok(deliveries);
                }
                Ok(_) => registered.has_looked(),
                Err(_) if self.closed.load(Ordering::Acquire) => return Err(closed_while_waiting()),
                Err(error) => return Err(error),
            }
            let over = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = &mut ended => return Err(closed_while_waiting()),
                () = registered.woken() => owes = registered.hand_over(),
                () = over => {
                    // What came at this very moment is not left lying.
                    return match self.look(queue, &fetch).await? {
                        Found::Deliveries(deliveries) => Ok(deliveries),
                        Found::Nothing | Found::NoGroup => Ok(Vec::new()),
                    };
                }
            }
        }
    }

    pub(super) async fn settle_all(&self, queue: &Queue, settled: Vec<(Tag, Verdict)>) -> Settled {
        let mut answers = Vec::new();
        let mut rest = settled.into_iter().peekable();
        while rest.peek().is_some() {
            let settled: Vec<_> = rest.by_ref().take(MAX_PART).collect();
            let (in_part, client) = (settled.len(), self.number);
            let (reply, answer) = oneshot::channel();
            let sent = self.shared.settling.send(Settling { queue: queue.clone(), client, settled, reply }).await;
            answers.push((in_part, sent.map(|()| answer)));
        }
        let mut outcomes = Vec::new();
        for (in_part, answer) in answers {
            match self.answered(answer).await {
                Ok(part) => outcomes.extend(part),
                Err(error) => outcomes.extend((0..in_part).map(|_| Err(error.clone()))),
            }
        }
        outcomes
    }

    /// What a lane answers, unless those before it in the lane take too long.
    async fn answered<T>(
        &self,
        answer: Result<oneshot::Receiver<Result<T, BrokerError>>, BrokerError>,
    ) -> Result<T, BrokerError> {
        match timeout(self.shared.timeout * 2, answer?).await {
            Ok(answered) => answered.unwrap_or_else(|_| Err(unanswered())),
            Err(_) => Err(BrokerError::unavailable("the server did not answer in time")),
        }
    }
}

pub(super) fn unanswered() -> BrokerError {
    BrokerError::unavailable("the broker stopped before the server answered")
}

fn closed_while_waiting() -> BrokerError {
    BrokerError::unavailable("the client was closed while it waited")
}

/// The answers to many, unless their queue is not there: that is the fault of none of them.
pub(super) fn whole<T>(each: Vec<Result<T, BrokerError>>) -> Result<Vec<Result<T, BrokerError>>, BrokerError> {
    match each.iter().find_map(|one| one.as_ref().err().filter(|error| error.code() == Code::NotFound)) {
        Some(error) => Err(error.clone()),
        None => Ok(each),
    }
}
