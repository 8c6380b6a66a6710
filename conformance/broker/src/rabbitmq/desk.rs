//! What a client has: its channels, what it holds, and whether it is still there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::runtime::Handle;
use tokio::sync::{Mutex as AsyncMutex, RwLock, RwLockWriteGuard, watch};

use super::Shared;
use super::deadline::Deadline;
use super::doubles::InHand;
use super::intake::Intake;
use super::parcel::Parcel;
use super::publisher::{DIRECT, Publisher, Sent};
use super::register::Declared;
use crate::contract::{CloseMode, Delivery, Tag};
use crate::error::{BrokerError, Code};
use crate::queue::Queue;

/// A delivery in a client's hands.
pub(super) struct Held {
    pub(super) declared: Arc<Declared>,
    pub(super) group: Option<String>,
    pub(super) parcel: Parcel,
    /// Where it has rested.
    pub(super) copy: Option<InHand>,
    pub(super) intake: Arc<Intake>,
    /// Its number on the intake's channel.
    pub(super) delivery: u64,
}

/// What a client has.
pub(super) struct Desk {
    pub(super) shared: Arc<Shared>,
    pub(super) name: String,
    pub(super) publisher: Publisher,
    /// Operations begin in the order in which they are asked for: behind a declaration that is under way.
    declaring: RwLock<()>,
    gone: watch::Sender<bool>,
    intakes: AsyncMutex<HashMap<String, Arc<Intake>>>,
    pushes: Mutex<Vec<Weak<Intake>>>,
    held: Mutex<HashMap<Tag, Held>>,
}

