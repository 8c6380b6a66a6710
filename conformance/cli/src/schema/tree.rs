//! Generated files and the folder that they are committed in.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Generated;
use super::index::VERDICTS;
use crate::exit::Failure;
use crate::output::quoted;

/// What is wrong with one file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Problem {
    path: PathBuf,
    what: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, quoted(&self.path))
    }
}

/// Writes a file unless it holds the text already; whether it did.
pub(super) fn update(path: &Path, text: &str) -> Result<bool, Failure> {
    if content(path)?.as_deref() == Some(text.as_bytes()) {
        return Ok(false);
    }
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, text)
    };
    write().map_err(|error| Failure::file("write", path, error))?;
    Ok(true)
}

/// Compares the JSON files of a folder with those that belong there.
pub(super) fn compare(folder: &Path, files: &[Generated]) -> Result<Vec<Problem>, Failure> {
    let mut problems = Vec::new();
    for (path, text) in files {
        let path = folder.join(path);
        match content(&path)? {
            None => problems.push(Problem { path, what: "missing" }),
            Some(found) if found != text.as_bytes() => problems.push(Problem { path, what: "stale" }),
            Some(_) => {}
        }
    }
    let expected: BTreeSet<PathBuf> = files.iter().map(|(path, _)| folder.join(path)).collect();
    // The vectors themselves are written by hand.
    let by_hand: Vec<PathBuf> = VERDICTS.iter().map(|verdict| folder.join("vectors").join(verdict)).collect();
    let found = json_files(folder, &by_hand)?;
    problems.extend(found.into_iter().filter(|path| !expected.contains(path)).map(unexpected));
    problems.sort();
    Ok(problems)
}

fn unexpected(path: PathBuf) -> Problem {
    Problem { path, what: "unexpected" }
}

/// What a file holds; nothing if it is not there.
fn content(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file("read", path, error)),
    }
}

/// The JSON files in a folder and those below it, but for some, by path.
pub(super) fn json_files(folder: &Path, but_not: &[PathBuf]) -> Result<BTreeSet<PathBuf>, Failure> {
    let mut files = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| Failure::file("read", &folder, error))?;
        for entry in entries {
            let path = entry.map_err(|error| Failure::file("read", &folder, error))?.path();
            if path.is_dir() {
                if !but_not.contains(&path) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "json") {
                files.insert(path);
            }
        }
    }
    Ok(files)
}
