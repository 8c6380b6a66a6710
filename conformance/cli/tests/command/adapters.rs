//! Adapters for the tests, and what is left of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::run::{Folder, Run, command};

/// A broker in a file behind an adapter that misbehaves in one way.
pub(crate) struct Proxied {
    pub(crate) folder: Folder,
    mark: String,
    way: &'static str,
}

/// Everything that a run starts carries it in its environment.
const MARK: &str = "WORKWIRE_TEST_MARK";

impl Proxied {
    pub(crate) fn new(way: &'static str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mark = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Proxied { folder: Folder::new(), mark, way }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// Made when it has begun to misbehave.
    pub(crate) fn sign(&self) -> PathBuf {
        self.folder.path().join("sign")
    }

    pub(crate) fn target(&self) -> String {
        let proxy = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command/proxy.py");
        let words = [
            "python3".to_owned(),
            proxy.display().to_string(),
            self.way.to_owned(),
            self.sign().display().to_string(),
            env!("CARGO_BIN_EXE_workwire").to_owned(),
            "adapter".to_owned(),
            format!("sqlite:{}", self.store().display()),
        ];
        format!("exec:{}", words.map(|word| format!("'{word}'")).join(" "))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let target = self.target();
        let mut command = command(&["run", &target]);
        command.args(arguments).env(MARK, &self.mark);
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().unwrap();
        Run::of(&output)
    }

    /// Starts it, and waits until it misbehaves.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until("it misbehaves", || self.sign().exists());
        child
    }

    /// Nothing that the run started is alive.
    pub(crate) fn has_left_no_process(&self) {
        let wanted = format!("{MARK}={}", self.mark);
        until("every process is gone", || {
            let all = fs::read_dir("/proc").unwrap().flatten();
            let mut environments = all.filter_map(|process| fs::read(process.path().join("environ")).ok());
            !environments.any(|all| all.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes()))
        });
    }

    /// The store holds no queue any more.
    pub(crate) fn has_left_no_queue(&self) {
        let script = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM queue').fetchone()[0])";
        let output = Command::new("python3").args(["-c", script]).arg(self.store()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "0", "{output:?}");
    }
}

pub(crate) fn send(signal: Signal, child: &Child) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Polls until it is so.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < end, "waited a minute until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
