//! PostgreSQL: a server that refuses to run as root, so that it runs as the user `postgres` there.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use super::{Place, Server, Step, USER, command};
use crate::managed::programs;
use crate::managed::ready::{SignOfLife, begins};
use crate::managed::settings::Settings;
use crate::open_error::OpenError;

const PROGRAMS: &[&str] = &["postgres", "initdb"];
const NUMBER: &str = "data/postmaster.pid";

#[derive(Debug)]
pub(super) struct Postgres {
    programs: PathBuf,
    /// As whom it runs, where that is not us: user and group.
    run_as: Option<(u32, u32)>,
    settings: Settings,
}

impl Postgres {
    pub(super) fn find(settings: Settings) -> Result<Self, OpenError> {
        let configured = programs::all("pg_config").into_iter();
        let configured = configured.filter_map(|program| programs::line(&program, "--bindir")).map(PathBuf::from);
        let folders = programs::folders().into_iter().chain(configured).chain(versions());
        let programs = programs::together(folders, PROGRAMS, "postgresql")?;
        let run_as = rustix::process::geteuid().is_root().then(other_user).transpose()?;
        Ok(Postgres { programs, run_as, settings })
    }

    /// Versions from 14 on can, on Linux.
    fn syncs_at_once(&self) -> bool {
        let version = programs::line(&self.programs.join("postgres"), "--version").unwrap_or_default();
        let major = version.split_whitespace().find_map(|word| word.split('.').next()?.parse::<u32>().ok());
        cfg!(target_os = "linux") && major.is_some_and(|major| major >= 14)
    }

    fn command(&self, program: &str, place: &Place) -> Command {
        let mut command = command(&self.programs.join(program), place);
        if let Some((user, group)) = self.run_as {
            command.uid(user).gid(group);
        }
        command
    }
}

/// Where Debian keeps them, the newest first.
fn versions() -> Vec<PathBuf> {
    let Ok(folders) = std::fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut found: Vec<(u32, PathBuf)> = folders
        .flatten()
        .filter_map(|folder| Some((folder.file_name().to_str()?.parse().ok()?, folder.path().join("bin"))))
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, folder)| folder).collect()
}

fn other_user() -> Result<(u32, u32), OpenError> {
    let number = |what: &str| {
        let output = Command::new("id").args([what, "postgres"]).stderr(Stdio::null()).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse::<u32>().ok()
    };
    let both = number("-u").zip(number("-g"));
    both.ok_or_else(|| {
        OpenError::setup("PostgreSQL does not run as root, and there is no user `postgres` to run it as")
    })
}

fn give(path: &Path, owner: (u32, u32)) -> Result<(), OpenError> {
    let given = std::os::unix::fs::chown(path, Some(owner.0), Some(owner.1));
    given.map_err(|error| OpenError::setup(format!("{}: {error}", path.display())))
}

impl Server for Postgres {
    fn prepare(&self, place: &Place) -> Result<Option<Command>, OpenError> {
        place.write("password", &place.password)?;
        if let Some(owner) = self.run_as {
            give(&place.folder, owner)?;
            give(&place.folder.join("password"), owner)?;
        }
        let mut command = self.command("initdb", place);
        command.args(["-D", &place.file("data"), "-U", USER, "--pwfile", &place.file("password")]);
        command.args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]);
        Ok(Some(command))
    }

    fn steps(&self, place: &Place) -> Result<Vec<Step>, OpenError> {
        let [port, ..] = place.ports;
        let mut command = self.command("postgres", place);
        command.args(["-D", &place.file("data"), "-p", &port.to_string()]);
        let names = ["fsync", "synchronous_commit", "max_connections"];
        let asked = names.iter().map(|name| format!("{name}={}", self.settings.value(name)));
        let fixed = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "dynamic_shared_memory_type=mmap"];
        for setting in asked.chain(fixed.map(str::to_owned)) {
            command.args(["-c", &setting]);
        }
        if self.syncs_at_once() {
            // After a kill it writes the whole folder to the disk: by one call rather than file by file.
            command.args(["-c", "recovery_init_sync_method=syncfs"]);
        }
        // Until it accepts, it answers this with an error; then with a question for the password.
        let mut words = vec![0, 3, 0, 0];
        for word in ["user", USER, "database", "postgres", ""] {
            words.extend_from_slice(word.as_bytes());
            words.push(0);
        }
        let length = u32::try_from(words.len() + 4).unwrap_or(u32::MAX);
        let said = [length.to_be_bytes().to_vec(), words].concat();
        Ok(vec![Step { command, sign: SignOfLife { port, said, judge: begins(b"R") } }])
    }

    fn address(&self, place: &Place) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/postgres", place.password, place.ports[0])
    }

    /// Asked otherwise it waits for its clients to leave.
    fn polite(&self) -> Signal {
        Signal::INT
    }

    /// Killed, it leaves a piece of shared memory in the system.
    fn asked_by(&self) -> Option<&'static str> {
        Some(NUMBER)
    }

    fn after_death(&self, place: &Place) {
        let file = place.folder.join(NUMBER);
        let Ok(text) = std::fs::read_to_string(&file) else { return };
        // The seventh line: key and number of its shared memory.
        if let Some(number) = text.lines().nth(6).and_then(|line| line.split_whitespace().nth(1)) {
            // The next start would find it and take it over; where there is none, nobody would.
            let _ = Command::new("ipcrm").args(["-m", number]).stderr(Stdio::null()).status();
        }
        // Its number may be another process's by the time that somebody is asked to stop by it.
        let _ = std::fs::remove_file(file);
    }

    fn is_safe(&self) -> bool {
        self.settings.are_safe()
    }
}
