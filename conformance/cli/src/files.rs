//! Files that a command is to write, looked at before it does its work.

use std::path::Path;

use crate::exit::Failure;
use crate::output::quoted;
use crate::text::plain;

/// What a file's ending says that it is.
pub(crate) fn ending(path: &Path) -> &str {
    path.extension().and_then(|ending| ending.to_str()).unwrap_or("")
}

/// Whether a file has one of these endings, and a folder to lie in that takes files.
pub(crate) fn can_be_written(path: &Path, endings: &[&str]) -> Result<(), Failure> {
    if !endings.contains(&ending(path)) {
        let endings: Vec<String> = endings.iter().map(|ending| format!(".{ending}")).collect();
        return Err(Failure::new(format!("{}: expected a file that ends in {}", quoted(path), endings.join(", "))));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Failure::file("write", path, format!("there is no folder {}", quoted(folder))));
    }
    if path.is_dir() {
        return Err(Failure::file("write", path, "it is a folder"));
    }
    takes_files(folder)
}

/// Whether files can be made in a folder: one is, and is gone again. Better now than after a run.
pub(crate) fn takes_files(folder: &Path) -> Result<(), Failure> {
    let made = tempfile::Builder::new().prefix(".workwire-").tempfile_in(folder);
    made.map(drop).map_err(|error| Failure::file("write into the folder", folder, plain(&error.to_string())))
}
