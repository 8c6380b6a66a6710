//! `workwire matrix`: reports side by side.

use std::io::Write;
use std::path::Path;

use workwire_conformance::reports::{self, RunReport, SideBySide};

use crate::arguments::Matrix;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::{Output, quoted};

/// The endings of what it writes.
const ENDINGS: [&str; 3] = ["html", "md", "txt"];

pub(crate) fn run(arguments: &Matrix, out: &mut Output) -> Result<Exit, Failure> {
    if let Some(path) = &arguments.out {
        files::can_be_written(path, &ENDINGS)?;
    }
    let reports = arguments.report.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let sides = SideBySide::of(&reports);
    let Some(path) = &arguments.out else {
        write!(out, "{}", sides.text())?;
        return Ok(Exit::Holds);
    };
    let text = match files::ending(path) {
        "html" => sides.html(),
        "md" => Ok(sides.markdown()),
        _ => Ok(sides.text()),
    };
    let written = text.and_then(|text| reports::write(path, &text));
    written.map_err(|error| Failure::new(error.to_string()))?;
    writeln!(out, "wrote {}", quoted(path))?;
    Ok(Exit::Holds)
}

/// One that is not finished says less than it seems.
fn read(path: &Path) -> Result<RunReport, Failure> {
    let report = RunReport::read(path).map_err(|error| Failure::new(error.to_string()))?;
    if report.complete {
        Ok(report)
    } else {
        Err(Failure::file("take the report", path, "it is not complete: the run did not end by itself"))
    }
}
