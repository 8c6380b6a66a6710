//! A case: which clauses it is about, what the broker has to claim for it, what it does, and which
//! checkers look at the history of that.

mod scale;
mod stage;

use std::future::Future;
use std::pin::Pin;

use workwire_broker::Capability;

pub use scale::Scale;
pub use stage::{Stage, Stop};

use crate::judge::Check;

/// What a case does, some time.
pub type Run<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 'a>>;

/// What a case asks of its surroundings besides what a broker claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alone {
    /// Nothing: it runs beside others.
    No,
    /// It loads the broker, or stops it: it runs when nothing else does.
    Yes,
    /// It loads the machine, and has to start brokers there.
    OnHost,
    /// The same, with disks that are bounded.
    OnHostWithSmallDisk,
}

/// A case.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its area and its name: `pri/urgent_first`. It never changes.
    pub id: &'static str,
    /// The clauses that it is about, the main one first.
    pub clauses: &'static [&'static str],
    /// What the broker has to claim, besides `core`.
    pub needs: &'static [Capability],
    /// What looks at its history, besides what it demands itself.
    pub checks: &'static [Check],
    /// Whether it has to be alone.
    pub alone: Alone,
    /// What it does.
    pub run: for<'a> fn(&'a mut Stage) -> Run<'a>,
}

impl Case {
    /// Its area, `pri` for example.
    #[must_use]
    pub fn area(&self) -> &'static str {
        self.id.split_once('/').map_or(self.id, |(area, _)| area)
    }
}
