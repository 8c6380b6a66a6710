//! What a report says of how it came about, and of what happened outside of any case.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "runs/made.rs"]
mod made;

use made::{HOSTILE, TWO, made, ran};
use serde_json::{Value, json};
use workwire_broker::adapter::{Finding, FindingKind};
use workwire_conformance::codec;
use workwire_conformance::event::Event;
use workwire_conformance::reports::{
    Collector, KnownFailing, ProofReport, ProofResult, Role, RunReport, Settings, run_ending, run_html, run_junit,
    run_markdown, schemas, verify,
};
use workwire_conformance::{Case, cases, saboteurs, selftest};

fn settings() -> Settings {
    Settings {
        only: TWO.map(str::to_owned).to_vec(),
        jobs: 2,
        timeout_ms: 60_000,
        known_failing: vec![KnownFailing { pattern: "ack/none".to_owned(), reason: HOSTILE.to_owned() }],
        ..Settings::default()
    }
}

/// A proof of the whole suite that holds, by its numbers.
fn proven() -> ProofResult {
    let suite = cases::all();
    ProofResult {
        suite: workwire_conformance::reports::digest::suite(&suite),
        specification: workwire_conformance::reports::digest::specification(),
        cases: suite.len(),
        can_fail: suite.len(),
        saboteurs: 300,
        caught: 300,
        honest: 14,
        shortfalls: 0,
        holds: true,
    }
}

fn collected(suite: Vec<&'static Case>, events: &[Event], settings: Settings, proof: Option<ProofResult>) -> RunReport {
    let mut collector = Collector::of(suite).told(settings).proven(proof);
    for event in events {
        collector.take(event);
    }
    collector.report().unwrap()
}

fn two() -> RunReport {
    collected(cases::all(), &ran(None), settings(), Some(proven()))
}

fn value(report: &RunReport) -> Value {
    serde_json::from_str(&report.json().unwrap()).unwrap()
}

#[test]
fn every_form_says_how_the_run_was_done_and_whether_the_suite_was_proven() {
    let report = two();
    let json = value(&report);
    assert_eq!(json.pointer("/settings/role"), Some(&json!("broker")));
    assert_eq!(json.pointer("/settings/only"), Some(&json!(TWO)));
    assert_eq!(json.pointer("/settings/full"), Some(&json!(false)));
    assert_eq!(json.pointer("/selftest/holds"), Some(&json!(true)));
    assert_eq!(json.pointer("/target/choices/retry_place"), Some(&json!("keeps")));
    for page in [run_html(&report).unwrap(), run_markdown(&report)] {
        for word in ["time for a case", "60 s", "left out", "known to fail", "300 of 300 saboteurs are caught"] {
            assert_eq!(page.contains(word), word != "left out", "{word}: {page}");
        }
        assert!(page.contains(&format!("memory {}", report.target.version)), "the engine and its version");
    }
    assert!(!run_html(&report).unwrap().contains("<script>alert"));
}

#[test]
fn without_a_proof_every_form_says_so() {
    let report = collected(cases::all(), &ran(None), settings(), None);
    assert_eq!(value(&report).get("selftest"), Some(&Value::Null), "it is said, and not left out");
    for page in [run_html(&report).unwrap(), run_markdown(&report)] {
        assert!(page.contains("none was given to this run"), "{page}");
    }
    assert_eq!(verify(&report), []);
    let nobody_said = made::collected(cases::all(), &ran(None));
    assert_eq!((nobody_said.settings.as_ref(), verify(&nobody_said)), (None, Vec::new()), "as a library makes it");
}

