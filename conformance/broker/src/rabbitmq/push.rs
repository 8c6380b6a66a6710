//! Deliveries that the server sends without being asked for each: a consumer whose prefetch is the credit.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::Consumer;

use super::desk::{Desk, is_lost};
use super::intake::Intake;
use super::register::Declared;
use crate::contract::{Answer, Delivery, Push};
use crate::error::BrokerError;
use crate::queue::Queue;

/// How long who lost its connection waits before it tries again.
const PAUSE: Duration = Duration::from_millis(50);

/// A consumer of one queue.
pub(super) struct Pushed {
    desk: Arc<Desk>,
    queue: Queue,
    group: Option<String>,
    credit: u32,
    source: Option<Source>,
}

struct Source {
    declared: Arc<Declared>,
    intake: Arc<Intake>,
    consumer: Consumer,
}

impl Pushed {
    pub(super) async fn begin(
        desk: Arc<Desk>,
        queue: Queue,
        group: Option<String>,
        credit: u32,
    ) -> Result<Self, BrokerError> {
        let mut pushed = Pushed { desk, queue, group, credit, source: None };
        pushed.source = Some(pushed.subscribe().await?);
        Ok(pushed)
    }

    async fn subscribe(&self) -> Result<Source, BrokerError> {
        let (desk, deadline) = (&self.desk, self.desk.deadline());
        let declared = desk.declared(&self.queue, deadline).await?;
        if let Some(group) = self.group.as_deref().filter(|group| !declared.knows_group(group)) {
            let shared = &desk.shared;
            shared.register.begin_group(&shared.tending, &desk.publisher, &declared, group, deadline).await?;
        }
        let intake = desk.push_intake(&declared.names.source(self.group.as_deref()), deadline).await?;
        let consumer = intake.consume(self.credit, deadline).await?;
        Ok(Source { declared, intake, consumer })
    }

    /// The next one; none where the consumer was lost.
    async fn come(&mut self) -> Result<Option<Delivery>, BrokerError> {
        let Some(source) = &mut self.source else {
            self.source = Some(self.subscribe().await?);
            return Ok(None);
        };
        let mut leaving = self.desk.leaving();
        let next = tokio::select! {
            next = source.consumer.next() => next,
            _ = leaving.wait_for(|gone| *gone) => None,
        };
        let Some(Ok(next)) = next else {
            self.source = None;
            self.desk.check_open().map_err(|error| BrokerError::unavailable(error.message()))?;
            return Ok(None);
        };
        let (group, deadline) = (self.group.as_deref(), self.desk.deadline());
        let held = self.desk.hold(&source.declared, group, &source.intake, vec![next], deadline).await?;
        Ok(held.into_iter().next())
    }
}

impl Push for Pushed {
    fn next(&mut self) -> Answer<'_, Delivery> {
        Box::pin(async move {
            loop {
                match self.come().await {
                    Ok(Some(delivery)) => return Ok(delivery),
                    Ok(None) => {}
                    Err(error) if is_lost(&error) && !self.desk.is_gone() => {
                        self.source = None;
                        tokio::time::sleep(PAUSE).await;
                    }
                    Err(error) => return Err(error),
                }
            }
        })
    }
}

impl Drop for Pushed {
    fn drop(&mut self) {
        let (Some(source), Ok(runtime)) = (self.source.take(), tokio::runtime::Handle::try_current()) else { return };
        let desk = Arc::clone(&self.desk);
        // What came and was not asked for goes back; what is held stays held.
        runtime.spawn(async move {
            let deadline = desk.deadline();
            if let Ok(came) = source.intake.cancel(source.consumer, deadline).await {
                let numbers: Vec<u64> = came.iter().map(|delivery| delivery.delivery_tag).collect();
                let _ = source.intake.give_back(&numbers, deadline).await;
            }
        });
    }
}
