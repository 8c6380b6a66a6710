//! An answer, and which operation it came from.

use workwire_broker::BrokerError;

use crate::demand::{Edge, Moment};
use crate::history::Number;

/// What a broker answered, and the operations of the history that hold it.
#[derive(Debug, Clone)]
pub struct Told<T> {
    numbers: Vec<Number>,
    answer: Result<T, BrokerError>,
}

impl<T> Told<T> {
    pub(crate) fn new(number: Number, answer: Result<T, BrokerError>) -> Self {
        Told { numbers: vec![number], answer }
    }

    pub(crate) fn of_several(numbers: Vec<Number>, answer: Result<T, BrokerError>) -> Self {
        Told { numbers, answer }
    }

    /// Which operations hold it.
    #[must_use]
    pub fn numbers(&self) -> &[Number] {
        &self.numbers
    }

    /// The answer.
    ///
    /// # Errors
    /// Those of the broker.
    pub const fn answer(&self) -> Result<&T, &BrokerError> {
        self.answer.as_ref()
    }

    /// The answer itself.
    ///
    /// # Errors
    /// Those of the broker.
    pub fn into_answer(self) -> Result<T, BrokerError> {
        self.answer
    }

    /// So many milliseconds after it was asked; of several operations, the first.
    #[must_use]
    pub fn after_asking(&self, ms: i64) -> Moment {
        Moment { of: self.numbers.first().copied().unwrap_or(Number::of(0)), edge: Edge::Began, ms }
    }

    /// So many milliseconds after it was answered; of several operations, the last.
    #[must_use]
    pub fn after_answer(&self, ms: i64) -> Moment {
        Moment { of: self.numbers.last().copied().unwrap_or(Number::of(0)), edge: Edge::Ended, ms }
    }
}

impl<T> Told<Vec<T>> {
    /// Whether anything came.
    #[must_use]
    pub fn is_something(&self) -> bool {
        self.answer.as_ref().is_ok_and(|all| !all.is_empty())
    }
}
