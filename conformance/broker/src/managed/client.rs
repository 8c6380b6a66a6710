//! A client of an engine, gone when its server is.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;
use uuid::Uuid;

use crate::contract::{
    Answer, Client, CloseMode, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked, Purge, Push, Stored, Tag, Verdict,
};
use crate::error::BrokerError;
use crate::policy::Policy;
use crate::presence::{AgentState, Update};
use crate::queue::Queue;

/// The engine's own client, and whether its server is still the one it was opened at.
pub(super) struct Core {
    pub(super) inner: Box<dyn Client>,
    lost: watch::Sender<bool>,
}

impl Core {
    pub(super) fn over(inner: Box<dyn Client>) -> Self {
        Core { inner, lost: watch::Sender::new(false) }
    }

    /// Its server is gone. What waits for an answer gets none.
    pub(super) fn lose(&self) {
        self.lost.send_replace(true);
    }

    async fn unless_lost<T>(&self, operation: impl Future<Output = Result<T, BrokerError>>) -> Result<T, BrokerError> {
        let mut lost = self.lost.subscribe();
        tokio::select! {
            biased;
            _ = lost.wait_for(|lost| *lost) => {
                Err(BrokerError::unavailable("the connection was lost when the server went down"))
            }
            answer = operation => answer,
        }
    }
}

/// What a caller holds.
pub(super) struct ManagedClient(pub(super) Arc<Core>);

impl Drop for ManagedClient {
    fn drop(&mut self) {
        // Whoever buries it in this moment holds it a little longer; what waits is lost already.
        self.0.lose();
    }
}

macro_rules! passed_on {
    ($($name:ident ($($argument:ident: $Type:ty),*) -> $Answer:ty;)+) => {
        $(fn $name<'a>(&'a self, $($argument: $Type),*) -> Answer<'a, $Answer> {
            Box::pin(async move { self.0.unless_lost(self.0.inner.$name($($argument),*)).await })
        })+
    };
}

#[allow(clippy::elidable_lifetime_names, reason = "most of the arguments name it")]
impl Client for ManagedClient {
    passed_on! {
        declare(queue: &'a Queue, policy: &'a Policy) -> ();
        publish(queue: &'a Queue, message: Message) -> Stored;
        publish_batch(queue: &'a Queue, messages: Vec<Message>) -> Vec<Result<Stored, BrokerError>>;
        fetch(queue: &'a Queue, fetch: Fetch) -> Vec<Delivery>;
        peek(queue: &'a Queue, peek: Peek) -> Vec<Peeked>;
        settle(queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> ();
        settle_many(queue: &'a Queue, settled: Vec<(Tag, Verdict)>) -> Vec<Result<(), BrokerError>>;
        extend(queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> ();
        depth(queue: &'a Queue, group: Option<&'a str>) -> Depth;
        dead_letters(queue: &'a Queue, max: u32, group: Option<&'a str>) -> Vec<Letter>;
        replay(queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> ();
        purge(queue: &'a Queue, what: Purge<'a>) -> u64;
        delete(queue: &'a Queue) -> ();
        sweep(queue: &'a Queue) -> u64;
        heartbeat(update: Update, tenant: Option<&'a str>) -> ();
        agents(offline_after_ms: Option<i64>, tenant: Option<&'a str>) -> Vec<AgentState>;
        close(mode: CloseMode) -> ();
    }

    fn push<'a>(&'a self, queue: &'a Queue, fetch: &Fetch, credit: u32) -> Option<Answer<'a, Box<dyn Push + 'a>>> {
        let opening = self.0.inner.push(queue, fetch, credit)?;
        Some(Box::pin(async move {
            let inner = self.0.unless_lost(opening).await?;
            Ok(Box::new(ManagedPush { core: &self.0, inner }) as Box<dyn Push + 'a>)
        }))
    }
}

struct ManagedPush<'a> {
    core: &'a Core,
    inner: Box<dyn Push + 'a>,
}

impl Push for ManagedPush<'_> {
    fn next(&mut self) -> Answer<'_, Delivery> {
        Box::pin(async move { self.core.unless_lost(self.inner.next()).await })
    }
}
