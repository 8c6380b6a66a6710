//! Where a message can be for a group, and what moves it.

use crate::support::desk::MAX_ATTEMPTS;
use crate::support::said::End;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Core {
    /// Never stored.
    Absent,
    Waiting {
        used: u32,
        reason: Option<String>,
        not_before: i64,
    },
    Held {
        attempt: u32,
        reason: Option<String>,
        /// The lease ends at this time, or later.
        until: i64,
    },
    Letter {
        attempts: u32,
        reason: String,
    },
    /// Done, or expired.
    Gone,
}

/// Something that was asked for, and happens once or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Publish {
        not_before: i64,
    },
    Take {
        until: i64,
    },
    Settle {
        attempt: u32,
        end: End,
        not_before: i64,
    },
    Replay,
    /// Its client is closed.
    Return {
        attempt: u32,
        graceful: bool,
    },
}

impl Core {
    /// Where it is afterwards, if the change concerns a message that is here and happens by now.
    pub(crate) fn after(&self, change: &Change, now: i64) -> Option<Core> {
        match (self, change) {
            (Core::Absent, Change::Publish { not_before }) => {
                Some(Core::Waiting { used: 0, reason: None, not_before: *not_before })
            }
            (Core::Letter { .. }, Change::Replay) => Some(Core::Waiting { used: 0, reason: None, not_before: 0 }),
            (Core::Waiting { used, reason, not_before }, Change::Take { until }) if *not_before <= now => {
                Some(Core::Held { attempt: used + 1, reason: reason.clone(), until: *until })
            }
            (Core::Held { attempt, reason, .. }, Change::Settle { attempt: this, end, not_before })
                if attempt == this =>
            {
                Some(match end {
                    End::Done => Core::Gone,
                    End::Dead { reason } => Core::Letter { attempts: *attempt, reason: reason.clone() },
                    End::Retry { reason: given, .. } => {
                        let reason = given.clone().or_else(|| reason.clone());
                        back(*attempt, reason, *not_before, &format!("{attempt} deliveries ended in retry"))
                    }
                })
            }
            (Core::Held { attempt, reason, .. }, Change::Return { attempt: this, graceful }) if attempt == this => {
                Some(if *graceful {
                    Core::Waiting { used: attempt - 1, reason: reason.clone(), not_before: 0 }
                } else {
                    let why = format!("the connection was lost during delivery {attempt}");
                    back(*attempt, reason.clone(), 0, &why)
                })
            }
            _ => None,
        }
    }

    /// Where it is when its lease has ended, if it may have by now.
    pub(crate) fn lease_ended(&self, now: i64) -> Option<Core> {
        match self {
            Core::Held { attempt, reason, until } if *until <= now => {
                Some(back(*attempt, reason.clone(), 0, &format!("the lease of delivery {attempt} expired")))
            }
            _ => None,
        }
    }

    /// Whether it has been stored, and is still there.
    pub(crate) const fn is_there(&self) -> bool {
        matches!(self, Core::Waiting { .. } | Core::Held { .. } | Core::Letter { .. })
    }
}

/// A delivery that used up its attempt: once more, or to the letters.
fn back(attempt: u32, reason: Option<String>, not_before: i64, why: &str) -> Core {
    if attempt < MAX_ATTEMPTS {
        Core::Waiting { used: attempt, reason, not_before }
    } else {
        Core::Letter { attempts: attempt, reason: reason.unwrap_or(format!("attempts used up: {why}")) }
    }
}
