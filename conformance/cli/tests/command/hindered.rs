//! Runs that cannot write what they have to: it is found before they begin, or they clean up all the same.

use std::process::Stdio;

use super::run::{Folder, Run, command, run, run_in};

#[test]
fn a_folder_that_takes_no_files_is_found_before_anything_runs() {
    for option in ["--report", "--histories"] {
        let path = if option == "--report" { "/proc/x.json" } else { "/proc/self" };
        let ran = run(&["run", "memory:", "--only", "ack", option, path]);
        ran.is_wrong_use("cannot write into the folder \"/proc");
    }
    run(&["selftest", "--only", "codec/WRS-4", "--report", "/proc/x.json"])
        .is_wrong_use("cannot write into the folder");
}

#[test]
fn a_look_whether_a_folder_takes_files_leaves_none() {
    let folder = Folder::new();
    let ran = run_in(folder.path(), &["run", "memory:", "--only", "ack/an_unknown_tag", "--report", "only.md"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["only.md"]);
}

#[test]
fn an_empty_pattern_is_a_typing_error() {
    for arguments in [["--only", ""], ["--skip", " "]] {
        run(&[&["run", "memory:"][..], &arguments].concat()).is_wrong_use("expected a pattern, found an empty one");
    }
    run(&["selftest", "--only", ""]).is_wrong_use("expected a pattern, found an empty one");
    run(&["run", "memory:", "--timeout", "1us"]).is_wrong_use("at least 1ms");
}

#[test]
fn a_known_failure_is_read_with_a_mark_before_it_and_shown_cut_where_it_is_long() {
    let folder = Folder::new();
    folder.put("marked.txt", "\u{feff}ack/done_never_comes_back since always\r\n");
    folder.put("long.txt", "a".repeat(3_000_000));
    let known = |name: &str| {
        let only = ["run", "memory:", "--only", "ack/done_never", "--known-failing", name];
        run_in(folder.path(), &only)
    };
    let marked = known("marked.txt");
    assert_eq!(marked.code, 1, "it is known to fail, and passes: {marked:?}");
    assert!(marked.out.contains("UNEXPECTED PASS ack/done_never_comes_back: it was known to fail: since always"));
    let long = known("long.txt");
    assert!(long.code == 2 && long.err.len() < 5_000, "{} bytes", long.err.len());
}

/// Nobody can be told of the cases, and yet no queue stays in the store.
#[cfg(target_os = "linux")]
#[test]
fn a_run_that_cannot_print_ends_and_cleans_up() {
    let folder = Folder::new();
    let store = format!("sqlite:{}", folder.path().join("store.db").display());
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command(&["run", &store, "--only", "ack"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let ran = Run::of(&output);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.starts_with("error: cannot write the output: "), "{ran:?}");
    let script =
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM queue').fetchone()[0])";
    let counted = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(folder.path().join("store.db"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&counted.stdout).trim(), "0", "{counted:?}");
}
