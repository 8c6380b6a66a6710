//! What is broken, clause by clause: what somebody wants to know who sees the page for the first time.

use minijinja::Value;
use serde::Serialize;
use workwire::spec;

use super::page;
use crate::reports::hostile;
use crate::reports::run::RunReport;
use crate::verdict::Verdict;

/// The most clauses that are told; the cases below tell the others.
const MOST: usize = 12;

/// A clause that is broken, and the cases that show it.
#[derive(Debug, Serialize)]
pub(super) struct BrokenClause {
    id: String,
    text: Value,
    cases: Vec<String>,
}

/// The clauses that are broken, in the order of the cases, and how many more there are.
pub(super) fn broken_clauses(report: &RunReport) -> (Vec<BrokenClause>, usize) {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for case in report.cases.iter().filter(|case| case.verdict == Verdict::Fail) {
        let mut clauses = case.broken_clauses();
        if clauses.is_empty() {
            // By what it builds upon: its main clause is what could not be shown.
            clauses.extend(case.clauses.first().cloned());
        }
        for clause in clauses {
            match all.iter_mut().find(|(id, _)| *id == clause) {
                Some((_, cases)) => cases.push(clean(&case.id)),
                None => all.push((clause, vec![clean(&case.id)])),
            }
        }
    }
    let more = all.len().saturating_sub(MOST);
    let told = all.into_iter().take(MOST).map(|(id, cases)| BrokenClause {
        text: page::clause(spec::explain(&id).map_or("no clause of this suite", spec::Clause::text)),
        id: clean(&id),
        cases,
    });
    (told.collect(), more)
}

fn clean(text: &str) -> String {
    hostile::line(text, hostile::MOST_CHARACTERS)
}
