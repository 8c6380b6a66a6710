//! Honest oddities: brokers that conform and are unusual. They must pass everything, so that the
//! suite never cries wolf.

mod around;
mod claims;
mod late;
mod letters;
mod protocol;
mod tags;
mod taking;
mod uncounted;

pub(crate) use around::{Around, Turn};
pub(crate) use claims::Claims;

use std::sync::Arc;
use std::time::Duration;

use workwire_broker::clock::RuntimeClock;
use workwire_broker::{
    Batch, Broker, BrokerLimits, Capabilities, Capability, Choices, MemoryBroker, NewGroup, RetryPlace, SameId,
};

use crate::case::Scale;
use crate::saboteurs::{Defect, Layered};
use crate::subject::{Reached, Reaching, Subject};

/// A broker that conforms and is unusual.
#[derive(Debug, Clone, Copy)]
pub struct Oddity {
    /// Its name.
    pub name: &'static str,
    /// What is unusual about it, in one sentence.
    pub about: &'static str,
    /// How long one operation takes, where that is long.
    pub slow: Duration,
    /// Makes it anew.
    pub reach: fn() -> Reaching,
}

impl Oddity {
    /// The broker, anew for each case, with the times that a runner would give it.
    #[must_use]
    pub fn subject(&self) -> Subject {
        // A runner measures an opening and a closing.
        let scale = Scale::for_round_trip(self.slow * 2);
        Subject::reached_on_paused_time(format!("oddity:{}", self.name), self.reach).at_scale(scale)
    }
}

/// Every oddity.
#[must_use]
pub fn all() -> Vec<&'static Oddity> {
    ODDITIES.iter().collect()
}

