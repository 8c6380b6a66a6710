//! A run as `JUnit` XML, which continuous integration shows: a suite for each area, a test for each case.

use std::fmt::Write as _;

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use workwire::spec;

use super::file::ReportError;
use super::hostile;
use super::run::{CaseReport, Level, RunReport};
use crate::verdict::Verdict;

/// As `JUnit` XML. What is unknown or could not be set up is an error, since it is no pass; a SHOULD that
/// fails is a failure, and its type says that it is a warning. What an adapter did that its protocol
/// does not allow belongs to no case, and fails a test of its own.
///
/// # Errors
/// Where it cannot be put into XML, which no report is known for.
pub fn run_junit(report: &RunReport) -> Result<String, ReportError> {
    let mut junit = Report::new(clean(&format!("workwire {} {}", report.target.name, report.target.version)));
    junit.set_time(Duration::from_millis(report.duration_ms));
    let mut areas: Vec<&str> = Vec::new();
    for case in &report.cases {
        if !areas.contains(&case.area()) {
            areas.push(case.area());
        }
    }
    for area in areas {
        let mut suite = TestSuite::new(clean(area));
        for case in report.cases.iter().filter(|case| case.area() == area) {
            suite.add_test_case(test(case));
        }
        junit.add_test_suite(suite);
    }
    if !(report.misbehaved.is_empty() && report.left_behind.is_empty()) {
        junit.add_test_suite(around(report));
    }
    junit.to_string().map_err(|error| ReportError::new(format!("cannot be written as XML: {error}")))
}

/// What happened outside of any case.
fn around(report: &RunReport) -> TestSuite {
    let mut suite = TestSuite::new("run");
    let all = |lines: &[String]| hostile::lines(&lines.join("\n"), 20_000);
    if !report.misbehaved.is_empty() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        let many = report.misbehaved.len();
        status.set_message(format!("the adapter did what its protocol does not allow: {many}"));
        status.set_type("misbehaved");
        status.set_description(all(&report.misbehaved));
        suite.add_test_case(TestCase::new("run/the_adapter_keeps_to_its_protocol", status));
    }
    if !report.left_behind.is_empty() {
        // It breaks no clause, and so it is no test.
        suite.set_system_out(format!("left behind:\n{}", all(&report.left_behind)));
    }
    suite
}

fn test(case: &CaseReport) -> TestCase {
    let status = match case.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Unknown | Verdict::SetupFailed => TestCaseStatus::non_success(NonSuccessKind::Error),
        Verdict::Skipped => TestCaseStatus::skipped(),
    };
    let mut made = TestCase::new(clean(&case.id), status);
    made.set_classname(clean(&case.clauses.join(" ")));
    made.set_time(Duration::from_millis(case.duration_ms));
    if case.verdict == Verdict::Pass {
        return made;
    }
    let names = case.names();
    made.status.set_message(names.within(&clean(&case.reason)));
    if case.verdict == Verdict::Skipped {
        return made;
    }
    let warned = case.verdict == Verdict::Fail && case.level == Level::Should;
    made.status.set_type(if warned { "warning" } else { case.verdict.as_str() });
    let mut text = String::new();
    for id in &case.clauses {
        let words = spec::explain(id).map_or("no clause of this suite", spec::Clause::text);
        let _ = writeln!(text, "{id}: {words}");
    }
    for (name, said) in [("expected", &case.expected), ("found", &case.found)] {
        if let Some(said) = said {
            let _ = writeln!(text, "{name}: {}", names.within(said));
        }
    }
    for operation in &case.operations {
        text.push_str(&operation.words(&names));
        text.push('\n');
    }
    for (name, id) in names.iter() {
        let _ = writeln!(text, "{name} = {id}");
    }
    made.status.set_description(hostile::lines(&text, 20_000));
    if !case.log.is_empty() {
        made.set_system_err(hostile::lines(&case.log, 2 * hostile::MOST_OF_A_LOG));
    }
    made
}

/// XML has no place for control characters, not even escaped.
fn clean(text: &str) -> String {
    hostile::line(text, 2 * hostile::MOST_CHARACTERS)
}
