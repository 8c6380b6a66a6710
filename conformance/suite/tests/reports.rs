//! Reports, from events: what they hold, that they come back as they were, and that nothing hostile in
//! them does any harm.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "runs/made.rs"]
mod made;

use made::{HOSTILE, TWO, collected, made, ran, suite};
use serde_json::{Value, json};
use workwire::spec;
use workwire_conformance::event::Event;
use workwire_conformance::profiles::Standing;
use workwire_conformance::reports::{
    Level, Progress, ProofReport, RunReport, Shown, SideBySide, badge, run_ending, run_html, run_junit, run_markdown,
    schemas, verify, verify_against, write,
};
use workwire_conformance::verdict::Verdict;
use workwire_conformance::{cases, saboteurs, selftest};

/// What somebody changes in a report, and where that shows.
type Forgery = (&'static str, fn(&mut RunReport));

fn report() -> RunReport {
    collected(suite(), &made())
}

#[test]
fn a_run_against_a_saboteur_tells_what_is_wrong() {
    let report = collected(cases::all(), &ran(Some("takes_every_third_done_for_retry")));
    let case = report.cases.iter().find(|case| case.id == "ack/done_never_comes_back").unwrap();
    assert_eq!((case.verdict, case.broken_clauses()), (Verdict::Fail, vec!["ACK-1".to_owned()]));
    assert!(case.expected.is_some() && case.found.is_some());
    assert!(!case.operations.is_empty());
    let history = case.history.as_ref().unwrap();
    assert!(case.operations.iter().all(|operation| history.operations.contains(operation)));
    assert!(history.operations.iter().any(|operation| operation.call == "settle"));
    assert_eq!(report.summary.fail, 1);
    assert!(report.profiles.iter().all(|profile| profile.standing == Standing::FallsShort));
    let text = run_ending(&report, false);
    for part in
        ["FAIL ack/done_never_comes_back", spec::explain("ACK-1").unwrap().text(), "expected", "found", "fetch tasks"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// The members that others script against.
#[test]
fn what_is_pinned_is_there() {
    let report: Value = serde_json::from_str(&report().json().unwrap()).unwrap();
    for member in [
        "/format",
        "/suite/name",
        "/suite/version",
        "/suite/digest",
        "/specification/digest",
        "/target/name",
        "/target/version",
        "/target/language",
        "/target/capabilities/0",
        "/seed",
        "/started_at",
        "/duration_ms",
        "/cases/0/id",
        "/cases/0/clauses/0",
        "/cases/0/level",
        "/cases/0/verdict",
        "/cases/0/duration_ms",
        "/cases/0/reason",
        "/cases/0/expected",
        "/cases/0/found",
        "/cases/0/operations",
        "/profiles/0/name",
        "/profiles/0/standing",
        "/summary/pass",
        "/summary/fail",
        "/summary/unknown",
        "/summary/skipped",
        "/summary/setup_failed",
        "/complete",
    ] {
        assert!(report.pointer(member).is_some(), "{member}");
    }
    assert_eq!(report["format"], json!(1));
    assert_eq!(report["complete"], json!(true));
    assert_eq!(report["seed"], json!(18_446_744_073_709_551_557_u64));
    assert_eq!(report.pointer("/cases/0/level"), Some(&json!("must")));
    let failed = report["cases"].as_array().unwrap().iter().find(|case| case["id"] == "lse/two_never_hold_one_message");
    let operation = &failed.unwrap()["operations"][0];
    assert_eq!(operation["client"], json!("worker-1"));
    assert_eq!(operation["call"], json!("fetch"));
    assert_eq!(operation["arguments"]["queue"], json!("tasks"));
    assert_eq!(operation["outcome"]["is"], json!("ok"));
    assert_eq!((&operation["began_ms"], &operation["ended_ms"]), (&json!(4.0), &json!(6.1)));
}

#[test]
fn a_report_comes_back_from_its_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    write(&path, "something older").unwrap();
    write(&path, &report().json().unwrap()).unwrap();
    assert_eq!(RunReport::read(&path).unwrap(), report());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left there");
    let error = write(&folder.path().join("nowhere/report.json"), "").unwrap_err().to_string();
    assert!(error.contains("nowhere/report.json\": cannot be written"), "{error}");
}

#[test]
fn what_is_no_finished_report_is_refused_clearly() {
    let whole: Value = serde_json::from_str(&report().json().unwrap()).unwrap();
    let with = |member: &str, value: Value| {
        let mut changed = whole.clone();
        changed[member] = value;
        changed.to_string()
    };
    let without = |member: &str| {
        let mut changed = whole.clone();
        changed.as_object_mut().unwrap().remove(member);
        changed.to_string()
    };
    for (text, said) in [
        (String::new(), "expected a report as JSON, found none"),
        (whole.to_string()[..1_000].to_owned(), "expected a report as JSON, found none"),
        (with("format", json!(2)), "/format: expected 1, found 2"),
        (without("format"), "/format: expected 1, found no such member"),
        ("[]".to_owned(), "/format: expected 1, found no such member"),
        (with("complete", json!(false)), "/complete: expected true, found false: the run did not end"),
        (without("complete"), "/complete: expected true, found no such member"),
        (without("cases"), "missing field `cases`"),
        (with("summary", json!([])), "expected a report of format 1"),
    ] {
        let error = RunReport::parse(&text).unwrap_err().to_string();
        assert!(error.contains(said), "{said:?}: {error}");
    }
    let error = RunReport::read(std::path::Path::new("/no/such.json")).unwrap_err().to_string();
    assert!(error.contains("\"/no/such.json\": cannot be read"), "{error}");
}

#[test]
fn a_run_that_was_broken_off_is_not_complete() {
    let mut events = made();
    events.pop();
    assert!(!collected(suite(), &events).complete, "it never ended");
    events.push(Event::Ended { duration_ms: 1, broken_off: true });
    assert!(!collected(suite(), &events).complete);
    let mut fewer = made();
    fewer.remove(2);
    assert!(!collected(suite(), &fewer).complete, "of one case nothing was told");
    assert!(run_ending(&collected(suite(), &events), false).contains("did not end by itself"));
    assert!(run_html(&collected(suite(), &events)).unwrap().contains("this is no complete report"));
}

#[test]
fn of_what_is_no_broker_there_are_no_profiles() {
    let report = collected(Vec::new(), &made());
    assert_eq!(report.profiles, []);
    assert_eq!(report.cases.len(), 12);
    assert!(!run_html(&report).unwrap().contains("id=\"profiles\""));
}

#[test]
fn profiles_tell_why() {
    let report = report();
    let told: Vec<(&str, Standing)> = report.profiles.iter().map(|one| (one.name.as_str(), one.standing)).collect();
    assert_eq!(
        told,
        [("work-bus", Standing::FallsShort), ("channels", Standing::NotClaimed), ("events", Standing::NotClaimed)]
    );
    let work_bus = &report.profiles[0];
    assert_eq!(work_bus.broken, ["ACK-1"]);
    assert_eq!(work_bus.warnings, ["CON-5"], "a SHOULD takes no profile away");
    assert_eq!(work_bus.in_the_way, ["dur/confirmed_survives_a_kill"]);
    let honest = collected(cases::all(), &ran(None));
    assert_eq!(honest.summary.pass, honest.summary.total);
}

#[test]
fn a_report_that_says_other_than_its_cases_is_found_out() {
    let right = report();
    assert_eq!(verify_against(&right, &suite()), []);
    let forgeries: &[Forgery] = &[
        ("/summary", |report| report.summary.pass += 1),
        ("/profiles/0", |report| report.profiles[0].standing = Standing::Holds),
        ("/profiles/2", |report| drop(report.profiles.pop())),
        ("/profiles", |report| report.profiles.push(report.profiles[0].clone())),
        ("/cases/2/broken", |report| report.cases[2].broken.clear()),
        ("/cases/2/broken", |report| report.cases[2].verdict = Verdict::Pass),
        ("/cases/2/found", |report| report.cases[2].found = Some("nothing wrong".to_owned())),
        ("/cases/2/broken/0/clause", |report| "NON-1".clone_into(&mut report.cases[2].broken[0].clause)),
        ("/cases/0/clauses", |report| report.cases[0].clauses.push("ACK-2".to_owned())),
        ("/cases/6/level", |report| report.cases[6].level = Level::Must),
        ("/cases/0/needs", |report| report.cases[0].needs.push("ttl".to_owned())),
        ("/cases/0/id", |report| "ack/another".clone_into(&mut report.cases[0].id)),
        ("/cases/12/id", |report| report.cases.push(report.cases[0].clone())),
        ("/cases/8/verdict", |report| report.cases[8].verdict = Verdict::Pass),
        ("/suite/digest", |report| "sha256:00".clone_into(&mut report.suite.digest)),
        ("/suite/version", |report| "0.0.1".clone_into(&mut report.suite.version)),
        ("/specification/digest", |report| report.specification.digest.clear()),
        ("/target/capabilities/0", |report| "perpetual-motion".clone_into(&mut report.target.capabilities[0])),
        ("/complete", |report| report.complete = false),
        ("/format", |report| report.format = 2),
    ];
    for (place, forge) in forgeries {
        let mut forged = right.clone();
        forge(&mut forged);
        let found = verify_against(&forged, &suite());
        assert!(found.iter().any(|one| one.place.starts_with(place)), "{place}: {found:?}");
    }
}

#[test]
fn a_badge_is_made_of_a_verified_report_alone() {
    let honest = collected(cases::all(), &ran(None));
    if verify(&honest).is_empty() {
        let svg = badge(&honest).unwrap();
        assert!(svg.starts_with("<svg ") && svg.contains("workwire"), "{svg}");
    } else {
        panic!("{:?}", verify(&honest));
    }
    let mut forged = honest.clone();
    forged.summary.fail += 1;
    assert!(badge(&forged).is_err());
    forged = honest;
    forged.complete = false;
    assert!(badge(&forged).is_err());
    let broken = badge(&collected(cases::all(), &ran(Some("takes_any_tag")))).unwrap();
    assert!(broken.contains("1 failing"), "{broken}");
}

#[test]
fn nothing_hostile_steers_a_terminal() {
    let mut progress = Progress::lines();
    let mut text: String = made().iter().map(|event| progress.take(event)).collect();
    text.push_str(&run_ending(&report(), false));
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(!text.contains('\u{202e}'));
    assert!(!text.contains("secret"), "no password is told");
    assert!(text.len() < 60_000, "{} bytes: what is too long is cut", text.len());
    let colours = run_ending(&report(), true);
    let plain: String = colours.split('\u{1b}').skip(1).map(|part| part.split_once('m').unwrap().0).collect();
    assert!(plain.chars().all(|c| c == '[' || c == ';' || c.is_ascii_digit()), "colours and nothing else: {plain}");
}

#[test]
fn lines_tell_each_case_once() {
    let mut progress = Progress::lines();
    let lines: Vec<String> = made().iter().map(|event| progress.take(event)).filter(|line| !line.is_empty()).collect();
    let starting = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!(starting("pass "), 6);
    assert_eq!(starting("FAIL "), 2);
    assert_eq!(starting("warning "), 1);
    assert_eq!(starting("unknown "), 1);
    assert_eq!(starting("skipped "), 1);
    assert_eq!(starting("NO SETUP "), 1);
    assert!(lines.iter().all(|line| line.ends_with('\n') && line.matches('\n').count() == 1), "{lines:?}");
}

#[test]
fn an_ending_goes_from_failures_to_one_line() {
    let text = run_ending(&report(), false);
    let places: Vec<usize> = [
        "FAIL lse/two_never_hold_one_message",
        "expected  nobody else while it is held",
        "found     m2 held by both",
        "#5 4.000–6.100 ms worker-1: fetch tasks max 1",
        "m2 = 01900000-0000-7000-8000-000000000002",
        "the adapter's log:",
        "| oddmq: lease of",
        "warning dlq/a_letter_keeps_its_reason",
        "NO SETUP dur/confirmed_survives_a_kill",
        "unknown exp/what_has_expired_is_not_delivered",
        "work-bus  falls short  by ACK-1; 4 of 7 cases pass; warnings: CON-5",
        "6 of 12 cases pass, 2 fail, 1 warn, 1 unknown, 1 skipped, 1 could not be set up in 12.345 s",
    ]
    .iter()
    .map(|part| text.find(part).unwrap_or_else(|| panic!("{part:?} is not in\n{text}")))
    .collect();
    assert!(places.is_sorted(), "{places:?}\n{text}");
    assert_eq!(text.trim_end().lines().last().unwrap(), &text[*places.last().unwrap()..].trim_end().to_owned());
}

#[test]
fn xml_is_whole_and_counts_what_is_no_pass() {
    let xml = run_junit(&report()).unwrap();
    assert!(xml.contains("tests=\"12\""), "{}", &xml[..400]);
    assert!(xml.contains("failures=\"3\"") && xml.contains("errors=\"2\""), "{}", &xml[..400]);
    assert!(xml.contains("<skipped message=\"not claimed: tenancy\""));
    assert!(!xml.contains("<script") && !xml.contains("]]>\u{20}|"), "{xml}");
    assert!(xml.chars().all(|c| matches!(c, '\n' | '\t') || !c.is_control()));
    assert!(!xml.contains("secret"));
    let mut depth = 0_i64;
    let mut reader = quick_xml::Reader::from_str(&xml);
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(_) => depth += 1,
            quick_xml::events::Event::End(_) => depth -= 1,
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
}

#[test]
fn nothing_hostile_is_markdown_or_a_tag() {
    for page in [run_markdown(&report()), SideBySide::of(&[report(), report()]).markdown()] {
        let mut fence: Option<&str> = None;
        for line in page.lines() {
            let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
            match fence {
                None if ticks.len() >= 3 => fence = Some(ticks),
                Some(open) if line == open => fence = None,
                Some(_) => {}
                None => {
                    // What is code is shown as it is.
                    let outside: String = line.split('`').step_by(2).collect();
                    assert!(!outside.contains('<') || outside.starts_with('>'), "{line}");
                }
            }
        }
        assert_eq!(fence, None, "each block of code ends");
        assert!(!page.contains("secret"));
        assert!(page.chars().all(|c| c == '\n' || !c.is_control()));
    }
}

#[test]
fn nothing_hostile_is_alive_in_a_page() {
    let report = report();
    let proof = proof();
    for page in [
        run_html(&report).unwrap(),
        SideBySide::of(std::slice::from_ref(&report)).html().unwrap(),
        proof.html().unwrap(),
    ] {
        assert_eq!(page.matches("<script").count(), 2, "the data and the script");
        assert_eq!(page.matches("</script").count(), 2);
        assert!(!page.contains("<img"));
        assert!(!page.contains("secret"));
        assert!(page.chars().all(|c| matches!(c, '\n' | '\t') || !c.is_control()));
        assert!(!page.contains('\u{202e}'));
        for outside in ["src=\"", "href=\"http", "url(", "@import"] {
            assert!(!page.contains(outside), "{outside}: nothing is asked for from anywhere");
        }
        let (_, rest) = page.split_once("id=\"data\">").unwrap();
        let (json, _) = rest.split_once("</script>").unwrap();
        assert!(serde_json::from_str::<Value>(json).is_ok());
        assert!(!json.contains('<') && !json.contains('&'));
    }
}

/// The members that are words of the form.
const WORDS: [&str; 9] =
    ["verdict", "level", "standing", "kind", "is", "same_id_other_body", "new_group", "retry_place", "batch"];

/// Every text that is no word of the form says something hostile.
fn poison(value: &mut Value, key: &str) {
    match value {
        Value::String(text) if !WORDS.contains(&key) => {
            HOSTILE.clone_into(text);
        }
        Value::Array(all) => all.iter_mut().for_each(|one| poison(one, key)),
        Value::Object(members) => members.iter_mut().for_each(|(key, one)| poison(one, key)),
        _ => {}
    }
}

#[test]
fn a_report_of_a_stranger_is_hostile_as_a_whole() {
    let mut value: Value = serde_json::from_str(&report().json().unwrap()).unwrap();
    poison(&mut value, "");
    let report = RunReport::parse(&value.to_string()).unwrap();
    let sides = SideBySide::of(&[report.clone(), report.clone()]);
    let pages = [run_html(&report).unwrap(), sides.html().unwrap()];
    for page in &pages {
        assert_eq!((page.matches("<script").count(), page.matches("<img").count()), (2, 0));
        assert!(!page.contains('\u{202e}'));
    }
    for text in [run_ending(&report, false), sides.text(), run_markdown(&report), run_junit(&report).unwrap()] {
        assert!(text.chars().all(|c| matches!(c, '\n' | '\t') || !c.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'));
    }
    assert!(!verify_against(&report, &suite()).is_empty());
}

#[test]
fn sides_are_told_clause_by_clause() {
    let honest = collected(cases::all(), &ran(None));
    let broken = collected(cases::all(), &ran(Some("takes_any_tag")));
    let sides = SideBySide::of(&[honest, broken]);
    let told = |id: &str| {
        let clause = sides.clauses.iter().find(|clause| clause.id == id).unwrap();
        (clause.told.iter().map(|told| told.verdict.unwrap()).collect::<Vec<_>>(), clause.differs())
    };
    assert_eq!(told("ACK-1"), (vec![Verdict::Pass, Verdict::Pass], false));
    assert_eq!(told("ACK-2"), (vec![Verdict::Pass, Verdict::Fail], true));
    let text = sides.text();
    assert!(text.lines().any(|line| line.split_whitespace().eq(["ACK-2", "pass", "fail"])), "{text}");
    assert!(sides.markdown().contains("| ACK-2 | pass | **fail** |"));
}

#[test]
fn of_a_long_history_what_is_around_the_offenders_is_kept() {
    let report = report();
    let case = report.cases.iter().find(|case| case.id == "pri/the_most_urgent_comes_first").unwrap();
    let numbers = |operations: &[Shown]| operations.iter().map(|one| one.number).collect::<Vec<_>>();
    assert_eq!(numbers(&case.operations), [300, 302, 700]);
    let history = case.history.as_ref().unwrap();
    let kept = numbers(&history.operations);
    assert_eq!((kept.len(), history.left_out), (400, 500));
    assert!(kept.is_sorted());
    for near in [250, 300, 302, 310, 650, 700, 710] {
        assert!(kept.contains(&near), "{near}: {kept:?}");
    }
    assert!(!kept.contains(&0) && !kept.contains(&899));
}

#[test]
fn a_clause_that_a_failed_case_never_came_to_is_unknown() {
    let sides = SideBySide::of(&[report()]);
    let clause = sides.clauses.iter().find(|clause| clause.id == "ACK-1").unwrap();
    assert_eq!(clause.told[0].verdict, Some(Verdict::Fail));
    assert!(clause.told[0].why.starts_with("lse/two_never_hold_one_message, pri/"), "{}", clause.told[0].why);
    let mut report = report();
    report.cases.retain(|case| case.id == "lse/two_never_hold_one_message");
    let sides = SideBySide::of(&[report]);
    let clause = sides.clauses.iter().find(|clause| clause.id == "ACK-2").unwrap();
    assert_eq!(clause.told[0].verdict, Some(Verdict::Unknown));
}

fn proof() -> ProofReport {
    let cases: Vec<_> = TWO.map(|id| cases::find(id).unwrap()).to_vec();
    let saboteurs: Vec<_> = saboteurs::all()
        .into_iter()
        .filter(|one| matches!(one.name, "takes_every_third_done_for_retry" | "takes_any_tag"))
        .collect();
    let matrix = selftest::run(&cases, &saboteurs, 1, 2);
    ProofReport::of(&matrix, &cases, &matrix.shortfalls(&cases, &["ACK-1", "ACK-2", "ACK-999"]))
}

#[test]
fn a_proof_tells_who_catches_whom_and_where_it_falls_short() {
    let proof = proof();
    assert!(!proof.holds);
    assert_eq!(proof.shortfalls, ["ACK-999: no case"]);
    assert_eq!(proof.saboteurs[0].caught_by, ["ack/done_never_comes_back"]);
    assert_eq!(proof.cases[1].fails, ["takes_any_tag"]);
    assert_eq!(proof.honest[0].pass, 2);
    let text = proof.text();
    assert!(text.contains("caught by ack/done_never_comes_back"), "{text}");
    assert!(text.trim_end().ends_with("2 of 2 cases can fail, 2 of 2 saboteurs are caught, 1 shortfall"), "{text}");
    assert!(proof.html().unwrap().contains("The proof falls short"));
}

#[test]
fn reports_are_as_their_schemas_say() {
    let files = schemas();
    let schema = |path: &str| -> Value {
        serde_json::from_str(files.iter().find(|file| file.path() == path).unwrap().text()).unwrap()
    };
    let run = jsonschema::validator_for(&schema("report/run.json")).unwrap();
    for report in [report(), collected(cases::all(), &ran(Some("takes_any_tag")))] {
        let value: Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        let errors: Vec<String> = run.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        for member in ["format", "cases", "summary", "complete", "seed"] {
            let mut without = value.clone();
            without.as_object_mut().unwrap().remove(member);
            assert!(!run.is_valid(&without), "{member} is required");
        }
    }
    let proven = jsonschema::validator_for(&schema("report/proof.json")).unwrap();
    assert!(proven.is_valid(&serde_json::from_str(&proof().json().unwrap()).unwrap()));
}
