//! What was ordered, checked as a whole: nothing runs before all of it is right.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use workwire_broker::Target;
use workwire_conformance::plan::{Filter, means};
use workwire_conformance::reports::{self as told, ProofReport, ProofResult, Settings};
use workwire_conformance::runner::{Brake, Options};
use workwire_conformance::subject::Subject;
use workwire_conformance::{Case, cases, codec, profiles, saboteurs};

use super::histories::Histories;
use super::known::Known;
use super::reports;
use crate::arguments::{Role, Run};
use crate::exit::Failure;
use crate::reach::{self, Named};
use crate::text::plain;

pub(super) struct Order {
    pub(super) judged: Judged,
    /// Where stores of its kind are made; gone when it is dropped.
    pub(super) folder: Option<TempDir>,
    pub(super) options: Options,
    pub(super) known: Known,
    pub(super) strict: bool,
    pub(super) reports: Vec<PathBuf>,
    pub(super) histories: Histories,
    /// What the reports say of all this, and of the suite's proof of itself.
    pub(super) settings: Settings,
    pub(super) proof: Option<ProofResult>,
}

/// What is judged, and as what.
pub(super) enum Judged {
    /// A broker, by these cases.
    Broker(Vec<&'static Case>, Subject),
    /// The codec behind an adapter.
    Codec(Subject),
    /// The codec of this project.
    OwnCodec,
}

/// A case of whatever role.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CaseName {
    pub(crate) id: &'static str,
    pub(crate) clauses: &'static [&'static str],
}

impl From<&'static Case> for CaseName {
    fn from(case: &'static Case) -> Self {
        CaseName { id: case.id, clauses: case.clauses }
    }
}

impl Order {
    pub(super) fn of(arguments: &Run) -> Result<Self, Failure> {
        let all: Vec<CaseName> = match arguments.role {
            Role::Broker => cases::all().into_iter().map(CaseName::from).collect(),
            Role::Codec => {
                codec::cases().iter().map(|case| CaseName { id: &case.id, clauses: &case.clauses }).collect()
            }
            Role::Agent => return Err(not_yet("agent")),
            Role::Orchestrator => return Err(not_yet("orchestrator")),
        };
        let (judged, folder) = judged(arguments)?;
        let filter = Filter { only: arguments.only.clone(), skip: arguments.skip.clone() };
        matches_something(&filter, &all)?;
        let known = match &arguments.known_failing {
            Some(path) => Known::read(path, &all)?,
            None => Known::default(),
        };
        reports::can_be_written(&arguments.report)?;
        let proof = arguments.proof.as_deref().map(proof).transpose()?;
        let settings = settings(arguments, &known);
        Ok(Order {
            judged,
            folder,
            options: Options {
                filter,
                seed: arguments.seed.unwrap_or_else(|| fastrand::u64(..)),
                jobs: arguments.jobs,
                timeout: arguments.timeout,
                full: arguments.full,
                brake: Brake::default(),
            },
            known,
            strict: arguments.strict,
            reports: arguments.report.clone(),
            histories: Histories::to(arguments.histories.as_deref(), arguments.report.first().map(PathBuf::as_path))?,
            settings,
            proof,
        })
    }
}

fn settings(arguments: &Run, known: &Known) -> Settings {
    Settings {
        role: if arguments.role == Role::Codec { told::Role::Codec } else { told::Role::Broker },
        profile: arguments.profile.clone(),
        only: arguments.only.clone(),
        skip: arguments.skip.clone(),
        full: arguments.full,
        jobs: arguments.jobs,
        timeout_ms: u64::try_from(arguments.timeout.as_millis()).unwrap_or(u64::MAX),
        strict: arguments.strict,
        known_failing: known.told(),
    }
}

fn proof(path: &Path) -> Result<ProofResult, Failure> {
    let proof = ProofReport::read(path, &cases::all()).map_err(|error| Failure::new(error.to_string()))?;
    Ok(proof.result())
}

fn not_yet(role: &str) -> Failure {
    Failure::new(format!("the role {role} is not in this version; broker and codec are"))
}

fn judged(arguments: &Run) -> Result<(Judged, Option<TempDir>), Failure> {
    let timeout = arguments.timeout;
    let cases = of_profile(cases::all(), arguments)?;
    let reads = arguments.role == Role::Codec;
    if reads && arguments.full {
        return Err(Failure::new("--full is for brokers: what reads messages has no times"));
    }
    let named = if let Some(address) = arguments.attach {
        Named { subject: reach::attached(address, timeout), folder: None }
    } else if let Some(name) = arguments.target.strip_prefix("saboteur:") {
        if reads {
            return Err(Failure::new("saboteurs are brokers: --role broker judges them"));
        }
        Named { subject: saboteur(name)?, folder: None }
    } else {
        let target: Target = arguments.target.parse()?;
        // The brokers of this project read messages as it does.
        if reads && target.command().is_none() {
            return Ok((Judged::OwnCodec, None));
        }
        if arguments.restart_cmd.is_some() && !target.is_server() {
            return Err(Failure::new("--restart-cmd is for a server that is reached by its address"));
        }
        let named = reach::subject(&target, timeout, arguments.restart_cmd.as_ref());
        named.map_err(|error| Failure::new(format!("cannot make a folder for stores: {error}")))?
    };
    let Named { subject, folder } = named;
    Ok((if reads { Judged::Codec(subject) } else { Judged::Broker(cases, subject) }, folder))
}

/// One of the brokers with a defect.
fn saboteur(name: &str) -> Result<Subject, Failure> {
    let found = saboteurs::all().into_iter().find(|saboteur| saboteur.name == name);
    let found = found.ok_or_else(|| {
        Failure::new(format!("no saboteur is named {name:?}; `workwire list saboteurs` has their names"))
    })?;
    Ok(found.subject())
}

/// A pattern that matches nothing is a typing error, and a run without it proves less than it seems.
pub(crate) fn matches_something(filter: &Filter, cases: &[CaseName]) -> Result<(), Failure> {
    // A part of every id, it would match all of them: a variable of a script that was never set.
    if filter.only.iter().chain(&filter.skip).any(|pattern| pattern.trim().is_empty()) {
        return Err(Failure::new("expected a pattern, found an empty one; `*` matches every case"));
    }
    let is_idle = |pattern: &&String| !cases.iter().any(|case| means(pattern, case.id, case.clauses));
    match filter.only.iter().chain(&filter.skip).find(is_idle) {
        None => Ok(()),
        Some(pattern) => Err(Failure::new(format!(
            "no case matches {:?}; a pattern is a part of a case's id, a clause or an area, and `workwire list` \
             has them",
            plain(pattern)
        ))),
    }
}

fn of_profile(cases: Vec<&'static Case>, arguments: &Run) -> Result<Vec<&'static Case>, Failure> {
    let Some(name) = &arguments.profile else { return Ok(cases) };
    if arguments.role != Role::Broker {
        return Err(Failure::new("--profile is for brokers: it is a set of what they claim"));
    }
    let Some(profile) = profiles::find(name) else {
        let known: Vec<&str> = profiles::ALL.iter().map(|profile| profile.name).collect();
        return Err(Failure::new(format!("no profile is named {name:?}; there are {}", known.join(", "))));
    };
    Ok(cases.into_iter().filter(|case| profile.covers(case)).collect())
}
