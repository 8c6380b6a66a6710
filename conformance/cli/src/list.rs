//! `workwire list`: what there is.

use std::io::Write;

use serde::Serialize;
use workwire::Scope;
use workwire::spec::{self, Clause, Level};
use workwire_broker::{Capability, TARGETS};
use workwire_conformance::profiles::{self, Profile};
use workwire_conformance::saboteurs::{self, Saboteur};
use workwire_conformance::{Case, cases, codec, plan};

use crate::arguments::{List, Listed};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// What `--json` prints. Others script against it: members are added, never changed.
#[derive(Serialize)]
struct Listing {
    format: u32,
    clauses: Vec<ClauseEntry>,
    cases: Vec<CaseEntry>,
    saboteurs: Vec<SaboteurEntry>,
    capabilities: Vec<Named>,
    profiles: Vec<ProfileEntry>,
    targets: Vec<Named>,
}

#[derive(Serialize)]
struct ClauseEntry {
    id: &'static str,
    area: &'static str,
    level: &'static str,
    scope: Option<&'static str>,
    text: &'static str,
    role: &'static str,
    capabilities: Vec<&'static str>,
}

#[derive(Serialize)]
struct CaseEntry {
    id: &'static str,
    role: &'static str,
    level: &'static str,
    clauses: &'static [&'static str],
    needs: Vec<&'static str>,
    checkers: Vec<&'static str>,
}

#[derive(Serialize)]
struct SaboteurEntry {
    name: &'static str,
    about: &'static str,
    breaks: &'static [&'static str],
}

#[derive(Serialize)]
struct ProfileEntry {
    name: &'static str,
    about: &'static str,
    capabilities: Vec<&'static str>,
}

#[derive(Serialize)]
struct Named {
    name: &'static str,
    about: &'static str,
}

/// What `run` takes besides.
const SABOTEUR: (&str, &str) = ("saboteur:NAME", "a broker with one defect, for `run`: to see how a failure is told");

pub(crate) fn run(arguments: &List, out: &mut Output) -> Result<Exit, Failure> {
    if arguments.json {
        out.json(&everything())?;
        return Ok(Exit::Holds);
    }
    if let Some(what) = arguments.what {
        print(what, out)?;
        return Ok(Exit::Holds);
    }
    let all = [
        ("Clauses", Listed::Clauses),
        ("Cases", Listed::Cases),
        ("Saboteurs", Listed::Saboteurs),
        ("Capabilities", Listed::Capabilities),
        ("Profiles", Listed::Profiles),
        ("Targets", Listed::Targets),
    ];
    for (index, (heading, what)) in all.into_iter().enumerate() {
        let before = if index == 0 { "" } else { "\n" };
        writeln!(out, "{before}{heading}:")?;
        print(what, out)?;
    }
    Ok(Exit::Holds)
}

fn print(what: Listed, out: &mut Output) -> Result<(), Failure> {
    let Listing { clauses, cases, saboteurs, capabilities, profiles, targets, .. } = everything();
    match what {
        Listed::Clauses => {
            for ClauseEntry { id, level, scope, text, .. } in clauses {
                writeln!(out, "{id:7} {level:6} {:7} {text}", scope.unwrap_or("-"))?;
            }
        }
        Listed::Cases => {
            for CaseEntry { id, level, clauses, needs, .. } in cases {
                let needs = if needs.is_empty() { String::new() } else { format!("  needs {}", needs.join(" ")) };
                writeln!(out, "{id:50} {level:6} {}{needs}", clauses.join(" "))?;
            }
        }
        Listed::Saboteurs => {
            for SaboteurEntry { name, about, breaks } in saboteurs {
                writeln!(out, "{name:40} {:15} {about}", breaks.join(" "))?;
            }
        }
        Listed::Capabilities => named(&capabilities, out)?,
        Listed::Profiles => {
            for ProfileEntry { name, about, capabilities } in profiles {
                writeln!(out, "{name:14} {about} Asks for: {}.", capabilities.join(" "))?;
            }
        }
        Listed::Targets => named(&targets, out)?,
    }
    Ok(())
}

fn named(all: &[Named], out: &mut Output) -> Result<(), Failure> {
    for Named { name, about } in all {
        writeln!(out, "{name:14} {about}")?;
    }
    Ok(())
}

fn everything() -> Listing {
    Listing {
        format: 1,
        clauses: spec::clauses().iter().map(clause).collect(),
        cases: cases::all().into_iter().map(case).chain(codec::cases().iter().map(codec_case)).collect(),
        saboteurs: saboteurs::all().into_iter().map(saboteur).collect(),
        capabilities: Capability::ALL.iter().map(|one| Named { name: one.as_str(), about: one.what() }).collect(),
        profiles: profiles::ALL.iter().map(profile).collect(),
        targets: TARGETS.iter().chain([&SABOTEUR]).map(|(name, about)| Named { name, about }).collect(),
    }
}

fn clause(clause: &'static Clause) -> ClauseEntry {
    ClauseEntry {
        id: clause.id(),
        area: clause.area(),
        level: level(clause),
        scope: scope(clause),
        text: clause.text(),
        role: clause.role().as_str(),
        capabilities: clause.capabilities().collect(),
    }
}

fn case(case: &'static Case) -> CaseEntry {
    CaseEntry {
        id: case.id,
        role: "broker",
        level: if plan::is_must(case) { "must" } else { "should" },
        clauses: case.clauses,
        needs: case.needs.iter().map(|need| need.as_str()).collect(),
        checkers: case.checks.iter().map(|(checker, _)| checker.name).collect(),
    }
}

fn codec_case(case: &'static codec::CodecCase) -> CaseEntry {
    CaseEntry {
        id: &case.id,
        role: "codec",
        level: if case.is_must() { "must" } else { "should" },
        clauses: &case.clauses,
        needs: Vec::new(),
        checkers: Vec::new(),
    }
}

fn saboteur(saboteur: &'static Saboteur) -> SaboteurEntry {
    SaboteurEntry { name: saboteur.name, about: saboteur.about, breaks: saboteur.breaks }
}

fn profile(profile: &'static Profile) -> ProfileEntry {
    let capabilities = profile.capabilities.iter().map(|capability| capability.as_str()).collect();
    ProfileEntry { name: profile.name, about: profile.about, capabilities }
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
