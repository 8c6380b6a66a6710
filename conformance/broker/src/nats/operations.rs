//! The contract's operations, each checked and passed on.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream;
use uuid::Uuid;

use super::client::{AT_ONCE, Caller};
use super::{letters, presence, publishing, settling, streams, taking};
use crate::contract::{
    Answer, Client, CloseMode, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked, Purge, Stored, Tag, Verdict,
};
use crate::demand::{check_fetch, check_lease, check_peek, check_policy};
use crate::error::BrokerError;
use crate::policy::{MAX_MS, Policy, within};
use crate::presence::{AgentState, OFFLINE_AFTER_MS, Update};
use crate::queue::{Queue, check_tenant};

pub(super) struct NatsClient {
    caller: Arc<Caller>,
}

impl NatsClient {
    pub(super) const fn new(caller: Arc<Caller>) -> Self {
        NatsClient { caller }
    }
}

/// Named groups are not claimed.
fn no_group(group: Option<&str>) -> Result<(), BrokerError> {
    group.map_or(Ok(()), |_| Err(BrokerError::unsupported("groups")))
}

impl Client for NatsClient {
    fn declare<'a>(&'a self, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            queue.check()?;
            check_policy(policy, &self.caller.shared.about)?;
            let _alone = self.caller.alone().await?;
            streams::declare(&self.caller.shared, queue, policy).await
        })
    }

    fn publish<'a>(&'a self, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let open = self.caller.queue(queue).await?;
            publishing::publish(&open, &self.caller.shared.about, message).await
        })
    }

    fn publish_batch<'a>(
        &'a self,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async move {
            let open = self.caller.queue(queue).await?;
            let about = &self.caller.shared.about;
            let each = messages
                .into_iter()
                .map(|message| -> BoxFuture<'_, _> { Box::pin(publishing::publish(&open, about, message)) });
            // They are sent in their order, and none waits for the answer of the one before.
            Ok(stream::iter(each).buffered(AT_ONCE).collect().await)
        })
    }

    fn fetch<'a>(&'a self, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            queue.check()?;
            check_fetch(&fetch)?;
            no_group(fetch.group.as_deref())?;
            let open = self.caller.queue(queue).await?;
            taking::fetch(&self.caller, &open, &fetch).await
        })
    }

    fn peek<'a>(&'a self, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            queue.check()?;
            check_peek(&peek)?;
            no_group(peek.group.as_deref())?;
            taking::peek(&self.caller.queue(queue).await?, &peek).await
        })
    }

    fn settle<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(settling::settle(&self.caller, queue, tag, verdict))
    }

    fn settle_many<'a>(
        &'a self,
        queue: &'a Queue,
        settled: Vec<(Tag, Verdict)>,
    ) -> Answer<'a, Vec<Result<(), BrokerError>>> {
        Box::pin(async move {
            let each = settled.into_iter().map(|(tag, verdict)| -> BoxFuture<'_, _> {
                Box::pin(async move { settling::settle(&self.caller, queue, &tag, verdict).await })
            });
            Ok(stream::iter(each).buffered(AT_ONCE).collect().await)
        })
    }

    fn extend<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        Box::pin(async move {
            check_lease(lease_ms)?;
            let open = self.caller.queue(queue).await?;
            taking::extend(&self.caller, &open, tag, lease_ms).await
        })
    }

    fn depth<'a>(&'a self, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            no_group(group)?;
            let open = self.caller.queue(queue).await?;
            open.settle_down().await?;
            Ok(open.change(|index, _| index.depth()))
        })
    }

    fn dead_letters<'a>(&'a self, queue: &'a Queue, max: u32, group: Option<&'a str>) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            within("max", i64::from(max), 1, i64::from(u32::MAX))?;
            no_group(group)?;
            letters::dead_letters(&self.caller.queue(queue).await?, max).await
        })
    }

    fn replay<'a>(&'a self, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            no_group(group)?;
            letters::replay(&self.caller.queue(queue).await?, id).await
        })
    }

    fn purge<'a>(&'a self, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            no_group(what.group)?;
            let open = self.caller.queue(queue).await?;
            if what.dead { letters::purge_letters(&open).await } else { letters::purge_ready(&open).await }
        })
    }

    fn delete<'a>(&'a self, queue: &'a Queue) -> Answer<'a, ()> {
        Box::pin(async move {
            queue.check()?;
            let _alone = self.caller.alone().await?;
            streams::delete(&self.caller.shared, queue).await
        })
    }

    fn sweep<'a>(&'a self, queue: &'a Queue) -> Answer<'a, u64> {
        Box::pin(async move { letters::sweep(&self.caller.queue(queue).await?).await })
    }

    fn heartbeat<'a>(&'a self, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            tenant.map_or(Ok(()), check_tenant)?;
            self.caller.check_open()?;
            presence::heartbeat(&self.caller.shared, update, tenant).await
        })
    }

    fn agents<'a>(&'a self, offline_after_ms: Option<i64>, tenant: Option<&'a str>) -> Answer<'a, Vec<AgentState>> {
        Box::pin(async move {
            tenant.map_or(Ok(()), check_tenant)?;
            let silence = offline_after_ms.unwrap_or(OFFLINE_AFTER_MS);
            within("offline_after_ms", silence, 1, MAX_MS)?;
            self.caller.check_open()?;
            presence::agents(&self.caller.shared, silence, tenant).await
        })
    }

    fn close(&self, mode: CloseMode) -> Answer<'_, ()> {
        Box::pin(self.caller.close(mode))
    }
}
