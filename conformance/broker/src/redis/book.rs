//! What this process knows of queues: their keys and policies, read once from the server. Each script
//! says when what is known is no longer so.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ::redis::{ToRedisArgs, Value};

use crate::clock::{Clock, SystemClock};
use crate::error::BrokerError;
use crate::policy::Policy;
use crate::queue::Queue;
use crate::redis::link::Link;
use crate::redis::options::RedisOptions;
use crate::redis::reply::{array, text, wrong};
use crate::redis::script::{DECLARE, Script};
use crate::redis::{keys, trouble};

/// So many queues are remembered at most.
const MOST: usize = 10_000;

/// How often somebody looks what others do on a queue's streams, in milliseconds.
const SURVEY_MS: i64 = 1_000;

/// A declared queue.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) queue: Queue,
    pub(super) keys: Vec<String>,
    pub(super) channel: String,
    /// Which declaration this is; another one after a delete.
    pub(super) epoch: String,
    pub(super) policy: Policy,
    surveyed: AtomicI64,
}

impl Place {
    /// Whether it is time to look what others do.
    pub(super) fn is_survey_due(&self) -> bool {
        let now = SystemClock.now();
        let last = self.surveyed.load(Ordering::Relaxed);
        now - last >= SURVEY_MS
            && self.surveyed.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// What a script that found the queue as it is known has answered.
pub(super) type Found = Vec<Value>;

/// The queue is not, or no more, what is known of it.
pub(super) enum Missed {
    /// Ask again for what it is now.
    Changed,
    Error(BrokerError),
}

impl From<BrokerError> for Missed {
    fn from(error: BrokerError) -> Self {
        Missed::Error(error)
    }
}

pub(super) struct Book {
    options: RedisOptions,
    places: Mutex<HashMap<Queue, Arc<Place>>>,
}

impl Book {
    pub(super) fn new(options: RedisOptions) -> Self {
        Book { options, places: Mutex::new(HashMap::new()) }
    }

    /// Declares a queue, or finds that it is there with this policy.
    pub(super) async fn declare(&self, link: &Link, queue: &Queue, policy: &Policy) -> Result<(), BrokerError> {
        let keys = keys::all(&self.options, queue, policy.max_priority);
        let written = serde_json::to_string(policy)
            .map_err(|error| BrokerError::invalid(format!("policy: cannot be written: {error}")))?;
        let rests: Vec<String> = policy.backoff_ms.iter().map(ToString::to_string).collect();
        let overflow = if policy.overflow == crate::policy::Overflow::Reject { "reject" } else { "drop-oldest" };
        let mut args: Vec<String> = Vec::new();
        let mut say = |name: &str, value: String| args.extend([name.to_owned(), value]);
        say("epoch", uuid::Uuid::new_v4().simple().to_string());
        say("policy", written);
        say("max_attempts", policy.max_attempts.to_string());
        say("lease_ms", policy.lease_ms.to_string());
        say("backoff_ms", rests.join(","));
        say("overflow", overflow.to_owned());
        say("dedupe_ms", policy.dedupe_ms.to_string());
        if let Some(most) = policy.max_length {
            say("max_length", most.to_string());
        }
        let mut answer = array(link.run(&DECLARE, &keys, &args).await?)?.into_iter();
        let (word, first, second) = (answer.next(), answer.next(), answer.next());
        let (Some(word), Some(first), Some(second)) = (word, first, second) else { return Err(wrong("declaration")) };
        if text(word)? == "type" {
            let (key, kind) = (text(first)?, text(second)?);
            return Err(BrokerError::conflict(format!(
                "queue {queue}: key {key} is in the way, a {kind} of somebody's"
            )));
        }
        let place = self.keep(queue, text(first)?, &text(second)?)?;
        if place.policy == *policy {
            return Ok(());
        }
        Err(BrokerError::conflict(format!("queue {queue} is declared with another policy")))
    }

    /// A queue as it is known, else as the server knows it.
    pub(super) async fn find(&self, link: &Link, queue: &Queue) -> Result<Arc<Place>, BrokerError> {
        if let Some(place) = self.lock().get(queue) {
            return Ok(Arc::clone(place));
        }
        let mut command = ::redis::cmd("HMGET");
        command.arg(keys::meta(&self.options, queue)).arg("epoch").arg("policy");
        let answer = link.ask(&command).await.map_err(|error| trouble::of(&error))?;
        let mut answer = array(answer)?.into_iter();
        match (answer.next(), answer.next()) {
            (Some(epoch @ Value::BulkString(_)), Some(policy @ Value::BulkString(_))) => {
                self.keep(queue, text(epoch)?, &text(policy)?)
            }
            _ => Err(BrokerError::no_queue(queue)),
        }
    }

    fn keep(&self, queue: &Queue, epoch: String, policy: &str) -> Result<Arc<Place>, BrokerError> {
        let policy: Policy = serde_json::from_str(policy).map_err(|error| {
            BrokerError::conflict(format!("queue {queue}: its policy on the server cannot be read: {error}"))
        })?;
        let place = Arc::new(Place {
            queue: queue.clone(),
            keys: keys::all(&self.options, queue, policy.max_priority),
            channel: keys::channel(&self.options, queue),
            epoch,
            policy,
            surveyed: AtomicI64::new(0),
        });
        let mut places = self.lock();
        if places.len() >= MOST {
            places.clear();
        }
        places.insert(queue.clone(), Arc::clone(&place));
        Ok(place)
    }

    pub(super) fn forget(&self, place: &Place) {
        let mut places = self.lock();
        if places.get(&place.queue).is_some_and(|known| known.epoch == place.epoch) {
            places.remove(&place.queue);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Queue, Arc<Place>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a script of a queue as it is known.
    pub(super) async fn run<A: ToRedisArgs>(
        &self,
        link: &Link,
        place: &Place,
        script: &Script,
        args: &[A],
    ) -> Result<Found, Missed> {
        let mut answer = array(link.run(script, &place.keys, args).await?)?;
        if answer.is_empty() {
            return Err(wrong("word").into());
        }
        let word = text(answer.remove(0))?;
        match word.as_str() {
            "ok" => Ok(answer),
            "absent" | "changed" => {
                self.forget(place);
                Err(Missed::Changed)
            }
            _ => Err(wrong("word that is known").into()),
        }
    }

    /// Runs a script of a queue, with the arguments behind those that each has.
    pub(super) async fn step(
        &self,
        link: &Link,
        queue: &Queue,
        script: &Script,
        args: impl Fn(&Place) -> Vec<String>,
    ) -> Result<Found, BrokerError> {
        loop {
            let place = self.find(link, queue).await?;
            let mut all = vec![place.epoch.clone(), place.channel.clone()];
            all.extend(args(&place));
            match self.run(link, &place, script, &all).await {
                Ok(found) => return Ok(found),
                Err(Missed::Error(error)) => return Err(error),
                Err(Missed::Changed) => {}
            }
        }
    }
}
