//! A run as a page.

use std::collections::BTreeSet;

use minijinja::Value;
use serde::Serialize;
use workwire::spec;

use super::broken::{BrokenClause, broken_clauses};
use super::page::{self, Page, Wants};
use crate::profiles::Standing;
use crate::reports::facts::duration;
use crate::reports::file::ReportError;
use crate::reports::hostile;
use crate::reports::picture::picture;
use crate::reports::run::{CaseReport, Level, RunReport};
use crate::reports::shown::{Names, Shown};
use crate::verdict::Verdict;

/// How many failed cases are unfolded from the start.
const UNFOLDED: usize = 6;

/// As one file of HTML.
///
/// # Errors
/// Where it cannot be drawn, which no report is known for.
pub fn run_html(report: &RunReport) -> Result<String, ReportError> {
    let view = View::of(report);
    Page { template: "run.html", view: &view, json: Wants::json(report)? }.drawn()
}

#[derive(Serialize)]
struct View {
    title: String,
    name: String,
    version: String,
    address: String,
    language: Option<String>,
    capabilities: Vec<String>,
    limits: String,
    headline: String,
    state: &'static str,
    complete: bool,
    /// Which cases alone were wanted, where not all of them were.
    narrowed: String,
    broken: Vec<BrokenClause>,
    more_broken: usize,
    facts: Vec<(&'static str, String)>,
    counts: Vec<Count>,
    areas: Vec<String>,
    profiles: Vec<ProfileView>,
    left_behind: Vec<String>,
    misbehaved: Vec<String>,
    cases: Vec<CaseView>,
}

#[derive(Serialize)]
struct Count {
    key: &'static str,
    word: &'static str,
    number: usize,
    /// Where it begins in the bar, and how wide it is there, of a thousand.
    from: usize,
    width: usize,
}

#[derive(Serialize)]
struct ProfileView {
    name: String,
    standing: &'static str,
    words: &'static str,
    why: String,
    about: &'static str,
}

#[derive(Serialize)]
struct CaseView {
    id: String,
    area: String,
    key: &'static str,
    word: &'static str,
    duration: String,
    figure: Option<String>,
    open: bool,
    clauses: Vec<ClauseView>,
    needs: String,
    reason: String,
    expected: Option<String>,
    found: Option<String>,
    broken: Vec<BrokenView>,
    operations: Vec<Line>,
    names: Vec<(String, String)>,
    picture: Option<PictureView>,
    log: String,
}

#[derive(Serialize)]
struct ClauseView {
    id: String,
    text: Value,
    level: &'static str,
    broken: bool,
}

#[derive(Serialize)]
struct BrokenView {
    clause: String,
    kind: &'static str,
    expected: String,
    found: String,
}

#[derive(Serialize)]
struct Line {
    number: u32,
    time: String,
    client: String,
    asked: String,
    answered: String,
    outcome: &'static str,
    offends: bool,
}

#[derive(Serialize)]
struct PictureView {
    lanes: Value,
    bars: Value,
    total: usize,
    left_out: usize,
    stall_ms: u64,
    lines: Vec<Line>,
}

impl View {
    fn of(report: &RunReport) -> Self {
        let target = &report.target;
        let (name, version) = (clean(&target.name), clean(&target.version));
        let mut areas: Vec<String> = Vec::new();
        for case in &report.cases {
            if !areas.iter().any(|area| area == case.area()) {
                areas.push(case.area().to_owned());
            }
        }
        let mut cases: Vec<&CaseReport> = report.cases.iter().collect();
        // What needs a look stands first; within that, the order of the specification.
        cases.sort_by_key(|case| rank(case));
        let (broken, more_broken) = broken_clauses(report);
        let views = cases.iter().enumerate().map(|(place, case)| CaseView::of(case, place < UNFOLDED)).collect();
        View {
            title: format!("{name} {version} · workwire"),
            address: clean(&target.address),
            language: target.language.as_deref().map(clean),
            capabilities: target.capabilities.iter().map(|capability| clean(capability)).collect(),
            limits: target.limits.map_or_else(String::new, |limits| {
                let (priority, bytes) = (limits.max_priority, limits.max_message_bytes);
                format!("priorities up to {priority}, bodies up to {bytes} bytes")
            }),
            headline: headline(report),
            state: state(report),
            complete: report.complete,
            narrowed: report.settings.as_ref().map_or_else(String::new, |settings| clean(&settings.narrowed())),
            broken,
            more_broken,
            facts: report.facts().into_iter().map(|(name, value)| (name, clean(&value))).collect(),
            counts: counts(report),
            areas,
            profiles: report
                .profiles
                .iter()
                .map(|profile| ProfileView {
                    name: clean(&profile.name),
                    standing: profile.standing.as_str(),
                    words: profile.standing.words(),
                    why: clean(&profile.why()),
                    about: crate::profiles::find(&profile.name).map_or("", |profile| profile.about),
                })
                .collect(),
            left_behind: report.left_behind.iter().map(|what| clean(what)).collect(),
            misbehaved: report.misbehaved.iter().map(|what| clean(what)).collect(),
            cases: views,
            name,
            version,
        }
    }
}

fn headline(report: &RunReport) -> String {
    let summary = &report.summary;
    let held = report.profiles.iter().filter(|profile| profile.standing == Standing::Holds);
    let held: Vec<String> = held.map(|profile| clean(&profile.name)).collect();
    match (summary.must_fail(), summary.unknown + summary.setup_failed) {
        _ if summary.ran() == 0 => "Nothing ran".to_owned(),
        (0, 0) if held.is_empty() => "Nothing is broken".to_owned(),
        (0, 0) => format!("Holds {}", held.join(", ")),
        (0, untold) => format!("Nothing is broken, {untold} could not be told"),
        (1, _) => "1 case fails".to_owned(),
        (fail, _) => format!("{fail} cases fail"),
    }
}

fn state(report: &RunReport) -> &'static str {
    let summary = &report.summary;
    if summary.must_fail() > 0 || summary.setup_failed > 0 {
        "fail"
    } else if summary.unknown > 0 || summary.warnings > 0 || summary.pass == 0 {
        "unknown"
    } else {
        "pass"
    }
}

