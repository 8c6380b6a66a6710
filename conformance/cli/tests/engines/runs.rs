//! The runs that all of the tests look at.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Who is judged, in the order of the table, and the variable that names a server to judge instead.
const TARGETS: &[(&str, &str)] = &[
    ("memory:", ""),
    ("sqlite:", ""),
    ("managed:rabbitmq", "WORKWIRE_TEST_AMQP_URL"),
    ("managed:rabbitmq?queue=quorum", ""),
    ("managed:redis", "WORKWIRE_TEST_REDIS_URL"),
    ("managed:nats", "WORKWIRE_TEST_NATS_URL"),
    ("managed:postgres", "WORKWIRE_TEST_POSTGRES_URL"),
];

/// One run of the suite.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) target: &'static str,
    /// It is the server that a variable names.
    pub(crate) is_named: bool,
    pub(crate) code: i32,
    pub(crate) said: String,
    /// Where its report is.
    pub(crate) report: PathBuf,
    /// What is left in the folder that was its own for temporary files.
    pub(crate) left: Vec<PathBuf>,
    pub(crate) took: Duration,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(&self.report).unwrap()).unwrap()
    }
}

/// A folder for temporary files that everybody may pass through: PostgreSQL runs as another user.
pub(crate) fn folder(name: &str) -> tempfile::TempDir {
    let mut builder = tempfile::Builder::new();
    let prefix = format!("workwire-test-{name}-");
    builder.prefix(&prefix).permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755)).tempdir().unwrap()
}

pub(crate) fn command(temporary: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_workwire"));
    command.args(arguments).env("TMPDIR", temporary);
    command
}

/// Whether it is an engine that is not on this machine, which is said.
pub(crate) fn is_missing(target: &str, code: i32, said: &str) -> bool {
    let is_missing = code == 3 && said.contains("is not on this machine");
    if is_missing {
        assert!(std::env::var_os("CI").is_none(), "{target}: {said}");
        println!("not run: {}", said.trim());
    }
    is_missing
}

/// The runs, of those that are here.
pub(crate) fn all() -> &'static [Ran] {
    static ALL: OnceLock<Vec<Ran>> = OnceLock::new();
    ALL.get_or_init(|| {
        let running: Vec<_> =
            TARGETS.iter().map(|(target, variable)| std::thread::spawn(move || run(target, variable))).collect();
        running.into_iter().filter_map(|running| running.join().unwrap()).collect()
    })
}

fn run(target: &'static str, variable: &str) -> Option<Ran> {
    let named = (!variable.is_empty()).then(|| std::env::var(variable).ok()).flatten();
    let name = target.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let report = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.json"));
    let temporary = folder(&name);
    let began = Instant::now();
    let judged = named.as_deref().unwrap_or(target);
    // Seven runs at once have all of the machine to share.
    let arguments = ["run", judged, "--seed", "1", "--timeout", "3m", "--report", report.to_str().unwrap()];
    let output = command(temporary.path(), &arguments).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let code = output.status.code().expect("no signal ends it");
    if is_missing(target, code, &said) {
        return None;
    }
    let left = fs::read_dir(temporary.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let ran = Ran { target, is_named: named.is_some(), code, said, report, left, took: began.elapsed() };
    println!("{target}: exit {code} in {:?}, {}", ran.took, ran.said.lines().last().unwrap_or_default());
    Some(ran)
}
