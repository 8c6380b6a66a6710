//! `workwire send`, `receive`, `inspect`, `dead-letters` and `replay`: a queue, mended by hand.

use serde_json::{Value, json};

use super::run::{Folder, Run, run, run_with};

struct Desk {
    _folder: Folder,
    target: String,
}

impl Desk {
    /// With a queue that is declared, and nothing in it.
    fn new() -> Self {
        let folder = Folder::new();
        let target = format!("sqlite:{}", folder.path().join("work.db").display());
        let desk = Desk { _folder: folder, target };
        desk.go("send", &["--declare", "--body", "first"]).is_well();
        desk.go("receive", &["--done"]).is_well();
        desk
    }

    fn go(&self, what: &str, arguments: &[&str]) -> Run {
        run(&[&[what, &self.target, "tasks"], arguments].concat())
    }

    fn json(&self, what: &str, arguments: &[&str]) -> Value {
        let run = self.go(what, &[arguments, &["--json"]].concat());
        run.is_well();
        run.json()
    }
}

impl Run {
    fn is_well(&self) {
        assert_eq!((self.code, &*self.err), (0, ""), "{self:?}");
    }
}

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

#[test]
fn what_was_sent_is_received_and_given_back() {
    let desk = Desk::new();
    let sent = desk.go("send", &["--body", "to do", "--id", ID, "--priority", "5"]);
    sent.is_well();
    assert_eq!(sent.out, format!("stored {ID}\n"));
    for attempt in 0..2 {
        let run = desk.go("receive", &[]);
        run.is_well();
        let shown = format!("{ID}  priority 5  attempt 1  5 bytes\n    to do\n1 message, given back\n");
        assert_eq!(run.out, shown, "look {attempt}");
    }
    let done = desk.json("receive", &["--done"]);
    let message = json!({"id": ID, "body": "to do", "encoding": "utf8", "priority": 5, "attempt": 1});
    assert_eq!(done, json!({"format": 1, "messages": [message]}));
    assert_eq!(desk.go("receive", &[]).out, "nothing there\n");
    assert!(desk.go("send", &["--body", "again", "--id", ID]).out.starts_with(&format!("duplicate {ID}: ")));
}

#[test]
fn a_body_comes_from_a_file_or_the_input() {
    let desk = Desk::new();
    let folder = Folder::new();
    let file = folder.put("body", [0xff, 0x00]);
    desk.go("send", &["--file", file.to_str().unwrap()]).is_well();
    assert!(desk.go("receive", &["--done"]).out.contains("2 bytes\n    0xff00\n"));
    for arguments in [&[][..], &["--file", "-"]] {
        run_with(&[&["send", &desk.target, "tasks"], arguments].concat(), b"by pipe").is_well();
        assert!(desk.go("receive", &["--done"]).out.contains("    by pipe\n"));
    }
    desk.go("send", &["--file", "/no/such/file"]).is_wrong_use("cannot read \"/no/such/file\"");
}

#[test]
fn what_steers_a_terminal_is_not_printed() {
    let desk = Desk::new();
    run_with(&["send", &desk.target, "tasks"], "\u{1b}[31mred\u{202e}\u{9b}2J\r".as_bytes()).is_well();
    let as_dead = desk.go("receive", &["--as", "dead", "--reason", "too \u{1b}[1mbold"]);
    let letters = desk.go("dead-letters", &[]);
    let json = desk.go("dead-letters", &["--json"]);
    for run in [&as_dead, &letters, &json] {
        run.is_well();
        let steers =
            |c: char| (c.is_control() && c != '\n') || c == '\u{9b}' || (c == '\u{202e}' && run.out != json.out);
        assert!(!run.out.contains(steers), "{:?}", run.out);
    }
    assert!(as_dead.out.contains("\\u{1b}[31mred\\u{202e}\\u{9b}2J\\u{d}"), "{}", as_dead.out);
    assert_eq!(json.json()["letters"][0]["body"], "\u{1b}[31mred\u{202e}\u{9b}2J\r");
}

#[test]
fn dead_letters_are_shown_and_sent_back() {
    let desk = Desk::new();
    for number in 0..3 {
        desk.go("send", &["--body", &format!("poison {number}")]).is_well();
    }
    desk.go("receive", &["--max", "3", "--as", "dead", "--reason", "broken"]).is_well();
    let shown = desk.go("dead-letters", &["--max", "2"]);
    assert!(
        shown.out.ends_with("2 dead letters\n") && shown.out.contains("    reason: broken\n    poison 0\n"),
        "{}",
        shown.out
    );
    let letters = desk.json("dead-letters", &[]);
    let first = letters["letters"][0]["id"].as_str().unwrap();
    assert_eq!(desk.go("replay", &[first]).out, format!("replayed {first}\n"));
    assert_eq!(desk.json("replay", &["--all"])["replayed"].as_array().unwrap().len(), 2);
    assert_eq!(desk.go("replay", &["--all"]).out, "no dead letters\n");
    assert_eq!(desk.json("inspect", &[])["depth"], json!({"ready": 3, "leased": 0, "delayed": 0, "dead": 0}));
    assert_eq!(desk.go("dead-letters", &[]).out, "no dead letters\n");
    desk.go("replay", &[first]).is_wrong_use("not_found: ");
    desk.go("replay", &[]).is_wrong_use("<ID|--all>");
    desk.go("replay", &[ID, "--all"]).is_wrong_use("cannot be used with");
}

