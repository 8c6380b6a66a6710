//! How long a millisecond of a case is on this broker.

use std::time::Duration;

/// Cases say times for a broker that answers at once. On a slower one all of them are longer, and so
/// is the patience with it; with the protocol's own times things last longer, and answers do not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// How many times as long things last.
    lasts: f64,
    /// How many times as long answers take.
    answers: f64,
    /// What lasts as long as the protocol says, in milliseconds; 0 where nothing does.
    figure_ms: i64,
}

/// An answer may take so long before times are stretched.
const PROMPT: Duration = Duration::from_millis(5);

/// The most that times are stretched by a slow broker.
const MOST: f64 = 20.0;

/// While one of the protocol's own times passes, a case looks at most so often.
const LOOKS: i64 = 2_000;

impl Scale {
    /// As the case says them.
    pub const ONE: Scale = Scale { lasts: 1.0, answers: 1.0, figure_ms: 0 };

    /// For a broker whose answers take so long.
    #[must_use]
    pub fn for_round_trip(time: Duration) -> Self {
        let times = (time.as_secs_f64() / PROMPT.as_secs_f64()).clamp(1.0, MOST);
        Scale { lasts: times, answers: times, figure_ms: 0 }
    }

    /// So many times as long.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Scale { lasts: self.lasts * factor, answers: self.answers * factor, ..self }
    }

    /// So long that a case's own time becomes one of the protocol's, on the same broker.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "times of cases and of the protocol are small")]
    pub fn at_figure(self, own_ms: i64, figure_ms: i64) -> Self {
        Scale { lasts: figure_ms as f64 / own_ms as f64, figure_ms, ..self }
    }

    /// A time of a case, in milliseconds.
    #[must_use]
    pub fn ms(self, ms: i64) -> i64 {
        stretched(ms, self.lasts)
    }

    /// How long to wait for what must come, where on a prompt broker it would be so long.
    pub(super) fn patience_ms(self, ms: i64) -> i64 {
        self.figure_ms + self.answer_ms(ms)
    }

    /// A time in which a broker has to answer, in milliseconds.
    pub(super) fn answer_ms(self, ms: i64) -> i64 {
        stretched(ms, self.answers)
    }

    /// A rest between two looks.
    pub(super) fn rest_ms(self, ms: i64) -> i64 {
        self.answer_ms(ms).max(self.figure_ms / LOOKS)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "times of cases are small")]
fn stretched(ms: i64, times: f64) -> i64 {
    (ms as f64 * times).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_the_protocols_times_things_last_longer_and_answers_do_not() {
        let slow = Scale::for_round_trip(Duration::from_millis(10));
        let figure = slow.at_figure(200, 300_000);
        assert_eq!((figure.ms(200), figure.ms(10)), (300_000, 15_000));
        assert_eq!(figure.patience_ms(3_000), 306_000);
        assert_eq!((figure.answer_ms(120), figure.rest_ms(4)), (240, 150));
        assert_eq!((slow.ms(200), slow.patience_ms(3_000), slow.rest_ms(4)), (400, 6_000, 8));
    }
}
