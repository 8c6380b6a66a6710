//! A run that is broken off leaves no instance behind.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::runs::{command, folder, is_missing};

/// The folders of instances in a folder.
fn instances(folder: &std::path::Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("workwire-")).collect()
}

fn broken_off_by(signals: &[&str]) {
    let here = folder("broken");
    let mut command = command(here.path(), &["run", "managed:redis", "--only", "del"]);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The first line comes once it has begun.
    let mut first = String::new();
    BufReader::new(running.stdout.take().unwrap()).read_line(&mut first).unwrap();
    if first.is_empty() {
        let output = running.wait_with_output().unwrap();
        assert!(is_missing("managed:redis", output.status.code().unwrap(), &String::from_utf8_lossy(&output.stderr)));
        return;
    }
    assert_eq!(instances(here.path()).len(), 1, "{first}");
    for signal in signals {
        // Where the first was enough, there is nobody for the second.
        let _ = std::process::Command::new("kill").args([*signal, &running.id().to_string()]).status();
    }
    running.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !instances(here.path()).is_empty() {
        assert!(Instant::now() < deadline, "{signals:?}: {:?}", instances(here.path()));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn nothing_is_left_of_an_instance_when_its_run_is_broken_off() {
    broken_off_by(&["-INT"]);
}

#[test]
fn nor_when_it_is_asked_twice() {
    broken_off_by(&["-INT", "-TERM"]);
}

#[test]
fn nor_when_it_is_killed() {
    broken_off_by(&["-KILL"]);
}
