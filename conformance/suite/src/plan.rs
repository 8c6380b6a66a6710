//! Which cases are run, and why the others are not.

mod figures;

use std::sync::Arc;

use workwire::spec::{self, Level, Role};
use workwire_broker::Capabilities;

use crate::case::{Alone, Case};
use crate::host::Host;
use crate::subject::Reached;

pub use figures::{FIGURES, Figure, together_s};

/// A case, and why it is not run, if it is not.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The case.
    pub case: &'static Case,
    /// Why it is skipped.
    pub skipped: Option<String>,
}

/// Which cases somebody wants. A pattern is a part of a case's id, the id of one of its clauses, or
/// the area of one, in any case of letters; `*` stands for anything in between.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those that match one of these; all where there is none.
    pub only: Vec<String>,
    /// None of those that match one of these.
    pub skip: Vec<String>,
}

impl Filter {
    /// Whether a case is wanted.
    #[must_use]
    pub fn takes(&self, case: &Case) -> bool {
        self.takes_named(case.id, case.clauses)
    }

    /// Whether a case of this id and these clauses is wanted, of whatever role it is.
    #[must_use]
    pub fn takes_named(&self, id: &str, clauses: &[&str]) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| means(pattern, id, clauses));
        (self.only.is_empty() || any(&self.only)) && !any(&self.skip)
    }

    /// Patterns that no case of these matches.
    #[must_use]
    pub fn idle(&self, cases: &[&'static Case]) -> Vec<&str> {
        let patterns = self.only.iter().chain(&self.skip);
        patterns.map(String::as_str).filter(|pattern| !cases.iter().any(|case| is_meant(pattern, case))).collect()
    }
}

/// Whether a pattern means a case.
#[must_use]
pub fn is_meant(pattern: &str, case: &Case) -> bool {
    means(pattern, case.id, case.clauses)
}

/// Whether a pattern means a case of this id and these clauses.
#[must_use]
pub fn means(pattern: &str, id: &str, clauses: &[&str]) -> bool {
    if is_area(pattern) {
        // `ack` means the area, and not whatever comes back.
        return clauses.iter().any(|clause| is_clause(pattern, clause));
    }
    is_match(&pattern.to_ascii_lowercase(), &id.to_ascii_lowercase())
        || clauses.iter().any(|clause| is_clause(pattern, clause))
}

/// Whether a pattern is the name of an area.
fn is_area(pattern: &str) -> bool {
    spec::clauses().iter().any(|clause| pattern.eq_ignore_ascii_case(clause.area()))
}

/// Clauses are meant by their whole id, or by their area.
fn is_clause(pattern: &str, clause: &str) -> bool {
    let area = clause.split_once('-').map_or(clause, |(area, _)| area);
    pattern.eq_ignore_ascii_case(clause) || pattern.eq_ignore_ascii_case(area)
}

/// Whether the parts between the stars come in the text, one behind the other.
fn is_match(pattern: &str, text: &str) -> bool {
    let mut rest = text;
    for part in pattern.split('*') {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// Plans a run for a broker that was reached, on a machine where there is one.
#[must_use]
pub fn plan(cases: &[&'static Case], filter: &Filter, reached: &Reached, host: Option<&Arc<dyn Host>>) -> Vec<Planned> {
    let wanted = cases.iter().copied().filter(|case| filter.takes(case));
    wanted.map(|case| Planned { case, skipped: skipped(case, reached, host) }).collect()
}

fn not_claimed(case: &Case, claimed: Capabilities) -> Option<String> {
    let missing: Vec<&str> = case.needs.iter().filter(|need| !claimed.has(**need)).map(|need| need.as_str()).collect();
    (!missing.is_empty()).then(|| format!("not claimed: {}", missing.join(", ")))
}

/// Why a case is skipped on a broker that was reached, if it is.
#[must_use]
pub fn skipped(case: &Case, reached: &Reached, host: Option<&Arc<dyn Host>>) -> Option<String> {
    if is_of_adapters(case) && reached.adapter.is_none() {
        return Some("not spoken to over the adapter protocol".to_owned());
    }
    not_claimed(case, reached.broker.about().capabilities).or_else(|| out_of_reach(case, host))
}

/// Whether a case is about the adapter protocol: its first clause is.
#[must_use]
pub fn is_of_adapters(case: &Case) -> bool {
    case.clauses.first().and_then(|id| spec::explain(id)).is_some_and(|clause| clause.role() == Role::Adapter)
}

/// Why a case cannot be run here that needs the machine.
fn out_of_reach(case: &Case, host: Option<&Arc<dyn Host>>) -> Option<String> {
    let needs_disks = case.alone == Alone::OnHostWithSmallDisk;
    match (case.alone, host) {
        (Alone::OnHost | Alone::OnHostWithSmallDisk, None) => {
            Some("the machine on which it runs cannot be reached".to_owned())
        }
        (_, Some(host)) if needs_disks && !host.can_bound_disks() => {
            Some("disks cannot be bounded on this machine".to_owned())
        }
        _ => None,
    }
}

/// Whether what a case demands is a MUST: the level of its first clause.
#[must_use]
pub fn is_must(case: &Case) -> bool {
    case.clauses.first().and_then(|id| spec::explain(id)).is_none_or(|clause| clause.level() == Level::Must)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_part_of_an_id_a_clause_or_an_area() {
        let is_meant = |pattern: &str| means(pattern, "del/bytes_come_back_unchanged", &["DEL-2", "LIM-1"]);
        for pattern in
            ["del", "DEL", "lim", "del-2", "LIM-1", "del/", "come_back", "del/*back*", "bytes*unchanged", "*"]
        {
            assert!(is_meant(pattern), "{pattern}");
        }
        for pattern in ["ack", "DEL-1", "del/back*bytes", "there is none"] {
            assert!(!is_meant(pattern), "{pattern}");
        }
    }
}
