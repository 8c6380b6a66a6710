//! One caller: what it wants goes to the writer, and the answer comes back.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;
use uuid::Uuid;

use super::store::Store;
use super::trouble::{Done, Trouble};
use super::waiting::{Cancelled, Wanted};
use super::writer::{Command, Work, closed};
use super::{Commands, Shared};
use crate::clock::Millis;
use crate::contract::{
    Answer, Client, CloseMode, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked, Purge, Stored, Tag, Verdict,
};
use crate::demand::{check_fetch, check_lease, check_optional, check_peek, check_policy, check_verdict};
use crate::error::BrokerError;
use crate::policy::{MAX_MS, Policy, within};
use crate::presence::{AgentState, OFFLINE_AFTER_MS, Update};
use crate::queue::{Queue, check_tenant};

pub(crate) struct SqliteClient {
    shared: Arc<Shared>,
    commands: Commands,
    number: i64,
}

impl SqliteClient {
    pub(crate) fn new(shared: Arc<Shared>, commands: Commands, number: i64) -> Self {
        SqliteClient { shared, commands, number }
    }

    /// Has something done in the writer's next transaction.
    fn ask<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Store<'_>, Millis) -> Done<T> + Send + 'static,
    ) -> Answer<'_, T> {
        let (reply, answer) = oneshot::channel();
        let work = Box::new(Asked { work, reply, result: None });
        let sent = self.commands.send(Command::Work { client: self.number, work });
        Box::pin(async move {
            sent?;
            answer.await.unwrap_or_else(|_| Err(self.commands.unanswered()))
        })
    }

    /// The same where something has to be checked first.
    fn ask_if<T: Send + 'static>(
        &self,
        right: Result<(), BrokerError>,
        work: impl FnMut(&mut Store<'_>, Millis) -> Done<T> + Send + 'static,
    ) -> Answer<'_, T> {
        match right {
            Ok(()) => self.ask(work),
            Err(error) => Box::pin(async move { Err(error) }),
        }
    }
}

struct Asked<F, T> {
    work: F,
    reply: oneshot::Sender<Result<T, BrokerError>>,
    result: Option<Result<T, BrokerError>>,
}

impl<F, T> Work for Asked<F, T>
where
    F: FnMut(&mut Store<'_>, Millis) -> Done<T> + Send,
    T: Send,
{
    fn run(&mut self, store: &mut Store<'_>, now: Millis) -> Result<(), rusqlite::Error> {
        self.result = match (self.work)(store, now) {
            Ok(result) => Some(Ok(result)),
            Err(Trouble::Refused(error)) => Some(Err(error)),
            Err(Trouble::Database(error)) => return Err(error),
        };
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), BrokerError>) {
        let result = self.result.unwrap_or_else(|| Err(closed()));
        // Who asked may have gone.
        let _ = self.reply.send(committed.and(result));
    }
}

/// Takes a fetch back when nobody waits for it any more.
struct Waiting<'a> {
    client: &'a SqliteClient,
    cancelled: Option<Cancelled>,
}

