//! `workwire list`: the clauses.

use std::io::Write;

use serde::Serialize;
use workwire::Scope;
use workwire::spec::{self, Clause, Level};

use crate::arguments::List;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// What `--json` prints.
#[derive(Serialize)]
struct Listing {
    format: u32,
    clauses: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    id: &'static str,
    area: &'static str,
    level: &'static str,
    scope: Option<&'static str>,
    text: &'static str,
}

pub(crate) fn run(arguments: List, out: &mut Output) -> Result<Exit, Failure> {
    let clauses = spec::clauses();
    if arguments.json {
        out.json(&Listing { format: 1, clauses: clauses.iter().map(entry).collect() })?;
        return Ok(Exit::Holds);
    }
    for clause in clauses {
        let scope = scope(clause).unwrap_or("-");
        writeln!(out, "{:7} {:6} {scope:7} {}", clause.id(), level(clause), clause.text())?;
    }
    Ok(Exit::Holds)
}

fn entry(clause: &'static Clause) -> Entry {
    Entry { id: clause.id(), area: clause.area(), level: level(clause), scope: scope(clause), text: clause.text() }
}

pub(crate) fn level(clause: &Clause) -> &'static str {
    match clause.level() {
        Level::Must => "must",
        Level::Should => "should",
    }
}

/// What can tell that a message breaks the clause, in the words of the specification.
pub(crate) fn scope(clause: &Clause) -> Option<&'static str> {
    Some(match clause.scope()? {
        Scope::Schema => "schema",
        Scope::Beyond => "beyond",
        Scope::Warning => "warning",
        _ => return None,
    })
}