impl Desk {
    pub(super) fn new(shared: Arc<Shared>, name: String) -> Self {
        let publisher = Publisher::new(Arc::clone(&shared.publishing));
        let (gone, _) = watch::channel(false);
        let (intakes, pushes, held) = (AsyncMutex::default(), Mutex::default(), Mutex::default());
        Desk { shared, name, publisher, declaring: RwLock::new(()), gone, intakes, pushes, held }
    }

    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.shared.options.timeout)
    }

    pub(super) fn is_gone(&self) -> bool {
        *self.gone.borrow()
    }

    /// Tells when the client is closed.
    pub(super) fn leaving(&self) -> watch::Receiver<bool> {
        self.gone.subscribe()
    }

    pub(super) fn check_open(&self) -> Result<(), BrokerError> {
        if self.is_gone() {
            return Err(BrokerError::not_found(format!("client {} is closed", self.name)));
        }
        Ok(())
    }

    /// Has those wait that are asked for after this, while a queue is made or removed.
    pub(super) async fn before_others(&self, deadline: Deadline) -> Result<RwLockWriteGuard<'_, ()>, BrokerError> {
        deadline.keep("waiting for another declaration", async { Ok(self.declaring.write().await) }).await
    }

    /// The queue, for an operation of this client.
    pub(super) async fn declared(&self, queue: &Queue, deadline: Deadline) -> Result<Arc<Declared>, BrokerError> {
        self.check_open()?;
        queue.check()?;
        let begun = deadline.keep("waiting for a declaration", async { Ok(self.declaring.read().await) }).await?;
        drop(begun);
        let declared = self.shared.register.find(&self.shared.tending, queue, deadline).await?;
        self.shared.movers.look_after(&declared);
        Ok(declared)
    }

    /// Sends a message to a queue by this routing key, or lets it rest first.
    pub(super) async fn send(
        &self,
        declared: &Declared,
        key: &str,
        parcel: &Parcel,
        deadline: Deadline,
    ) -> Result<Sent, BrokerError> {
        let (key, properties) = match parcel.rest_ms {
            ..=0 => (key.to_owned(), parcel.properties()),
            _ => (declared.names.resting(&declared.life), parcel.resting(key)),
        };
        self.publisher.send(DIRECT, &key, &parcel.body, properties, deadline).await
    }

    /// The channel over which messages of this queue of the server are taken.
    pub(super) async fn intake(&self, source: &str, deadline: Deadline) -> Result<Arc<Intake>, BrokerError> {
        let mut intakes = deadline.keep("fetching", async { Ok(self.intakes.lock().await) }).await?;
        if let Some(intake) = intakes.get(source).filter(|intake| intake.is_open()) {
            return Ok(Arc::clone(intake));
        }
        self.check_open()?;
        let line = self.shared.tending.line(deadline).await?;
        let intake = Arc::new(Intake::new(line, source.to_owned(), self.shared.question));
        intakes.insert(source.to_owned(), Arc::clone(&intake));
        self.held().retain(|_, held| held.intake.is_open());
        Ok(intake)
    }

    /// The same for deliveries that are pushed: they have a channel of their own.
    pub(super) async fn push_intake(&self, source: &str, deadline: Deadline) -> Result<Arc<Intake>, BrokerError> {
        self.check_open()?;
        let intake =
            Arc::new(Intake::new(self.shared.tending.line(deadline).await?, source.to_owned(), self.shared.question));
        let mut pushes = self.pushes.lock().unwrap_or_else(PoisonError::into_inner);
        pushes.retain(|intake| intake.strong_count() > 0);
        pushes.push(Arc::downgrade(&intake));
        Ok(intake)
    }

    /// Takes messages into this client's hands.
    pub(super) async fn hold(
        &self,
        declared: &Arc<Declared>,
        group: Option<&str>,
        intake: &Arc<Intake>,
        came: Vec<lapin::message::Delivery>,
        deadline: Deadline,
    ) -> Result<Vec<Delivery>, BrokerError> {
        let mut declared = Arc::clone(declared);
        let mut deliveries = Vec::with_capacity(came.len());
        for one in came {
            let life = super::names::life_of(one.routing_key.as_str());
            if one.exchange.as_str() == DIRECT && life.is_some_and(|life| life != declared.life) {
                declared = self.shared.register.find_anew(&self.shared.tending, &declared, deadline).await?;
            }
            let number = one.delivery_tag;
            let parcel = Parcel::read(one);
            let copy = parcel.rested.map(|rested| InHand::take(rested, group));
            if matches!(copy, Some(None)) {
                intake.discard(number, deadline).await?;
                continue;
            }
            let tag = self.shared.tag();
            deliveries.push(Delivery {
                tag: tag.clone(),
                id: parcel.id,
                body: parcel.body.clone(),
                priority: parcel.priority.min(declared.policy.max_priority),
                attempt: parcel.attempt,
            });
            let (declared, intake, group) = (Arc::clone(&declared), Arc::clone(intake), group.map(str::to_owned));
            self.held().insert(tag, Held { declared, group, parcel, copy: copy.flatten(), intake, delivery: number });
        }
        Ok(deliveries)
    }

    /// The delivery that a tag names in this queue, which nobody else settles from now on.
    pub(super) fn claim(&self, queue: &Queue, tag: &Tag) -> Option<Held> {
        let mut held = self.held();
        if held.get(tag)?.declared.queue != *queue {
            return None;
        }
        held.remove(tag).filter(|held| held.intake.is_open())
    }

    /// Puts a delivery back whose settling did not go through.
    pub(super) fn keep(&self, tag: Tag, held: Held) {
        if held.intake.is_open() && !self.is_gone() {
            self.held().insert(tag, held);
        }
    }

    /// Gives deliveries back that nobody wanted any more.
    pub(super) async fn return_unwanted(&self, deliveries: Vec<Delivery>) {
        let deadline = self.deadline();
        for delivery in deliveries {
            let held = self.held().remove(&delivery.tag);
            if let Some(held) = held {
                // Where it cannot be given back the channel is gone, and the message is back already.
                let _ = held.intake.give_back(&[held.delivery], deadline).await;
            }
        }
    }

    /// Ends the client: its channels, and with them what it holds.
    pub(super) async fn close(&self, _mode: CloseMode) -> Result<(), BrokerError> {
        if self.gone.send_replace(true) {
            return self.check_open();
        }
        self.wind_up().await;
        self.shared.leave(&self.name);
        Ok(())
    }

    /// The same for one that is dropped: its name is free at once, and the rest follows. Without a runtime,
    /// the channels end with their handles.
    pub(super) fn abandon(self: &Arc<Self>) {
        if self.gone.send_replace(true) {
            return;
        }
        self.shared.leave(&self.name);
        if let Ok(runtime) = Handle::try_current() {
            let desk = Arc::clone(self);
            runtime.spawn(async move { desk.wind_up().await });
        }
    }

    async fn wind_up(&self) {
        let deadline = self.deadline();
        let intakes = std::mem::take(&mut *self.intakes.lock().await);
        let pushes = std::mem::take(&mut *self.pushes.lock().unwrap_or_else(PoisonError::into_inner));
        for intake in intakes.into_values().chain(pushes.iter().filter_map(Weak::upgrade)) {
            intake.line.close(deadline).await;
        }
        self.publisher.close(deadline).await;
        self.held().clear();
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<Tag, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an operation that changes nothing may be tried once more: the connection was lost.
pub(super) fn is_lost(error: &BrokerError) -> bool {
    error.code() == Code::Unavailable
}
