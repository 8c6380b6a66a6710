//! What a worker says before it asks the broker for something, and after it was answered: one line
//! each, so that whoever listens knows at any moment what was begun and what was acknowledged.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use workwire_broker::clock::Clock;
use workwire_broker::{Stored, Verdict};

use super::desk::{Desk, Note};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Line {
    /// The store is open, and the queues are declared.
    Ready,
    Asks {
        call: u64,
        at: i64,
        what: Ask,
    },
    Hears {
        call: u64,
        at: i64,
        answer: Answer,
    },
}

/// What is asked of the broker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Ask {
    Publish(Vec<Note>),
    Fetch {
        desk: Desk,
        max: u32,
    },
    Settle {
        desk: Desk,
        each: Vec<(Uuid, u32, End)>,
    },
    Replay {
        desk: Desk,
        id: Uuid,
    },
    /// Of a client that holds these.
    Close {
        desk: Desk,
        graceful: bool,
        held: Vec<(Uuid, u32)>,
    },
}

/// What it answers, once for each.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Answer {
    Published(Vec<Stored>),
    Delivered(Vec<Delivered>),
    /// Whether it was; else it was refused.
    Settled(Vec<bool>),
    Replayed(bool),
    Closed,
    /// What must not be.
    Failed(String),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Delivered {
    pub(crate) id: Uuid,
    pub(crate) attempt: u32,
    pub(crate) size: usize,
    /// Whether its bytes are those of the message.
    pub(crate) whole: bool,
}

/// A verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    Done,
    Retry { delay_ms: Option<i64>, reason: Option<String> },
    Dead { reason: String },
}

impl End {
    pub(crate) fn verdict(&self) -> Verdict {
        match self.clone() {
            End::Done => Verdict::Done,
            End::Retry { delay_ms, reason } => Verdict::Retry { delay_ms, reason },
            End::Dead { reason } => Verdict::dead(reason),
        }
    }
}

/// Says it, to whoever started this process.
pub(crate) struct Teller {
    clock: Arc<dyn Clock>,
    calls: AtomicU64,
}

impl Teller {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Teller { clock, calls: AtomicU64::new(0) }
    }

    pub(crate) fn asks(&self, what: Ask) -> u64 {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        Self::say(&Line::Asks { call, at: self.clock.now(), what });
        call
    }

    pub(crate) fn hears(&self, call: u64, answer: Answer) {
        Self::say(&Line::Hears { call, at: self.clock.now(), answer });
    }

    /// One write for each line, short enough to be written whole or not at all.
    pub(crate) fn say(line: &Line) {
        let mut text = serde_json::to_vec(line).unwrap();
        text.push(b'\n');
        assert!(text.len() <= 4_096, "{line:?}");
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&text).and_then(|()| stdout.flush()).expect("somebody who listens");
    }
}
