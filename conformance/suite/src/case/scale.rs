//! How long a millisecond of a case is on this broker.

use std::time::Duration;

/// Cases say times for a broker that answers at once. On a slower one all of them are longer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale(f64);

/// An answer may take so long before times are stretched.
const PROMPT: Duration = Duration::from_millis(5);

/// The most that times are stretched by a slow broker.
const MOST: f64 = 20.0;

impl Scale {
    /// As the case says them.
    pub const ONE: Scale = Scale(1.0);

    /// For a broker whose answers take so long.
    #[must_use]
    pub fn for_round_trip(time: Duration) -> Self {
        Scale((time.as_secs_f64() / PROMPT.as_secs_f64()).clamp(1.0, MOST))
    }

    /// So many times as long.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Scale(self.0 * factor)
    }

    /// A time of a case, in milliseconds.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "times of cases are small")]
    pub fn ms(self, ms: i64) -> i64 {
        (ms as f64 * self.0).round() as i64
    }
}
