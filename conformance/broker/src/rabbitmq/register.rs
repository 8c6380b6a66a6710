//! Which queues are declared, with which policy: on the server, and remembered here.
//!
//! A queue's policy is a message in a queue of its own, whose arguments hold the policy's digest: the
//! server itself refuses another policy, whoever declares it at the same moment. Beside the policy stands
//! the name of this *life* of the queue. The routing keys that lead to a queue end with it, so what was
//! published by somebody's old knowledge, or rested while the queue was deleted, reaches no later queue of
//! the same name.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use lapin::options::QueueDeleteOptions;
use lapin::types::{AMQPValue, FieldTable};
use tokio::sync::{Mutex as AsyncMutex, RwLock};

use super::deadline::Deadline;
use super::link::Link;
use super::lock::Lock;
use super::making::{bind, declare, is_there, unlike};
use super::names::Names;
use super::options::QueueKind;
use super::publisher::Publisher;
use super::record::{Record, agree, read, write};
use crate::error::{BrokerError, Code};
use crate::policy::Policy;
use crate::queue::Queue;

/// A queue that is declared.
pub(super) struct Declared {
    pub(super) queue: Queue,
    pub(super) names: Names,
    pub(super) policy: Policy,
    /// Which of the queues of this name, one after the other, it is.
    pub(super) life: String,
    /// Who looks at the dead letters holds them; who counts them waits for that.
    pub(super) letters: RwLock<()>,
    /// Named groups that are known to be there.
    pub(super) groups: Mutex<BTreeSet<String>>,
}

impl Declared {
    fn new(queue: &Queue, names: Names, record: Record) -> Self {
        Declared {
            queue: queue.clone(),
            names,
            policy: record.policy,
            life: record.life,
            letters: RwLock::new(()),
            groups: Mutex::new(record.groups),
        }
    }

    pub(super) fn has_groups(&self) -> bool {
        !self.groups.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    pub(super) fn knows_group(&self, group: &str) -> bool {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).contains(group)
    }
}

/// The queues that are declared.
pub(super) struct Register {
    namespace: Option<String>,
    kind: QueueKind,
    known: Mutex<HashMap<Queue, Arc<Declared>>>,
    /// Who does not know a policy reads it alone: while it is read, it is in one pair of hands.
    reading: AsyncMutex<()>,
}

impl Register {
    pub(super) fn new(namespace: Option<String>, kind: QueueKind) -> Self {
        Register { namespace, kind, known: Mutex::new(HashMap::new()), reading: AsyncMutex::new(()) }
    }

    /// The queue, by what is known of it, or else by what the server says.
    pub(super) async fn find(
        &self,
        link: &Link,
        queue: &Queue,
        deadline: Deadline,
    ) -> Result<Arc<Declared>, BrokerError> {
        if let Some(declared) = self.known().get(queue) {
            return Ok(Arc::clone(declared));
        }
        let _alone = deadline.keep("reading a policy", async { Ok(self.reading.lock().await) }).await?;
        if let Some(declared) = self.known().get(queue) {
            return Ok(Arc::clone(declared));
        }
        let names = Names::of(self.namespace.as_deref(), queue);
        let record = read(link, queue, &names, deadline).await?;
        let declared = Arc::new(Declared::new(queue, names, record));
        self.known().insert(queue.clone(), Arc::clone(&declared));
        Ok(declared)
    }

    /// The queue as the server knows it now: this one still, or a later one of the name.
    pub(super) async fn find_anew(
        &self,
        link: &Link,
        past: &Arc<Declared>,
        deadline: Deadline,
    ) -> Result<Arc<Declared>, BrokerError> {
        let record = read(link, &past.queue, &past.names, deadline).await;
        if record.as_ref().is_ok_and(|record| record.life == past.life) {
            return Ok(Arc::clone(past));
        }
        self.forget(past);
        let now = Arc::new(Declared::new(&past.queue, past.names.clone(), record?));
        self.known().insert(past.queue.clone(), Arc::clone(&now));
        Ok(now)
    }

    pub(super) fn forget(&self, past: &Arc<Declared>) {
        let mut known = self.known();
        if known.get(&past.queue).is_some_and(|now| Arc::ptr_eq(now, past)) {
            known.remove(&past.queue);
        }
    }

    /// Makes the queue, or finds that it is there with this policy.
    pub(super) async fn declare(
        &self,
        link: &Link,
        publisher: &Publisher,
        queue: &Queue,
        policy: &Policy,
        deadline: Deadline,
    ) -> Result<Arc<Declared>, BrokerError> {
        let known = self.known().get(queue).cloned();
        if known.is_some_and(|known| known.policy != *policy) {
            // Perhaps it was deleted elsewhere meanwhile: the server knows.
            self.known().remove(queue);
        }
        let names = Names::of(self.namespace.as_deref(), queue);
        let doing = format!("declaring {queue}");
        let record = self.written(link, publisher, queue, policy, deadline).await?;
        let line = link.borrow(deadline).await?;
        let channel = &line.channel;
        for (name, arguments) in [
            (names.source(None), self.work_arguments(policy)),
            (names.dead(), self.kind_arguments()),
            (names.rests(), self.rest_arguments()),
        ] {
            let made = declare(channel, &name, arguments, deadline).await;
            let why = format!("the server has a queue {name} that was declared with other arguments");
            made.map_err(|error| unlike(&error, &doing, &why))?;
        }
        for (name, key) in [
            (names.source(None), names.every(&record.life)),
            (names.source(None), names.only(None, &record.life)),
            (names.rests(), names.resting(&record.life)),
        ] {
            bind(channel, &name, &key, deadline).await?;
        }
        link.give_back(line);
        let mut known = self.known();
        if let Some(known) = known.get(queue).filter(|known| known.life == record.life) {
            return Ok(Arc::clone(known));
        }
        let declared = Arc::new(Declared::new(queue, names, record));
        known.insert(queue.clone(), Arc::clone(&declared));
        Ok(declared)
    }