fn counts(report: &RunReport) -> Vec<Count> {
    let summary = &report.summary;
    let all = [
        ("fail", "fail", summary.must_fail()),
        ("warning", "warning", summary.warnings),
        ("setup_failed", "no setup", summary.setup_failed),
        ("unknown", "unknown", summary.unknown),
        ("pass", "pass", summary.pass),
        ("skipped", "skipped", summary.skipped),
    ];
    let total = summary.total.max(1);
    let mut before = 0;
    let mut counts = Vec::new();
    for (key, word, number) in all {
        let from = before * 1_000 / total;
        before += number;
        counts.push(Count { key, word, number, from, width: (before * 1_000 / total).saturating_sub(from) });
    }
    counts
}

fn rank(case: &CaseReport) -> u8 {
    match (case.verdict, case.level) {
        (Verdict::Fail, Level::Must) => 0,
        (Verdict::Fail, Level::Should) => 1,
        (Verdict::SetupFailed, _) => 2,
        (Verdict::Unknown, _) => 3,
        (Verdict::Pass, _) => 4,
        (Verdict::Skipped, _) => 5,
    }
}

impl CaseView {
    fn of(case: &CaseReport, may_unfold: bool) -> Self {
        let names = case.names();
        let (key, word) = match (case.verdict, case.level) {
            (Verdict::Fail, Level::Should) => ("warning", "warning"),
            (Verdict::SetupFailed, _) => ("setup_failed", "no setup"),
            (verdict, _) => (verdict.as_str(), verdict.as_str()),
        };
        let told = |text: &Option<String>| text.as_deref().map(|text| names.within(&clean(text)));
        let offenders: BTreeSet<u32> = case.operations.iter().map(|operation| operation.number).collect();
        let broken = case.broken_clauses();
        CaseView {
            id: clean(&case.id),
            area: clean(case.area()),
            key,
            word,
            duration: duration(case.duration_ms),
            figure: case.figure.as_deref().map(clean),
            open: may_unfold && case.verdict == Verdict::Fail,
            clauses: case.clauses.iter().map(|id| ClauseView::of(id, broken.contains(id))).collect(),
            needs: clean(&case.needs.join(", ")),
            reason: names.within(&clean(&case.reason)),
            expected: told(&case.expected),
            found: told(&case.found),
            broken: case
                .broken
                .iter()
                .skip(1)
                .map(|broken| BrokenView {
                    clause: clean(&broken.clause),
                    kind: broken.anomaly.kind.as_str(),
                    expected: names.within(&clean(&broken.anomaly.expected)),
                    found: names.within(&clean(&broken.anomaly.found)),
                })
                .collect(),
            operations: case.operations.iter().map(|operation| Line::of(operation, &names, &offenders)).collect(),
            names: names.iter().take(100).map(|(name, id)| (name.to_owned(), id.to_owned())).collect(),
            picture: case.history.as_ref().filter(|history| !history.operations.is_empty()).map(|history| {
                let drawn = picture(&history.operations, &offenders, &names);
                PictureView {
                    lanes: Value::from_safe_string(drawn.lanes),
                    bars: Value::from_safe_string(drawn.bars),
                    total: history.operations.len(),
                    left_out: history.left_out,
                    stall_ms: history.stall_ms,
                    lines: history.operations.iter().map(|one| Line::of(one, &names, &offenders)).collect(),
                }
            }),
            log: hostile::lines(&case.log, 2 * hostile::MOST_OF_A_LOG),
        }
    }
}

impl ClauseView {
    fn of(id: &str, broken: bool) -> Self {
        let clause = spec::explain(id);
        ClauseView {
            id: clean(id),
            text: page::clause(clause.map_or("no clause of this suite", spec::Clause::text)),
            level: clause.map_or("", |clause| if clause.level() == spec::Level::Must { "must" } else { "should" }),
            broken,
        }
    }
}

impl Line {
    fn of(operation: &Shown, names: &Names, offenders: &BTreeSet<u32>) -> Self {
        let end = operation.ended_ms.map_or_else(|| "…".to_owned(), |ms| format!("{ms:.3}"));
        Line {
            number: operation.number,
            time: format!("{:.3}–{end}", operation.began_ms),
            client: clean(&operation.client),
            asked: clean(&operation.asked(names)),
            answered: clean(&operation.answered(names)),
            outcome: operation.outcome.as_str(),
            offends: offenders.contains(&operation.number),
        }
    }
}

fn clean(text: &str) -> String {
    hostile::line(text, 2 * hostile::MOST_CHARACTERS)
}
