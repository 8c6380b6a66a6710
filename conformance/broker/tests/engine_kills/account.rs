//! What is known of each message, from what the broker answered.

use std::collections::{HashMap, HashSet};
use std::fmt;

use uuid::Uuid;

/// What became of a message, as far as its publishers and consumers were told.
#[derive(Debug, Default, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own, in any order")]
struct Known {
    is_confirmed: bool,
    /// Somebody tried to settle it: it may be gone.
    may_be_settled: bool,
    /// The broker said that it is settled.
    is_settled: bool,
    /// It was there when all were taken at the end.
    is_found: bool,
}

/// The account of a whole run.
#[derive(Debug, Default)]
pub(crate) struct Account {
    known: HashMap<Uuid, Known>,
    /// What was delivered after it had been settled.
    back: HashSet<Uuid>,
    pub(crate) kills: u32,
    pub(crate) deliveries: u64,
    /// Operations without an answer.
    pub(crate) unanswered: u64,
    /// Answers that no operation should have had.
    pub(crate) refused: Vec<String>,
}

impl Account {
    pub(crate) fn confirmed(&mut self, id: Uuid) {
        self.known.entry(id).or_default().is_confirmed = true;
    }

    pub(crate) fn delivered(&mut self, id: Uuid) {
        self.deliveries += 1;
        if self.known.entry(id).or_default().is_settled {
            self.back.insert(id);
        }
    }

    pub(crate) fn settling(&mut self, id: Uuid) {
        self.known.entry(id).or_default().may_be_settled = true;
    }

    pub(crate) fn settled(&mut self, id: Uuid) {
        self.known.entry(id).or_default().is_settled = true;
    }

    pub(crate) fn found(&mut self, id: Uuid) {
        self.known.entry(id).or_default().is_found = true;
    }

    fn lost(&self) -> usize {
        let is_lost = |known: &&Known| known.is_confirmed && !known.may_be_settled && !known.is_found;
        self.known.values().filter(is_lost).count()
    }

    fn count(&self, is_so: impl Fn(&Known) -> bool) -> usize {
        self.known.values().filter(|known| is_so(known)).count()
    }

    /// Nothing is wrong, and something was proved.
    pub(crate) fn is_clean(&self) -> bool {
        let worked = self.count(|known| known.is_confirmed) > 0 && self.count(|known| known.is_settled) > 0;
        worked && self.lost() == 0 && self.back.is_empty() && self.refused.is_empty()
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills: {} publishes and {} settlements confirmed, {} deliveries, {} operations without an answer; \
             {} confirmed and then lost, {} settled and then back, {} refused",
            self.kills,
            self.count(|known| known.is_confirmed),
            self.count(|known| known.is_settled),
            self.deliveries,
            self.unanswered,
            self.lost(),
            self.back.len(),
            self.refused.len(),
        )?;
        self.refused.iter().take(3).try_for_each(|refused| write!(f, " ({refused})"))
    }
}
