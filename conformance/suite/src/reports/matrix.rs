//! Several runs side by side, clause by clause.

mod claims;
mod page;

use std::fmt::Write as _;

use serde::Serialize;
use workwire::spec;
use workwire_broker::Capability;

use super::hostile;
use super::markdown::escaped;
use super::run::{CaseReport, RunReport};
use crate::profiles::Standing;
use crate::verdict::Verdict;

/// Several runs side by side.
#[derive(Debug, Clone, Serialize)]
pub struct SideBySide {
    /// The runs, each by what it judged.
    pub sides: Vec<Side>,
    /// The clauses that any of them speaks of, in the order of the specification.
    pub clauses: Vec<Clause>,
}

/// One of the runs.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    /// What the target calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its address.
    pub address: String,
    /// With which the run can be repeated.
    pub seed: u64,
    /// When it began.
    pub started_at: String,
    /// The version of the suite that judged.
    pub suite: String,
    /// What it claims.
    pub claims: Vec<String>,
    /// Its cases, in one sentence.
    pub summary: String,
    /// What the target is to each profile: the profile's name, the standing, and why.
    pub profiles: Vec<(String, Standing, String)>,
}

/// A clause, and what it came to in each run.
#[derive(Debug, Clone, Serialize)]
pub struct Clause {
    /// The clause.
    pub id: String,
    /// In each run.
    pub told: Vec<Told>,
}

/// What a clause came to in one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The worst of its cases; nothing where the run has none of it.
    pub verdict: Option<Verdict>,
    /// Whether it is a SHOULD: then a failure is a warning.
    pub should: bool,
    /// Why, in a few words.
    pub why: String,
}

/// What a target is to a profile, and why; nothing where its run does not say.
type Stood = (Option<Standing>, String);

impl Told {
    const fn key(&self) -> &'static str {
        match self.verdict {
            Some(Verdict::Fail) if self.should => "warning",
            Some(verdict) => verdict.as_str(),
            None => "none",
        }
    }

    const fn word(&self) -> &'static str {
        match self.verdict {
            Some(Verdict::Fail) if self.should => "warning",
            Some(Verdict::SetupFailed) => "no setup",
            Some(verdict) => verdict.as_str(),
            None => "–",
        }
    }
}

impl Clause {
    fn text(&self) -> &'static str {
        spec::explain(&self.id).map_or("no clause of this suite", spec::Clause::text)
    }

    fn area(&self) -> &str {
        self.id.split_once('-').map_or(self.id.as_str(), |(area, _)| area)
    }

    /// Whether the runs tell different things of it.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.told.windows(2).any(|pair| pair[0].key() != pair[1].key())
    }
}

impl SideBySide {
    /// Puts runs side by side.
    #[must_use]
    pub fn of(reports: &[RunReport]) -> Self {
        let mut ids: Vec<&str> = Vec::new();
        for id in reports.iter().flat_map(|report| &report.cases).flat_map(|case| &case.clauses) {
            if !ids.contains(&id.as_str()) {
                ids.push(id);
            }
        }
        let place = |id: &&str| spec::clauses().iter().position(|clause| clause.id() == *id).unwrap_or(usize::MAX);
        ids.sort_by_key(place);
        let told = |id: &str| reports.iter().map(|report| told(report, id)).collect();
        SideBySide {
            sides: reports.iter().map(Side::of).collect(),
            clauses: ids.into_iter().map(|id| Clause { id: clean(id), told: told(id) }).collect(),
        }
    }

    /// As Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let names: Vec<String> = self.sides.iter().map(|side| escaped(&side.called())).collect();
        let mut page = format!("# Brokers side by side\n\nMade by\n\n{}\n", self.making());
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(page, "| | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
        for row in self.profiles() {
            let cells: Vec<&str> = row.1.iter().map(|cell| cell.0.map_or("–", Standing::words)).collect();
            let _ = writeln!(page, "| **{}** | {} |", escaped(&row.0), cells.join(" | "));
        }
        let summaries: Vec<String> = self.sides.iter().map(|side| escaped(&side.summary)).collect();
        let _ = writeln!(page, "| cases | {} |\n", summaries.join(" | "));
        let _ = writeln!(page, "{}", self.claims());
        let _ = writeln!(
            page,
            "| clause | {} | what it says |\n|---|{}---|",
            names.join(" | "),
            "---|".repeat(names.len())
        );
        for clause in &self.clauses {
            let cells: Vec<String> = clause.told.iter().map(marked).collect();
            let _ = writeln!(page, "| {} | {} | {} |", clause.id, cells.join(" | "), clause.text().replace('|', "\\|"));
        }
        page
    }

