//! `workwire verify`: whether a report says what follows from its cases.

use std::io::Write;

use workwire_conformance::reports::{self, RunReport};
use workwire_conformance::{cases, codec};

use crate::arguments::Verify;
use crate::exit::{Exit, Failure};
use crate::output::{Output, quoted};

pub(crate) fn run(arguments: &Verify, out: &mut Output) -> Result<Exit, Failure> {
    let path = &arguments.report;
    let report = RunReport::read(path).map_err(|error| Failure::new(error.to_string()))?;
    let is_of_codecs = report.cases.iter().any(|case| case.area() == "codec");
    let suite = if is_of_codecs { codec::for_reports() } else { cases::all() };
    let found = reports::verify_against(&report, &suite);
    for discrepancy in &found {
        writeln!(out, "{discrepancy}")?;
    }
    let words = report.summary.words();
    match found.len() {
        0 => writeln!(out, "{} says what follows from its cases: {words}", quoted(path))?,
        1 => writeln!(out, "{} does not: 1 discrepancy", quoted(path))?,
        count => writeln!(out, "{} does not: {count} discrepancies", quoted(path))?,
    }
    Ok(if found.is_empty() { Exit::Holds } else { Exit::Fails })
}
