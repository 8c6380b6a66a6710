//! One caller.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, RwLock, RwLockReadGuard};
use uuid::Uuid;

use super::Shared;
use super::ask;
use super::by_lane::{unanswered, whole};
use super::fetch::Found;
use super::publish::{Outcomes, check};
use super::release::{How, Released, release, release_now};
use crate::contract::{
    Answer, Client, CloseMode, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked, Purge, Stored, Tag, Verdict,
};
use crate::demand::{check_fetch, check_lease, check_optional, check_peek, check_policy, check_verdict};
use crate::error::BrokerError;
use crate::policy::{MAX_MS, Policy, within};
use crate::presence::{AgentState, OFFLINE_AFTER_MS, Update};
use crate::queue::{Queue, check_tenant};

pub(super) struct PostgresClient {
    pub(super) shared: Arc<Shared>,
    name: String,
    pub(super) number: i64,
    pub(super) closed: AtomicBool,
    /// Whoever waits hears of the end.
    pub(super) ended: Notify,
    /// What a client asks for is begun in the order in which it asks: a declaration and a close wait for
    /// what is under way, and what comes later waits for them.
    order: RwLock<()>,
}

impl PostgresClient {
    pub(super) fn new(shared: Arc<Shared>, name: String, number: i64) -> Self {
        let (closed, ended, order) = (AtomicBool::new(false), Notify::new(), RwLock::new(()));
        PostgresClient { shared, name, number, closed, ended, order }
    }

    /// What is held comes back as soon as the server hears of it; where it does not, at the end of its lease.
    fn release_in_background(&self) {
        let what = Released::of_client(self.shared.session, self.number, How::ClientLost);
        let (link, hub) = (Arc::clone(&self.shared.link), Arc::clone(&self.shared.hub));
        self.shared.runtime.spawn(async move { release(&link, &hub, &what).await });
    }

    fn check_open(&self) -> Result<(), BrokerError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(BrokerError::not_found("the client is closed"));
        }
        self.shared.check_running()
    }

    /// Waits until it is this operation's turn.
    pub(super) async fn turn(&self) -> Result<RwLockReadGuard<'_, ()>, BrokerError> {
        let turn = self.order.read().await;
        self.check_open().map(|()| turn)
    }
}