    /// As lines of text.
    #[must_use]
    pub fn text(&self) -> String {
        let names: Vec<String> = self.sides.iter().map(Side::called).collect();
        let widths: Vec<usize> = names.iter().map(|name| name.chars().count().max(11)).collect();
        let profiles = self.profiles();
        let firsts =
            profiles.iter().map(|row| row.0.as_str()).chain(self.clauses.iter().map(|clause| clause.id.as_str()));
        let first = firsts.map(|name| name.chars().count()).max().unwrap_or(0).max(8);
        let mut text = String::new();
        let mut line = |head: &str, cells: &[&str]| {
            let mut line = format!("{head:first$}");
            for (cell, width) in cells.iter().zip(&widths) {
                let _ = write!(line, "  {cell:width$}");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        };
        line("", &names.iter().map(String::as_str).collect::<Vec<_>>());
        for (name, cells) in &profiles {
            line(name, &cells.iter().map(|cell| cell.0.map_or("–", Standing::words)).collect::<Vec<_>>());
        }
        line("", &[]);
        for clause in &self.clauses {
            line(&clause.id, &clause.told.iter().map(Told::word).collect::<Vec<_>>());
        }
        for side in &self.sides {
            let _ = writeln!(text, "\n{}: {}", side.called(), side.summary);
        }
        text
    }

    /// Each profile that any run speaks of, with what each says.
    fn profiles(&self) -> Vec<(String, Vec<Stood>)> {
        let mut names: Vec<&String> = Vec::new();
        for (name, ..) in self.sides.iter().flat_map(|side| &side.profiles) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let cell = |side: &Side, name: &str| {
            let found = side.profiles.iter().find(|profile| profile.0 == name);
            found.map_or((None, String::new()), |(_, standing, why)| (Some(*standing), why.clone()))
        };
        let row = |name: &String| (name.clone(), self.sides.iter().map(|side| cell(side, name)).collect());
        names.into_iter().map(row).collect()
    }
}

impl Side {
    fn of(report: &RunReport) -> Self {
        let profiles = report.profiles.iter();
        Side {
            name: clean(&report.target.name),
            version: clean(&report.target.version),
            address: clean(&report.target.address),
            seed: report.seed,
            started_at: clean(&report.started_at),
            suite: clean(&report.suite.version),
            claims: report.target.capabilities.iter().map(|name| clean(name)).collect(),
            summary: report.summary.words(),
            profiles: profiles.map(|one| (clean(&one.name), one.standing, clean(&one.why()))).collect(),
        }
    }

    fn has(&self, capability: Capability) -> bool {
        self.claims.iter().any(|claimed| claimed == capability.as_str())
    }

    fn called(&self) -> String {
        format!("{} {}", self.name, self.version).trim().to_owned()
    }
}

/// What a clause came to: the worst of its cases. A case that fails under another clause may never have
/// come to this one, so it says nothing of it.
fn told(report: &RunReport, id: &str) -> Told {
    let cases = report.cases.iter().filter(|case| case.clauses.iter().any(|clause| clause == id));
    let mut all: Vec<(Verdict, &CaseReport)> = cases.map(|case| (of_clause(case, id), case)).collect();
    all.sort_by_key(|(verdict, _)| rank(*verdict));
    let should = spec::explain(id).is_some_and(|clause| clause.level() == spec::Level::Should);
    let Some((verdict, case)) = all.first() else { return Told { verdict: None, should, why: String::new() } };
    let why = match verdict {
        Verdict::Fail => {
            let failed = all.iter().filter(|(verdict, _)| *verdict == Verdict::Fail).map(|(_, case)| case.id.as_str());
            failed.collect::<Vec<_>>().join(", ")
        }
        Verdict::Unknown if case.verdict == Verdict::Fail => format!("{} fails before it", case.id),
        Verdict::Unknown | Verdict::Skipped | Verdict::SetupFailed => case.reason.clone(),
        Verdict::Pass => String::new(),
    };
    Told { verdict: Some(*verdict), should, why: hostile::line(&why, 160) }
}

fn of_clause(case: &CaseReport, id: &str) -> Verdict {
    let broken = case.broken_clauses();
    match case.verdict {
        Verdict::Fail if broken.is_empty() || broken.iter().any(|clause| clause == id) => Verdict::Fail,
        Verdict::Fail => Verdict::Unknown,
        verdict => verdict,
    }
}

/// The worst first; that one case was skipped does not matter where another ran.
const fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 0,
        Verdict::SetupFailed => 1,
        Verdict::Unknown => 2,
        Verdict::Pass => 3,
        Verdict::Skipped => 4,
    }
}

fn marked(told: &Told) -> String {
    match told.verdict {
        Some(Verdict::Fail) => format!("**{}**", told.word()),
        _ => told.word().to_owned(),
    }
}

fn clean(text: &str) -> String {
    hostile::line(text, hostile::MOST_CHARACTERS)
}
