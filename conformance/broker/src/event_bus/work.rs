//! The handler loop of a consumer.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::{Future, pending};
use std::pin::{Pin, pin};

use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use workwire::AgentEvent;

use super::{EVENT_LEASE, EventConsumer};
use crate::clock::Millis;
use crate::contract::CloseMode;
use crate::error::Code;
use crate::face::{FaceError, Taken, millis};

/// What a handler loop did until it was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Handled {
    /// Events that were handled.
    pub done: u64,
    /// Failures of the handler; an event can fail several times.
    pub failed: u64,
    /// Events that were held no more when they were to be settled or held on to.
    pub lost: u64,
    /// Events that were given back at the end.
    pub given_back: u64,
}

type Fetched = Result<Vec<Taken<AgentEvent>>, FaceError>;
type Fetching = Pin<Box<dyn Future<Output = Fetched> + Send>>;

/// A consumer at work: what waits for a handler, and what is in the hands of one.
pub(super) struct Work {
    consumer: EventConsumer,
    /// Not dropped half-way while the loop goes on: what it has taken would be held by nobody.
    fetching: Option<Fetching>,
    waiting: VecDeque<Taken<AgentEvent>>,
    handled: HashMap<Id, (Taken<AgentEvent>, AbortHandle)>,
    handlers: JoinSet<Result<(), String>>,
    extend_at: Millis,
    counts: Handled,
}

impl Work {
    pub(super) fn of(consumer: EventConsumer) -> Self {
        let mut work = Work {
            consumer,
            fetching: None,
            waiting: VecDeque::new(),
            handled: HashMap::new(),
            handlers: JoinSet::new(),
            extend_at: 0,
            counts: Handled::default(),
        };
        work.extend_at = work.next_extension();
        work
    }

    pub(super) async fn run<H, F, E>(mut self, handler: H, stop: impl Future<Output = ()>) -> Result<Handled, FaceError>
    where
        H: Fn(AgentEvent, u32) -> F,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let mut worked = self.work(handler, pin!(stop)).await;
        self.fetching = None;
        if worked.is_ok() {
            worked = self.finish_handlers().await;
        }
        self.handlers.shutdown().await;
        self.counts.given_back = (self.waiting.len() + self.handled.len()) as u64;
        let closed = self.consumer.line.client().close(CloseMode::Graceful).await;
        worked?;
        closed.map_err(|error| FaceError::Broker { doing: "closing the consumer".to_owned(), error })?;
        Ok(self.counts)
    }

    async fn work<H, F, E>(&mut self, handler: H, mut stop: Pin<&mut impl Future<Output = ()>>) -> Result<(), FaceError>
    where
        H: Fn(AgentEvent, u32) -> F,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        loop {
            self.hand_out(&handler);
            if self.fetching.is_none() && self.handled.len() < self.consumer.at_once {
                self.fetching = Some(Box::pin(self.consumer.clone().next()));
            }
            let clock = self.consumer.line.clock().clone();
            tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                Some(ended) = self.handlers.join_next_with_id() => self.settle(ended).await?,
                fetched = ready(&mut self.fetching) => self.keep(fetched?),
                () = clock.sleep_until(self.extend_at) => self.hold_on().await?,
            }
        }
    }

    /// Waits for the handlers that run, for as long as they may go on.
    async fn finish_handlers(&mut self) -> Result<(), FaceError> {
        let clock = self.consumer.line.clock().clone();
        let end = clock.now().saturating_add(millis(self.consumer.grace));
        while !self.handlers.is_empty() {
            tokio::select! {
                biased;
                Some(ended) = self.handlers.join_next_with_id() => self.settle(ended).await?,
                () = clock.sleep_until(end) => return Ok(()),
                () = clock.sleep_until(self.extend_at) => self.hold_on().await?,
            }
        }
        Ok(())
    }

    fn hand_out<H, F, E>(&mut self, handler: &H)
    where
        H: Fn(AgentEvent, u32) -> F,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        while self.handled.len() < self.consumer.at_once {
            let Some(event) = self.waiting.pop_front() else { return };
            let handling = handler(event.message().clone(), event.attempt());
            let handle = self.handlers.spawn(async move { handling.await.map_err(|error| error.to_string()) });
            self.handled.insert(handle.id(), (event, handle));
        }
    }

    fn keep(&mut self, fetched: Vec<Taken<AgentEvent>>) {
        self.fetching = None;
        if self.waiting.is_empty() && self.handled.is_empty() {
            self.extend_at = self.next_extension();
        }
        self.waiting.extend(fetched);
    }

    async fn settle(&mut self, ended: Result<(Id, Result<(), String>), JoinError>) -> Result<(), FaceError> {
        let (id, result) = match ended {
            Ok((id, result)) => (id, result),
            Err(lost) => (lost.id(), Err(format!("the handler did not end: {}", words_of(lost)))),
        };
        // A handler whose event was lost was dropped, and is known no more.
        let Some((event, _)) = self.handled.remove(&id) else { return Ok(()) };
        let settled = match &result {
            Ok(()) => self.consumer.done(&event).await,
            Err(error) => self.consumer.fail(&event, error).await,
        };
        match settled {
            Err(error) if error.is_stale() => self.counts.lost += 1,
            Err(error) => return Err(error),
            Ok(()) if result.is_ok() => self.counts.done += 1,
            Ok(()) => self.counts.failed += 1,
        }
        Ok(())
    }

    fn next_extension(&self) -> Millis {
        self.consumer.line.clock().now().saturating_add(millis(EVENT_LEASE / 3))
    }

    /// Holds on to what waits and to what is handled. What is held no more is let go.
    async fn hold_on(&mut self) -> Result<(), FaceError> {
        self.extend_at = self.next_extension();
        let mut kept = VecDeque::with_capacity(self.waiting.len());
        while let Some(event) = self.waiting.pop_front() {
            if self.is_held(&event).await? {
                kept.push_back(event);
            }
        }
        self.waiting = kept;
        for (id, (event, handle)) in std::mem::take(&mut self.handled) {
            if self.is_held(&event).await? {
                self.handled.insert(id, (event, handle));
            } else {
                handle.abort();
            }
        }
        Ok(())
    }

    async fn is_held(&mut self, event: &Taken<AgentEvent>) -> Result<bool, FaceError> {
        match self.consumer.extend(event).await {
            Err(error) if error.is_stale() => {
                self.counts.lost += 1;
                Ok(false)
            }
            // The lease is as long as it is then, and its end is told when the event is settled.
            Err(error) if error.code() == Some(Code::Unsupported) => Ok(true),
            Err(error) => Err(error),
            Ok(()) => Ok(true),
        }
    }
}

/// Ready when the fetch is; never where there is none.
async fn ready(fetching: &mut Option<Fetching>) -> Fetched {
    match fetching {
        Some(fetching) => fetching.await,
        None => pending().await,
    }
}

fn words_of(lost: JoinError) -> String {
    match lost.try_into_panic() {
        Ok(panic) => format!("it panicked: {}", panic_words(&*panic)),
        Err(lost) => lost.to_string(),
    }
}

fn panic_words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it did not say why")
}
