//! A client of the broker over RabbitMQ.

use std::future::Future as _;
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::{MaybeDone, join, join_all, maybe_done};
use lapin::options::QueuePurgeOptions;
use uuid::Uuid;

use super::desk::Desk;
use super::intake::count;
use super::parcel::Parcel;
use super::publisher::Sent;
use super::push::Pushed;
use super::register::Declared;
use super::{fetching, letters, settling};
use crate::clock::{Clock as _, SystemClock};
use crate::contract::{
    Answer, Client, CloseMode, Delivery, Depth, Fetch, Letter, Message, Purge, Push, Stored, Tag, Verdict,
};
use crate::demand::{Terms, check_fetch, check_optional, check_policy};
use crate::error::{BrokerError, Code};
use crate::policy::{Policy, within};
use crate::queue::Queue;

pub(super) struct RabbitMqClient {
    desk: Arc<Desk>,
}

impl RabbitMqClient {
    pub(super) const fn new(desk: Arc<Desk>) -> Self {
        RabbitMqClient { desk }
    }

    async fn store(&self, queue: &Queue, message: Message) -> Result<Stored, BrokerError> {
        let deadline = self.desk.deadline();
        let mut declared = self.desk.declared(queue, deadline).await?;
        let parcel = self.parcel(&declared, message)?;
        for _ in 0..2 {
            let key = declared.names.every(&declared.life);
            match self.desk.send(&declared, &key, &parcel, deadline).await? {
                Sent::Stored => return Ok(Stored::Stored),
                // Nobody is there any more by this key: the queue was deleted, and perhaps declared anew.
                Sent::Unroutable => {
                    let shared = &self.desk.shared;
                    let now = shared.register.find_anew(&shared.tending, &declared, deadline).await?;
                    // It may have another policy.
                    within("priority", parcel.priority, 1, now.policy.max_priority)?;
                    declared = now;
                }
            }
        }
        self.desk.shared.register.forget(&declared);
        Err(BrokerError::no_queue(queue))
    }

    fn parcel(&self, declared: &Declared, message: Message) -> Result<Parcel, BrokerError> {
        let terms = Terms::of(&message, &declared.policy, &self.desk.shared.about, SystemClock.now())?;
        if message.to.is_some() {
            return Err(BrokerError::unsupported("addressing"));
        }
        if message.ttl_ms.is_some() {
            return Err(BrokerError::unsupported("ttl"));
        }
        Ok(Parcel::of(message, terms.priority))
    }

    async fn counts(&self, queue: &Queue, group: Option<&str>) -> Result<Depth, BrokerError> {
        check_optional("group", group)?;
        let deadline = self.desk.deadline();
        let declared = self.desk.declared(queue, deadline).await?;
        let shared = &self.desk.shared;
        if let Some(group) = group.filter(|group| !declared.knows_group(group)) {
            let groups = shared.register.groups(&shared.tending, &declared, deadline).await?;
            if !groups.contains(group) {
                // What a group that is not there would see if it began now.
                return Ok(Depth::default());
            }
        }
        let _quiet = deadline.keep("counting", async { Ok(declared.letters.read().await) }).await?;
        let line = shared.tending.borrow(deadline).await?;
        let (source, dead) = (declared.names.source(group), declared.names.dead());
        let ready = count(&line.channel, &source, deadline);
        let (ready, dead) = join(ready, count(&line.channel, &dead, deadline)).await;
        let gone = |error: BrokerError| match error.code() {
            Code::NotFound => {
                shared.register.forget(&declared);
                BrokerError::no_queue(queue)
            }
            _ => error,
        };
        let (ready, dead) = (ready.map_err(gone)?, dead.map_err(gone)?);
        shared.tending.give_back(line);
        // The letters of all groups are in one queue, which tells how many they are together.
        let dead = (group.is_none() && !declared.has_groups()).then_some(u64::from(dead));
        Ok(Depth { ready: u64::from(ready), leased: None, delayed: None, dead })
    }

    async fn empty(&self, queue: &Queue, what: Purge<'_>) -> Result<u64, BrokerError> {
        check_optional("group", what.group)?;
        let deadline = self.desk.deadline();
        let declared = self.desk.declared(queue, deadline).await?;
        let shared = &self.desk.shared;
        let groups = shared.register.groups(&shared.tending, &declared, deadline).await?;
        let names = &declared.names;
        if what.dead && what.group.is_some() {
            return letters::remove(&self.desk, declared, what.group.map(str::to_owned)).await;
        }
        let sources: Vec<String> = match what.group {
            _ if what.dead => vec![names.dead()],
            Some(group) if groups.contains(group) => vec![names.source(Some(group))],
            Some(_) => Vec::new(),
            None => {
                let named = groups.iter().map(|group| names.source(Some(group)));
                std::iter::once(names.source(None)).chain(named).collect()
            }
        };
        let _quiet = deadline.keep("purging", async { Ok(declared.letters.read().await) }).await?;
        let line = shared.tending.borrow(deadline).await?;
        let mut removed = 0;
        for source in sources {
            let purging = line.channel.queue_purge(source.into(), QueuePurgeOptions::default());
            removed += u64::from(deadline.wait(&format!("purging {queue}"), purging).await?);
        }
        shared.tending.give_back(line);
        Ok(removed)
    }
}

