//! An engine that sees no delivery end but in a retry: lost connections and ended leases use up no
//! attempt.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;
use workwire_broker::{Answer, Delivery, Fetch, Letter, Peek, Peeked, Policy, Queue, Tag, Verdict};

use crate::saboteurs::{Defect, Inner};

/// Counts by itself; beneath, attempts never run out.
#[derive(Default)]
pub(super) struct Uncounted(Mutex<State>);

#[derive(Default)]
struct State {
    policies: HashMap<Queue, Policy>,
    /// What every tag is a delivery of.
    taken: HashMap<(Queue, Tag), Whose>,
    /// How often each message was retried, and why last.
    retried: HashMap<Whose, (u32, Option<String>)>,
    /// The number of the last delivery of those that died.
    dead: HashMap<Whose, u32>,
}

/// A message of a group of a queue.
type Whose = (Queue, Option<String>, Uuid);

/// More than anybody retries.
const NEVER: i64 = 1_000_000;

impl Uncounted {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn attempt(&self, whose: &Whose) -> u32 {
        1 + self.retried.get(whose).map_or(0, |(times, _)| *times)
    }

    /// What a verdict is beneath.
    fn beneath(&self, queue: &Queue, whose: &Whose, verdict: Verdict) -> Verdict {
        let Verdict::Retry { delay_ms, reason } = verdict else { return verdict };
        let (attempt, policy) = (self.attempt(whose), self.policies.get(queue).cloned().unwrap_or_default());
        if delay_ms.is_some_and(|delay| delay < 0) || i64::from(attempt) < policy.max_attempts {
            let delay_ms = delay_ms.or_else(|| Some(policy.backoff(attempt)));
            return Verdict::Retry { delay_ms, reason };
        }
        let last = || self.retried.get(whose).and_then(|(_, reason)| reason.clone());
        let own = || format!("attempts used up: {attempt} deliveries ended in retry");
        Verdict::Dead { reason: Some(reason.or_else(last).unwrap_or_else(own)) }
    }

    /// It was settled so.
    fn settled(&mut self, whose: Whose, verdict: &Verdict) {
        match verdict {
            Verdict::Retry { reason, .. } => {
                let (times, last) = self.retried.entry(whose).or_default();
                *times += 1;
                *last = reason.clone().or(last.take());
            }
            Verdict::Dead { .. } => {
                let attempt = self.attempt(&whose);
                self.retried.remove(&whose);
                self.dead.insert(whose, attempt);
            }
            Verdict::Done => drop(self.retried.remove(&whose)),
        }
    }
}

impl Defect for Uncounted {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            policy.check()?;
            let beneath = Policy { max_attempts: policy.max_attempts + NEVER, ..policy.clone() };
            inner.client.declare(queue, &beneath).await?;
            self.state().policies.insert(queue.clone(), policy.clone());
            Ok(())
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let group = fetch.group.clone();
            let mut taken = inner.client.fetch(queue, fetch).await?;
            let mut state = self.state();
            for delivery in &mut taken {
                let whose = (queue.clone(), group.clone(), delivery.id);
                delivery.attempt = state.attempt(&whose);
                state.taken.insert((queue.clone(), delivery.tag.clone()), whose);
            }
            Ok(taken)
        })
    }

    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            let group = peek.group.clone();
            let mut seen = inner.client.peek(queue, peek).await?;
            let state = self.state();
            for message in &mut seen {
                message.attempt = state.attempt(&(queue.clone(), group.clone(), message.id));
            }
            Ok(seen)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let whose = self.state().taken.get(&(queue.clone(), tag.clone())).cloned();
            let Some(whose) = whose else { return inner.client.settle(queue, tag, verdict).await };
            let verdict = self.state().beneath(queue, &whose, verdict);
            inner.client.settle(queue, tag, verdict.clone()).await?;
            self.state().settled(whose, &verdict);
            Ok(())
        })
    }

    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let mut letters = inner.client.dead_letters(queue, max, group).await?;
            let state = self.state();
            for letter in &mut letters {
                let whose = (queue.clone(), letter.group.clone(), letter.id);
                letter.attempts = state.dead.get(&whose).copied().unwrap_or(letter.attempts);
            }
            Ok(letters)
        })
    }
}