const ODDITIES: &[Oddity] = &[
    odd("adapter", "stands behind the adapter protocol", || protocol::served(memory(), protocol::Odd::Plain)),
    odd("other_body_is_a_conflict", "refuses an id that it knows with another body", || {
        choosing(Choices { same_id_other_body: SameId::Conflict, ..Choices::default() })
    }),
    odd("new_groups_begin_empty", "shows a new group only what is published from then on", || {
        choosing(Choices { new_group: NewGroup::New, ..Choices::default() })
    }),
    odd("retries_go_back", "puts a retried message behind its priority", || {
        choosing(Choices { retry_place: RetryPlace::Back, ..Choices::default() })
    }),
    odd("batches_are_whole", "stores all of a batch or none of it", || {
        choosing(Choices { batch: Batch::AllOrNone, ..Choices::default() })
    }),
    Oddity {
        name: "slow",
        about: "takes 20 ms for each operation",
        slow: around::SLOW,
        reach: || layered(memory(), Arc::new(around::Around(around::Slow))),
    },
    odd("one_at_a_time", "gives one message for a fetch, however many are asked for", || {
        layered(memory(), Arc::new(taking::OneAtATime))
    }),
    odd("looks_in_small_steps", "waits for a message by looking every few milliseconds", || {
        layered(memory(), Arc::new(taking::LooksInSteps))
    }),
    odd("tells_little", "leaves out every member that may be left out", || {
        layered(memory(), Arc::new(letters::TellsLittle))
    }),
    odd("letters_come_late", "shows a letter, and replays it, only some time after its message died", || {
        layered(memory(), Arc::new(letters::ComeLate::default()))
    }),
    odd("clock_off", "tells the times of death by a clock that is 0.7 s behind", || {
        layered(memory(), Arc::new(letters::ClockOff))
    }),
    odd("strange_tags", "gives tags of two thousand characters, among them quotes and line ends", || {
        layered(memory(), Arc::new(tags::Strange))
    }),
    odd("strange_tags_on_lines", "the same, behind the adapter protocol", || {
        let broker = Layered::new(memory(), Arc::new(tags::Strange));
        protocol::served(Arc::new(broker), protocol::Odd::Plain)
    }),
    odd("hostile_words", "refuses with long texts that steer terminals and speak HTML", || {
        layered(memory(), Arc::new(around::Around(around::Hostile)))
    }),
    odd("answers_out_of_order", "answers what was asked later first, where it can", || {
        protocol::served(memory(), protocol::Odd::OutOfOrder)
    }),
    odd("asked_in_capitals", "is asked for ids in capital letters, and answers them in small ones", || {
        protocol::served(memory(), protocol::Odd::Capitals)
    }),
    odd("says_more", "answers with members that nobody knows, and null for what it does not tell", || {
        protocol::served(memory(), protocol::Odd::SaysMore)
    }),
    odd("escapes_all", "writes every character of its texts as an escape", || {
        protocol::served(memory(), protocol::Odd::Escapes)
    }),
    odd("small", "takes priorities up to 5 and bodies up to 64 KiB", || {
        let limits = BrokerLimits { max_priority: 5, max_message_bytes: 65_536 };
        let broker = MemoryBroker::with_limits(Arc::new(RuntimeClock::new()), limits);
        layered(Arc::new(broker), Arc::new(claims::Claims(Capabilities::all().without(Capability::Large))))
    }),
    odd("two_priorities", "takes no other priorities than 1 and 2", || limited(2)),
    odd("lets_leases_run", "gives back what lost clients held when its lease ends, and no sooner", || {
        layered(memory(), Arc::new(late::Late::default()))
    }),
    odd("counts_retries_alone", "claims all but attempts, and counts no lost connection and no ended lease", || {
        reached(claims_only(Capabilities::all().without(Capability::Attempts)))
    }),
    odd("core", "claims nothing but what is not optional", || claiming(&[])),
    odd("core_behind_an_adapter", "the same, behind the adapter protocol", || {
        protocol::served(claims_only(Capabilities::CORE), protocol::Odd::Plain)
    }),
    odd("work_bus", "claims what a bus of work needs, and no more", || {
        claiming(&[Capability::Priority, Capability::DeadLetter, Capability::Durable, Capability::Fifo])
    }),
    odd("channels", "claims what channels need, and no more", || {
        claiming(&[
            Capability::Priority,
            Capability::Addressing,
            Capability::Browse,
            Capability::Ttl,
            Capability::Lease,
            Capability::Attempts,
            Capability::DeadLetter,
            Capability::Presence,
        ])
    }),
    odd("events", "claims what streams of events need, and no more", || {
        claiming(&[
            Capability::Groups,
            Capability::Tenancy,
            Capability::Backoff,
            Capability::Lease,
            Capability::DeadLetter,
            Capability::Replay,
            Capability::MaxLength,
        ])
    }),
];

const fn odd(name: &'static str, about: &'static str, reach: fn() -> Reaching) -> Oddity {
    Oddity { name, about, slow: Duration::ZERO, reach }
}

fn memory() -> Arc<dyn Broker> {
    Arc::new(MemoryBroker::default())
}

fn reached(broker: Arc<dyn Broker>) -> Reaching {
    Box::pin(std::future::ready(Ok(Reached::bare(broker))))
}

fn layered(broker: Arc<dyn Broker>, layer: Arc<dyn Defect>) -> Reaching {
    reached(Arc::new(Layered::new(broker, layer)))
}

fn choosing(choices: Choices) -> Reaching {
    reached(Arc::new(MemoryBroker::with_choices(Arc::new(RuntimeClock::new()), choices)))
}

/// Takes priorities up to this one.
fn limited(max_priority: i64) -> Reaching {
    let limits = BrokerLimits { max_priority, ..BrokerLimits::default() };
    reached(Arc::new(MemoryBroker::with_limits(Arc::new(RuntimeClock::new()), limits)))
}

fn claiming(capabilities: &[Capability]) -> Reaching {
    reached(claims_only(capabilities.iter().copied().collect()))
}

/// Does no more than it claims, wherever it can do less.
fn claims_only(claimed: Capabilities) -> Arc<dyn Broker> {
    let mut broker = memory();
    if !claimed.has(Capability::Attempts) {
        broker = Arc::new(Layered::new(broker, Arc::new(uncounted::Uncounted::default())));
    }
    Arc::new(Layered::new(broker, Arc::new(claims::Claims(claimed))))
}
