//! Profiles: sets of capabilities that stand for a whole kind of system. Of each a run tells whether
//! the broker holds what it asks for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use workwire::spec::{self, Clause, Role};
use workwire_broker::{Capabilities, Capability};

use crate::case::{Alone, Case};
use crate::plan;
use crate::verdict::Verdict;

/// A kind of system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    /// What a broker has to claim, besides `core`.
    pub capabilities: &'static [Capability],
    /// The highest priority that its queues have.
    pub max_priority: i64,
}

/// Every profile.
pub const ALL: &[Profile] = &[
    Profile {
        name: "work-bus",
        about: "Work for agents by urgency: durable queues of five priorities, in order, with dead letters.",
        capabilities: &[Capability::Priority, Capability::Fifo, Capability::DeadLetter, Capability::Durable],
        max_priority: 5,
    },
    Profile {
        name: "channels",
        about: "Channels between named agents: ten priorities, recipients, browsing, leases, presence, dead letters \
                after three attempts.",
        capabilities: &[
            Capability::Priority,
            Capability::Lease,
            Capability::Attempts,
            Capability::DeadLetter,
            Capability::Ttl,
            Capability::Addressing,
            Capability::Presence,
            Capability::Browse,
        ],
        max_priority: 10,
    },
    Profile {
        name: "events",
        about: "Events for groups of consumers: tenants apart from each other, backoff, replay, bounded queues.",
        capabilities: &[
            Capability::Lease,
            Capability::DeadLetter,
            Capability::Replay,
            Capability::Backoff,
            Capability::Groups,
            Capability::Tenancy,
            Capability::MaxLength,
        ],
        max_priority: 1,
    },
];

/// The profile of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Profile> {
    ALL.iter().find(|profile| profile.name == name)
}

/// What a broker is to a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Everything that it demands was looked at, and holds.
    Holds,
    /// A clause that it demands is broken.
    FallsShort,
    /// Nothing is broken, and not everything could be told.
    Unknown,
    /// The broker does not claim all of it.
    NotClaimed,
}

impl Standing {
    /// Its name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Standing::Holds => "holds",
            Standing::FallsShort => "falls_short",
            Standing::Unknown => "unknown",
            Standing::NotClaimed => "not_claimed",
        }
    }

    /// The same in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Standing::Holds => "holds",
            Standing::FallsShort => "falls short",
            Standing::Unknown => "unknown",
            Standing::NotClaimed => "not claimed",
        }
    }
}

/// What a run tells of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileReport {
    /// Its name.
    pub name: String,
    /// What the broker is to it.
    pub standing: Standing,
    /// How many of its cases pass.
    pub pass: usize,
    /// How many cases it has.
    pub of: usize,
    /// The clauses that are broken: a MUST each.
    pub broken: Vec<String>,
    /// The clauses that are broken, each a SHOULD: they do not take the profile away.
    pub warnings: Vec<String>,
    /// What is not claimed.
    pub missing: Vec<String>,
    /// The cases that stand in the way of an answer.
    pub in_the_way: Vec<String>,
}

impl Profile {
    /// Whether a case is one of its own: whether it needs nothing that the profile does not have.
    /// That something is durable shows only where the runner may stop the broker, so such cases belong
    /// to it; where the runner may not, they stand in the way.
    #[must_use]
    pub fn covers(&self, case: &Case) -> bool {
        // How an adapter writes its lines, and what a machine shows besides, is no part of any profile.
        let role = case.clauses.first().and_then(|id| spec::explain(id)).map(Clause::role);
        role.is_none_or(|role| role == Role::Broker)
            && case.needs.iter().all(|need| match need {
                Capability::Core => true,
                Capability::Restart => self.capabilities.contains(&Capability::Durable),
                other => self.capabilities.contains(other),
            })
    }

    /// What of it is not claimed.
    #[must_use]
    pub fn missing(&self, claimed: Capabilities, max_priority: i64) -> Vec<String> {
        let missing = self.capabilities.iter().filter(|capability| !claimed.has(**capability));
        let mut missing: Vec<String> = missing.map(|capability| capability.as_str().to_owned()).collect();
        let has_priorities = self.capabilities.contains(&Capability::Priority);
        if has_priorities && claimed.has(Capability::Priority) && max_priority < self.max_priority {
            missing.push(format!("priorities up to {} (up to {max_priority})", self.max_priority));
        }
        missing
    }

