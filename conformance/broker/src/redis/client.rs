//! A client of the broker: each operation is one step of the server.

use std::sync::Arc;

use ::redis::Value;
use uuid::Uuid;

use crate::contract::{
    Answer, Client, CloseMode, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked, Purge, Stored, Tag, Verdict,
};
use crate::demand::{check_fetch, check_lease, check_optional, check_peek, check_policy, check_verdict};
use crate::error::BrokerError;
use crate::policy::{MAX_MS, Policy, within};
use crate::presence::{AgentState, OFFLINE_AFTER_MS, Update};
use crate::queue::{Queue, check_tenant};
use crate::redis::book::Place;
use crate::redis::held::{Before, Own};
use crate::redis::reply::{array, fields, integer, text, wrong};
use crate::redis::script::{DELETE, DEPTH, PEEK, SWEEP};
use crate::redis::{Shared, UNNAMED, entry};

pub(super) struct RedisClient {
    shared: Arc<Shared>,
    own: Arc<Own>,
}

impl RedisClient {
    pub(super) const fn new(shared: Arc<Shared>, own: Arc<Own>) -> Self {
        RedisClient { shared, own }
    }

    /// What every operation on a queue is asked first.
    async fn right(&self, queue: &Queue, before: Before) -> Result<(), BrokerError> {
        queue.check()?;
        before.ended().await;
        self.check_open()
    }

    fn check_open(&self) -> Result<(), BrokerError> {
        if self.own.is_closed() { Err(BrokerError::not_found("the client is closed")) } else { Ok(()) }
    }
}

impl Drop for RedisClient {
    fn drop(&mut self) {
        let (shared, own) = (Arc::clone(&self.shared), Arc::clone(&self.own));
        self.shared.runtime.spawn(async move {
            // Where that fails, the leases end.
            let _ = shared.close(&own, CloseMode::Abort).await;
        });
    }
}