#[test]
fn a_report_of_before_is_still_read_and_fits_the_schema() {
    let mut json = value(&two());
    for member in ["settings", "selftest"] {
        json.as_object_mut().unwrap().remove(member);
    }
    json["target"].as_object_mut().unwrap().remove("choices");
    let report = RunReport::parse(&json.to_string()).unwrap();
    assert_eq!(verify(&report), []);
    let schema = schemas().into_iter().find(|file| file.path() == "report/run.json").unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(schema.text()).unwrap()).unwrap();
    for json in [json, value(&two()), value(&report)] {
        let errors: Vec<String> = schema.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

/// What somebody changes in a report, and where that shows.
type Forgery = (&'static str, fn(&mut RunReport));

#[test]
fn a_report_that_leaves_out_what_was_asked_for_is_found_out() {
    assert_eq!(verify(&two()), []);
    let forgeries: &[Forgery] = &[
        ("/cases", |report| {
            report.cases.pop();
        }),
        ("/cases", |report| report.settings.as_mut().unwrap().only.clear()),
        ("/cases/0/id", |report| drop(report.settings.as_mut().unwrap().only.remove(0))),
        ("/cases/1/id", |report| report.settings.as_mut().unwrap().skip.push("unknown_tag".to_owned())),
        ("/cases/0/id", |report| report.settings.as_mut().unwrap().role = Role::Codec),
        ("/settings/profile", |report| report.settings.as_mut().unwrap().profile = Some("none".to_owned())),
        ("/cases/0/figure", |report| report.cases[0].figure = Some("a claim of 300 s".to_owned())),
        ("/selftest/holds", |report| report.selftest.as_mut().unwrap().caught -= 1),
        ("/selftest/cases", |report| report.selftest.as_mut().unwrap().cases = 2),
        ("/selftest/suite", |report| report.selftest.as_mut().unwrap().suite.push('0')),
        ("/selftest/specification", |report| report.selftest.as_mut().unwrap().specification.clear()),
    ];
    for (number, (place, forge)) in forgeries.iter().enumerate() {
        let mut forged = two();
        forge(&mut forged);
        let found = verify(&forged);
        assert!(found.iter().any(|one| one.place.starts_with(place)), "{number}, {place}: {found:?}");
    }
}

#[test]
fn the_report_of_a_codec_is_verified_by_its_own_cases_and_has_no_profiles() {
    let (events, mut told) = tokio::sync::mpsc::unbounded_channel();
    let target = match ran(None).into_iter().next() {
        Some(Event::Began(beginning)) => beginning.target,
        other => panic!("{other:?}"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let codec = std::sync::Arc::new(codec::OwnCodec);
    runtime.block_on(codec::run(codec, target, |case| case.id.starts_with("codec/WRS"), events)).unwrap();
    let all: Vec<Event> = std::iter::from_fn(|| told.try_recv().ok()).collect();
    let settings = Settings { role: Role::Codec, only: vec!["codec/WRS".to_owned()], ..Settings::default() };
    let report = collected(codec::for_reports(), &all, settings, Some(proven()));
    assert!(report.cases.len() > 2 && report.profiles.is_empty(), "{:?}", report.profiles);
    assert_eq!(verify(&report), []);
    let mut forged = report.clone();
    forged.cases.pop();
    assert!(verify(&forged).iter().any(|one| one.place == "/cases"));
    let mut old = report;
    old.settings = None;
    assert_eq!((old.role(), verify(&old)), (Role::Codec, Vec::new()), "its cases show what it is of");
}

fn finding(line: u64) -> Event {
    let (kind, message) = (FindingKind::NotJson, format!("expected JSON, found {HOSTILE}"));
    Event::Misbehaved(Finding { kind, line: Some(line), excerpt: "Traceback".to_owned(), message })
}

#[test]
fn what_an_adapter_did_wrong_stands_in_every_form() {
    let mut events = made();
    let end = events.pop().unwrap();
    events.extend((1..=70).map(finding));
    events.push(end);
    let report = collected(made::suite(), &events, Settings::default(), None);
    assert_eq!((report.misbehaved.len(), report.misbehaved[50].as_str()), (51, "and 20 more"));
    let xml = run_junit(&report).unwrap();
    let (markdown, html) = (run_markdown(&report), run_html(&report).unwrap());
    for (form, text) in [("xml", &xml), ("html", &html), ("terminal", &run_ending(&report, false))] {
        assert!(text.contains("not_json: line 1: expected JSON, found"), "{form}: {text}");
    }
    assert!(markdown.contains("not\\_json: line 1: expected JSON, found"), "{markdown}");
    for text in [&xml, &html, &markdown] {
        assert!(text.contains("queue wk1-tasks"), "what was left behind too");
    }
    for text in [&xml, &html] {
        assert!(!text.contains("<script>alert") && !text.contains("<img"), "{text}");
    }
    assert!(xml.contains("failures=\"4\""), "{}", &xml[..400]);
    assert!(xml.contains("run/the_adapter_keeps_to_its_protocol"), "{xml}");
    let quiet = run_junit(&two()).unwrap();
    assert!(!quiet.contains("\"run\""), "where nothing happened, nothing is added: {quiet}");
}

#[test]
fn a_proof_of_another_suite_is_refused() {
    let cases: Vec<_> = TWO.map(|id| cases::find(id).unwrap()).to_vec();
    let wanted = ["takes_every_third_done_for_retry", "takes_any_tag"];
    let some: Vec<_> = saboteurs::all().into_iter().filter(|one| wanted.contains(&one.name)).collect();
    let matrix = selftest::run(&cases, &some, 1, 2);
    let proof = ProofReport::of(&matrix, &cases, &matrix.shortfalls(&cases, &["ACK-1", "ACK-2"]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proof.json");
    std::fs::write(&path, proof.json().unwrap()).unwrap();
    let result = ProofReport::read(&path, &cases).unwrap().result();
    assert!(result.holds && result.follows(), "{result:?}");
    assert_eq!((result.cases, result.can_fail, result.saboteurs, result.caught), (2, 2, 2, 2));
    let error = ProofReport::read(&path, &cases::all()).unwrap_err().to_string();
    assert!(error.contains("/suite/digest: expected sha256:") && error.contains("a part of it"), "{error}");
    std::fs::write(&path, two().json().unwrap()).unwrap();
    let error = ProofReport::read(&path, &cases).unwrap_err().to_string();
    assert!(error.contains("expected a proof of format 1"), "{error}");
    std::fs::write(&path, "{}").unwrap();
    assert!(ProofReport::read(&path, &cases).unwrap_err().to_string().contains("/format: expected 1"));
}
