//! `workwire run`: what is judged, and how it exits.

use std::net::TcpListener;

use super::run::{Folder, command, run, run_in};

/// Two cases that every broker can be put to.
const TWO: [&str; 4] = ["--only", "ack/done_never_comes_back", "--only", "ack/an_unknown_tag_is_refused"];

#[test]
fn a_broker_that_holds_exits_with_0() {
    for target in ["memory:", "sqlite:"] {
        let run = run(&[&["run", target][..], &TWO].concat());
        assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
        assert!(run.out.contains("2 of 2 cases pass") && run.out.contains("seed "), "{}", run.out);
    }
}

#[test]
fn a_file_is_judged_where_it_lies_and_keeps_no_queue() {
    let folder = Folder::new();
    let run = run_in(folder.path(), &[&["run", "sqlite:work.db"][..], &TWO].concat());
    assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
    assert!(folder.path().join("work.db").exists());
}

#[test]
fn what_is_wrong_is_said_before_anything_runs() {
    let folder = Folder::new();
    let put = |name: &str, text: &str| folder.put(name, text).display().to_string();
    let no_reason =
        put("no_reason.txt", "# known\n\nack/done_never_comes_back since always\nack/an_unknown_tag_is_refused\n");
    let no_case = put("no_case.txt", "ack/there_is_none since always\n");
    for (arguments, words) in [
        (&["nowhere"][..], "nowhere: expected one of memory:, sqlite:"),
        (&["kafka://here"], "expected one of memory:"),
        (&["exec:"], "expected a command behind exec:"),
        (&["memory:", "--only", "there_is_none"], "no case matches \"there_is_none\""),
        (&["memory:", "--skip", "XYZ-1"], "no case matches \"XYZ-1\""),
        (
            &["memory:", "--profile", "everything"],
            "no profile is named \"everything\"; there are work-bus, channels, events",
        ),
        (&["memory:", "--role", "codec", "--profile", "events"], "--profile is for brokers"),
        (&["memory:", "--role", "agent"], "the role agent is not in this version"),
        (&["memory:", "--role", "orchestrator"], "the role orchestrator is not in this version"),
        (&["memory:", "--known-failing", "/no/such/file"], "cannot read \"/no/such/file\""),
        (&["memory:", "--known-failing", &no_reason], "no_reason.txt\":4: expected a pattern and the reason"),
        (&["memory:", "--known-failing", &no_case], "no_case.txt\":1: no case matches \"ack/there_is_none\""),
        (&["memory:", "--report", "report.pdf"], "expected a file that ends in .json, .xml, .html, .md"),
        (&["memory:", "--report", "report"], "expected a file that ends in"),
        (&["memory:", "--report", "/no/such/report.json"], "there is no folder \"/no/such\""),
        (&["memory:", "--histories", &no_case], "cannot make the folder"),
        (&["memory:", "--timeout", "soon"], "expected a time such as 500ms, 90s or 15m"),
        (&["memory:", "--timeout", "0s"], "expected a time of at least 1ms"),
        (&["memory:", "--jobs", "0"], "expected a number from 1 to 10000"),
        (&["memory:", "--seed", "many"], "--seed"),
        (&["--attach", "10.0.0.1:7000"], "expected a loopback address"),
        (&["memory:", "--attach", "127.0.0.1:7000"], "cannot be used with"),
    ] {
        run(&[&["run"], arguments].concat()).is_wrong_use(words);
    }
}

#[test]
fn what_cannot_be_reached_exits_with_3() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for (arguments, words) in [
        (&["sqlite:/nowhere/at/all.db"][..], "/nowhere/at/all.db: "),
        (&["exec:/no/such/program"], "cannot start the adapter"),
        (&["--attach", &closed], "nobody can be reached"),
        (&["--role", "codec", "exec:/no/such/program"], "cannot start the adapter"),
    ] {
        let run = run(&[&["run"], arguments].concat());
        assert_eq!((run.code, &*run.out), (3, ""), "{run:?}");
        assert!(run.err.contains(words), "{run:?}");
    }
}

#[test]
fn what_listens_and_says_nothing_exits_with_3() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let run = run(&["run", "--attach", &address, "--timeout", "1s"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.err.contains("no answer to initialize"), "{run:?}");
}