    /// The record of the queue, which is written where there is none, by one at a time.
    async fn written(
        &self,
        link: &Link,
        publisher: &Publisher,
        queue: &Queue,
        policy: &Policy,
        deadline: Deadline,
    ) -> Result<Record, BrokerError> {
        let names = Names::of(self.namespace.as_deref(), queue);
        if is_there(link, &names.policy(), deadline).await? {
            agree(link, queue, &names, policy, deadline).await?;
            match read(link, queue, &names, deadline).await {
                Err(error) if error.is_indefinite() && !deadline.is_over() => {}
                answer => return answer,
            }
        }
        let lock = Lock::take(link, &names.making(), deadline).await?;
        let was_there = is_there(link, &names.policy(), deadline).await?;
        agree(link, queue, &names, policy, deadline).await?;
        let written =
            if was_there { read(link, queue, &names, deadline).await } else { Err(BrokerError::no_queue(queue)) };
        let record = match written {
            Ok(record) => record,
            Err(error) if matches!(error.code(), Code::NotFound | Code::Unavailable) => {
                let record = Record::new(policy.clone());
                write(publisher, &names, &record, deadline).await?;
                record
            }
            Err(error) => return Err(error),
        };
        lock.release(link, deadline).await;
        Ok(record)
    }

    /// Removes the queue and all that belongs to it; the policy last, so that who is broken off can
    /// begin again.
    pub(super) async fn delete(&self, link: &Link, queue: &Queue, deadline: Deadline) -> Result<(), BrokerError> {
        let declared = self.find(link, queue, deadline).await?;
        let names = &declared.names;
        let record = read(link, queue, names, deadline).await?;
        let mut all = vec![names.rests(), names.source(None)];
        all.extend(record.groups.iter().map(|group| names.source(Some(group))));
        all.extend([names.dead(), names.policy()]);
        self.forget(&declared);
        let line = link.borrow(deadline).await?;
        for name in all {
            let deleting = line.channel.queue_delete(name.into(), QueueDeleteOptions::default());
            deadline.wait(&format!("deleting {queue}"), deleting).await?;
        }
        link.give_back(line);
        Ok(())
    }

    /// The groups that the server knows of.
    pub(super) async fn groups(
        &self,
        link: &Link,
        declared: &Arc<Declared>,
        deadline: Deadline,
    ) -> Result<BTreeSet<String>, BrokerError> {
        let record = read(link, &declared.queue, &declared.names, deadline).await?;
        if record.life == declared.life {
            declared.groups.lock().unwrap_or_else(PoisonError::into_inner).extend(record.groups.iter().cloned());
        }
        Ok(record.groups)
    }

    /// Begins a group: it is written down first, so that whoever deletes the queue finds it.
    pub(super) async fn begin_group(
        &self,
        link: &Link,
        publisher: &Publisher,
        declared: &Arc<Declared>,
        group: &str,
        deadline: Deadline,
    ) -> Result<(), BrokerError> {
        let names = &declared.names;
        let lock = Lock::take(link, &names.making(), deadline).await?;
        let mut record = read(link, &declared.queue, names, deadline).await?;
        if record.life != declared.life {
            self.forget(declared);
            return Err(BrokerError::no_queue(&declared.queue));
        }
        if record.groups.insert(group.to_owned()) {
            write(publisher, names, &record, deadline).await?;
        }
        let line = link.borrow(deadline).await?;
        let source = names.source(Some(group));
        let made = declare(&line.channel, &source, self.work_arguments(&declared.policy), deadline).await;
        let why = format!("the server has a queue {source} that was declared with other arguments");
        made.map_err(|error| unlike(&error, &format!("beginning group {group}"), &why))?;
        for key in [names.every(&declared.life), names.only(Some(group), &declared.life)] {
            bind(&line.channel, &source, &key, deadline).await?;
        }
        link.give_back(line);
        lock.release(link, deadline).await;
        declared.groups.lock().unwrap_or_else(PoisonError::into_inner).insert(group.to_owned());
        Ok(())
    }

    fn kind_arguments(&self) -> FieldTable {
        let mut arguments = FieldTable::default();
        if self.kind == QueueKind::Quorum {
            arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
            // Since RabbitMQ 4 what comes back twenty times is dropped, unless this says otherwise.
            arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(i32::MAX));
        }
        arguments
    }

    /// Of all who take from it, one is sent anything.
    fn rest_arguments(&self) -> FieldTable {
        let mut arguments = self.kind_arguments();
        arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
        arguments
    }

    fn work_arguments(&self, policy: &Policy) -> FieldTable {
        let mut arguments = self.kind_arguments();
        if self.kind == QueueKind::Classic {
            let most = i32::try_from(policy.max_priority).unwrap_or(i32::MAX);
            arguments.insert("x-max-priority".into(), AMQPValue::LongInt(most));
        }
        arguments
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Queue, Arc<Declared>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
