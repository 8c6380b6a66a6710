//! A message in the hands of somebody who works on it.

use crate::contract::{Delivery, Tag};
use crate::queue::Queue;

/// A message that was taken, and is held under a lease until it is settled.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "what was taken and is not settled comes back when its lease ends"]
pub struct Taken<T> {
    message: T,
    queue: Queue,
    tag: Tag,
    attempt: u32,
}

impl<T> Taken<T> {
    pub(crate) fn new(message: T, queue: &Queue, delivery: Delivery) -> Self {
        Taken { message, queue: queue.clone(), tag: delivery.tag, attempt: delivery.attempt }
    }

    /// What it says.
    #[must_use]
    pub fn message(&self) -> &T {
        &self.message
    }

    /// What it says, where nothing more is to be settled.
    #[must_use]
    pub fn into_message(self) -> T {
        self.message
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The queue that it came from.
    #[must_use]
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// What it is settled by.
    #[must_use]
    pub fn tag(&self) -> &Tag {
        &self.tag
    }
}
