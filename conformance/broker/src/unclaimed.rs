//! Why a broker of this crate does not claim a capability: what its engine cannot do.

use crate::capability::Capability;

/// By the name that the broker gives of itself.
const REASONS: &[(&str, &[(Capability, &str)])] = &[
    ("rabbitmq", RABBITMQ),
    ("rabbitmq-quorum", RABBITMQ),
    ("rabbitmq-quorum", QUORUM),
    ("nats", &[(Capability::Groups, "a message has one record, and would need one for each group")]),
];

const RABBITMQ: &[(Capability, &str)] = &[
    (Capability::Lease, "the server has no leases: what a client holds comes back when its connection ends"),
    (Capability::Extend, "the server has no leases"),
    (
        Capability::Attempts,
        "a classic queue does not count what lost connections bring back, a quorum queue counts graceful closes too",
    ),
    (
        Capability::Ttl,
        "the server drops what has expired only at the head of the queue, and counts it as ready until then",
    ),
    (Capability::Dedupe, "there is nowhere to remember ids"),
    (Capability::Addressing, "a queue is not looked into but by taking, and from its head"),
    (Capability::MaxLength, "the server counts what is ready, and not what is held or rests"),
    (Capability::Presence, "there is no table to keep it in"),
    (Capability::Browse, "a queue is not looked into but by taking, and from its head"),
];

const QUORUM: &[(Capability, &str)] = &[
    (Capability::Priority, "quorum queues know no priorities"),
    (
        Capability::Durable,
        "on 3.10, a queue younger than a second was seen to lose a confirmed message when its node was killed",
    ),
];

/// Why a broker of this name does not claim a capability, where it is one of this crate's.
///
/// ```
/// use workwire_broker::{Capability, why_unclaimed};
/// assert!(why_unclaimed("rabbitmq", Capability::Dedupe).is_some_and(|why| why.contains("remember ids")));
/// assert_eq!(why_unclaimed("memory", Capability::Dedupe), None);
/// ```
#[must_use]
pub fn why_unclaimed(broker: &str, capability: Capability) -> Option<&'static str> {
    let reasons = REASONS.iter().filter(|(name, _)| *name == broker).flat_map(|(_, reasons)| *reasons);
    reasons.into_iter().find(|(of, _)| *of == capability).map(|(_, reason)| *reason)
}
