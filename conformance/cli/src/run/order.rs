//! What was ordered, checked as a whole: nothing runs before all of it is right.

use std::path::PathBuf;

use workwire_broker::Target;
use workwire_conformance::plan::Filter;
use workwire_conformance::runner::{Brake, Options};
use workwire_conformance::subject::Subject;
use workwire_conformance::{Case, cases, profiles};

use super::histories::Histories;
use super::known::Known;
use super::reports;
use crate::arguments::{Role, Run};
use crate::exit::Failure;
use crate::reach;

pub(super) struct Order {
    pub(super) cases: Vec<&'static Case>,
    pub(super) subject: Subject,
    pub(super) options: Options,
    pub(super) known: Known,
    pub(super) strict: bool,
    pub(super) reports: Vec<PathBuf>,
    pub(super) histories: Histories,
}

impl Order {
    pub(super) fn of(arguments: &Run) -> Result<Self, Failure> {
        is_there_for(arguments.role)?;
        let subject = match arguments.attach {
            Some(address) => reach::attached(address, arguments.timeout),
            None => reach::subject(arguments.target.parse::<Target>()?, arguments.timeout),
        };
        let all = cases::all();
        let filter = Filter { only: arguments.only.clone(), skip: arguments.skip.clone() };
        matches_something(&filter, &all)?;
        let known = match &arguments.known_failing {
            Some(path) => Known::read(path, &all)?,
            None => Known::default(),
        };
        reports::can_be_written(&arguments.report)?;
        let histories = Histories::to(arguments.histories.as_deref(), arguments.report.first().map(PathBuf::as_path))?;
        Ok(Order {
            cases: of_profile(all, arguments.profile.as_deref())?,
            subject,
            options: Options {
                filter,
                seed: arguments.seed.unwrap_or_else(|| fastrand::u64(..)),
                jobs: arguments.jobs,
                timeout: arguments.timeout,
                brake: Brake::default(),
            },
            known,
            strict: arguments.strict,
            reports: arguments.report.clone(),
            histories,
        })
    }
}

fn is_there_for(role: Role) -> Result<(), Failure> {
    let role = match role {
        Role::Broker => return Ok(()),
        Role::Codec => "codec",
        Role::Agent => "agent",
        Role::Orchestrator => "orchestrator",
    };
    Err(Failure::new(format!("the role {role} cannot be judged by this version; broker can")))
}

/// A pattern that matches nothing is a typing error, and a run without it proves less than it seems.
pub(crate) fn matches_something(filter: &Filter, cases: &[&'static Case]) -> Result<(), Failure> {
    match filter.idle(cases).first() {
        None => Ok(()),
        Some(pattern) => Err(Failure::new(format!(
            "no case matches {pattern:?}; a pattern is a part of a case's id, a clause or an area, and `workwire list` \
             has them"
        ))),
    }
}

fn of_profile(cases: Vec<&'static Case>, name: Option<&str>) -> Result<Vec<&'static Case>, Failure> {
    let Some(name) = name else { return Ok(cases) };
    let Some(profile) = profiles::find(name) else {
        let known: Vec<&str> = profiles::ALL.iter().map(|profile| profile.name).collect();
        return Err(Failure::new(format!("no profile is named {name:?}; there are {}", known.join(", "))));
    };
    Ok(cases.into_iter().filter(|case| profile.covers(case)).collect())
}
