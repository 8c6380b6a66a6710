//! Everything that is wrong at once, in order, and how it is told.

use serde_json::json;
use workwire::{AgentEvent, MAX_VIOLATIONS, MessageEnvelope, Rule, Scope, WorkResult};

use crate::bodies::{event, places, request, work_request, work_result};

#[test]
fn violations_are_told_all_at_once_in_the_order_of_their_places() {
    let text =
        r#"{"type":"work_result","priority":9,"payload":{"status":"failed","exit_code":0.5,"z":1},"from_agent":"me"}"#;
    let error = MessageEnvelope::from_json(text).unwrap_err();
    let expected = [
        ("/priority", "ENV-4"),
        ("/payload/exit_code", "NUM-1"),
        ("/payload/z", "FLD-2"),
        ("/payload/task_id", "WRS-1"),
        ("/payload/error_message", "WRS-4"),
        ("/payload/duration_ms", "WRS-1"),
        ("/payload/agent_id", "WRS-1"),
        ("/from_agent", "ENV-2"),
        ("/message_id", "ENV-1"),
        ("/to_agent", "ENV-1"),
        ("/timestamp", "ENV-1"),
        ("/trace_id", "ENV-1"),
        ("/request_id", "ENV-1"),
    ];
    assert_eq!(places(&error), expected);
    assert_eq!(error.total(), expected.len());
}

