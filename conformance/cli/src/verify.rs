//! `workwire verify`: whether a report says what follows from its cases.

use std::io::Write;

use workwire_conformance::reports::{self, RunReport};

use crate::arguments::Verify;
use crate::exit::{Exit, Failure};
use crate::output::{Output, quoted};

pub(crate) fn run(arguments: &Verify, out: &mut Output) -> Result<Exit, Failure> {
    let path = &arguments.report;
    let report = RunReport::read(path).map_err(|error| Failure::new(error.to_string()))?;
    let found = reports::verify(&report);
    for discrepancy in &found {
        writeln!(out, "{discrepancy}")?;
    }
    let words = format!("{}; selftest: {}", report.summary.words(), report.selftest_words());
    match found.len() {
        0 => writeln!(out, "{} says what follows from its cases: {words}", quoted(path))?,
        1 => writeln!(out, "{} does not: 1 discrepancy", quoted(path))?,
        count => writeln!(out, "{} does not: {count} discrepancies", quoted(path))?,
    }
    Ok(if found.is_empty() { Exit::Holds } else { Exit::Fails })
}
