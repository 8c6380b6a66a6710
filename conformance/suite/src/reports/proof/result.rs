//! What the suite's proof of itself came to, as the report of a run carries it.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ProofReport;
use crate::case::Case;
use crate::reports::digest;
use crate::reports::file::{self, ReportError};
use crate::reports::run::{FORMAT, complete_of_format};

/// The most bytes of a proof that are read.
const MOST_BYTES: u64 = 64 * 1_048_576;

/// What a proof came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProofResult {
    /// The digest of the suite that was proven: of all cases for brokers.
    pub suite: String,
    /// The digest of its clauses.
    pub specification: String,
    /// How many cases there are.
    pub cases: usize,
    /// How many of them fail a saboteur by a clause of their own that it breaks.
    pub can_fail: usize,
    /// How many saboteurs there are.
    pub saboteurs: usize,
    /// How many of them are caught by a clause that they break.
    pub caught: usize,
    /// How many honest brokers passed everything.
    pub honest: usize,
    /// How many ways there are in which it falls short.
    pub shortfalls: usize,
    /// Whether it holds.
    pub holds: bool,
}

impl ProofResult {
    /// Whether it holds, by its own numbers.
    #[must_use]
    pub const fn follows(&self) -> bool {
        self.shortfalls == 0 && self.cases > 0 && self.can_fail == self.cases && self.caught == self.saboteurs
    }

    /// In one sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let holds = if self.holds { "holds" } else { "falls short" };
        format!(
            "{holds}: {} of {} cases can fail, {} of {} saboteurs are caught, {} honest brokers pass everything",
            self.can_fail, self.cases, self.caught, self.saboteurs, self.honest
        )
    }
}

impl ProofReport {
    /// What it came to.
    #[must_use]
    pub fn result(&self) -> ProofResult {
        let mut result = ProofResult {
            suite: self.suite.digest.clone(),
            specification: self.specification.digest.clone(),
            cases: self.cases.len(),
            can_fail: self.cases.iter().filter(|case| !case.fails.is_empty()).count(),
            saboteurs: self.saboteurs.len(),
            caught: self.saboteurs.iter().filter(|saboteur| !saboteur.caught_by.is_empty()).count(),
            honest: self.honest.iter().filter(|honest| honest.not_passed.is_empty()).count(),
            shortfalls: self.shortfalls.len(),
            holds: false,
        };
        result.holds = self.holds && result.follows();
        result
    }

    /// Reads one from a file, of a suite of these cases.
    ///
    /// # Errors
    /// Says where, what was expected and what was found: of a file that cannot be read, is no proof or
    /// not a whole one, or is one of another suite.
    pub fn read(path: &Path, suite: &[&'static Case]) -> Result<ProofReport, ReportError> {
        let text = file::text(path, MOST_BYTES)?;
        ProofReport::parse(&text, suite).map_err(|error| error.of(path))
    }

    fn parse(text: &str, suite: &[&'static Case]) -> Result<ProofReport, ReportError> {
        let value = complete_of_format(text, "the proof is not whole")?;
        let proof: ProofReport = serde_json::from_value(value)
            .map_err(|error| ReportError::new(format!("expected a proof of format {FORMAT}: {error}")))?;
        for (place, expected, found) in [
            ("/suite/digest", digest::suite(suite), &proof.suite.digest),
            ("/specification/digest", digest::specification(), &proof.specification.digest),
        ] {
            if expected != *found {
                return Err(ReportError::new(format!(
                    "{place}: expected {expected}, found {found}: a proof of another suite, or of a part of it"
                )));
            }
        }
        Ok(proof)
    }
}
