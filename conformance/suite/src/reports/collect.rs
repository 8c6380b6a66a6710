//! From events to a report.

use std::collections::BTreeSet;

use workwire_broker::{Capabilities, Capability};

use super::hostile::{self, MOST_CHARACTERS};
use super::proof::ProofResult;
use super::run::{CaseReport, FORMAT, Level, LittlePicture, RunReport, SpecificationDigest, SuiteDigest, Summary};
use super::settings::Settings;
use super::shown::Shown;
use crate::case::Case;
use crate::cases;
use crate::event::{Beginning, Ended, Event, Judged};
use crate::history::{History, Number};
use crate::profiles::{self, ProfileReport};
use crate::verdict::{Broken, Verdict};

/// The most operations that are named as showing what is wrong.
const MOST_OFFENDERS: usize = 40;

/// The most operations around them.
const MOST_AROUND: usize = 400;

/// The most anomalies of one case.
const MOST_BROKEN: usize = 50;

/// Takes events and makes a report of them.
#[derive(Debug, Clone)]
pub struct Collector {
    suite: Vec<&'static Case>,
    beginning: Option<Beginning>,
    cases: Vec<CaseReport>,
    left_behind: Vec<String>,
    misbehaved: Vec<String>,
    findings: usize,
    ended: Option<(u64, bool)>,
    settings: Option<Settings>,
    selftest: Option<ProofResult>,
}

impl Default for Collector {
    fn default() -> Self {
        Collector::of(cases::all())
    }
}

impl Collector {
    /// For a suite of these cases: profiles are judged by all of them, whether they were run or not. Of
    /// none where what is judged is no broker: then there are no profiles, and cases stay in their order.
    #[must_use]
    pub const fn of(suite: Vec<&'static Case>) -> Self {
        Collector {
            suite,
            beginning: None,
            cases: Vec::new(),
            left_behind: Vec::new(),
            misbehaved: Vec::new(),
            findings: 0,
            ended: None,
            settings: None,
            selftest: None,
        }
    }

    /// The same, where it is known how the run was told to be done.
    #[must_use]
    pub fn told(self, settings: Settings) -> Self {
        Collector { settings: Some(settings), ..self }
    }

    /// The same, with what the suite's proof of itself came to, where there is one.
    #[must_use]
    pub fn proven(self, selftest: Option<ProofResult>) -> Self {
        Collector { selftest, ..self }
    }

    /// Takes what a run tells next.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Began(beginning) => self.beginning = Some(beginning.clone()),
            Event::CaseEnded(ended) => self.cases.push(self.case(ended)),
            Event::LeftBehind { what } => self.left_behind.push(hostile::line(what, MOST_CHARACTERS)),
            Event::Misbehaved(finding) => {
                self.findings += 1;
                if self.findings <= MOST_BROKEN {
                    self.misbehaved.push(hostile::line(&finding.to_string(), MOST_CHARACTERS));
                }
            }
            Event::Ended { duration_ms, broken_off } => self.ended = Some((*duration_ms, *broken_off)),
            Event::CaseBegan { .. } | Event::CaseAgain { .. } => {}
        }
    }

    /// What the run came to so far; nothing where it never began. It is complete where it ended by itself,
    /// and told what each of its cases came to.
    #[must_use]
    pub fn report(mut self) -> Option<RunReport> {
        let beginning = self.beginning.take()?;
        let place = |case: &CaseReport| self.suite.iter().position(|of| of.id == case.id).unwrap_or(usize::MAX);
        self.cases.sort_by_cached_key(place);
        let (duration_ms, broken_off) = self.ended.unwrap_or((0, true));
        let target = cleaned(&beginning.target);
        if self.findings > self.misbehaved.len() {
            self.misbehaved.push(format!("and {} more", self.findings - self.misbehaved.len()));
        }
        let profiles = judged(&self.suite, &self.cases, &target);
        Some(RunReport {
            format: FORMAT,
            suite: SuiteDigest {
                name: beginning.suite.name,
                version: beginning.suite.version,
                ..SuiteDigest::of(&self.suite)
            },
            specification: SpecificationDigest::here(),
            target,
            settings: self.settings,
            selftest: self.selftest,
            seed: beginning.seed,
            started_at: beginning.started_at,
            duration_ms,
            summary: Summary::of(&self.cases),
            profiles,
            left_behind: self.left_behind,
            misbehaved: self.misbehaved,
            complete: !broken_off && self.cases.len() == beginning.cases,
            cases: self.cases,
        })
    }

    fn case(&self, ended: &Ended) -> CaseReport {
        let needs = self.suite.iter().find(|case| case.id == ended.id).map_or(&[][..], |case| case.needs);
        let failed = ended.verdict == Verdict::Fail;
        let first = ended.broken.first().filter(|_| failed);
        let history = ended.history.as_ref().filter(|_| failed || ended.verdict == Verdict::Unknown);
        let offenders = offenders(&ended.broken);
        CaseReport {
            id: ended.id.to_owned(),
            clauses: ended.clauses.iter().map(|clause| (*clause).to_owned()).collect(),
            level: if ended.must { Level::Must } else { Level::Should },
            needs: needs.iter().map(|need| need.as_str().to_owned()).collect(),
            verdict: ended.verdict,
            duration_ms: ended.duration_ms,
            reason: hostile::lines(&ended.reason, MOST_CHARACTERS),
            expected: first.map(|broken| hostile::lines(&broken.anomaly.expected, MOST_CHARACTERS)),
            found: first.map(|broken| hostile::lines(&broken.anomaly.found, MOST_CHARACTERS)),
            operations: history.map(|history| shown(history, offenders.iter().copied())).unwrap_or_default(),
            broken: ended.broken.iter().take(MOST_BROKEN).map(told).collect(),
            history: history.map(|history| around(history, &offenders)),
            log: hostile::log(&ended.log),
            figure: ended.figure.map(str::to_owned),
        }
    }
}

