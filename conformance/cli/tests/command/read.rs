//! `workwire explain` and `workwire list`.

use serde_json::{Value, json};

use super::run::run;

#[test]
fn a_clause_is_explained_with_its_level_its_text_and_its_check() {
    let run = run(&["explain", "WRS-4"]);
    assert_eq!((run.code, &*run.err), (0, ""));
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(lines[0], "WRS-4 (MUST, schema)");
    assert_eq!(lines[2], "`error_message` is there and not empty when `status` is `failed`.");
    assert!(lines[4].starts_with("Checked: ") && lines[4].contains("JSON Schema"), "{}", lines[4]);
}

#[test]
fn each_way_of_checking_is_told() {
    for (id, first, check) in [
        ("evt-6", "EVT-6 (MUST, beyond)", "JSON Schema cannot say it"),
        ("ENV-6", "ENV-6 (SHOULD, warning)", "warns"),
        ("COD-5", "COD-5 (MUST)", "what an implementation does"),
    ] {
        let run = run(&["explain", id]);
        assert_eq!(run.code, 0);
        assert!(run.out.starts_with(&format!("{first}\n")) && run.out.contains(check), "{}", run.out);
    }
}

#[test]
fn a_withdrawn_clause_is_explained_with_what_holds_instead() {
    let run = run(&["explain", "ack-26"]);
    assert_eq!((run.code, &*run.out, &*run.err), (0, "ACK-26 (withdrawn)\n\nIt said what DLY-18 says.\n", ""));
}

#[test]
fn an_unknown_clause_is_wrong_use_with_the_nearest_ids() {
    run(&["explain", "WRS-99"]).is_wrong_use("no clause has the id \"WRS-99\"; the nearest are WRS-1, ");
    run(&["explain", "WSR4"]).is_wrong_use("WRS-4");
    run(&["explain", "PROG"]).is_wrong_use("the nearest are ");
    run(&["explain", ""]).is_wrong_use("no clause has the id \"\"");
    run(&["explain", "\u{1b}[31mENV-1"]).is_wrong_use("\"\\u{1b}[31mENV-1\"");
    run(&["explain", &"Z".repeat(10_000)]).is_wrong_use("the nearest are ");
}

#[test]
fn the_list_has_a_line_for_every_clause() {
    let run = run(&["list", "clauses"]);
    assert_eq!((run.code, &*run.err), (0, ""));
    assert_eq!(run.out.lines().count(), workwire::spec::clauses().len());
    let line = run.out.lines().find(|line| line.starts_with("EVT-6 ")).unwrap();
    assert_eq!(line, "EVT-6   must   beyond  `source_agent_id` is in `call_chain`. The pointer names `call_chain`.");
}

#[test]
fn the_list_as_json_says_the_same() {
    let run = run(&["list", "--json"]);
    let json = run.json();
    assert_eq!((run.code, &json["format"]), (0, &json!(1)));
    let clauses = json["clauses"].as_array().unwrap();
    assert_eq!(clauses.len(), workwire::spec::clauses().len());
    for (entry, clause) in clauses.iter().zip(workwire::spec::clauses()) {
        assert_eq!((entry["id"].as_str(), entry["text"].as_str()), (Some(clause.id()), Some(clause.text())));
        assert_eq!(entry["scope"] == Value::Null, clause.scope().is_none());
        assert_eq!(entry["role"].as_str(), Some(clause.role().as_str()));
    }
}

#[test]
fn the_list_has_everything_that_there_is() {
    let whole = run(&["list"]);
    let json = run(&["list", "--json"]).json();
    for (heading, what) in [
        ("Clauses:", "clauses"),
        ("Cases:", "cases"),
        ("Saboteurs:", "saboteurs"),
        ("Capabilities:", "capabilities"),
        ("Profiles:", "profiles"),
        ("Targets:", "targets"),
    ] {
        assert!(whole.out.lines().any(|line| line == heading), "{heading} in {}", whole.out);
        let alone = run(&["list", what]);
        assert_eq!((alone.code, &*alone.err), (0, ""), "{what}");
        let entries = json[what].as_array().unwrap();
        assert_eq!(alone.out.lines().count(), entries.len(), "{what}");
        assert!(whole.out.contains(&alone.out), "{what}");
    }
    let case = json["cases"].as_array().unwrap().iter().find(|case| case["id"] == "ack/done_never_comes_back").unwrap();
    assert_eq!(
        (&case["role"], &case["level"], &case["clauses"][0]),
        (&json!("broker"), &json!("must"), &json!("ACK-1"))
    );
}

/// One that breaks a clause.
fn saboteur_of(clause: &str) -> String {
    let json = run(&["list", "--json"]).json();
    let breaks = |one: &&Value| one["breaks"].as_array().unwrap().iter().any(|broken| broken == clause);
    json["saboteurs"].as_array().unwrap().iter().find(breaks).unwrap()["name"].as_str().unwrap().to_owned()
}

#[test]
fn a_case_is_explained_by_its_clauses_and_who_breaks_them() {
    let run = run(&["explain", "ACK/done_never_comes_back"]);
    assert_eq!((run.code, &*run.err), (0, ""));
    for words in [
        "ack/done_never_comes_back (MUST)",
        "ACK-1: A message that was settled as `done`",
        &format!("  {}: ", saboteur_of("ACK-1")),
    ] {
        assert!(run.out.contains(words), "{words} in {}", run.out);
    }
}

#[test]
fn a_clause_names_its_cases_and_who_breaks_it() {
    let run = run(&["explain", "ack-1"]);
    for words in [
        "ACK-1 (MUST, broker",
        "Tested by:\n",
        "  ack/done_never_comes_back",
        "Known to break it:\n",
        &format!("  {}: ", saboteur_of("ACK-1")),
    ] {
        assert!(run.out.contains(words), "{words} in {}", run.out);
    }
    let run = super::run::run(&["explain", "codec/wrs-4"]);
    assert!(run.out.starts_with("codec/WRS-4 (MUST)\n\nWRS-4: ") && run.out.contains("  envelope/"), "{}", run.out);
}

#[test]
fn an_unknown_case_is_wrong_use_with_the_nearest_ids() {
    run(&["explain", "ack/done_never_come_back"]).is_wrong_use("the nearest are ack/done_never_comes_back, ");
    run(&["explain", "done/unknown_tag"]).is_wrong_use("the nearest are ack/an_unknown_tag_is_refused, ");
    run(&["explain", "/"]).is_wrong_use("no case has the id \"/\"");
}
