//! Saboteurs of expiry.

mod clock;
mod count;

use std::sync::Arc;

use workwire_broker::{Message, Policy};

use super::Saboteur;
use super::changed::{Declared, Published};
use clock::{Mistimed, When};
use count::{Miscounted, What};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "expires_by_the_second",
        breaks: &[
            "EXP-1", "EXP-4", "EXP-5", "EXP-6", "EXP-7", "EXP-9", "EXP-10", "EXP-11", "EXP-13", "EXP-16", "EXP-17",
            "EXP-18",
        ],
        about: "rounds the ttl of a message up to whole seconds",
        make: || Arc::new(Published(by_the_second)),
    },
    Saboteur {
        name: "expires_early",
        breaks: &["EXP-2"],
        about: "lets a message go after half of its ttl, to be on the safe side",
        make: || Arc::new(Published(|message| Message { ttl_ms: message.ttl_ms.map(half), ..message })),
    },
    Saboteur {
        name: "queues_have_no_ttl",
        breaks: &["EXP-3", "EXP-4"],
        about: "does not look at the ttl of a queue",
        make: || Arc::new(Declared(|policy| Policy { ttl_ms: None, ..policy })),
    },
    Saboteur {
        name: "the_messages_ttl_wins",
        breaks: &["EXP-4"],
        about: "takes the ttl of the queue only where the message has none",
        make: || Arc::new(Mistimed::new(When::TheMessageSays)),
    },
    Saboteur {
        name: "the_queues_ttl_wins",
        breaks: &["EXP-4"],
        about: "takes the ttl of the message only where the queue has none",
        make: || Arc::new(Mistimed::new(When::TheQueueSays)),
    },
    Saboteur {
        name: "expires_at_the_head",
        breaks: &["EXP-5"],
        about: "looks at the expiry of the oldest message alone, so that one behind it lives as long",
        make: || Arc::new(Mistimed::new(When::TheOneBefore)),
    },
    Saboteur {
        name: "a_retry_gives_time",
        breaks: &["EXP-6"],
        about: "counts the ttl anew from each retry",
        make: || Arc::new(Mistimed::new(When::FromTheRetry)),
    },
    Saboteur {
        name: "comes_back_expired",
        breaks: &["EXP-7"],
        about: "does not look at the expiry of a message that comes back",
        make: || Arc::new(Mistimed::new(When::NeverAgain)),
    },
    Saboteur {
        name: "a_restart_gives_time",
        breaks: &["EXP-18"],
        about: "keeps the time that a message has left, and counts it anew from a restart",
        make: || Arc::new(Mistimed::new(When::FromTheRestart)),
    },
    Saboteur {
        name: "ttl_zero_is_none",
        breaks: &["EXP-14"],
        about: "takes a ttl of 0 or less for none at all",
        make: || Arc::new(Published(|message| Message { ttl_ms: message.ttl_ms.filter(|ttl| *ttl > 0), ..message })),
    },
    Saboteur {
        name: "the_ttl_begins_when_due",
        breaks: &["EXP-15"],
        about: "counts the ttl of a message from the end of its delay",
        make: || {
            Arc::new(Published(|message| Message {
                ttl_ms: message.ttl_ms.map(|ttl| ttl + message.delay_ms.unwrap_or(0)),
                ..message
            }))
        },
    },
    Saboteur {
        name: "expired_are_stale",
        breaks: &["EXP-8"],
        about: "takes an expired message from who holds it",
        make: || Arc::new(Miscounted::new(What::HeldAreStale)),
    },
    Saboteur {
        name: "the_expired_are_dead",
        breaks: &["EXP-9"],
        about: "sends the expired to the dead letters",
        make: || Arc::new(Miscounted::new(What::Letters)),
    },
    Saboteur {
        name: "counts_the_expired",
        breaks: &["EXP-5", "EXP-10"],
        about: "counts the expired as ready until they are swept",
        make: || Arc::new(Miscounted::new(What::Ready)),
    },
    Saboteur {
        name: "sweeps_in_silence",
        breaks: &["EXP-11", "EXP-13"],
        about: "answers a sweep before it has swept, and says 0",
        make: || Arc::new(Miscounted::new(What::NoSweep)),
    },
    Saboteur {
        name: "sweeps_with_a_big_broom",
        breaks: &["EXP-12"],
        about: "sweeps away every message that has a ttl",
        make: || Arc::new(Miscounted::new(What::SweepsAll)),
    },
    Saboteur {
        name: "sweeps_and_sums",
        breaks: &["EXP-13"],
        about: "says how many it has swept since it began",
        make: || Arc::new(Miscounted::new(What::Sums)),
    },
    Saboteur {
        name: "peeks_at_the_expired",
        breaks: &["EXP-16"],
        about: "shows the expired to who only looks",
        make: || Arc::new(Miscounted::new(What::Peeks)),
    },
    Saboteur {
        name: "expired_by_id",
        breaks: &["EXP-17"],
        about: "does not look at the expiry of a message that is asked for by its id",
        make: || Arc::new(Miscounted::new(What::ById)),
    },
];

fn by_the_second(message: Message) -> Message {
    Message { ttl_ms: message.ttl_ms.map(|ttl| if ttl > 0 { (ttl + 999) / 1_000 * 1_000 } else { ttl }), ..message }
}

fn half(ttl: i64) -> i64 {
    if ttl > 0 { (ttl / 2).max(1) } else { ttl }
}
