//! One case for each clause that vectors show, and how an answer is judged.

use std::sync::LazyLock;

use workwire::spec::{self, Level, Role};
use workwire_broker::adapter::wire::Decoded;

use super::vector::{Expected, Vector, vectors};
use crate::case::{Alone, Case};

/// A clause, and the vectors that show it.
#[derive(Debug)]
pub struct CodecCase {
    /// `codec/WRQ-4` for example.
    pub id: String,
    /// The clause, alone.
    pub clauses: [&'static str; 1],
    /// What is read.
    pub vectors: Vec<&'static Vector>,
    /// What is read twice: what was written is read again.
    pub again: bool,
}

/// Clauses that speak of more than reading and writing one message, though a vector touches them:
/// answers to messages, events caused by events, the catalogue, the stream form.
const NOT_BY_READING: &[&str] = &["CHN-6", "EVT-8", "ERR-4", "STR-1", "STR-2"];

/// The clause by which what was written is read again.
const FIXPOINT: &str = "COD-5";

/// The clause by which all that is wrong is reported, in order.
const REPORT: &str = "COD-4";

/// What a case reads besides, whose own vectors are all accepted: a codec that takes everything must
/// pass no case. Too much is wrong with it for a codec that does not know one rule.
const CONTROL: &str = "envelope/several_of_every_field_of_the_header";

/// Every case of the role, in the order of the specification.
#[must_use]
pub fn cases() -> &'static [CodecCase] {
    static CASES: LazyLock<Vec<CodecCase>> = LazyLock::new(|| {
        let bound = spec::clauses().iter().filter(|clause| clause.role() == Role::Codec);
        bound.filter(|clause| !NOT_BY_READING.contains(&clause.id())).filter_map(|clause| case(clause.id())).collect()
    });
    &CASES
}

/// The same as a report knows cases: by their ids and clauses. They play on no stage.
#[must_use]
pub fn for_reports() -> Vec<&'static Case> {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let known = |case: &'static CodecCase| Case {
            id: &case.id,
            clauses: &case.clauses,
            needs: &[],
            checks: &[],
            alone: Alone::No,
            run: |_| Box::pin(std::future::ready(Ok(()))),
        };
        cases().iter().map(known).collect()
    });
    CASES.iter().collect()
}

fn case(clause: &'static str) -> Option<CodecCase> {
    let again = clause == FIXPOINT;
    let is_accepted = |vector: &Vector| matches!(vector.expected, Expected::Accepted { .. });
    let shows = |vector: &&Vector| match clause {
        FIXPOINT => is_accepted(vector),
        REPORT => !is_accepted(vector),
        _ => vector.clauses.iter().any(|id| id == clause),
    };
    let mut read: Vec<&Vector> = vectors().iter().filter(shows).collect();
    if read.is_empty() {
        return None;
    }
    if read.iter().all(|vector| is_accepted(vector)) {
        read.extend(vectors().iter().find(|vector| vector.name == CONTROL));
    }
    Some(CodecCase { id: format!("codec/{clause}"), clauses: [clause], vectors: read, again })
}

impl CodecCase {
    /// Whether its clause is a MUST. What is advice binds a codec too: it must not refuse what goes against it.
    #[must_use]
    pub fn is_must(&self) -> bool {
        spec::explain(self.clauses[0]).is_none_or(|clause| clause.level() == Level::Must)
    }
}

/// An answer that is not what it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// The vector.
    pub vector: String,
    /// What should have come.
    pub expected: String,
    /// What came.
    pub found: String,
}

impl CodecCase {
    /// Judges the answer to one of its vectors.
    #[must_use]
    pub fn judge(&self, vector: &Vector, answer: &Decoded) -> Option<Miss> {
        let right = match (&vector.expected, answer) {
            (Expected::Accepted { canonical }, Decoded::Accepted { canonical: found }) => canonical == found,
            (Expected::Refused { violations }, Decoded::Refused { violations: found }) => {
                let mut found = found.iter().map(|one| (one.pointer.as_str(), one.rule.as_str()));
                let wanted = violations.iter().map(|(pointer, rule)| (pointer.as_str(), rule.as_str()));
                if self.clauses[0] == REPORT {
                    found.eq(wanted)
                } else {
                    // Whoever stops at the first violation breaks one clause and not all of them.
                    found.len() > 0 && found.all(|one| wanted.clone().any(|other| other == one))
                }
            }
            _ => false,
        };
        (!right).then(|| Miss {
            vector: vector.name.clone(),
            expected: expected(&vector.expected),
            found: found(answer),
        })
    }
}

/// So much of a text is shown.
const SHOWN: usize = 400;

fn expected(expected: &Expected) -> String {
    match expected {
        Expected::Accepted { canonical } => format!("accepted, and written as {}", cut(canonical)),
        Expected::Refused { violations } => {
            places(violations.iter().map(|(pointer, rule)| (pointer.as_str(), rule.as_str())))
        }
    }
}

fn found(answer: &Decoded) -> String {
    match answer {
        Decoded::Accepted { canonical } => format!("accepted, and written as {}", cut(canonical)),
        Decoded::Refused { violations } => {
            places(violations.iter().map(|one| (one.pointer.as_str(), one.rule.as_str())))
        }
    }
}

fn places<'a>(all: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let all: Vec<String> = all.map(|(pointer, rule)| format!("{rule} at {pointer:?}")).collect();
    if all.is_empty() { "refused, for no reason".to_owned() } else { cut(&format!("refused by {}", all.join(", "))) }
}

fn cut(text: &str) -> String {
    let mut cut: String = text.chars().take(SHOWN).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}
