//! `workwire validate`: verdicts, and input of every sort.

use serde_json::{Value, json};

use super::run::{Folder, run, run_with};

const ENVELOPE: &str = r#"{"message_id":"01890A5D-ac96-774b-bcce-b302099a8057","from_agent":"orchestrator",
    "to_agent":"infra","timestamp":"2026-03-01T09:30:00Z","trace_id":"4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
    "request_id":"01890a5d-ac96-774b-bcce-b302099a8058","type":"error",
    "payload":{"error_code":2006,"error_message":"no such playbook"}}"#;

const CHANNEL: &str = r#"{"id":"01890a5d-ac96-774b-bcce-b302099a8057","type":"task.claim",
    "timestamp":"2026-03-01T09:30:00Z","from_agent":"planner-1","payload":{}}"#;

const EVENT: &str = r#"{"event_id":"01890a5d-ac96-774b-bcce-b302099a8057","event_type":"task_failed",
    "timestamp":"2026-03-01T09:30:00Z","tenant_id":"acme","source_agent_id":"a","call_chain":["a"]}"#;

#[test]
fn an_accepted_message_exits_with_0() {
    for (kind, message) in [("envelope", ENVELOPE), ("event", EVENT)] {
        let run = run_with(&["validate"], message.as_bytes());
        assert_eq!((run.code, &*run.err), (0, ""));
        assert_eq!(run.out, format!("accepted as {kind}\n"));
    }
}

#[test]
fn warnings_stand_beside_the_acceptance() {
    let run = run_with(&["validate"], CHANNEL.as_bytes());
    assert_eq!(run.code, 0);
    assert_eq!(run.out, "accepted as channel\nwarning: /payload/task_id: should be there, a string (CHN-7)\n");
    let run = run_with(&["validate", "--json"], CHANNEL.as_bytes());
    let warnings = json!([{"pointer": "/payload/task_id", "rule": "CHN-7", "message": "should be there, a string"}]);
    assert_eq!((run.code, &run.json()["warnings"]), (0, &warnings));
}

