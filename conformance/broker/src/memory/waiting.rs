//! Fetches that wait, in the order in which they came.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::contract::{Delivery, Fetch};
use crate::error::BrokerError;
use crate::queue::Queue;

#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting {
    last: u64,
    pub(crate) in_order: Vec<Waiter>,
    /// What was answered and not yet collected.
    answers: BTreeMap<u64, Result<Vec<Delivery>, BrokerError>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Waiter {
    pub(crate) number: u64,
    pub(crate) client: u64,
    pub(crate) queue: Queue,
    pub(crate) fetch: Fetch,
    /// When it is answered with nothing.
    pub(crate) until: Millis,
}

impl Waiting {
    /// Waits behind all others.
    pub(crate) fn join(&mut self, client: u64, queue: &Queue, fetch: Fetch, until: Millis) -> u64 {
        self.last += 1;
        self.in_order.push(Waiter { number: self.last, client, queue: queue.clone(), fetch, until });
        self.last
    }

    pub(crate) fn answer(&mut self, waiter: u64, answer: Result<Vec<Delivery>, BrokerError>) {
        self.answers.insert(waiter, answer);
    }

    pub(crate) fn collect(&mut self, waiter: u64) -> Option<Result<Vec<Delivery>, BrokerError>> {
        self.answers.remove(&waiter)
    }

    pub(crate) fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Nobody waits any more under this number.
    pub(crate) fn leave(&mut self, waiter: u64) {
        self.in_order.retain(|other| other.number != waiter);
    }
}