fn unknown(fields: usize) -> String {
    let fields: Vec<String> = (0..fields).map(|index| format!(r#","u{index}":0"#)).collect();
    format!("{}{}}}", request().text().strip_suffix('}').unwrap(), fields.concat())
}

#[test]
fn violations_are_kept_up_to_a_hundred_and_counted_beyond() {
    assert_eq!(MAX_VIOLATIONS, 100);
    for (fields, kept) in [(99, 99), (100, 100), (101, 100), (1000, 100)] {
        let error = MessageEnvelope::from_json(&unknown(fields)).unwrap_err();
        assert_eq!((error.violations().len(), error.total()), (kept, fields));
        let pointers: Vec<String> = error.violations().iter().map(|violation| violation.pointer().to_owned()).collect();
        let first: Vec<String> = (0..kept).map(|index| format!("/u{index}")).collect();
        assert_eq!(pointers, first);
    }
}

#[test]
fn violations_beyond_the_hundred_are_told_as_a_number() {
    let text = MessageEnvelope::from_json(&unknown(107)).unwrap_err().to_string();
    assert!(text.ends_with("\n… and 7 more"), "{text}");
    assert_eq!(text.lines().count(), 101);
    let text = MessageEnvelope::from_json(&unknown(100)).unwrap_err().to_string();
    assert!(!text.contains("more"), "{text}");
}

#[test]
fn violations_found_late_but_standing_early_are_among_the_hundred() {
    let references = vec![""; 200];
    let text = event().with("/call_chain", json!(["other"])).with("/context_refs", references).text();
    let error = AgentEvent::from_json(&text).unwrap_err();
    assert_eq!(error.total(), 201);
    assert_eq!(places(&error)[..2], [("/call_chain", "EVT-6"), ("/context_refs/0", "EVT-7")]);
}

#[test]
fn violations_below_an_enormous_key_are_kept_until_their_pointers_take_a_mebibyte() {
    let key = "k".repeat(600_000);
    let text = work_request().with("/parameters", json!({"DEEP": "HERE"})).text();
    let text = text.replace("DEEP", &key).replace("\"HERE\"", &format!("[{}1]", "1e400,".repeat(50)));
    let error = workwire::WorkRequest::from_json(&text).unwrap_err();
    assert_eq!((error.violations().len(), error.total()), (2, 50));
}

#[test]
fn violation_tells_what_was_expected_and_found_up_to_120_characters() {
    let error = work_request().with("/work_type", "é".repeat(300)).error();
    let violation = &error.violations()[0];
    let found = violation.found().unwrap();
    assert_eq!(found.chars().count(), 120);
    assert!(found.starts_with("\"é") && found.ends_with("é…"), "{found}");
    assert_eq!(violation.expected(), "1 to 128 characters");
    assert_eq!(violation.message(), format!("expected 1 to 128 characters, found {found}"));
    let exact = work_result().with("/status", "x".repeat(118)).error();
    assert_eq!(exact.violations()[0].found().unwrap(), format!("\"{}\"", "x".repeat(118)));
}

#[test]
fn violation_shows_no_control_characters() {
    let error = WorkResult::from_json("{\"a\u{9b}31m\":1,\"status\":\"\u{7f}\u{85}\"}").unwrap_err();
    let text = error.to_string().replace('\n', "");
    assert!(!text.chars().any(char::is_control), "{text:?}");
    assert_eq!(error.violations()[0].pointer(), "/a\u{9b}31m", "the pointer itself is exact");
}

#[test]
fn violation_pointers_escape_tilde_and_slash() {
    let text = request().with("/payload/parameters", json!({})).text();
    let text = text.replace(r#""parameters":{}"#, r#""parameters":{"a/b":[{"~":1,"~":2}],"":{"\u0061":1,"a":1}}"#);
    let error = MessageEnvelope::from_json(&text).unwrap_err();
    let expected = [("/payload/parameters/a~1b/0/~0", "JSN-5"), ("/payload/parameters//a", "JSN-5")];
    assert_eq!(places(&error), expected);
}

#[test]
fn repeated_members_are_told_and_the_first_counts() {
    let text = work_result().text().replace(r#""exit_code":0"#, r#""exit_code":0,"exit_code":"x""#);
    assert_eq!(places(&WorkResult::from_json(&text).unwrap_err()), [("/exit_code", "JSN-5")]);
}

#[test]
fn rules_are_known_by_their_ids() {
    for rule in Rule::ALL {
        assert_eq!(rule.id().parse::<Rule>(), Ok(*rule));
        assert_eq!(rule.to_string(), rule.id());
        let clause = workwire::spec::explain(rule.id()).unwrap();
        assert_eq!(clause.id(), rule.id());
    }
    let error = "WRS-99".parse::<Rule>().unwrap_err();
    assert_eq!(error.to_string(), r#"expected the id of a rule such as WRS-4, found "WRS-99""#);
    assert_eq!(Rule::Env6.scope(), Scope::Warning);
    assert!(workwire::spec::explain("WRS-99").is_none());
}

#[test]
fn violations_can_be_walked_by_reference() {
    let error = MessageEnvelope::from_json("{}").unwrap_err();
    let mut walked = 0;
    for violation in error.violations() {
        assert_eq!(violation.rule(), workwire::Rule::Env1);
        walked += 1;
    }
    assert_eq!(walked, error.violations().len());
    assert!(walked > 5);
    let to_itself = request().with("/to_agent", "orchestrator").read();
    let mut warned = Vec::new();
    for warning in &to_itself.warnings() {
        warned.push(warning.rule());
    }
    assert_eq!(warned, [workwire::Rule::Env6]);
}

#[test]
fn violations_of_a_foreign_version_leave_room_for_it_among_a_hundred() {
    let repeated: String = (0..150).map(|_| r#""x":1,"#).collect();
    let error = MessageEnvelope::from_json(&format!(r#"{{"protocol_version":"2.0",{repeated}"x":1}}"#)).unwrap_err();
    assert_eq!((error.violations().len(), error.total()), (100, 151));
    let foreign = error.violations().iter().filter(|violation| violation.rule() == workwire::Rule::Ver2);
    assert_eq!(foreign.count(), 1);
}

#[test]
fn violations_of_what_is_missing_inside_stand_before_what_is_missing_outside() {
    let inner =
        r#"{"agent_id":"5d3f2a10-9b8c-4e7d-a6f5-0c1b2a394857","agent_type":"code","resources":{"cpu_percent":1}}"#;
    let error = workwire::StatusUpdate::from_json(inner).unwrap_err();
    let pointers: Vec<&str> = error.violations().iter().map(workwire::Violation::pointer).collect();
    let outside = pointers.iter().position(|pointer| *pointer == "/status").unwrap();
    let inside = pointers.iter().rposition(|pointer| pointer.starts_with("/resources/")).unwrap();
    assert!(inside < outside, "{pointers:?}");
}

#[test]
fn violations_of_what_an_object_lacks_stand_before_what_comes_behind_it() {
    let cancel = work_request().with("/work_type", "cancel").with("/parameters", json!({})).text();
    let text = cancel.replacen(r#""parameters":{}"#, r#""parameters":{},"colour":1"#, 1);
    let error = workwire::WorkRequest::from_json(&text).unwrap_err();
    assert_eq!(places(&error), [("/parameters/task_id", "WRQ-3"), ("/colour", "FLD-2")]);
}

#[test]
fn violations_of_a_foreign_version_tell_it_also_where_it_stands_last() {
    let repeated: String = (0..150).map(|_| r#""x":1,"#).collect();
    let error = MessageEnvelope::from_json(&format!(r#"{{{repeated}"x":1,"protocol_version":"2.0"}}"#)).unwrap_err();
    assert_eq!((error.violations().len(), error.total()), (100, 151));
    assert_eq!(error.violations()[99].rule(), Rule::Ver2, "the last of those that are kept");
}

#[test]
fn violations_of_data_that_are_too_many_are_counted_with_the_rest() {
    let repeated: Vec<String> = (0..151).map(|_| r#""x":1"#.to_owned()).collect();
    let mut fields = event().read().to_stream();
    for (name, value) in &mut fields {
        if name == "data" {
            *value = format!("{{{}}}", repeated.join(","));
        }
    }
    let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let error = AgentEvent::from_stream(fields).unwrap_err();
    assert_eq!((error.violations().len(), error.total()), (100, 150));
}