#[test]
fn a_refused_message_exits_with_1_and_says_everything() {
    let run = run_with(&["validate"], br#"{"priority": 9, "type": "work"}"#);
    assert_eq!((run.code, &*run.err), (1, ""));
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(lines.len(), 10);
    assert_eq!(lines[0], "/priority: expected an integer from 1 to 5, found 9 (ENV-4)");
    assert_eq!(lines[9], "refused as envelope: 9 violations");
}

#[test]
fn the_verdict_as_json_holds_what_is_pinned_and_no_more() {
    let run = run_with(&["validate", "--json"], ENVELOPE.as_bytes());
    let canonical = concat!(
        r#"{"protocol_version":"1.0","message_id":"01890a5d-ac96-774b-bcce-b302099a8057","#,
        r#""from_agent":"orchestrator","to_agent":"infra","timestamp":"2026-03-01T09:30:00Z","#,
        r#""trace_id":"4bf92f35-77b3-4da6-a3ce-929d0e0e4736","request_id":"01890a5d-ac96-774b-bcce-b302099a8058","#,
        r#""type":"error","priority":3,"payload":{"error_code":2006,"error_message":"no such playbook","context":{}},"#,
        r#""x_custom_fields":{}}"#
    );
    assert_eq!((run.code, run.json()), (0, json!({"accepted": true, "canonical": canonical})));
    let run = run_with(&["validate", "--json"], EVENT.replace("\"acme\"", "\"ACME\"").as_bytes());
    let message = "expected a tenant of 1 to 64 of a-z 0-9 - that begins with a letter or digit, found \"ACME\"";
    let violation = json!({"pointer": "/tenant_id", "rule": "EVT-3", "message": message});
    assert_eq!((run.code, run.json()), (1, json!({"accepted": false, "violations": [violation]})));
    assert!(
        run.out.starts_with(r#"{"accepted":false,"violations":[{"pointer":"/tenant_id","rule":"EVT-3","message":""#)
    );
}

#[test]
fn a_total_is_given_where_not_all_is_shown() {
    let fields: Vec<String> = (0..150).map(|index| format!("\"x{index}\":0")).collect();
    let message = format!("{{{}}}", fields.join(","));
    let run = run_with(&["validate", "--json"], message.as_bytes());
    let json = run.json();
    assert_eq!((run.code, &json["total"]), (1, &json!(158)));
    assert_eq!(json["violations"].as_array().map(Vec::len), Some(100));
    let run = run_with(&["validate"], message.as_bytes());
    assert!(run.out.ends_with("… and 58 more\nrefused as envelope: 158 violations\n"), "{}", run.out);
}

#[test]
fn the_kind_is_told_by_the_fields_unless_it_is_given() {
    for (kind, message) in [
        ("event", r#"{"event_id": 1}"#),
        ("event", r#"{"event_id": 1, "id": 1, "from_agent": 1}"#),
        ("channel", r#"{"id": 1, "from_agent": 1}"#),
        ("envelope", r#"{"id": 1}"#),
        ("envelope", r#"{"from_agent": 1}"#),
        ("envelope", "[]"),
        ("envelope", "{"),
    ] {
        let run = run_with(&["validate"], message.as_bytes());
        assert_eq!(run.code, 1);
        assert!(run.out.lines().last().unwrap().starts_with(&format!("refused as {kind}: ")), "{message}: {}", run.out);
        for given in ["envelope", "channel", "event"] {
            let run = run_with(&["validate", "--kind", given], message.as_bytes());
            assert!(run.out.lines().last().unwrap().starts_with(&format!("refused as {given}: ")), "{message}");
        }
    }
}

#[test]
fn a_lenient_reader_drops_what_it_does_not_know() {
    let message = EVENT.replace("\"task_failed\"", "\"TASK_Failed\",\"colour\":\"red\"");
    let strict = run_with(&["validate", "--json"], message.as_bytes());
    assert_eq!((strict.code, strict.json()["violations"].as_array().map(Vec::len)), (1, Some(2)));
    let lenient = run_with(&["validate", "--json", "--lenient"], message.as_bytes());
    let canonical = lenient.json()["canonical"].as_str().unwrap().to_owned();
    assert_eq!(lenient.code, 0);
    assert!(canonical.contains("\"task_failed\"") && !canonical.contains("colour"), "{canonical}");
}

#[test]
fn a_file_is_read_by_its_name() {
    let folder = Folder::new();
    let path = folder.put("message.json", ENVELOPE);
    assert_eq!(run(&["validate", path.to_str().unwrap()]).code, 0);
    assert_eq!(run_with(&["validate", "-"], ENVELOPE.as_bytes()).code, 0);
}

#[test]
fn a_file_that_cannot_be_read_is_wrong_use() {
    let folder = Folder::new();
    run(&["validate", folder.path().join("none.json").to_str().unwrap()]).is_wrong_use("error: cannot read ");
    run(&["validate", folder.path().to_str().unwrap()]).is_wrong_use("error: cannot read ");
    run(&["validate", "--json", "no\u{1b}[31mne"]).is_wrong_use(r#"cannot read "no\u{1b}[31mne": "#);
}

#[test]
fn a_message_that_is_too_large_is_told_its_size() {
    let folder = Folder::new();
    let large = format!("{ENVELOPE}{}", " ".repeat((2 << 20) - ENVELOPE.len()));
    let path = folder.put("large.json", &large);
    let refused = run(&["validate", "--json", path.to_str().unwrap()]);
    let message = "expected at most 1048576 bytes, found 2097152 bytes";
    let violation = json!({"pointer": "", "rule": "JSN-9", "message": message});
    assert_eq!((refused.code, refused.json()), (1, json!({"accepted": false, "violations": [violation]})));
    let taken = run(&["validate", "--max-bytes", "2097152", path.to_str().unwrap()]);
    assert_eq!(taken.code, 0);
    let small = run_with(&["validate", "--max-bytes", "10"], ENVELOPE.as_bytes());
    assert_eq!(small.code, 1);
    assert!(small.out.contains("at most 10 bytes"), "{}", small.out);
}

#[cfg(unix)]
#[test]
fn input_without_an_end_is_refused() {
    let run = run(&["validate", "/dev/zero"]);
    assert_eq!(run.code, 1);
    assert!(run.out.contains("(JSN-9)"), "{}", run.out);
}

#[test]
fn bytes_that_are_no_json_are_refused_at_their_place() {
    for (bytes, rule, place) in [
        (&b""[..], "JSN-1", "line 1, column 1 (byte 0)"),
        (b"{\"a\": 1,\n]", "JSN-1", "line 2, column 1 (byte 9)"),
        (b"\xEF\xBB\xBF{}", "JSN-2", "line 1, column 1 (byte 0)"),
        (b"{\"a\": \"\xFF\"}", "JSN-3", "line 1, column 8 (byte 7)"),
        (b"{\"a\": \"\\ud800\"}", "JSN-4", "line 1, column 8 (byte 7)"),
        (b"{\"a\": NaN}", "JSN-6", "line 1, column 7 (byte 6)"),
        (b"{} {}", "JSN-7", "line 1, column 4 (byte 3)"),
    ] {
        let run = run_with(&["validate"], bytes);
        assert_eq!(run.code, 1, "{rule}");
        assert!(run.out.starts_with(&format!("{place}: ")) && run.out.contains(&format!("({rule})\n")), "{}", run.out);
        let violation = run_with(&["validate", "--json"], bytes).json()["violations"][0].clone();
        assert_eq!((&violation["pointer"], &violation["rule"]), (&json!(""), &json!(rule)));
        assert!(violation["message"].as_str().unwrap().starts_with(&format!("{place}: ")), "{violation}");
    }
}

#[test]
fn nothing_in_a_message_steers_the_terminal() {
    let steering = "\u{1b}[31m\u{7f}\u{9b}2J\u{0}";
    let escaped = serde_json::to_string(steering).unwrap();
    let with = |message: &str| message.replace("STEER", escaped.trim_matches('"'));
    let messages = [
        with(r#"{"event_id": "STEER", "STEER": 1, "priority": "STEER", "data": {"STEER": 1e400}}"#),
        with(&EVENT.replace("\"call_chain\"", "\"data\":{\"STEER\":\"STEER\"},\"call_chain\"")),
        "{\"a\": \"\u{9b}2J\" \u{9b}31m".to_owned(),
        "\u{1b}[31m".to_owned(),
    ];
    for message in messages {
        for arguments in [&["validate"][..], &["validate", "--json"]] {
            let run = run_with(arguments, message.as_bytes());
            let steers = |c: char| c.is_control() && c != '\n';
            assert!(!run.out.contains(steers) && !run.err.contains(steers), "{run:?}");
        }
    }
    let message = with(&EVENT.replace("\"call_chain\"", "\"data\":{\"k\":\"STEER\"},\"call_chain\""));
    let canonical = run_with(&["validate", "--json"], message.as_bytes()).json()["canonical"].clone();
    let canonical: Value = serde_json::from_str(canonical.as_str().unwrap()).unwrap();
    assert_eq!(canonical["data"]["k"], steering, "and nothing is lost");
}
