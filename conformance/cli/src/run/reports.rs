//! The reports that were asked for.

use std::path::{Path, PathBuf};

use workwire_conformance::reports::{RunReport, run_html, run_junit, run_markdown, write};

use crate::exit::Failure;
use crate::files;

/// The endings of reports.
const ENDINGS: [&str; 4] = ["json", "xml", "html", "md"];

/// Whether all of them have an ending that says what they are, and a folder to lie in.
pub(super) fn can_be_written(paths: &[PathBuf]) -> Result<(), Failure> {
    paths.iter().try_for_each(|path| files::can_be_written(path, &ENDINGS))
}

/// Writes them. A run that was broken off is no report: none is written, and those that would be are
/// named.
pub(super) fn written(paths: &[PathBuf], report: Option<&RunReport>) -> Result<(), Failure> {
    let Some(report) = report.filter(|report| report.complete) else {
        return match paths.first() {
            None => Ok(()),
            Some(path) => Err(Failure::file("write", path, "the run is not complete, and so it is no report")),
        };
    };
    paths.iter().try_for_each(|path| one(path, report))
}

fn one(path: &Path, report: &RunReport) -> Result<(), Failure> {
    let text = match files::ending(path) {
        "xml" => run_junit(report),
        "html" => run_html(report),
        "md" => Ok(run_markdown(report)),
        _ => report.json(),
    };
    let written = text.and_then(|text| write(path, &text));
    written.map_err(|error| Failure::new(error.to_string()))
}
