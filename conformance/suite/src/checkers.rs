//! Checkers: pure functions from a history to what is wrong in it.
//!
//! An operation did what it did at some instant between its begin and its end; one without an answer
//! may have done it, or may yet. A checker says only what is wrong whichever instants those were: so
//! that no broker that conforms is ever accused, however many clients act at once.

mod arrivals;
mod attempts;
mod book;
mod corrupted;
mod dead_letters;
mod depth;
mod duplicates;
mod early;
mod expired;
mod holders;
mod lost;
mod misbehaviour;
mod origin;
mod purged;
mod story;
mod turns;
mod used;

pub use attempts::ATTEMPTS;
pub use corrupted::CORRUPTED;
pub use dead_letters::DEAD_LETTERS;
pub use depth::DEPTH;
pub use duplicates::DUPLICATES;
pub use early::EARLY;
pub use expired::EXPIRED;
pub use holders::TWO_HOLDERS;
pub use lost::LOST;
pub use origin::{LEAKED, PHANTOM, REFUSED_DELIVERED};
pub use purged::PURGED;
pub use turns::{ORDER, PRIORITY};

pub use misbehaviour::{
    EARLY_EXIT, LONG_LINE, NO_REQUEST, NOT_JSON, SECOND_ANSWER, SILENCE, UNKNOWN_CODE, WRONG_SHAPE,
};

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::anomaly::{Anomaly, Kind};
use crate::history::History;

/// What a checker found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// How much it had to look at. A checker that looked at nothing found nothing right either.
    pub looked_at: u64,
    /// What is wrong: the first hundred.
    pub anomalies: Vec<Anomaly>,
    /// Why it could not tell, where it could not.
    pub unknown: Option<String>,
}

/// More of one kind say no more.
const MOST: usize = 100;

impl Found {
    fn add(&mut self, anomaly: Anomaly) {
        if self.anomalies.len() < MOST {
            self.anomalies.push(anomaly);
        }
    }
}

/// One thing that can be told from a history.
#[derive(Debug, Clone, Copy)]
pub struct Checker {
    /// Its name.
    pub name: &'static str,
    /// What it looks for, in one sentence.
    pub about: &'static str,
    /// The clause that it stands for where no case says otherwise.
    pub clause: &'static str,
    /// What it can find.
    pub kinds: &'static [Kind],
    /// Looks.
    pub check: fn(&History) -> Found,
}

impl PartialEq for Checker {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Every checker.
pub const ALL: &[&Checker] = &[
    &LOST,
    &PHANTOM,
    &CORRUPTED,
    &DUPLICATES,
    &REFUSED_DELIVERED,
    &TWO_HOLDERS,
    &EARLY,
    &EXPIRED,
    &PRIORITY,
    &ORDER,
    &ATTEMPTS,
    &DEAD_LETTERS,
    &LEAKED,
    &PURGED,
    &DEPTH,
    &NOT_JSON,
    &LONG_LINE,
    &NO_REQUEST,
    &SECOND_ANSWER,
    &SILENCE,
    &WRONG_SHAPE,
    &UNKNOWN_CODE,
    &EARLY_EXIT,
];

/// From so many operations on, checkers look side by side: below that a thread costs more than it saves.
const MANY: usize = 50_000;

/// What each of these finds, in their order.
#[must_use]
pub fn look(history: &History, checkers: &[&Checker]) -> Vec<Found> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = if history.operations().len() < MANY { 1 } else { cores.min(checkers.len()) };
    if threads < 2 {
        return checkers.iter().map(|checker| (checker.check)(history)).collect();
    }
    // Made by the first that asks: let it not be several that wait for it.
    history.lives();
    let next = AtomicUsize::new(0);
    let some = || {
        let taken = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let mine = taken.map_while(|place| Some((place, checkers.get(place)?)));
        mine.map(|(place, checker)| (place, (checker.check)(history))).collect::<Vec<_>>()
    };
    let mut all = vec![Found::default(); checkers.len()];
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(some)).collect();
        let mut found = some();
        for other in others {
            found.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        for (place, one) in found {
            all[place] = one;
        }
    });
    all
}

/// The checker of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Checker> {
    ALL.iter().copied().find(|checker| checker.name == name)
}