impl Waiting<'_> {
    fn cancel(&mut self) {
        if let Some(cancelled) = self.cancelled.take() {
            // A writer that has ended waits for nothing.
            let _ = self.client.commands.send(Command::Cancel(cancelled));
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl Client for SqliteClient {
    fn declare<'a>(&'a self, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        let right = queue.check().and_then(|()| check_policy(policy, &self.shared.about));
        let (queue, policy) = (queue.clone(), policy.clone());
        self.ask_if(right, move |store, _| store.declare(&queue, &policy))
    }

    fn publish<'a>(&'a self, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let (right, queue) = (queue.check(), queue.clone());
        self.ask_if(right, move |store, now| store.publish(&queue, &message, now))
    }

    fn publish_batch<'a>(
        &'a self,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        let (right, queue) = (queue.check(), queue.clone());
        self.ask_if(right, move |store, now| store.publish_batch(&queue, &messages, now))
    }

    fn fetch<'a>(&'a self, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            check_fetch(&fetch)?;
            queue.check()?;
            let number = self.shared.fetches.fetch_add(1, Ordering::Relaxed);
            let waits = fetch.wait_ms > 0;
            let deadline = self.shared.clock.now() + fetch.wait_ms;
            let (reply, mut answer) = oneshot::channel();
            let cancelled = Cancelled { queue: queue.clone(), group: fetch.group.clone(), number };
            let (client, queue, taken) = (self.number, queue.clone(), None);
            let wanted = Wanted { client, queue, fetch, number, waits, reply, taken };
            self.commands.send(Command::Fetch(wanted))?;
            let mut waiting = Waiting { client: self, cancelled: waits.then_some(cancelled) };
            let answered = if waits {
                tokio::select! {
                    biased;
                    answered = &mut answer => answered,
                    () = self.shared.clock.sleep_until(deadline) => {
                        // It may be served at this very moment: the writer says.
                        waiting.cancel();
                        answer.await
                    }
                }
            } else {
                answer.await
            };
            waiting.cancelled = None;
            answered.unwrap_or_else(|_| Err(self.commands.unanswered()))
        })
    }

    fn peek<'a>(&'a self, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        let (right, queue) = (check_peek(&peek).and(queue.check()), queue.clone());
        self.ask_if(right, move |store, now| store.peek(&queue, &peek, now))
    }

    fn settle<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        let right = check_verdict(&verdict).and(queue.check());
        let (queue, client) = (queue.clone(), self.number);
        let one = [(tag.clone(), verdict)];
        self.ask_if(right, move |store, now| {
            let answers = store.settle_many(&queue, &one, client, now)?;
            Ok(answers.into_iter().collect::<Result<(), BrokerError>>()?)
        })
    }

    fn settle_many<'a>(
        &'a self,
        queue: &'a Queue,
        settled: Vec<(Tag, Verdict)>,
    ) -> Answer<'a, Vec<Result<(), BrokerError>>> {
        let (right, queue, client) = (queue.check(), queue.clone(), self.number);
        self.ask_if(right, move |store, now| store.settle_many(&queue, &settled, client, now))
    }

    fn extend<'a>(&'a self, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        let right = check_lease(lease_ms).and(queue.check());
        let (queue, tag, client) = (queue.clone(), tag.clone(), self.number);
        self.ask_if(right, move |store, now| store.extend(&queue, &tag, lease_ms, client, now))
    }

    fn depth<'a>(&'a self, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        let right = check_optional("group", group).and(queue.check());
        let (queue, group) = (queue.clone(), group.map(str::to_owned));
        self.ask_if(right, move |store, now| {
            while !store.tick(now)? {}
            store.depth(&queue, group.as_deref(), now)
        })
    }

    fn dead_letters<'a>(&'a self, queue: &'a Queue, max: u32, group: Option<&'a str>) -> Answer<'a, Vec<Letter>> {
        let right = within("max", i64::from(max), 1, i64::from(u32::MAX))
            .and(check_optional("group", group))
            .and(queue.check());
        let (queue, group) = (queue.clone(), group.map(str::to_owned));
        self.ask_if(right, move |store, _| store.dead_letters(&queue, max, group.as_deref()))
    }

    fn replay<'a>(&'a self, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        let right = check_optional("group", group).and(queue.check());
        let (queue, group) = (queue.clone(), group.map(str::to_owned));
        self.ask_if(right, move |store, now| store.replay(&queue, id, group.as_deref(), now))
    }

    fn purge<'a>(&'a self, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        let (right, dead) = (check_optional("group", what.group).and(queue.check()), what.dead);
        let (queue, group) = (queue.clone(), what.group.map(str::to_owned));
        self.ask_if(right, move |store, _| store.purge(&queue, group.as_deref(), dead))
    }

    fn delete<'a>(&'a self, queue: &'a Queue) -> Answer<'a, ()> {
        let (right, queue) = (queue.check(), queue.clone());
        self.ask_if(right, move |store, _| store.delete(&queue))
    }

    fn sweep<'a>(&'a self, queue: &'a Queue) -> Answer<'a, u64> {
        let (right, queue) = (queue.check(), queue.clone());
        self.ask_if(right, move |store, now| {
            while !store.tick(now)? {}
            store.swept(&queue)
        })
    }

    fn heartbeat<'a>(&'a self, update: Update, tenant: Option<&'a str>) -> Answer<'a, ()> {
        let (right, tenant) = (tenant.map_or(Ok(()), check_tenant), tenant.map(str::to_owned));
        self.ask_if(right, move |store, now| store.heartbeat(&update, tenant.as_deref(), now))
    }

    fn agents<'a>(&'a self, offline_after_ms: Option<i64>, tenant: Option<&'a str>) -> Answer<'a, Vec<AgentState>> {
        let after = offline_after_ms.unwrap_or(OFFLINE_AFTER_MS);
        let right = within("offline_after_ms", after, 1, MAX_MS).and(tenant.map_or(Ok(()), check_tenant));
        let tenant = tenant.map(str::to_owned);
        self.ask_if(right, move |store, now| store.agents(after, tenant.as_deref(), now))
    }

    fn close(&self, mode: CloseMode) -> Answer<'_, ()> {
        let (reply, answer) = oneshot::channel();
        let sent = self.commands.send(Command::Close { client: self.number, mode, reply: Some(reply) });
        Box::pin(async move {
            sent?;
            answer.await.unwrap_or_else(|_| Err(self.commands.unanswered()))
        })
    }
}

impl Drop for SqliteClient {
    fn drop(&mut self) {
        // A writer that has ended has closed it already.
        let _ = self.commands.send(Command::Close { client: self.number, mode: CloseMode::Abort, reply: None });
    }
}
