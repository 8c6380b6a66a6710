//! `workwire selftest`: proves that every case can fail.

mod progress;

use std::io::Write;
use std::path::PathBuf;
use std::thread::available_parallelism;

use workwire::spec::{self, Role};
use workwire_conformance::plan::Filter;
use workwire_conformance::reports::{self, ProofReport};
use workwire_conformance::saboteurs::{self, Saboteur};
use workwire_conformance::selftest::{self, Matrix, Shortfall};
use workwire_conformance::{Case, cases, codec};

use crate::arguments::Selftest;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::Output;
use crate::run::order::{CaseName, matches_something};
use progress::Progress;

/// The endings of its reports.
const ENDINGS: [&str; 3] = ["json", "html", "txt"];

pub(crate) fn run(arguments: &Selftest, out: &mut Output) -> Result<Exit, Failure> {
    arguments.report.iter().try_for_each(|path| files::can_be_written(path, &ENDINGS))?;
    let filter = Filter { only: arguments.only.clone(), skip: Vec::new() };
    let of_codecs = codec::cases().iter().map(|case| CaseName { id: &case.id, clauses: &case.clauses });
    let named: Vec<CaseName> = cases::all().into_iter().map(CaseName::from).chain(of_codecs).collect();
    matches_something(&filter, &named)?;
    let wanted: Vec<&'static Case> = cases::all().into_iter().filter(|case| filter.takes(case)).collect();
    let reads = codec::cases().iter().filter(|case| filter.takes_named(&case.id, &case.clauses)).count();
    let whole = arguments.only.is_empty();
    let saboteurs: Vec<&'static Saboteur> =
        saboteurs::all().into_iter().filter(|saboteur| whole || breaks_one_of(saboteur, &wanted)).collect();

    let jobs = arguments.jobs.unwrap_or_else(|| available_parallelism().map_or(2, usize::from));
    let matrix = brokers(&wanted, &saboteurs, arguments.seed, jobs);
    let clauses = clauses(whole, &wanted);
    let mut shortfalls = matrix.shortfalls(&wanted, &clauses);
    // Whether a saboteur spares the other cases shows only where there are all of them.
    shortfalls.retain(|shortfall| whole || !matches!(shortfall, Shortfall::BreaksEverything { .. }));
    let mut liars = 0;
    if reads > 0 {
        let (of_codecs, short) = codec::prove();
        // The first column is the codec that does not lie.
        liars = of_codecs.columns.len() - 1;
        shortfalls.extend(short);
    }
    let proof = ProofReport::of(&matrix, &wanted, &shortfalls);
    written(&arguments.report, &proof)?;
    write!(out, "{}", proof.text())?;
    let counts =
        Counts { clauses: clauses.len() + reads, cases: wanted.len() + reads, saboteurs: saboteurs.len() + liars };
    judged(&counts, &shortfalls, out)
}

/// A saboteur of other cases is not caught by these.
fn breaks_one_of(saboteur: &Saboteur, cases: &[&'static Case]) -> bool {
    cases.iter().any(|case| case.clauses.iter().any(|clause| saboteur.breaks.contains(clause)))
}

/// The clauses that need a case: all that bind a broker, or those of the cases that were named.
fn clauses(whole: bool, cases: &[&'static Case]) -> Vec<&'static str> {
    let bound = spec::clauses().iter().filter(|clause| clause.role() == Role::Broker);
    let is_meant = |id: &&str| whole || cases.iter().any(|case| case.clauses.contains(id));
    bound.map(spec::Clause::id).filter(is_meant).collect()
}

/// Case by case, so that there is something to tell meanwhile.
fn brokers(cases: &[&'static Case], saboteurs: &[&'static Saboteur], seed: u64, jobs: usize) -> Matrix {
    let mut progress = Progress::of(cases.len());
    let mut whole = Matrix::default();
    for case in cases {
        progress.begins(case.id);
        let matrix = selftest::run(&[*case], saboteurs, seed, jobs);
        if whole.columns.is_empty() {
            whole = matrix;
            continue;
        }
        for (column, more) in whole.columns.iter_mut().zip(matrix.columns) {
            column.cells.extend(more.cells);
        }
    }
    progress.ends();
    whole
}

/// Writes the reports that were asked for.
fn written(paths: &[PathBuf], proof: &ProofReport) -> Result<(), Failure> {
    for path in paths {
        let text = match files::ending(path) {
            "html" => proof.html(),
            "txt" => Ok(proof.text()),
            _ => proof.json(),
        };
        let written = text.and_then(|text| reports::write(path, &text));
        written.map_err(|error| Failure::new(error.to_string()))?;
    }
    Ok(())
}

struct Counts {
    clauses: usize,
    cases: usize,
    saboteurs: usize,
}

fn judged(counts: &Counts, shortfalls: &[Shortfall], out: &mut Output) -> Result<Exit, Failure> {
    let Counts { clauses, cases, saboteurs } = counts;
    write!(out, "{clauses} clauses, {cases} cases, {saboteurs} saboteurs, ")?;
    match shortfalls.len() {
        0 => writeln!(out, "all caught")?,
        1 => writeln!(out, "1 shortfall")?,
        count => writeln!(out, "{count} shortfalls")?,
    }
    Ok(if shortfalls.is_empty() { Exit::Holds } else { Exit::Fails })
}