#[test]
fn an_adapter_that_was_started_by_hand_is_judged() {
    let script = "import socket, subprocess, sys\n\
                  listener = socket.create_server(('127.0.0.1', 0))\n\
                  print(listener.getsockname()[1], flush=True)\n\
                  connection = listener.accept()[0]\n\
                  subprocess.run([sys.argv[1], 'adapter', 'memory:'], stdin=connection, stdout=connection)\n";
    let mut by_hand = std::process::Command::new("python3")
        .args(["-c", script, env!("CARGO_BIN_EXE_workwire")])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(by_hand.stdout.take().unwrap()), &mut port).unwrap();
    let address = format!("localhost:{}", port.trim());
    let run = run(&[&["run", "--attach", &address][..], &TWO].concat());
    assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
    assert!(run.out.contains("memory 0.1.0 at attached:127.0.0.1:"), "{}", run.out);
    assert!(by_hand.wait().unwrap().success());
}

#[test]
fn a_known_failure_that_passes_fails_the_run() {
    let folder = Folder::new();
    folder.put("known.txt", "# what is known\nack/done_* a message came back once\n");
    let run = run_in(folder.path(), &[&["run", "memory:", "--known-failing", "known.txt"][..], &TWO].concat());
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.out.contains("UNEXPECTED PASS") && run.out.contains("a message came back once"), "{}", run.out);
}

#[test]
fn a_known_failure_does_not_count_and_lines_of_cases_left_out_are_not_stale() {
    let folder = Folder::new();
    let known = "ack/an_unknown_tag_is_refused it takes any tag\nack/done_never_comes_back not looked at\n";
    folder.put("known.txt", known);
    let adapter = format!("{}/tests/command/any_tag.py", env!("CARGO_MANIFEST_DIR"));
    let target = format!("exec:python3 '{adapter}' '{}'", env!("CARGO_BIN_EXE_workwire"));
    let one = ["run", &target, "--only", "ack/an_unknown_tag_is_refused"];
    let run = run_in(folder.path(), &one);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.out.contains("expected a refusal with stale, found ok"), "{}", run.out);
    let run = run_in(folder.path(), &[&one[..], &["--known-failing", "known.txt"]].concat());
    assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
    assert!(
        run.out.contains("it takes any tag") && run.out.contains("known failures: 1 fail as known, 0 pass"),
        "{}",
        run.out
    );
}

#[test]
fn a_line_of_cases_that_the_broker_cannot_be_put_to_is_stale() {
    let folder = Folder::new();
    folder.put("known.txt", "pri no priorities here\n");
    let core = format!("{}/tests/command/core.py", env!("CARGO_MANIFEST_DIR"));
    let target = format!("exec:python3 '{core}' '{}'", env!("CARGO_BIN_EXE_workwire"));
    let arguments = ["run", &target, "--known-failing", "known.txt", "--only", "ack/an_unknown_tag_is_refused"];
    let run = run_in(folder.path(), &[&arguments[..], &["--only", "pri"]].concat());
    assert_eq!(run.code, 2, "{run:?}");
    assert!(
        run.out.contains("stale: \"known.txt\":1: \"pri\" matches no case that this broker can be put to"),
        "{run:?}"
    );
}

#[test]
fn a_run_in_which_nothing_ran_exits_with_4() {
    let core = format!("{}/tests/command/core.py", env!("CARGO_MANIFEST_DIR"));
    let target = format!("exec:python3 '{core}' '{}'", env!("CARGO_BIN_EXE_workwire"));
    let run = run(&["run", &target, "--only", "pri"]);
    assert_eq!(run.code, 4, "{run:?}");
}

#[test]
fn unknown_verdicts_alone_exit_with_5() {
    // Nothing but the time of the case is too short for it.
    let run = run(&["run", "sqlite:", "--only", "ack/done_never_comes_back", "--timeout", "1ms"]);
    assert_eq!(run.code, 5, "{run:?}");
    assert!(run.out.contains("1 unknown"), "{}", run.out);
}

#[test]
fn a_profile_takes_the_cases_that_need_no_more() {
    let run = run(&[&["run", "memory:", "--profile", "work-bus"][..], &TWO].concat());
    assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
}

#[test]
fn a_codec_is_judged_by_the_vectors() {
    let adapter = format!("exec:'{}' adapter memory:", env!("CARGO_BIN_EXE_workwire"));
    for target in ["sqlite:", &adapter] {
        let run = run(&["run", target, "--role", "codec", "--only", "codec/WRS"]);
        assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
        assert!(run.out.contains(" cases pass in "), "{}", run.out);
    }
}

#[test]
fn without_arguments_the_embedded_broker_is_judged() {
    let folder = Folder::new();
    let mut child = command(&[]).current_dir(folder.path()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
    assert!(line.starts_with("workwire-sqlite ") && line.contains(" at sqlite:: "), "{line}");
    // What it says first is all that is looked at here; the whole run has a test of its own.
    super::adapters::send(rustix::process::Signal::TERM, &child);
    assert!(matches!(child.wait().unwrap().code(), Some(143 | 0)));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it leaves no file");
}
