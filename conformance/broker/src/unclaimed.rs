//! Why a broker of this crate does not claim a capability: what its engine cannot do.

use crate::capability::Capability;

/// By the name that the broker gives of itself.
const REASONS: &[(&str, &[(Capability, &str)])] = &[
    ("rabbitmq", RABBITMQ),
    ("rabbitmq-quorum", RABBITMQ),
    (
        "rabbitmq-quorum",
        &[(Capability::Priority, "quorum queues have no ten priorities, only a normal and a high one since 4.0")],
    ),
    (
        "nats",
        &[(
            Capability::Groups,
            "a stream that several groups read keeps what all have done until limits drop it, or drops what a group has \
             not read yet",
        )],
    ),
];

const RABBITMQ: &[(Capability, &str)] = &[
    (
        Capability::Lease,
        "a delivery is held as long as its connection lasts; the server's time-out for it is one for all, and closes the channel",
    ),
    (Capability::Extend, "there is no lease that could be extended"),
    (Capability::Attempts, "a delivery that ended in a lost connection is not counted, only marked as a repeated one"),
    (Capability::Ttl, "an expired message goes only when it reaches the head of its queue, and is counted until then"),
    (Capability::Dedupe, "a queue remembers no ids"),
    (Capability::Addressing, "a consumer takes what is at the head of a queue, and cannot leave what is another's"),
    (
        Capability::MaxLength,
        "a queue counts what is ready, not what is held, and refuses by dropping the newest without an error for each",
    ),
    (Capability::Presence, "there is no store for what agents say of themselves"),
    (Capability::Browse, "a look takes the message and gives it back, which others see"),
];

/// Why a broker of this name does not claim a capability, where it is one of this crate's.
///
/// ```
/// use workwire_broker::{Capability, why_unclaimed};
/// assert!(why_unclaimed("rabbitmq", Capability::Dedupe).is_some_and(|why| why.contains("remembers no ids")));
/// assert_eq!(why_unclaimed("memory", Capability::Dedupe), None);
/// ```
#[must_use]
pub fn why_unclaimed(broker: &str, capability: Capability) -> Option<&'static str> {
    let reasons = REASONS.iter().filter(|(name, _)| *name == broker).flat_map(|(_, reasons)| *reasons);
    reasons.into_iter().find(|(of, _)| *of == capability).map(|(_, reason)| *reason)
}