    /// What a run tells of it, by the cases of a suite. `came` says what became of a case that was in
    /// the run: its verdict, and the clauses under which it fails.
    pub fn judge<'a>(
        &self,
        cases: &[&'static Case],
        missing: Vec<String>,
        came: impl Fn(&str) -> Option<(Verdict, &'a [String])>,
    ) -> ProfileReport {
        let mut report = ProfileReport {
            name: self.name.to_owned(),
            standing: Standing::Unknown,
            pass: 0,
            of: 0,
            broken: Vec::new(),
            warnings: Vec::new(),
            missing,
            in_the_way: Vec::new(),
        };
        for case in cases.iter().filter(|case| self.covers(case)) {
            let came = came(case.id);
            // What is about an adapter, or needs the machine, says more where there is one, and is not
            // asked for where there is none.
            let was_run = came.is_some_and(|(verdict, _)| verdict != Verdict::Skipped);
            if !was_run
                && (plan::is_of_adapters(case) || matches!(case.alone, Alone::OnHost | Alone::OnHostWithSmallDisk))
            {
                continue;
            }
            report.of += 1;
            match came {
                Some((Verdict::Pass, _)) => report.pass += 1,
                Some((Verdict::Fail, broken)) => report.fail(case, broken),
                _ if plan::is_must(case) => report.in_the_way.push(case.id.to_owned()),
                _ => {}
            }
        }
        report.standing = if !report.missing.is_empty() {
            Standing::NotClaimed
        } else if !report.broken.is_empty() {
            Standing::FallsShort
        } else if !report.in_the_way.is_empty() || report.pass == 0 {
            Standing::Unknown
        } else {
            Standing::Holds
        };
        report
    }
}

impl ProfileReport {
    /// Why it is what it is, in words.
    #[must_use]
    pub fn why(&self) -> String {
        const SOME: usize = 6;
        let some = |all: &[String]| {
            let more = all.len().saturating_sub(SOME);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{}{more}", all[..all.len().min(SOME)].join(", "))
        };
        let warned = match self.warnings.as_slice() {
            [] => String::new(),
            warnings => format!("; warnings: {}", some(warnings)),
        };
        let cases = format!("{} of {} cases pass", self.pass, self.of);
        match self.standing {
            Standing::Holds => cases + &warned,
            Standing::FallsShort => format!("by {}; {cases}{warned}", some(&self.broken)),
            Standing::Unknown if self.in_the_way.is_empty() => format!("no case of it says anything{warned}"),
            Standing::Unknown => format!("for want of {}{warned}", some(&self.in_the_way)),
            Standing::NotClaimed => format!("missing: {}", some(&self.missing)),
        }
    }

    /// A case that fails by what it builds upon breaks its main clause.
    fn fail(&mut self, case: &Case, broken: &[String]) {
        let clauses = if plan::is_must(case) { &mut self.broken } else { &mut self.warnings };
        let main = case.clauses.first().map(|clause| (*clause).to_owned());
        let named = broken.iter().filter(|clause| !clause.is_empty()).cloned();
        let mut named: Vec<String> = named.collect();
        if named.is_empty() {
            named.extend(main);
        }
        for clause in named {
            if !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn case(id: &'static str, clauses: &'static [&'static str], needs: &'static [Capability]) -> Case {
        Case { id, clauses, needs, checks: &[], alone: Alone::No, run: |_| Box::pin(std::future::ready(Ok(()))) }
    }

    static CASES: [Case; 3] = [
        case("ack/core", &["ACK-1"], &[]),
        case("pri/first", &["ACK-2"], &[Capability::Priority]),
        case("ttl/gone", &["ACK-2"], &[Capability::Ttl]),
    ];

    fn work_bus(came: &[(&str, Verdict, &[String])]) -> ProfileReport {
        let cases: Vec<&'static Case> = CASES.iter().collect();
        find("work-bus").unwrap().judge(&cases, Vec::new(), |id| {
            came.iter().find(|(of, ..)| *of == id).map(|(_, verdict, broken)| (*verdict, *broken))
        })
    }

    #[test]
    fn a_profile_is_judged_by_the_cases_that_need_no_more_than_it_has() {
        let pass = ("ack/core", Verdict::Pass, &[][..]);
        let report = work_bus(&[pass, ("pri/first", Verdict::Pass, &[])]);
        assert_eq!((report.standing, report.pass, report.of), (Standing::Holds, 2, 2));
        let report = work_bus(&[pass, ("pri/first", Verdict::Fail, &["ACK-2".to_owned()])]);
        assert_eq!((report.standing, report.broken), (Standing::FallsShort, vec!["ACK-2".to_owned()]));
        let report = work_bus(&[pass, ("pri/first", Verdict::Fail, &[String::new()])]);
        assert_eq!(report.broken, ["ACK-2"], "what it builds upon is broken");
    }

    #[test]
    fn what_was_not_run_or_could_not_be_told_stands_in_the_way() {
        let pass = ("ack/core", Verdict::Pass, &[][..]);
        for verdict in [Verdict::Unknown, Verdict::Skipped, Verdict::SetupFailed] {
            let report = work_bus(&[pass, ("pri/first", verdict, &[])]);
            assert_eq!((report.standing, report.in_the_way), (Standing::Unknown, vec!["pri/first".to_owned()]));
        }
        assert_eq!(work_bus(&[pass]).standing, Standing::Unknown);
        assert_eq!(work_bus(&[]).standing, Standing::Unknown);
    }

    #[test]
    fn what_is_not_claimed_is_named() {
        let channels = find("channels").unwrap();
        let all = Capabilities::all();
        assert!(channels.missing(all, 10).is_empty());
        assert_eq!(channels.missing(all, 5), ["priorities up to 10 (up to 5)"]);
        assert_eq!(channels.missing(all.without(Capability::Ttl), 10), ["ttl"]);
        assert!(find("work-bus").unwrap().missing(all, 5).is_empty());
    }
}
