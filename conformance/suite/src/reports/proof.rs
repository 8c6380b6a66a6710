//! The proof that every case can fail, for people and for scripts: clause by clause, case by case,
//! saboteur by saboteur.

mod page;
mod result;

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file::{self, ReportError};
use super::hostile::{self, MOST_CHARACTERS};
use super::run::{FORMAT, SpecificationDigest, SuiteDigest};
use crate::case::Case;

use crate::selftest::{Cell, Column, Expected, Matrix, Shortfall};
use crate::verdict::Verdict;

pub use result::ProofResult;

/// What the suite's proof of itself came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProofReport {
    /// The version of this form: 1.
    pub format: u32,
    /// The suite.
    pub suite: SuiteDigest,
    /// Its clauses.
    pub specification: SpecificationDigest,
    /// Every case, and who fails it.
    pub cases: Vec<ProvenCase>,
    /// Every saboteur, and who catches it.
    pub saboteurs: Vec<ProvenSaboteur>,
    /// Every honest broker.
    pub honest: Vec<ProvenHonest>,
    /// Every broker that does nothing.
    pub trivial: Vec<ProvenTrivial>,
    /// Where the proof falls short.
    pub shortfalls: Vec<String>,
    /// Whether it holds.
    pub holds: bool,
    /// Whether it was done to its end.
    pub complete: bool,
}

/// A case, and who fails it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProvenCase {
    /// The case.
    pub id: String,
    /// Its clauses.
    pub clauses: Vec<String>,
    /// The saboteurs that it fails under a clause of its own that they break.
    pub fails: Vec<String>,
}

/// A saboteur, and who catches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProvenSaboteur {
    /// Its name.
    pub name: String,
    /// What it does wrong.
    pub about: String,
    /// The clauses that it breaks.
    pub breaks: Vec<String>,
    /// The cases that catch it, by a clause that it breaks.
    pub caught_by: Vec<String>,
    /// Of the other cases, those that do not pass, and why.
    pub others_not_passed: Vec<NotPassed>,
    /// How many other cases there are.
    pub others: usize,
}

/// A case that does not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotPassed {
    /// The case.
    pub case: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// An honest broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProvenHonest {
    /// Its name.
    pub name: String,
    /// What is unusual about it.
    pub about: String,
    /// How many cases pass.
    pub pass: usize,
    /// How many are skipped.
    pub skipped: usize,
    /// Those that do neither.
    pub not_passed: Vec<NotPassed>,
}

/// A broker that does nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProvenTrivial {
    /// Its name.
    pub name: String,
    /// What it does instead.
    pub about: String,
    /// The cases that it passes: none, or they look at nothing.
    pub passed: Vec<String>,
}

impl ProofReport {
    /// Of a matrix over these cases, with its shortfalls as [`Matrix::shortfalls`] gives them.
    #[must_use]
    pub fn of(matrix: &Matrix, cases: &[&'static Case], shortfalls: &[Shortfall]) -> Self {
        let of = |expected| matrix.columns.iter().filter(move |column| column.expected == expected);
        let saboteurs: Vec<&Column> = of(Expected::IsCaught).collect();

        ProofReport {
            format: FORMAT,
            suite: SuiteDigest::of(cases),
            specification: SpecificationDigest::here(),
            cases: cases.iter().map(|case| proven_case(case, &saboteurs)).collect(),
            saboteurs: saboteurs.iter().map(|column| proven_saboteur(column, cases)).collect(),
            honest: of(Expected::PassesAll).map(proven_honest).collect(),
            trivial: of(Expected::PassesNothing).map(proven_trivial).collect(),
            shortfalls: shortfalls.iter().map(|shortfall| clean(&shortfall.to_string())).collect(),
            holds: shortfalls.is_empty(),
            complete: true,
        }
    }

    /// As JSON.
    ///
    /// # Errors
    /// As [`RunReport::json`](super::RunReport::json).
    pub fn json(&self) -> Result<String, ReportError> {
        file::json(self)
    }

    /// In one sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let caught = self.saboteurs.iter().filter(|saboteur| !saboteur.caught_by.is_empty()).count();
        let can_fail = self.cases.iter().filter(|case| !case.fails.is_empty()).count();
        let shortfalls = match self.shortfalls.len() {
            0 => "nothing falls short".to_owned(),
            1 => "1 shortfall".to_owned(),
            several => format!("{several} shortfalls"),
        };
        let (cases, saboteurs) = (self.cases.len(), self.saboteurs.len());
        format!("{can_fail} of {cases} cases can fail, {caught} of {saboteurs} saboteurs are caught, {shortfalls}")
    }

