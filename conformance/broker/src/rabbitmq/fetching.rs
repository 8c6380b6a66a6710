//! Fetches, at once or waiting.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::deadline::Deadline;
use super::desk::{Desk, is_lost};
use super::intake::{Intake, within_bytes};
use super::register::Declared;
use crate::contract::{Delivery, Fetch};
use crate::demand::check_fetch;
use crate::error::{BrokerError, Code};
use crate::queue::Queue;

/// How long who lost its connection waits before it asks again.
const PAUSE: Duration = Duration::from_millis(20);

type Deliveries = Result<Vec<Delivery>, BrokerError>;

/// Fetches to its end, also where the caller gives up: what came for nobody is given back.
pub(super) async fn fetch(desk: &Arc<Desk>, queue: &Queue, fetch: Fetch) -> Deliveries {
    desk.check_open()?;
    queue.check()?;
    check_fetch(&fetch)?;
    if fetch.recipient.is_some() {
        return Err(BrokerError::unsupported("addressing"));
    }
    if fetch.id.is_some() {
        return Err(BrokerError::unsupported("browse"));
    }
    let (mut answer, answered) = oneshot::channel();
    let (desk, queue) = (Arc::clone(desk), queue.clone());
    tokio::spawn(async move {
        let fetching = Fetching::of(&desk, &queue, fetch);
        let deliveries = fetching.run(&mut answer).await;
        if let Err(Ok(unwanted)) = answer.send(deliveries) {
            desk.return_unwanted(unwanted).await;
        }
    });
    answered.await.unwrap_or_else(|_| Err(BrokerError::unavailable("fetching was broken off")))
}

struct Fetching<'a> {
    desk: &'a Desk,
    queue: &'a Queue,
    fetch: Fetch,
    wait_end: Instant,
    deadline: Deadline,
}

impl<'a> Fetching<'a> {
    fn of(desk: &'a Desk, queue: &'a Queue, fetch: Fetch) -> Self {
        let wait = Duration::from_millis(u64::try_from(fetch.wait_ms).unwrap_or(0));
        let deadline = Deadline::after(desk.shared.options.timeout + wait);
        Fetching { desk, queue, fetch, wait_end: Instant::now() + wait, deadline }
    }

    async fn run(&self, wanted: &mut oneshot::Sender<Deliveries>) -> Deliveries {
        let waits = self.fetch.wait_ms > 0;
        loop {
            let answer = self.once(wanted).await;
            let is_over = !waits && self.deadline.is_over() || waits && Instant::now() >= self.wait_end;
            match answer {
                Err(error) if self.desk.is_gone() && (waits || is_lost(&error)) => {
                    let name = &self.desk.name;
                    return Err(BrokerError::unavailable(format!("client {name} was closed while it fetched")));
                }
                Err(error) if is_lost(&error) && !is_over => tokio::time::sleep(PAUSE).await,
                Ok(none) if none.is_empty() && waits && !is_over && !wanted.is_closed() => {}
                answer => return answer,
            }
        }
    }

    /// What is there, or what comes while it waits.
    async fn once(&self, wanted: &mut oneshot::Sender<Deliveries>) -> Deliveries {
        let declared = self.desk.declared(self.queue, self.deadline).await?;
        let group = self.fetch.group.as_deref();
        self.begin_group(&declared).await?;
        let intake = self.desk.intake(&declared.names.source(group), self.deadline).await?;
        let deadline = self.desk.deadline();
        let max = usize::try_from(self.fetch.max).unwrap_or(usize::MAX);
        let came = match intake.get(max, deadline).await {
            Ok(came) if came.is_empty() && self.fetch.wait_ms > 0 => self.wait(&intake, wanted).await,
            answer => answer,
        };
        match came {
            Ok(came) => self.desk.hold(&declared, group, &intake, came, deadline).await,
            Err(error) => {
                // What the server sends to who does not wait any more comes back with the channel.
                intake.line.close(self.desk.deadline()).await;
                if error.code() != Code::NotFound {
                    return Err(error);
                }
                self.desk.shared.register.forget(&declared);
                Err(BrokerError::no_queue(self.queue))
            }
        }
    }

    async fn begin_group(&self, declared: &Arc<Declared>) -> Result<(), BrokerError> {
        match &self.fetch.group {
            Some(group) if !declared.knows_group(group) => {
                let (shared, publisher) = (&self.desk.shared, &self.desk.publisher);
                shared.register.begin_group(&shared.tending, publisher, declared, group, self.deadline).await
            }
            _ => Ok(()),
        }
    }

    /// Has the server send what comes, until something did or the time is over.
    async fn wait(
        &self,
        intake: &Arc<Intake>,
        wanted: &mut oneshot::Sender<Deliveries>,
    ) -> Result<Vec<lapin::message::Delivery>, BrokerError> {
        let mut leaving = self.desk.leaving();
        let deadline = self.desk.deadline();
        let mut consumer = intake.consume(self.fetch.max, deadline).await?;
        let first = tokio::select! {
            first = consumer.next() => match first {
                Some(Ok(first)) => Some(first),
                Some(Err(error)) => return Err(super::trouble::refusal("waiting for messages", &error)),
                // The server ended it: the queue is gone, which the next question tells, or the channel.
                None => return Ok(Vec::new()),
            },
            () = tokio::time::sleep_until(self.wait_end) => None,
            _ = leaving.wait_for(|gone| *gone) => {
                return Err(BrokerError::unavailable("the client was closed"));
            }
            () = wanted.closed() => None,
        };
        let deadline = self.desk.deadline();
        let mut came: Vec<_> = first.into_iter().collect();
        came.extend(intake.cancel(consumer, deadline).await?);
        within_bytes(&intake.line.channel, came, deadline).await
    }
}
