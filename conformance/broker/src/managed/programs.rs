//! Finds an engine's programs on this machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::open_error::OpenError;

/// Names folders that are looked in before all others.
const VARIABLE: &str = "WORKWIRE_PROGRAMS";

/// Where programs are that are not on the `PATH` of everybody.
const USUAL: &[&str] = &[
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/opt/homebrew/bin",
    "/opt/homebrew/sbin",
    "/usr/lib/erlang/bin",
    "/usr/local/lib/erlang/bin",
];

/// Folders in which programs may be, the most wanted first.
pub(super) fn folders() -> Vec<PathBuf> {
    let named = [VARIABLE, "PATH"].iter().filter_map(std::env::var_os);
    let mut folders: Vec<PathBuf> = named.flat_map(|list| std::env::split_paths(&list).collect::<Vec<_>>()).collect();
    folders.extend(USUAL.iter().map(PathBuf::from));
    folders.retain(|folder| folder.is_absolute());
    folders
}

/// Every program of this name, the most wanted first.
pub(super) fn all(name: &str) -> Vec<PathBuf> {
    let found = folders().into_iter().map(|folder| folder.join(name));
    found.filter(|program| program.is_file()).collect()
}

/// The most wanted program of this name.
pub(super) fn one(name: &str, package: &str) -> Result<PathBuf, OpenError> {
    all(name).into_iter().next().ok_or_else(|| missing(name, package))
}

/// The most wanted of these folders in which all of the programs are.
pub(super) fn together(
    folders: impl IntoIterator<Item = PathBuf>,
    names: &[&str],
    package: &str,
) -> Result<PathBuf, OpenError> {
    let mut folders = folders.into_iter();
    let found = folders.find(|folder| names.iter().all(|name| folder.join(name).is_file()));
    found.ok_or_else(|| missing(names[0], package))
}

fn missing(name: &str, package: &str) -> OpenError {
    OpenError::setup(format!(
        "{name} is not on this machine: install it (Debian: apt-get install {package}), or name its folder in {VARIABLE}"
    ))
}

/// What a program prints, its first line; nothing where it cannot be run.
pub(super) fn line(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.lines().next().unwrap_or_default().trim().to_owned())
}
