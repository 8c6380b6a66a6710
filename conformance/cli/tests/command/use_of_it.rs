//! Arguments, help and output, whatever the subcommand.

use std::io::Read;
use std::process::Stdio;

use super::run::{command, run};

#[test]
fn help_and_version_are_asked_for_and_exit_with_0() {
    for arguments in
        [&["--help"][..], &["help"], &["validate", "--help"], &["schema", "-h"], &["list", "--help"], &["run", "-h"]]
    {
        let run = run(arguments);
        assert_eq!((run.code, &*run.err), (0, ""), "{arguments:?}");
        assert!(run.out.contains("Exit codes:\n  0  everything demanded holds\n  1  "), "{}", run.out);
    }
    let run = run(&["--version"]);
    assert_eq!((run.code, run.out), (0, format!("workwire {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn every_subcommand_has_help_with_its_exit_codes() {
    let help = run(&["help"]).out;
    let all = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let all: Vec<&str> = all.filter(|line| line.starts_with("  ") && !line.starts_with("   ")).collect();
    assert_eq!(all.len(), 17, "{help}");
    for line in all {
        let name = line.split_whitespace().next().unwrap();
        let run = run(&["help", name]);
        assert_eq!(run.code, 0, "{name}");
        assert!(name == "help" || run.out.contains("Exit codes:"), "{name}: {}", run.out);
    }
}

#[test]
fn a_shell_can_complete_it() {
    for shell in ["bash", "zsh", "fish"] {
        let run = run(&["completions", shell]);
        assert_eq!((run.code, &*run.err), (0, ""), "{shell}");
        assert!(run.out.contains("dead-letters") && run.out.contains("known-failing"), "{shell}");
    }
}

#[test]
fn unknown_arguments_are_wrong_use() {
    run(&["frobnicate"]).is_wrong_use("frobnicate");
    run(&["validate", "--colour"]).is_wrong_use("--colour");
    run(&["validate", "--kind", "letter"]).is_wrong_use("envelope, channel, event");
    run(&["validate", "--max-bytes", "0"]).is_wrong_use("from 1 to 67108864");
    run(&["validate", "--max-bytes", "67108865"]).is_wrong_use("from 1 to 67108864");
    run(&["validate", "one.json", "two.json"]).is_wrong_use("two.json");
    run(&["schema", "--check", "--out", "there"]).is_wrong_use("cannot be used with");
    run(&["explain"]).is_wrong_use("<ID>");
    run(&["adapter"]).is_wrong_use("<TARGET>");
    run(&["matrix"]).is_wrong_use("<REPORT>");
    run(&["judge"]).is_wrong_use("<FILE>");
    run(&["completions", "cmd"]).is_wrong_use("bash, elvish, fish, powershell, zsh");
    run(&["adapter", "memory"]).is_wrong_use("memory: expected one of memory:, sqlite:, sqlite:PATH, amqp://…");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    for arguments in [&["list"][..], &["list", "--json"], &["explain", "JSN-1"]] {
        let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Nobody reads: the pipe breaks at the first write.
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!((child.wait().unwrap().code(), &*err), (Some(0), ""), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_told() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command(&["list"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: cannot write the output: "));
}
