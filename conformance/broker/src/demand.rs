//! What a request must be before a broker looks at its store: the checks that every broker here makes.

use crate::clock::Millis;
use crate::contract::{About, Fetch, Message, Peek, Verdict};
use crate::error::BrokerError;
use crate::policy::{MAX_MS, Policy, within};
use crate::queue::check_name;

/// The longest reason that is kept, in characters.
const MAX_REASON: usize = 4_096;

/// A message whose numbers are checked, and reckoned by the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// From 1 to the policy's.
    pub(crate) priority: i64,
    /// How long it lives, by the shorter of its own and the policy's.
    pub(crate) ttl_ms: Option<i64>,
    /// When it can first be delivered.
    pub(crate) due_at: Millis,
    /// When it can be delivered no more.
    pub(crate) expires_at: Option<Millis>,
}

impl Terms {
    pub(crate) fn of(message: &Message, policy: &Policy, about: &About, now: Millis) -> Result<Self, BrokerError> {
        let size = message.body.len();
        let most = about.limits.max_message_bytes;
        if u64::try_from(size).is_ok_and(|size| size > most) {
            return Err(BrokerError::invalid(format!("body: expected at most {most} bytes, found {size}")));
        }
        if let Some(to) = &message.to {
            check_name("to", to)?;
        }
        let priority = message.priority.unwrap_or_else(|| policy.default_priority());
        within("priority", priority, 1, policy.max_priority)?;
        let delay = message.delay_ms.unwrap_or(0);
        within("delay_ms", delay, 0, MAX_MS)?;
        if let Some(ttl) = message.ttl_ms {
            within("ttl_ms", ttl, 1, MAX_MS)?;
        }
        let ttl_ms = [message.ttl_ms, policy.ttl_ms].into_iter().flatten().min();
        Ok(Terms { priority, ttl_ms, due_at: now + delay, expires_at: ttl_ms.map(|ttl| now + ttl) })
    }
}

pub(crate) fn check_policy(policy: &Policy, about: &About) -> Result<(), BrokerError> {
    policy.check()?;
    within("policy.max_priority", policy.max_priority, 1, about.limits.max_priority)
}

pub(crate) fn check_fetch(fetch: &Fetch) -> Result<(), BrokerError> {
    within("max", i64::from(fetch.max), 1, i64::from(u32::MAX))?;
    within("wait_ms", fetch.wait_ms, 0, MAX_MS)?;
    check_optional("group", fetch.group.as_deref())?;
    check_optional("recipient", fetch.recipient.as_deref())
}

pub(crate) fn check_peek(peek: &Peek) -> Result<(), BrokerError> {
    within("max", i64::from(peek.max), 1, i64::from(u32::MAX))?;
    check_optional("group", peek.group.as_deref())?;
    check_optional("recipient", peek.recipient.as_deref())
}

pub(crate) fn check_optional(what: &'static str, name: Option<&str>) -> Result<(), BrokerError> {
    name.map_or(Ok(()), |name| check_name(what, name))
}

pub(crate) fn check_verdict(verdict: &Verdict) -> Result<(), BrokerError> {
    if let Verdict::Retry { delay_ms: Some(delay), .. } = verdict {
        within("delay_ms", *delay, 0, MAX_MS)?;
    }
    Ok(())
}

pub(crate) fn check_lease(lease_ms: i64) -> Result<(), BrokerError> {
    within("lease_ms", lease_ms, 1, MAX_MS)
}

/// A reason as it is kept.
pub(crate) fn kept_reason(reason: &str) -> String {
    reason.chars().take(MAX_REASON).collect()
}

/// What ended the last delivery of a message that died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// `retry`, and no attempt was left.
    Retried,
    /// `dead`.
    GivenUp,
    /// Its lease ended, and no attempt was left.
    LeaseEnded,
    /// Its client was lost, and no attempt was left.
    ClientLost,
}

impl End {
    /// Why the message died, when nobody gave a reason.
    pub(crate) fn reason(self, attempts: u32) -> String {
        match self {
            End::Retried => format!("attempts used up: {attempts} deliveries ended in retry"),
            End::GivenUp => format!("given up at delivery {attempts}, without a reason"),
            End::LeaseEnded => format!("attempts used up: the lease of delivery {attempts} expired"),
            End::ClientLost => format!("attempts used up: the connection was lost during delivery {attempts}"),
        }
    }
}