    /// As lines of text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let width = self.saboteurs.iter().map(|saboteur| saboteur.name.chars().count()).max().unwrap_or(0);
        for saboteur in &self.saboteurs {
            let caught = if saboteur.caught_by.is_empty() { "NOBODY".to_owned() } else { saboteur.caught_by.join(" ") };
            let passed = saboteur.others - saboteur.others_not_passed.len();
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{:width$}  breaks {:12}  others {passed}/{}  caught by {caught}",
                saboteur.name,
                saboteur.breaks.join(" "),
                saboteur.others
            );
        }
        for honest in &self.honest {
            let _ = writeln!(
                text,
                "{:width$}  honest: {} pass, {} skipped, {} otherwise",
                honest.name,
                honest.pass,
                honest.skipped,
                honest.not_passed.len()
            );
        }
        for trivial in &self.trivial {
            let passed = trivial.passed.len();
            let _ = writeln!(text, "{:width$}  does nothing: passes {passed}", trivial.name);
        }
        for shortfall in &self.shortfalls {
            let _ = writeln!(text, "falls short: {}", hostile::line(shortfall, 2 * MOST_CHARACTERS));
        }
        let _ = writeln!(text, "{}", self.words());
        text
    }
}

fn clean(text: &str) -> String {
    hostile::line(text, MOST_CHARACTERS)
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn proven_case(case: &Case, saboteurs: &[&Column]) -> ProvenCase {
    let fails = saboteurs.iter().filter(|column| {
        let own: Vec<&str> = column.breaks.iter().copied().filter(|clause| case.clauses.contains(clause)).collect();
        column.cells.get(case.id).is_some_and(|cell| cell.fails_under(&own))
    });
    ProvenCase {
        id: case.id.to_owned(),
        clauses: owned(case.clauses),
        fails: fails.map(|column| column.name.clone()).collect(),
    }
}

fn proven_saboteur(column: &Column, cases: &[&'static Case]) -> ProvenSaboteur {
    let is_other = |cell: &&Cell| {
        let case = cases.iter().copied().find(|case| case.id == cell.case).or_else(|| crate::cases::find(cell.case));
        case.is_some_and(|case| !case.clauses.iter().any(|clause| column.breaks.contains(clause)))
    };
    let was_run = column.cells.values().filter(|cell| cell.verdict != Verdict::Skipped);
    let others: Vec<&Cell> = was_run.filter(is_other).collect();
    ProvenSaboteur {
        name: column.name.clone(),
        about: column.about.to_owned(),
        breaks: owned(column.breaks),
        caught_by: column.caught_by().map(|cell| cell.case.to_owned()).collect(),
        others_not_passed: others.iter().filter(|cell| cell.verdict != Verdict::Pass).map(|c| not_passed(c)).collect(),
        others: others.len(),
    }
}

fn proven_honest(column: &Column) -> ProvenHonest {
    let count = |verdict| column.cells.values().filter(|cell| cell.verdict == verdict).count();
    let is_bad = |cell: &&Cell| !matches!(cell.verdict, Verdict::Pass | Verdict::Skipped);
    ProvenHonest {
        name: column.name.clone(),
        about: column.about.to_owned(),
        pass: count(Verdict::Pass),
        skipped: count(Verdict::Skipped),
        not_passed: column.cells.values().filter(is_bad).map(not_passed).collect(),
    }
}

fn proven_trivial(column: &Column) -> ProvenTrivial {
    let passed = column.cells.values().filter(|cell| cell.verdict == Verdict::Pass);
    ProvenTrivial {
        name: column.name.clone(),
        about: column.about.to_owned(),
        passed: passed.map(|cell| cell.case.to_owned()).collect(),
    }
}

fn not_passed(cell: &Cell) -> NotPassed {
    NotPassed { case: cell.case.to_owned(), verdict: cell.verdict, reason: clean(&cell.reason) }
}