impl Client for PostgresClient {
    fn declare<'a>(&'a self, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            let _alone = self.order.write().await;
            self.check_open()?;
            queue.check().and_then(|()| check_policy(policy, &self.shared.about))?;
            ask::declare(&self.shared, queue, policy).await
        })
    }

    fn publish<'a>(&'a self, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            queue.check()?;
            check(&message, &self.shared.about)?;
            let outcomes = self.publish_checked(queue, vec![message]).await;
            outcomes.into_iter().next().unwrap_or_else(|| Err(unanswered()))
        })
    }

    fn publish_batch<'a>(
        &'a self,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            queue.check()?;
            let checked: Vec<Result<(), BrokerError>> =
                messages.iter().map(|message| check(message, &self.shared.about)).collect();
            let right = messages.into_iter().zip(&checked).filter(|(_, right)| right.is_ok());
            let right: Vec<Message> = right.map(|(message, _)| message).collect();
            if right.is_empty() {
                ask::check_declared(&self.shared, queue).await?;
            }
            let mut outcomes = self.publish_checked(queue, right).await.into_iter();
            let each = checked
                .into_iter()
                .map(|right| right.and_then(|()| outcomes.next().unwrap_or_else(|| Err(unanswered()))));
            let each: Outcomes = each.collect();
            whole(each)
        })
    }

    fn fetch<'a>(&'a self, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            self.check_open()?;
            check_fetch(&fetch)?;
            queue.check()?;
            if fetch.wait_ms > 0 {
                return self.fetch_waiting(queue, fetch).await;
            }
            match self.look(queue, &Arc::new(fetch)).await? {
                Found::Deliveries(deliveries) => Ok(deliveries),
                Found::Nothing | Found::NoGroup => Ok(Vec::new()),
            }
        })
    }

    fn peek<'a>(&'a self, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            check_peek(&peek).and(queue.check())?;
            ask::peek(&self.shared, queue, &peek).await
        })
    }

    fn settle<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            check_verdict(&verdict).and(queue.check())?;
            let outcomes = self.settle_all(queue, vec![(tag.clone(), verdict)]).await;
            outcomes.into_iter().next().unwrap_or_else(|| Err(unanswered()))
        })
    }

    fn settle_many<'a>(
        &'a self,
        queue: &'a Queue,
        settled: Vec<(Tag, Verdict)>,
    ) -> Answer<'a, Vec<Result<(), BrokerError>>> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            queue.check()?;
            if settled.is_empty() {
                return ask::check_declared(&self.shared, queue).await.map(|()| Vec::new());
            }
            whole(self.settle_all(queue, settled).await)
        })
    }

    fn extend<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            check_lease(lease_ms).and(queue.check())?;
            ask::extend(&self.shared, queue, tag, self.number, lease_ms).await
        })
    }

    fn depth<'a>(&'a self, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            check_optional("group", group).and(queue.check())?;
            ask::depth(&self.shared, queue, group).await
        })
    }

    fn dead_letters<'a>(&'a self, queue: &'a Queue, max: u32, group: Option<&'a str>) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            within("max", i64::from(max), 1, i64::from(u32::MAX))?;
            check_optional("group", group).and(queue.check())?;
            ask::dead_letters(&self.shared, queue, max, group).await
        })
    }

    fn replay<'a>(&'a self, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            check_optional("group", group).and(queue.check())?;
            ask::replay(&self.shared, queue, id, group).await
        })
    }

    fn purge<'a>(&'a self, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            check_optional("group", what.group).and(queue.check())?;
            ask::purge(&self.shared, queue, what).await
        })
    }

    fn delete<'a>(&'a self, queue: &'a Queue) -> Answer<'a, ()> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            queue.check()?;
            ask::delete(&self.shared, queue).await
        })
    }

    fn sweep<'a>(&'a self, queue: &'a Queue) -> Answer<'a, u64> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            queue.check()?;
            ask::sweep(&self.shared, queue).await
        })
    }

    fn heartbeat<'a>(&'a self, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            tenant.map_or(Ok(()), check_tenant)?;
            ask::heartbeat(&self.shared, &update, tenant).await
        })
    }

    fn agents<'a>(&'a self, offline_after_ms: Option<i64>, tenant: Option<&'a str>) -> Answer<'a, Vec<AgentState>> {
        Box::pin(async move {
            let _turn = self.turn().await?;
            let after = offline_after_ms.unwrap_or(OFFLINE_AFTER_MS);
            within("offline_after_ms", after, 1, MAX_MS)?;
            tenant.map_or(Ok(()), check_tenant)?;
            ask::agents(&self.shared, after, tenant).await
        })
    }

    fn close(&self, mode: CloseMode) -> Answer<'_, ()> {
        Box::pin(async move {
            self.check_open()?;
            if self.closed.swap(true, Ordering::AcqRel) {
                return Err(BrokerError::not_found("the client is closed"));
            }
            self.ended.notify_waiters();
            let (link, hub, session) = (&self.shared.link, &self.shared.hub, self.shared.session);
            let released = match mode {
                CloseMode::Graceful => {
                    // What is under way ends first: what it takes comes back too.
                    let _alone = self.order.write().await;
                    let what = Released::of_client(session, self.number, How::GivenBack);
                    release(link, hub, &what).await.map_err(|trouble| trouble.told())
                }
                CloseMode::Abort => {
                    // Nobody is left who would wait, least of all for a server that has gone.
                    let what = Released::of_client(session, self.number, How::ClientLost);
                    if release_now(link, hub, &what).await.is_err() {
                        self.release_in_background();
                    }
                    Ok(())
                }
            };
            self.shared.forget_name(&self.name);
            released
        })
    }
}

impl Drop for PostgresClient {
    fn drop(&mut self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        self.shared.forget_name(&self.name);
        self.release_in_background();
    }
}
