//! Where the workers of a crash test work, and what they work on.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use workwire_broker::{Message, Policy, Queue};

/// A queue, or a group of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Desk {
    /// Leases end after all that can happen to a process.
    Tasks,
    /// Leases end while it works.
    Hurried,
    /// A queue with two groups: the unnamed one,
    Events,
    /// and this.
    Audit,
}

pub(crate) const MAX_ATTEMPTS: u32 = 3;

/// How long mortal messages live: longer than a process, and less than passes between two.
pub(crate) const TTL_MS: i64 = 600_000;

/// Less than passes between two processes, too.
pub(crate) const LONG_DELAY_MS: i64 = 1_200_000;

/// Longer than passes between two processes.
pub(crate) const DEDUPE_MS: i64 = 6 * 3_600_000;

impl Desk {
    pub(crate) const ALL: [Desk; 4] = [Desk::Tasks, Desk::Hurried, Desk::Events, Desk::Audit];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Desk::Tasks => "tasks",
            Desk::Hurried => "hurried",
            Desk::Events | Desk::Audit => "events",
        }
    }

    pub(crate) fn queue(self) -> Queue {
        Queue::new(self.name())
    }

    pub(crate) fn group(self) -> Option<&'static str> {
        (self == Desk::Audit).then_some("audit")
    }

    pub(crate) fn of(queue: &str, group: &str) -> Option<Desk> {
        Desk::ALL.into_iter().find(|desk| desk.name() == queue && desk.group().unwrap_or("") == group)
    }

    /// All groups of its queue.
    pub(crate) fn groups(self) -> &'static [Desk] {
        match self {
            Desk::Tasks => &[Desk::Tasks],
            Desk::Hurried => &[Desk::Hurried],
            Desk::Events | Desk::Audit => &[Desk::Events, Desk::Audit],
        }
    }

    pub(crate) fn policy(self) -> Policy {
        let lease_ms = if self == Desk::Hurried { 60 } else { 1_800_000 };
        Policy {
            max_attempts: i64::from(MAX_ATTEMPTS),
            lease_ms,
            backoff_ms: vec![0, 25],
            dedupe_ms: DEDUPE_MS,
            ..Policy::default()
        }
    }
}

/// A message that somebody publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) id: Uuid,
    /// The unnamed group of its queue.
    pub(crate) desk: Desk,
    pub(crate) priority: i64,
    pub(crate) delay_ms: i64,
    pub(crate) mortal: bool,
    pub(crate) to: Option<String>,
    pub(crate) size: usize,
}

impl Note {
    pub(crate) fn message(&self) -> Message {
        Message {
            priority: Some(self.priority),
            delay_ms: (self.delay_ms > 0).then_some(self.delay_ms),
            ttl_ms: self.mortal.then_some(TTL_MS),
            to: self.to.clone(),
            ..Message::new(self.id, body(self.id, self.size))
        }
    }
}

/// The bytes of a message: no other has the same.
pub(crate) fn body(id: Uuid, size: usize) -> Bytes {
    let places = (0..=250_u8).cycle();
    id.as_bytes().iter().cycle().zip(places).map(|(byte, place)| byte ^ place).take(size).collect()
}