impl Client for RedisClient {
    fn declare<'a>(&'a self, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        let (before, changing) = self.own.change();
        Box::pin(async move {
            let _changing = changing;
            self.right(queue, before).await?;
            check_policy(policy, &self.shared.about)?;
            self.shared.book.declare(&self.shared.working, queue, policy).await
        })
    }

    fn publish<'a>(&'a self, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let before = self.own.before();
        Box::pin(async move {
            self.right(queue, before).await?;
            let answers = self.shared.publish(queue, vec![message]).await?;
            answers.into_iter().next().unwrap_or_else(|| Err(wrong("answer to the message")))
        })
    }

    fn publish_batch<'a>(
        &'a self,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        let before = self.own.before();
        Box::pin(async move {
            self.right(queue, before).await?;
            self.shared.publish(queue, messages).await
        })
    }

    fn fetch<'a>(&'a self, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let before = self.own.before();
        Box::pin(async move {
            check_fetch(&fetch)?;
            self.right(queue, before).await?;
            self.shared.fetch(&self.own, queue, &fetch).await
        })
    }

    fn peek<'a>(&'a self, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        let before = self.own.before();
        Box::pin(async move {
            check_peek(&peek)?;
            self.right(queue, before).await?;
            let args = |_: &Place| {
                vec![
                    peek.group.clone().unwrap_or_else(|| UNNAMED.to_owned()),
                    peek.recipient.clone().unwrap_or_default(),
                    peek.max.to_string(),
                    peek.after.map(|after| after.to_string()).unwrap_or_default(),
                ]
            };
            let found = self.shared.book.step(&self.shared.working, queue, &PEEK, args).await?;
            looked_at(found.into_iter().next().unwrap_or_default())
        })
    }

    fn settle<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        let before = self.own.before();
        Box::pin(async move {
            check_verdict(&verdict)?;
            self.right(queue, before).await?;
            let answers = self.shared.settle(&self.own, queue, vec![(tag.clone(), verdict)]).await?;
            answers.into_iter().next().unwrap_or_else(|| Err(wrong("answer to the settlement")))
        })
    }

    fn settle_many<'a>(
        &'a self,
        queue: &'a Queue,
        settled: Vec<(Tag, Verdict)>,
    ) -> Answer<'a, Vec<Result<(), BrokerError>>> {
        let before = self.own.before();
        Box::pin(async move {
            self.right(queue, before).await?;
            self.shared.settle(&self.own, queue, settled).await
        })
    }

    fn extend<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        let before = self.own.before();
        Box::pin(async move {
            check_lease(lease_ms)?;
            self.right(queue, before).await?;
            self.shared.extend(&self.own, queue, tag, lease_ms).await
        })
    }

    fn depth<'a>(&'a self, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        let before = self.own.before();
        Box::pin(async move {
            check_optional("group", group)?;
            self.right(queue, before).await?;
            let args = |_: &Place| vec![group.unwrap_or(UNNAMED).to_owned()];
            let found = self.shared.book.step(&self.shared.working, queue, &DEPTH, args).await?;
            let counts = array(found.into_iter().next().unwrap_or_default())?;
            let counts = counts.iter().map(integer).collect::<Result<Vec<_>, _>>()?;
            let [ready, leased, delayed, dead] = counts[..] else { return Err(wrong("four counts")) };
            let count = |number: i64| u64::try_from(number).unwrap_or(0);
            let (leased, delayed, dead) = (Some(count(leased)), Some(count(delayed)), Some(count(dead)));
            Ok(Depth { ready: count(ready), leased, delayed, dead })
        })
    }

    fn dead_letters<'a>(&'a self, queue: &'a Queue, max: u32, group: Option<&'a str>) -> Answer<'a, Vec<Letter>> {
        let before = self.own.before();
        Box::pin(async move {
            within("max", i64::from(max), 1, i64::from(u32::MAX))?;
            check_optional("group", group)?;
            self.right(queue, before).await?;
            self.shared.dead_letters(queue, max, group).await
        })
    }

    fn replay<'a>(&'a self, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        let before = self.own.before();
        Box::pin(async move {
            check_optional("group", group)?;
            self.right(queue, before).await?;
            self.shared.replay(queue, id, group).await
        })
    }

    fn purge<'a>(&'a self, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        let before = self.own.before();
        Box::pin(async move {
            check_optional("group", what.group)?;
            self.right(queue, before).await?;
            self.shared.purge(queue, what).await
        })
    }

    fn delete<'a>(&'a self, queue: &'a Queue) -> Answer<'a, ()> {
        let (before, changing) = self.own.change();
        Box::pin(async move {
            let _changing = changing;
            self.right(queue, before).await?;
            self.shared.book.step(&self.shared.working, queue, &DELETE, |_| Vec::new()).await?;
            if let Ok(place) = self.shared.book.find(&self.shared.working, queue).await {
                self.shared.book.forget(&place);
            }
            Ok(())
        })
    }

    fn sweep<'a>(&'a self, queue: &'a Queue) -> Answer<'a, u64> {
        let before = self.own.before();
        Box::pin(async move {
            self.right(queue, before).await?;
            let found = self.shared.book.step(&self.shared.working, queue, &SWEEP, |_| Vec::new()).await?;
            let expired = found.first().map(integer).transpose()?.unwrap_or(0);
            Ok(u64::try_from(expired).unwrap_or(0))
        })
    }

    fn heartbeat<'a>(&'a self, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            tenant.map_or(Ok(()), check_tenant)?;
            self.check_open()?;
            self.shared.heartbeat(&update, tenant).await
        })
    }

    fn agents<'a>(&'a self, offline_after_ms: Option<i64>, tenant: Option<&'a str>) -> Answer<'a, Vec<AgentState>> {
        Box::pin(async move {
            let silence = offline_after_ms.unwrap_or(OFFLINE_AFTER_MS);
            within("offline_after_ms", silence, 1, MAX_MS)?;
            tenant.map_or(Ok(()), check_tenant)?;
            self.check_open()?;
            self.shared.agents(silence, tenant).await
        })
    }

    fn close(&self, mode: CloseMode) -> Answer<'_, ()> {
        Box::pin(async move {
            self.check_open()?;
            self.shared.close(&self.own, mode).await
        })
    }
}

fn looked_at(found: Value) -> Result<Vec<Peeked>, BrokerError> {
    let mut items = array(found)?.into_iter();
    let mut peeked = Vec::with_capacity(items.len() / 4);
    while let (Some(level), Some(id), Some(used), Some(told)) = (items.next(), items.next(), items.next(), items.next())
    {
        let (id, body) = entry::read(&text(id)?, fields(told)?);
        let attempt = u32::try_from(integer(&used)?).unwrap_or(u32::MAX).saturating_add(1);
        peeked.push(Peeked { id, body, priority: integer(&level)?, attempt });
    }
    Ok(peeked)
}
