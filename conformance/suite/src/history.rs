//! What was done to a broker and what it answered: who, what, from when to when. Checkers see
//! nothing else, so whoever has a history can judge it again.
//!
//! Texts are kept once and stand in operations as [`Word`]s: a history may hold ten million of them.

mod file;
mod lives;
mod operation;
mod words;

pub use file::{HistoryError, MOST_BYTES, schema};
pub use operation::{
    Answer, Body, Call, Delivered, FetchCall, LetterSeen, Number, Operation, Outcome, PeekCall, PeekSeen, PublishCall,
    SettleAs, SettleCall, Terms,
};
pub use words::{MessageId, Word, Words};

use std::sync::{Arc, OnceLock};

use crate::demand::Demand;
pub(crate) use lives::{Lives, Parting, Place, Trace};

/// Microseconds since the history began.
pub type Micros = u64;

/// What a history is of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// The case that made it; nothing where it was recorded elsewhere.
    pub case: Option<String>,
    /// The broker.
    pub target: String,
    /// With which the case can be run again.
    pub seed: u64,
    /// What the broker claims.
    pub capabilities: Vec<String>,
    /// What it does where there is a choice.
    pub choices: workwire_broker::Choices,
    /// The longest time for which the runner itself stood still meanwhile.
    pub stall: Micros,
    /// Whether it was recorded to its end.
    pub complete: bool,
}

/// Operations in the order in which they began, and what was demanded of them.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// What it is of.
    pub about: About,
    words: Words,
    operations: Vec<Operation>,
    demands: Vec<Demand>,
    /// The operations' numbers where they are not their places: some were taken out.
    numbers: Vec<Number>,
    lives: OnceLock<Arc<Lives>>,
}

impl History {
    /// An empty one.
    #[must_use]
    pub fn new(about: About) -> Self {
        History { about, ..History::default() }
    }

    /// The operations, in the order in which they began.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// One operation.
    #[must_use]
    pub fn operation(&self, number: Number) -> Option<&Operation> {
        self.operations.get(self.place(number)?)
    }

    /// The number of the operation at a place.
    #[must_use]
    pub fn number(&self, place: usize) -> Number {
        self.numbers.get(place).copied().unwrap_or_else(|| Number::of(place))
    }

    fn place(&self, number: Number) -> Option<usize> {
        if self.numbers.is_empty() { Some(number.index()) } else { self.numbers.binary_search(&number).ok() }
    }

    /// What was demanded of them.
    #[must_use]
    pub fn demands(&self) -> &[Demand] {
        &self.demands
    }

    /// The texts in it.
    #[must_use]
    pub const fn words(&self) -> &Words {
        &self.words
    }

    /// The same, to be added to.
    pub fn words_mut(&mut self) -> &mut Words {
        self.lives.take();
        &mut self.words
    }

    /// Adds an operation that began, and says its number.
    pub fn begin(&mut self, operation: Operation) -> Number {
        self.lives.take();
        self.operations.push(operation);
        let place = self.operations.len() - 1;
        if let Some(last) = self.numbers.last() {
            self.numbers.push(Number::of(last.index() + 1));
        }
        self.number(place)
    }

    /// Ends an operation.
    pub fn end(&mut self, number: Number, at: Micros, outcome: Outcome) {
        self.lives.take();
        if let Some(operation) = self.place(number).and_then(|place| self.operations.get_mut(place)) {
            operation.ended = Some(at);
            operation.outcome = outcome;
        }
    }

    /// What belongs together in it: made when it is first asked for.
    pub(crate) fn lives(&self) -> Arc<Lives> {
        Arc::clone(self.lives.get_or_init(|| Arc::new(Lives::of_history(self))))
    }

    /// Adds something that is demanded of operations.
    pub fn demand(&mut self, demand: Demand) {
        self.demands.push(demand);
    }
}