impl Drop for RabbitMqClient {
    fn drop(&mut self) {
        self.desk.abandon();
    }
}

impl Client for RabbitMqClient {
    fn declare<'a>(&'a self, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            self.desk.check_open()?;
            queue.check()?;
            let shared = &self.desk.shared;
            check_policy(policy, &shared.about)?;
            if policy.ttl_ms.is_some() {
                return Err(BrokerError::unsupported("ttl"));
            }
            if policy.max_length.is_some() {
                return Err(BrokerError::unsupported("max-length"));
            }
            let deadline = self.desk.deadline();
            let _first = self.desk.before_others(deadline).await?;
            let publisher = &self.desk.publisher;
            let declared = shared.register.declare(&shared.tending, publisher, queue, policy, deadline).await?;
            shared.movers.look_after(&declared);
            Ok(())
        })
    }

    fn publish<'a>(&'a self, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(self.store(queue, message))
    }

    fn publish_batch<'a>(
        &'a self,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async move {
            self.desk.declared(queue, self.desk.deadline()).await?;
            // All are under way before the first is answered, and in their order.
            let mut stored: Vec<_> =
                messages.into_iter().map(|message| Box::pin(maybe_done(self.store(queue, message)))).collect();
            for one in &mut stored {
                std::future::poll_fn(|context| {
                    let _ = one.as_mut().poll(context);
                    Poll::Ready(())
                })
                .await;
            }
            join_all(stored.iter_mut().map(std::pin::Pin::as_mut)).await;
            let lost = || Err(BrokerError::unavailable("no answer to one message"));
            Ok(stored.iter_mut().map(|one| MaybeDone::take_output(one.as_mut()).unwrap_or_else(lost)).collect())
        })
    }

    fn fetch<'a>(&'a self, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(fetching::fetch(&self.desk, queue, fetch))
    }

    fn push<'a>(&'a self, queue: &'a Queue, fetch: &Fetch, credit: u32) -> Option<Answer<'a, Box<dyn Push + 'a>>> {
        let fetch = Fetch { max: credit, ..fetch.clone() };
        Some(Box::pin(async move {
            check_fetch(&fetch)?;
            let pushed = Pushed::begin(Arc::clone(&self.desk), queue.clone(), fetch.group, credit).await?;
            Ok(Box::new(pushed) as Box<dyn Push + 'a>)
        }))
    }

    fn settle<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(settling::settle(&self.desk, queue, tag, verdict))
    }

    fn settle_many<'a>(
        &'a self,
        queue: &'a Queue,
        settled: Vec<(Tag, Verdict)>,
    ) -> Answer<'a, Vec<Result<(), BrokerError>>> {
        Box::pin(async move {
            let all = settled
                .into_iter()
                .map(|(tag, verdict)| async move { settling::settle(&self.desk, queue, &tag, verdict).await });
            Ok(join_all(all).await)
        })
    }

    fn depth<'a>(&'a self, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(self.counts(queue, group))
    }

    fn dead_letters<'a>(&'a self, queue: &'a Queue, max: u32, group: Option<&'a str>) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            within("max", i64::from(max), 1, i64::from(u32::MAX))?;
            check_optional("group", group)?;
            let declared = self.desk.declared(queue, self.desk.deadline()).await?;
            let max = usize::try_from(max).unwrap_or(usize::MAX);
            letters::list(&self.desk, declared, max, group.map(str::to_owned)).await
        })
    }

    fn replay<'a>(&'a self, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            check_optional("group", group)?;
            let declared = self.desk.declared(queue, self.desk.deadline()).await?;
            letters::replay(&self.desk, declared, id, group.map(str::to_owned)).await
        })
    }

    fn purge<'a>(&'a self, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(self.empty(queue, what))
    }

    fn delete<'a>(&'a self, queue: &'a Queue) -> Answer<'a, ()> {
        Box::pin(async move {
            self.desk.check_open()?;
            queue.check()?;
            let (shared, deadline) = (&self.desk.shared, self.desk.deadline());
            let _first = self.desk.before_others(deadline).await?;
            let declared = shared.register.find(&shared.tending, queue, deadline).await?;
            let _paused = shared.movers.pause(&declared).await;
            shared.register.delete(&shared.tending, queue, deadline).await
        })
    }

    fn close(&self, mode: CloseMode) -> Answer<'_, ()> {
        Box::pin(self.desk.close(mode))
    }
}
