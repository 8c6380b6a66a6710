//! What a queue keeps of a message, and what each group keeps of it.

use std::cmp::Reverse;

use bytes::Bytes;
use uuid::Uuid;

use crate::clock::Millis;
use crate::contract::Message;
use crate::demand::Terms;

/// A message as all groups share it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) id: Uuid,
    pub(crate) body: Bytes,
    pub(crate) priority: i64,
    pub(crate) to: Option<String>,
    /// How long it lives, from its publication and again from a replay.
    pub(crate) ttl_ms: Option<i64>,
    /// When it could first be delivered. A group that is made later rests until then too.
    pub(crate) due_at: Millis,
    pub(crate) expires_at: Option<Millis>,
    /// How many groups have it.
    pub(crate) groups: usize,
}

impl Kept {
    pub(crate) fn of(message: Message, terms: &Terms) -> Self {
        Kept {
            id: message.id,
            body: message.body,
            priority: terms.priority,
            to: message.to,
            ttl_ms: terms.ttl_ms,
            due_at: terms.due_at,
            expires_at: terms.expires_at,
            groups: 0,
        }
    }

    /// From its moment of expiry on, that moment included.
    pub(crate) fn is_expired(&self, now: Millis) -> bool {
        self.expires_at.is_some_and(|moment| now >= moment)
    }

    /// Its own, and what is for nobody; without a recipient only the latter.
    pub(crate) fn may_be_seen_by(&self, recipient: Option<&str>) -> bool {
        self.to.is_none() || self.to.as_deref() == recipient
    }
}

/// Where a message stands in its group's order: behind what is more urgent, and behind what was
/// published before it. It keeps its place for as long as it is in the queue, unless a retry moves it
/// behind its priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    urgency: Reverse<i64>,
    /// The number of its publication, or of the retry that moved it.
    order: u64,
    pub(crate) seq: u64,
}

impl Place {
    pub(crate) const fn of(priority: i64, seq: u64) -> Self {
        Place { urgency: Reverse(priority), order: seq, seq }
    }

    /// Behind all that is as urgent, where nothing has a higher number.
    pub(crate) const fn moved_to(self, order: u64) -> Self {
        Place { order, ..self }
    }
}

/// A message in one group.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// How many attempts are used up.
    pub(crate) used: u32,
    /// Why it last failed, where somebody said why.
    pub(crate) reason: Option<String>,
    pub(crate) standing: Standing,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Standing {
    /// Nobody has it; it can be taken from this moment on.
    Free { due_at: Millis },
    /// A client has it.
    Held(Hold),
}

/// A delivery that is not settled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hold {
    pub(crate) delivery: u64,
    pub(crate) client: u64,
    /// When the lease has ended.
    pub(crate) until: Millis,
}

impl Entry {
    pub(crate) const fn new(due_at: Millis) -> Self {
        Entry { used: 0, reason: None, standing: Standing::Free { due_at } }
    }

    /// The number of the delivery that is under way, or of the next one.
    pub(crate) const fn attempt(&self) -> u32 {
        self.used + 1
    }

    /// Nobody has it and it does not rest. Whether it is expired is the message's own matter.
    pub(crate) const fn is_due(&self, now: Millis) -> bool {
        matches!(self.standing, Standing::Free { due_at } if now >= due_at)
    }

    pub(crate) const fn is_free(&self) -> bool {
        matches!(self.standing, Standing::Free { .. })
    }

    pub(crate) const fn hold(&self) -> Option<Hold> {
        match self.standing {
            Standing::Held(hold) => Some(hold),
            Standing::Free { .. } => None,
        }
    }
}
