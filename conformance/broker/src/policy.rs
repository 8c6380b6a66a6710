//! What a queue does with its messages: given when it is declared, the same for as long as it lives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::BrokerError;

/// What a bounded queue does when it is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Overflow {
    /// A publish is refused.
    #[default]
    Reject,
    /// The oldest message that nobody holds gives way.
    DropOldest,
}

/// A queue's policy. Numbers are as wide as the adapter protocol's, so that a broker can be asked
/// what it must refuse; [`Policy::check`] is how the brokers here do.
///
/// ```
/// use workwire_broker::Policy;
/// let policy = Policy { max_priority: 10, lease_ms: 5_000, ..Policy::default() };
/// assert!(policy.check().is_ok());
/// assert_eq!(Policy::default().default_priority(), 3);
/// assert!(Policy { max_attempts: 0, ..Policy::default() }.check().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Policy {
    /// The most urgent priority, 1 to 10; the least urgent is 1.
    pub max_priority: i64,
    /// How many deliveries may fail before the message goes to the dead letters.
    pub max_attempts: i64,
    /// How long a delivery is held, in milliseconds.
    pub lease_ms: i64,
    /// How long a message rests after its first, second, … failure; the last entry repeats.
    pub backoff_ms: Vec<i64>,
    /// How long a message lives that nobody takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<i64>,
    /// How many messages the queue holds: ready, delayed and leased, not dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<i64>,
    /// What happens beyond that.
    pub overflow: Overflow,
    /// For how long an id is remembered; 0 is not at all.
    pub dedupe_ms: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            max_priority: 5,
            max_attempts: 3,
            lease_ms: 30_000,
            backoff_ms: Vec::new(),
            ttl_ms: None,
            max_length: None,
            overflow: Overflow::Reject,
            dedupe_ms: 300_000,
        }
    }
}

/// The longest time that a policy or a message may name: a hundred years.
pub const MAX_MS: i64 = 100 * 366 * 24 * 3_600_000;

impl Policy {
    /// The priority of a message that names none: 3 of 5, 5 of 10.
    #[must_use]
    pub const fn default_priority(&self) -> i64 {
        (self.max_priority + 1) / 2
    }

    /// How long a message rests after its `attempt`th delivery failed.
    #[must_use]
    pub fn backoff(&self, attempt: u32) -> i64 {
        let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        self.backoff_ms.get(index).or(self.backoff_ms.last()).copied().unwrap_or(0)
    }

    /// Whether each of its numbers is in its range.
    ///
    /// # Errors
    /// `invalid`, with the member, what was expected and what was found.
    pub fn check(&self) -> Result<(), BrokerError> {
        within("policy.max_priority", self.max_priority, 1, 10)?;
        within("policy.max_attempts", self.max_attempts, 1, i64::from(u32::MAX >> 1))?;
        within("policy.lease_ms", self.lease_ms, 1, MAX_MS)?;
        for rest in &self.backoff_ms {
            within("policy.backoff_ms", *rest, 0, MAX_MS)?;
        }
        if self.backoff_ms.len() > 100 {
            return Err(BrokerError::expected("policy.backoff_ms", "at most 100 entries", self.backoff_ms.len()));
        }
        if let Some(ttl) = self.ttl_ms {
            within("policy.ttl_ms", ttl, 1, MAX_MS)?;
        }
        if let Some(length) = self.max_length {
            within("policy.max_length", length, 1, i64::MAX >> 1)?;
        }
        within("policy.dedupe_ms", self.dedupe_ms, 0, MAX_MS)
    }
}

/// Whether a number is in its range.
///
/// # Errors
/// `invalid`, with the place, the range and the number.
pub fn within(place: &str, number: i64, least: i64, most: i64) -> Result<(), BrokerError> {
    if (least..=most).contains(&number) {
        return Ok(());
    }
    let range = match (least, most) {
        (least, MAX_MS) => format!("milliseconds from {least} to a hundred years"),
        (least, most) if most > 1_000_000_000 => format!("an integer of at least {least}"),
        _ => format!("an integer from {least} to {most}"),
    };
    Err(BrokerError::expected(place, &range, number))
}