#[test]
fn a_queue_is_counted_and_what_is_next_is_shown() {
    let desk = Desk::new();
    desk.go("send", &["--body", "later", "--delay", "1h"]).is_well();
    desk.go("send", &["--body", "one", "--ttl", "1h"]).is_well();
    desk.go("send", &["--body", "urgent", "--priority", "5"]).is_well();
    let run = desk.go("inspect", &["--max", "1"]);
    run.is_well();
    let lines: Vec<&str> = run.out.lines().collect();
    assert!(lines[0].starts_with("queue tasks at workwire-sqlite "), "{}", run.out);
    assert_eq!((lines[1], lines[3], lines.len()), ("ready 2, leased 0, delayed 1, dead 0", "    urgent", 4));
    let next = desk.json("inspect", &[])["next"].clone();
    assert_eq!((&next[0]["body"], &next[1]["body"]), (&json!("urgent"), &json!("one")));
    let peeked = desk.go("receive", &["--as", "peek", "--max", "5"]);
    assert!(peeked.out.ends_with("2 messages, looked at\n"), "{}", peeked.out);
}

#[test]
fn a_retry_uses_up_an_attempt_and_its_reason_is_kept() {
    let desk = Desk::new();
    desk.go("send", &["--body", "x"]).is_well();
    for attempt in 1..=3 {
        let run = desk.go("receive", &["--as", "retry", "--reason", "not today"]);
        assert!(run.out.contains(&format!("attempt {attempt} ")), "{}", run.out);
    }
    assert_eq!(desk.json("dead-letters", &[])["letters"][0]["reason"], "not today");
}

#[test]
fn tenants_and_recipients_have_their_own() {
    let desk = Desk::new();
    desk.go("send", &["--tenant", "acme", "--declare", "--body", "of acme"]).is_well();
    assert_eq!(desk.go("receive", &[]).out, "nothing there\n");
    assert!(desk.go("receive", &["--tenant", "acme"]).out.contains("    of acme\n"));
    desk.go("send", &["--to", "bob", "--body", "for bob"]).is_well();
    assert_eq!(desk.go("receive", &[]).out, "nothing there\n");
    assert!(desk.go("receive", &["--recipient", "bob"]).out.contains("    for bob\n"));
    assert!(desk.go("receive", &["--group", "audit", "--recipient", "bob"]).out.contains("    for bob\n"));
}

#[test]
fn what_nobody_reads_is_not_settled() {
    let desk = Desk::new();
    desk.go("send", &["--body", "keep me"]).is_well();
    let mut child = super::run::command(&["receive", &desk.target, "tasks", "--done"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(desk.go("receive", &[]).out.contains("keep me"));
}

#[test]
fn what_is_wrong_is_said_clearly() {
    let desk = Desk::new();
    let place = |queue| ["receive", &desk.target, queue];
    run(&place("other")).is_wrong_use("not_found: queue other is not declared");
    run(&place("No Queue")).is_wrong_use("queue: expected a name of 1 to 100 of a-z");
    run(&["receive", "memory:", "tasks"]).is_wrong_use("memory: is gone with the command that opens it");
    run(&["send", "sqlite:", "tasks", "--body", "x"]).is_wrong_use("sqlite: is gone with the command");
    run(&["inspect", "nowhere", "tasks"]).is_wrong_use("expected one of memory:");
    run(&["inspect", "sqlite:/no/such/file.db", "tasks"])
        .is_wrong_use("cannot open \"/no/such/file.db\": there is no such file");
    run(&["send", &desk.target, "other", "--body", "x"])
        .is_wrong_use("queue other is not declared; --declare makes it");
    desk.go("send", &["--body", "x", "--priority", "9"]).is_wrong_use("expected an integer from 1 to 5, found 9");
    desk.go("send", &["--body", "x", "--ttl", "soon"]).is_wrong_use("expected a time such as");
    desk.go("send", &["--body", "x", "--id", "7"]).is_wrong_use("--id");
    desk.go("receive", &["--max", "0"]).is_wrong_use("--max");
    desk.go("receive", &["--reason", "x"]).is_wrong_use("--reason is given with --as retry and --as dead alone");
    desk.go("receive", &["--done", "--as", "dead"]).is_wrong_use("cannot be used with");
    desk.go("receive", &["--as", "peek", "--wait", "1s"]).is_wrong_use("--as peek looks at what is next");
    desk.go("inspect", &["--tenant", "No"]).is_wrong_use("tenant: expected a name");
    let run = run(&["inspect", "exec:/no/such/program", "tasks"]);
    assert_eq!(run.code, 3, "{run:?}");
}

#[test]
fn a_broker_behind_an_adapter_is_mended_too() {
    let desk = Desk::new();
    desk.go("send", &["--body", "through"]).is_well();
    let target = format!("exec:'{}' adapter '{}'", env!("CARGO_BIN_EXE_workwire"), desk.target);
    let run = run(&["receive", &target, "tasks", "--done"]);
    run.is_well();
    assert!(run.out.contains("    through\n"), "{}", run.out);
    assert_eq!(desk.go("receive", &[]).out, "nothing there\n");
}

#[test]
fn what_a_broker_does_not_claim_is_said() {
    let core = format!(
        "exec:python3 '{}/tests/command/core.py' '{}'",
        env!("CARGO_MANIFEST_DIR"),
        env!("CARGO_BIN_EXE_workwire")
    );
    run(&["receive", &core, "tasks", "--wait", "1s"]).is_wrong_use("this broker does not claim wait");
}
