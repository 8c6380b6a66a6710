//! `workwire schema`: what other languages read, written or checked.

mod index;
mod tree;

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::arguments::Schema;
use crate::exit::{Exit, Failure};
use crate::output::{Output, quoted};

/// Where the files lie, seen from the root of the project.
const FOLDER: &str = "schemas";

/// A generated file: where it belongs in the folder, and what it holds.
type Generated = (PathBuf, String);

pub(crate) fn run(arguments: &Schema, out: &mut Output) -> Result<Exit, Failure> {
    if let Some(folder) = &arguments.out {
        return write(folder, out);
    }
    let folder = Path::new(FOLDER);
    if !folder.is_dir() {
        return Err(Failure::new("there is no folder \"schemas\" here; name one with --out DIR"));
    }
    if arguments.check { check(folder, out) } else { write(folder, out) }
}

/// Everything that belongs in the folder, given the vectors that are there.
fn generate(folder: &Path) -> Result<Vec<Generated>, Failure> {
    let messages = workwire::schemas();
    let lines = workwire_broker::adapter::schemas();
    let mut of_the_suite = workwire_conformance::reports::schemas();
    of_the_suite.push(workwire_conformance::history::schema());
    let mut files: Vec<Generated> =
        messages.iter().map(|file| (PathBuf::from(file.path()), file.text().to_owned())).collect();
    files.extend(of_the_suite.iter().map(|file| (PathBuf::from(file.path()), file.text().to_owned())));
    files.extend(lines.iter().map(|file| (PathBuf::from(file.path()), file.text().to_owned())));
    files.extend(index::generate(folder)?);
    Ok(files)
}

fn write(folder: &Path, out: &mut Output) -> Result<Exit, Failure> {
    let files = generate(folder)?;
    let mut written = 0;
    for (path, text) in &files {
        if tree::update(&folder.join(path), text)? {
            writeln!(out, "wrote {}", quoted(&folder.join(path)))?;
            written += 1;
        }
    }
    writeln!(out, "{written} of {} files written, the others were current", files.len())?;
    Ok(Exit::Holds)
}

fn check(folder: &Path, out: &mut Output) -> Result<Exit, Failure> {
    let files = generate(folder)?;
    let problems = tree::compare(folder, &files)?;
    for problem in &problems {
        writeln!(out, "{problem}")?;
    }
    if problems.is_empty() {
        writeln!(out, "schemas are current: {} files", files.len())?;
        return Ok(Exit::Holds);
    }
    writeln!(out, "schemas are not current; `workwire schema` writes them")?;
    Ok(Exit::Fails)
}
