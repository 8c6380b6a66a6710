//! The histories of cases that fail, each in a file of its own.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use workwire_conformance::event::Ended;
use workwire_conformance::verdict::Verdict;

use crate::exit::Failure;
use crate::files;

/// Where histories go; nowhere where there is no folder.
pub(super) struct Histories(Option<PathBuf>);

impl Histories {
    /// To a folder that is named, which is made; else beside a report.
    pub(super) fn to(folder: Option<&Path>, report: Option<&Path>) -> Result<Self, Failure> {
        if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(|error| Failure::file("make the folder", folder, error))?;
            files::takes_files(folder)?;
            return Ok(Histories(Some(folder.to_owned())));
        }
        Ok(Histories(report.map(|report| report.parent().unwrap_or(Path::new("")).to_owned())))
    }

    /// Saves the history of a case that fails, and says where.
    pub(super) fn hear(&self, ended: &Ended) -> Result<Option<PathBuf>, Failure> {
        let (Some(folder), Some(history), Verdict::Fail) = (&self.0, &ended.history, ended.verdict) else {
            return Ok(None);
        };
        let path = folder.join(format!("{}.history.jsonl", ended.id.replace('/', "-")));
        let written = fs::File::create(&path).and_then(|file| {
            let mut file = BufWriter::new(file);
            history.write(&mut file)?;
            file.flush()
        });
        written.map_err(|error| Failure::file("write", &path, error))?;
        Ok(Some(path))
    }
}
