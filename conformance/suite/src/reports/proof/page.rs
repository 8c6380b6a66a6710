//! The proof as a page.

use serde::Serialize;
use workwire::spec::{self, Role};

use super::{ProofReport, ProvenSaboteur};
use crate::reports::file::ReportError;
use crate::reports::hostile;
use crate::reports::html::{self, Page, Wants};

impl ProofReport {
    /// As one file of HTML.
    ///
    /// # Errors
    /// Where it cannot be drawn, which none is known for.
    pub fn html(&self) -> Result<String, ReportError> {
        Page { template: "proof.html", view: &View::of(self), json: Wants::json(self)? }.drawn()
    }
}

#[derive(Serialize)]
struct View {
    title: &'static str,
    suite: String,
    suite_version: String,
    suite_digest: String,
    specification: String,
    state: &'static str,
    headline: &'static str,
    words: String,
    shortfalls: Vec<String>,
    areas: Vec<&'static str>,
    groups: Vec<Group>,
    saboteurs: Vec<SaboteurRow>,
    honest: Vec<HonestRow>,
    trivial: Vec<TrivialRow>,
}

#[derive(Serialize)]
struct Group {
    area: &'static str,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: &'static str,
    text: minijinja::Value,
    cases: Vec<String>,
    saboteurs: Vec<String>,
}

#[derive(Serialize)]
struct SaboteurRow {
    name: String,
    area: String,
    about: minijinja::Value,
    breaks: Vec<String>,
    caught_by: Vec<String>,
    spares: String,
}

#[derive(Serialize)]
struct TrivialRow {
    name: String,
    about: String,
    passed: Vec<String>,
}

#[derive(Serialize)]
struct HonestRow {
    name: String,
    about: String,
    pass: usize,
    skipped: usize,
    not_passed: Vec<String>,
}

impl View {
    fn of(proof: &ProofReport) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let has_case = |id: &str| proof.cases.iter().any(|case| case.clauses.iter().any(|clause| clause == id));
        let bound = |clause: &&spec::Clause| {
            matches!(clause.role(), Role::Broker | Role::Adapter | Role::Host) || has_case(clause.id())
        };
        for clause in spec::clauses().iter().filter(bound) {
            if groups.last().is_none_or(|group| group.area != clause.area()) {
                groups.push(Group { area: clause.area(), rows: Vec::new() });
            }
            if let Some(group) = groups.last_mut() {
                group.rows.push(Row::of(clause, proof));
            }
        }
        View {
            title: "The suite's proof · workwire",
            suite: clean(&proof.suite.name),
            suite_version: clean(&proof.suite.version),
            suite_digest: clean(&proof.suite.digest),
            specification: clean(&proof.specification.digest),
            state: if proof.holds { "pass" } else { "fail" },
            headline: if proof.holds { "The proof holds" } else { "The proof falls short" },
            words: proof.words(),
            shortfalls: proof.shortfalls.iter().map(|one| hostile::line(one, 2 * hostile::MOST_CHARACTERS)).collect(),
            areas: groups.iter().map(|group| group.area).collect(),
            groups,
            saboteurs: proof.saboteurs.iter().map(SaboteurRow::of).collect(),
            trivial: proof
                .trivial
                .iter()
                .map(|trivial| TrivialRow {
                    name: clean(&trivial.name),
                    about: clean(&trivial.about),
                    passed: trivial.passed.iter().map(|case| clean(case)).collect(),
                })
                .collect(),
            honest: proof
                .honest
                .iter()
                .map(|honest| HonestRow {
                    name: clean(&honest.name),
                    about: clean(&honest.about),
                    pass: honest.pass,
                    skipped: honest.skipped,
                    not_passed: honest.not_passed.iter().map(|one| clean(&one.case)).collect(),
                })
                .collect(),
        }
    }
}

impl Row {
    fn of(clause: &'static spec::Clause, proof: &ProofReport) -> Self {
        let is_of = |clauses: &[String]| clauses.iter().any(|one| one == clause.id());
        let cases: Vec<_> = proof.cases.iter().filter(|case| is_of(&case.clauses)).collect();
        let proves = |saboteur: &&ProvenSaboteur| {
            is_of(&saboteur.breaks) && cases.iter().any(|case| saboteur.caught_by.contains(&case.id))
        };
        Row {
            id: clause.id(),
            text: html::clause(clause.text()),
            cases: cases.iter().map(|case| clean(&case.id)).collect(),
            saboteurs: proof.saboteurs.iter().filter(proves).map(|saboteur| clean(&saboteur.name)).collect(),
        }
    }
}

impl SaboteurRow {
    fn of(saboteur: &ProvenSaboteur) -> Self {
        let spared = saboteur.others.saturating_sub(saboteur.others_not_passed.len());
        let main = saboteur.breaks.first().map_or("", String::as_str);
        SaboteurRow {
            name: clean(&saboteur.name),
            area: clean(main.split_once('-').map_or(main, |(area, _)| area)),
            about: html::clause(&saboteur.about),
            breaks: saboteur.breaks.iter().map(|clause| clean(clause)).collect(),
            caught_by: saboteur.caught_by.iter().map(|case| clean(case)).collect(),
            spares: format!("{spared} of {}", saboteur.others),
        }
    }
}

fn clean(text: &str) -> String {
    hostile::line(text, hostile::MOST_CHARACTERS)
}
