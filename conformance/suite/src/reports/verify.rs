//! Whether a report says what follows from its own cases, and speaks of this suite.

use std::collections::BTreeSet;
use std::fmt;

use workwire::spec;
use workwire_broker::Capability;

use super::collect::judged;
use super::digest;
use super::hostile;
use super::proof::ProofResult;
use super::run::{CaseReport, FORMAT, Level, RunReport, Summary};
use super::settings::{Role, Settings};
use crate::case::Case;
use crate::plan::{self, Figure};
use crate::verdict::Verdict;
use crate::{cases, codec, profiles};

/// Something in a report that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discrepancy {
    /// Where, as a JSON pointer.
    pub place: String,
    /// What follows from the rest of it.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clean = |text: &str| hostile::line(text, hostile::MOST_CHARACTERS);
        write!(f, "{}: expected {}, found {}", clean(&self.place), clean(&self.expected), clean(&self.found))
    }
}

/// Verifies a report by this suite: by the cases of the role in which the target was judged. It is
/// right where nothing is found.
#[must_use]
pub fn verify(report: &RunReport) -> Vec<Discrepancy> {
    let suite = match report.role() {
        Role::Broker => cases::all(),
        Role::Codec => codec::for_reports(),
    };
    let mut found = verify_against(report, &suite);
    found.extend(report.selftest.as_ref().map(selftest).unwrap_or_default());
    found
}

/// Whether the proof is one of this suite, and says what follows from its own numbers.
fn selftest(proof: &ProofResult) -> Vec<Discrepancy> {
    let mut found = Found(Vec::new());
    let proven = cases::all();
    found.same("/selftest/suite", &digest::suite(&proven), &proof.suite);
    found.same("/selftest/specification", &digest::specification(), &proof.specification);
    found.same("/selftest/cases", &proven.len(), &proof.cases);
    found.same("/selftest/holds", &proof.follows(), &proof.holds);
    found.0
}

/// Verifies a report by a suite of these cases.
#[must_use]
pub fn verify_against(report: &RunReport, suite: &[&'static Case]) -> Vec<Discrepancy> {
    let mut found = Found(Vec::new());
    found.same("/format", &FORMAT, &report.format);
    found.same("/complete", &true, &report.complete);
    found.same("/suite/name", &env!("CARGO_PKG_NAME"), &report.suite.name.as_str());
    found.same("/suite/version", &env!("CARGO_PKG_VERSION"), &report.suite.version.as_str());
    found.same("/suite/digest", &digest::suite(suite), &report.suite.digest);
    found.same("/specification/digest", &digest::specification(), &report.specification.digest);
    for (place, name) in report.target.capabilities.iter().enumerate() {
        if name.parse::<Capability>().is_err() {
            found.add(format!("/target/capabilities/{place}"), "a capability", name);
        }
    }
    let mut seen = BTreeSet::new();
    for (place, case) in report.cases.iter().enumerate() {
        let place = format!("/cases/{place}");
        if !seen.insert(case.id.as_str()) {
            found.add(format!("{place}/id"), "each case once", &case.id);
        }
        match suite.iter().find(|of| of.id == case.id) {
            Some(of) => found.case(&place, case, of, &report.target.capabilities),
            None => found.add(format!("{place}/id"), "a case of this suite", &case.id),
        }
    }
    if let Some(settings) = &report.settings {
        found.wanted(report, settings, suite);
    }
    found.same("/summary", &Summary::of(&report.cases), &report.summary);
    let profiles = judged(suite, &report.cases, &report.target);
    for (place, expected) in profiles.iter().enumerate() {
        match report.profiles.get(place) {
            Some(told) => found.same(&format!("/profiles/{place}"), expected, told),
            None => found.add(format!("/profiles/{place}"), &expected.name, "nothing"),
        }
    }
    if report.profiles.len() > profiles.len() {
        found.add("/profiles".to_owned(), &format!("{} of them", profiles.len()), &report.profiles.len().to_string());
    }
    found.0
}

struct Found(Vec<Discrepancy>);

impl Found {
    fn add(&mut self, place: String, expected: &str, found: &str) {
        self.0.push(Discrepancy { place, expected: expected.to_owned(), found: found.to_owned() });
    }

    fn same<T: PartialEq + fmt::Debug>(&mut self, place: &str, expected: &T, found: &T) {
        if expected != found {
            self.add(place.to_owned(), &format!("{expected:?}"), &format!("{found:?}"));
        }
    }

    /// Every case is there that the settings ask for, and no other; with the protocol's own time where
    /// it has one and that was asked for.
    fn wanted(&mut self, report: &RunReport, settings: &Settings, suite: &[&'static Case]) {
        if settings.profile.as_deref().is_some_and(|name| profiles::find(name).is_none()) {
            self.add("/settings/profile".to_owned(), "a profile", settings.profile.as_deref().unwrap_or_default());
        }
        for of in suite {
            let told = report.cases.iter().position(|case| case.id == of.id);
            match (settings.want(of), told) {
                (true, None) => {
                    self.add("/cases".to_owned(), &format!("{}, as the settings want it", of.id), "nothing");
                }
                (false, Some(place)) => {
                    self.add(format!("/cases/{place}/id"), "a case that the settings want", of.id);
                }
                (true, Some(place)) => {
                    let figure = Figure::of(of).map(|figure| figure.words).filter(|_| settings.full);
                    let case = &report.cases[place];
                    // Where it does not pass, it need not have come so far.
                    if case.verdict == Verdict::Pass || case.figure.is_some() {
                        self.same(&format!("/cases/{place}/figure"), &figure, &case.figure.as_deref());
                    }
                }
                (false, None) => {}
            }
        }
    }

    fn case(&mut self, place: &str, case: &CaseReport, of: &Case, claimed: &[String]) {
        self.same(&format!("{place}/clauses"), &of.clauses.to_vec(), &strs(&case.clauses));
        let level = if plan::is_must(of) { Level::Must } else { Level::Should };
        self.same(&format!("{place}/level"), &level, &case.level);
        let needs: Vec<&str> = of.needs.iter().map(|need| need.as_str()).collect();
        self.same(&format!("{place}/needs"), &needs, &strs(&case.needs));
        let claims = |need: &&str| *need == Capability::Core.as_str() || claimed.iter().any(|name| name == need);
        if case.verdict != Verdict::Skipped && !needs.iter().all(claims) {
            self.add(
                format!("{place}/verdict"),
                "skipped, since not all that it needs is claimed",
                case.verdict.as_str(),
            );
        }
        for (number, broken) in case.broken.iter().enumerate() {
            // Of a broken premise the clause is that of the step, which need not be the case's own.
            if !broken.clause.is_empty() && spec::explain(&broken.clause).is_none() {
                self.add(format!("{place}/broken/{number}/clause"), "a clause", &broken.clause);
            }
        }
        match case.verdict {
            Verdict::Fail if case.broken.is_empty() => {
                self.add(format!("{place}/broken"), "what is broken, since the case fails", "nothing");
            }
            Verdict::Pass if !case.broken.is_empty() => {
                self.add(format!("{place}/broken"), "nothing, since the case passes", &case.broken.len().to_string());
            }
            Verdict::Fail => {
                let first = case.broken.first().map(|broken| &broken.anomaly);
                let (expected, found) = (first.map(|first| &first.expected), first.map(|first| &first.found));
                self.same(&format!("{place}/expected"), &expected, &case.expected.as_ref());
                self.same(&format!("{place}/found"), &found, &case.found.as_ref());
            }
            _ => {}
        }
    }
}

fn strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
