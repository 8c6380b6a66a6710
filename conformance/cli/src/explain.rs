//! `workwire explain`: one clause, or one case.

mod near;

use std::io::{self, Write};

use workwire::Scope;
use workwire::spec::{self, Clause, Role, Withdrawn};
use workwire_conformance::codec::CodecCase;
use workwire_conformance::saboteurs::{self, Saboteur};
use workwire_conformance::{Case, cases, codec, plan};

use crate::arguments::Explain;
use crate::exit::{Exit, Failure};
use crate::list::{level, scope};
use crate::output::Output;

pub(crate) fn run(arguments: &Explain, out: &mut Output) -> Result<Exit, Failure> {
    let id = &arguments.id;
    if let Some(clause) = spec::explain(&id.to_ascii_uppercase()) {
        explain_clause(clause, out)?;
    } else if let Some(gone) = withdrawn(id) {
        writeln!(out, "{} (withdrawn)\n\n{}", gone.id(), gone.reason())?;
    } else if let Some(case) = cases::find(&id.to_ascii_lowercase()) {
        explain_case(case, out)?;
    } else if let Some(case) = codec::cases().iter().find(|case| case.id.eq_ignore_ascii_case(id)) {
        explain_codec_case(case, out)?;
    } else if id.contains('/') {
        let near = near::cases(id).join(", ");
        return Err(Failure::new(format!("no case has the id {id:?}; the nearest are {near}")));
    } else {
        let near = near::clauses(id).join(", ");
        return Err(Failure::new(format!("no clause has the id {id:?}; the nearest are {near}")));
    }
    Ok(Exit::Holds)
}

fn withdrawn(id: &str) -> Option<&'static Withdrawn> {
    spec::withdrawn().iter().find(|gone| gone.id().eq_ignore_ascii_case(id))
}

fn explain_clause(clause: &Clause, out: &mut Output) -> io::Result<()> {
    writeln!(out, "{} ({}{})", clause.id(), level(clause).to_ascii_uppercase(), marks(clause))?;
    writeln!(out, "\n{}", clause.text())?;
    writeln!(out, "\nChecked: {}.", how(clause))?;
    let all = cases::all();
    let of_it: Vec<&Case> = all.into_iter().filter(|case| case.clauses.contains(&clause.id())).collect();
    let of_codecs = codec::cases().iter().find(|case| case.clauses.contains(&clause.id()));
    if !of_it.is_empty() || of_codecs.is_some() {
        writeln!(out, "\nTested by:")?;
    }
    if let Some(case) = of_codecs {
        writeln!(out, "  {}  by {} vectors", case.id, case.vectors.len())?;
    }
    for case in of_it {
        let checkers: Vec<&str> =
            case.checks.iter().filter(|(_, of)| *of == clause.id()).map(|(checker, _)| checker.name).collect();
        let by = if checkers.is_empty() { String::new() } else { format!("  by the checkers {}", checkers.join(", ")) };
        writeln!(out, "  {}{by}", case.id)?;
    }
    breakers(&|saboteur| saboteur.breaks.contains(&clause.id()), "Known to break it", out)
}

fn explain_case(case: &'static Case, out: &mut Output) -> io::Result<()> {
    let must = if plan::is_must(case) { "MUST" } else { "SHOULD" };
    writeln!(out, "{} ({must})\n", case.id)?;
    for clause in case.clauses {
        writeln!(out, "{clause}: {}", spec::explain(clause).map_or("", Clause::text))?;
    }
    let needs: Vec<&str> = case.needs.iter().map(|need| need.as_str()).collect();
    if !needs.is_empty() {
        writeln!(out, "\nRuns where the broker claims {}.", needs.join(", "))?;
    }
    writeln!(out, "\nChecked: by what the case demands of single operations.")?;
    for (checker, clause) in case.checks {
        writeln!(out, "  and of {clause} by the checker {}: {}", checker.name, checker.about)?;
    }
    let own = |saboteur: &Saboteur| saboteur.breaks.iter().any(|clause| case.clauses.contains(clause));
    breakers(&own, "Known to break a clause of it, and to be caught", out)
}

fn explain_codec_case(case: &CodecCase, out: &mut Output) -> io::Result<()> {
    let [clause] = case.clauses;
    writeln!(out, "{} ({})\n", case.id, if case.is_must() { "MUST" } else { "SHOULD" })?;
    writeln!(out, "{clause}: {}", spec::explain(clause).map_or("", Clause::text))?;
    writeln!(out, "\nChecked: a codec reads these vectors, and each must be accepted or refused as it says.")?;
    case.vectors.iter().try_for_each(|vector| writeln!(out, "  {}", vector.name))
}

fn breakers(is_one: &dyn Fn(&Saboteur) -> bool, words: &str, out: &mut Output) -> io::Result<()> {
    let all = saboteurs::all();
    let mut own = all.into_iter().filter(|saboteur| is_one(saboteur)).peekable();
    if own.peek().is_some() {
        writeln!(out, "\n{words}:")?;
    }
    own.try_for_each(|saboteur| writeln!(out, "  {}: {}", saboteur.name, saboteur.about))
}

/// Whom it binds, where that is not a codec, or what can tell that a message breaks it.
fn marks(clause: &Clause) -> String {
    let capabilities: Vec<&str> = clause.capabilities().collect();
    match (clause.role(), scope(clause)) {
        (Role::Codec, Some(scope)) => format!(", {scope}"),
        (Role::Codec, None) => String::new(),
        (role, _) if capabilities.is_empty() => format!(", {}", role.as_str()),
        (role, _) => format!(", {}: {}", role.as_str(), capabilities.join(" ")),
    }
}

fn how(clause: &Clause) -> &'static str {
    match (clause.role(), clause.scope()) {
        (Role::Broker, _) => "by what a broker does with the messages of a case",
        (Role::Host, _) => "by what a broker does, where the machine can be reached on which it runs",
        (Role::Adapter, _) => "by what an adapter writes, line by line",
        (_, Some(Scope::Schema)) => "a decoder refuses a message that breaks it, and so does its JSON Schema",
        (_, Some(Scope::Beyond)) => "a decoder refuses what breaks it; JSON Schema cannot say it",
        (_, Some(Scope::Warning)) => "a decoder accepts a message that goes against it, and warns",
        _ => "by what an implementation does; no message by itself can break it",
    }
}
