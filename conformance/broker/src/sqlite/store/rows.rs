//! What rows of the tables say of a message.

use uuid::Uuid;

use super::rank;
use crate::clock::Millis;
use crate::sqlite::cache::PlaceIx;

/// What the tables say of a message beside its body.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) priority: i64,
    pub(super) recipient: String,
    pub(super) due_at: Millis,
    pub(super) expires_at: Option<Millis>,
}

impl Row {
    pub(super) const fn rank(&self) -> i64 {
        rank(self.priority)
    }
}

/// What a group did with a message so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    pub(super) used: i64,
    pub(super) delivered_at: Option<Millis>,
    pub(super) reason: Option<String>,
}

/// A delivery that is over, as its row in `held` said.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) place: PlaceIx,
    pub(super) seq: i64,
    pub(super) attempt: i64,
    pub(super) delivered_at: Millis,
    pub(super) reason: Option<String>,
}

/// What is sent back of a letter.
pub(super) struct Again {
    pub(super) id: Uuid,
    pub(super) priority: i64,
    pub(super) recipient: String,
    pub(super) ttl_ms: Option<i64>,
    pub(super) body: Vec<u8>,
}