/// What a broker is to each profile; nothing where the cases are not those of brokers.
pub(super) fn judged(suite: &[&'static Case], cases: &[CaseReport], target: &Judged) -> Vec<ProfileReport> {
    let claimed: Capabilities = target.capabilities.iter().filter_map(|name| name.parse::<Capability>().ok()).collect();
    let broken: Vec<Vec<String>> = cases.iter().map(CaseReport::broken_clauses).collect();
    let came = |id: &str| {
        let place = cases.iter().position(|case| case.id == id)?;
        Some((cases[place].verdict, broken[place].as_slice()))
    };
    let max_priority = target.limits.map_or(i64::MAX, |limits| limits.max_priority);
    let all = profiles::ALL.iter().filter(|profile| suite.iter().any(|case| profile.covers(case)));
    all.map(|profile| profile.judge(suite, profile.missing(claimed, max_priority), came)).collect()
}

fn cleaned(target: &Judged) -> Judged {
    let clean = |text: &str| hostile::line(text, 200);
    Judged {
        address: clean(&target.address),
        name: clean(&target.name),
        version: clean(&target.version),
        language: target.language.as_deref().map(clean),
        capabilities: target.capabilities.iter().map(|name| clean(name)).collect(),
        limits: target.limits,
        choices: target.choices,
    }
}

fn told(broken: &Broken) -> Broken {
    let mut told = broken.clone();
    told.anomaly.expected = hostile::lines(&told.anomaly.expected, MOST_CHARACTERS);
    told.anomaly.found = hostile::lines(&told.anomaly.found, MOST_CHARACTERS);
    told.anomaly.operations.truncate(MOST_OFFENDERS);
    told
}

/// The operations that show what is wrong, of each anomaly the first and the last ones.
fn offenders(broken: &[Broken]) -> BTreeSet<Number> {
    let mut offenders = BTreeSet::new();
    for broken in broken {
        for number in ends(&broken.anomaly.operations, MOST_OFFENDERS / 2) {
            if offenders.len() < MOST_OFFENDERS {
                offenders.insert(number);
            }
        }
    }
    offenders
}

fn ends(all: &[Number], of_each: usize) -> impl Iterator<Item = Number> + '_ {
    let last = all.len().saturating_sub(of_each).max(of_each.min(all.len()));
    all.iter().take(of_each).chain(&all[last..]).copied()
}

/// The operations around the offenders: as many before and after each as there is room for.
fn around(history: &History, offenders: &BTreeSet<Number>) -> LittlePicture {
    let total = history.operations().len();
    let mut chosen: BTreeSet<usize> = BTreeSet::new();
    if total <= MOST_AROUND {
        chosen.extend(0..total);
    } else {
        chosen.extend(offenders.iter().map(|number| number.index()).filter(|index| *index < total));
        if chosen.is_empty() {
            chosen.insert(total - 1);
        }
        let centres: Vec<usize> = chosen.iter().copied().collect();
        // What led to it says more than what came after.
        for distance in 1..total {
            for centre in &centres {
                for place in [centre.checked_sub(distance), Some(centre + distance / 2)].into_iter().flatten() {
                    if chosen.len() < MOST_AROUND && place < total {
                        chosen.insert(place);
                    }
                }
            }
            if chosen.len() >= MOST_AROUND {
                break;
            }
        }
    }
    let left_out = total - chosen.len();
    let operations = shown(history, chosen.into_iter().map(Number::of));
    LittlePicture { operations, left_out, stall_ms: history.about.stall / 1_000 }
}

fn shown(history: &History, numbers: impl Iterator<Item = Number>) -> Vec<Shown> {
    numbers.filter_map(|number| Shown::of(history, number)).collect()
}
