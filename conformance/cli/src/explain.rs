//! `workwire explain`: one clause.

use std::io::Write;

use workwire::Scope;
use workwire::spec::{self, Clause};

use crate::arguments::Explain;
use crate::exit::{Exit, Failure};
use crate::list::{level, scope};
use crate::output::Output;

pub(crate) fn run(arguments: &Explain, out: &mut Output) -> Result<Exit, Failure> {
    let id = arguments.id.to_ascii_uppercase();
    let Some(clause) = spec::explain(&id) else {
        let near = nearest(&id).join(", ");
        return Err(Failure::new(format!("no clause has the id {:?}; the nearest are {near}", arguments.id)));
    };
    let marks = scope(clause).map_or_else(String::new, |scope| format!(", {scope}"));
    writeln!(out, "{} ({}{marks})", clause.id(), level(clause).to_ascii_uppercase())?;
    writeln!(out, "\n{}", clause.text())?;
    writeln!(out, "\nChecked: {}.", how(clause))?;
    Ok(Exit::Holds)
}

fn how(clause: &Clause) -> &'static str {
    match clause.scope() {
        Some(Scope::Schema) => "a decoder refuses a message that breaks it, and so does its JSON Schema",
        Some(Scope::Beyond) => "a decoder refuses what breaks it; JSON Schema cannot say it",
        Some(Scope::Warning) => "a decoder accepts a message that goes against it, and warns",
        _ => "by what an implementation does; no message by itself can break it",
    }
}

/// The ids that look most like a text.
fn nearest(text: &str) -> Vec<&'static str> {
    const SHOWN: usize = 3;
    let mut clauses: Vec<_> = spec::clauses().iter().map(|clause| (distance(text, clause), clause.id())).collect();
    // Stable: clauses that are equally near stay in the order of the specification.
    clauses.sort_by_key(|(distance, _)| *distance);
    clauses.into_iter().take(SHOWN).map(|(_, id)| id).collect()
}

/// An area that is right weighs more than digits that are.
fn distance(text: &str, clause: &Clause) -> usize {
    let area = text.split(['-', '_', ' ']).next().unwrap_or(text);
    2 * strsim::damerau_levenshtein(area, clause.area()) + strsim::damerau_levenshtein(text, clause.id())
}
