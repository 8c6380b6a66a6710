//! What was done to a broker and what it answered: who, what, from when to when. Checkers see
//! nothing else, so whoever has a history can judge it again.
//!
//! Texts are kept once and stand in operations as [`Word`]s: a history may hold ten million of them.

mod file;
mod operation;
mod words;

pub use file::{HistoryError, MOST_BYTES};
pub use operation::{
    Answer, Body, Call, Delivered, FetchCall, LetterSeen, Number, Operation, Outcome, PeekCall, PeekSeen, PublishCall,
    SettleAs, SettleCall,
};
pub use words::{MessageId, Word, Words};

use crate::demand::Demand;

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
        self.operations.get(number.index())
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
        &mut self.words
    }

    /// Adds an operation that began, and says its number.
    pub fn begin(&mut self, operation: Operation) -> Number {
        self.operations.push(operation);
        Number::of(self.operations.len() - 1)
    }

    /// Ends an operation.
    pub fn end(&mut self, number: Number, at: Micros, outcome: Outcome) {
        if let Some(operation) = self.operations.get_mut(number.index()) {
            operation.ended = Some(at);
            operation.outcome = outcome;
        }
    }

    /// Adds something that is demanded of operations.
    pub fn demand(&mut self, demand: Demand) {
        self.demands.push(demand);
    }
}
