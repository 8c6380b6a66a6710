//! The proof that every case can fail: each case against each saboteur, and against honest brokers.

mod matrix;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use workwire_broker::MemoryBroker;

use crate::anomaly::Kind;
use crate::case::Case;
use crate::oddities;
use crate::runner::on_paused_time;
use crate::saboteurs::{Habit, MemoryHost, Saboteur};
use crate::subject::Subject;
use crate::trivial;
use crate::verdict::{Judgement, Verdict};

pub use matrix::{Cell, Column, Expected, Matrix, Shortfall};

/// How long a case may take in the world, however long it takes on paused time.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Each case on the honest brokers, on those that do nothing, and on each saboteur, on so many threads.
#[must_use]
pub fn run(cases: &[&'static Case], saboteurs: &[&'static Saboteur], seed: u64, threads: usize) -> Matrix {
    let mut columns = vec![(Column::honest("memory", "claims everything, and does it"), honest())];
    columns.extend(oddities::all().into_iter().map(|oddity| (Column::oddity(oddity), oddity.subject())));
    columns.extend(trivial::all().into_iter().map(|trivial| (Column::trivial(trivial), trivial.subject())));
    columns.extend(saboteurs.iter().map(|saboteur| (Column::saboteur(saboteur), saboteur.subject())));
    let jobs: Vec<(usize, &'static Case)> =
        (0..columns.len()).flat_map(|column| cases.iter().map(move |case| (column, *case))).collect();
    let next = AtomicUsize::new(0);
    let cells = Mutex::new(Vec::with_capacity(jobs.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some((column, case)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let cell = cell(case, &columns[*column].1, seed);
                    cells.lock().unwrap_or_else(PoisonError::into_inner).push((*column, cell));
                }
            });
        }
    });
    let mut columns: Vec<Column> = columns.into_iter().map(|(column, _)| column).collect();
    for (column, cell) in cells.into_inner().unwrap_or_else(PoisonError::into_inner) {
        columns[column].cells.insert(cell.case, cell);
    }
    Matrix { columns }
}

/// One case on one broker. A case that panics is a defect of the suite, and catches nothing.
#[must_use]
pub fn cell(case: &'static Case, subject: &Subject, seed: u64) -> Cell {
    let ran = catch_unwind(AssertUnwindSafe(|| on_paused_time(case, subject, seed, TIMEOUT)));
    let judgement = match ran {
        Ok((_, judgement)) => judgement,
        Err(_) => Judgement::unknown("the case panicked"),
    };
    let Judgement { verdict, reason, broken, .. } = judgement;
    let own = broken.iter().filter(|broken| broken.anomaly.kind != Kind::Prerequisite);
    let mut broken: Vec<String> = own.map(|broken| broken.clause.clone()).collect();
    broken.sort_unstable();
    broken.dedup();
    Cell { case: case.id, verdict, broken, reason }
}

/// The honest broker.
#[must_use]
pub fn honest() -> Subject {
    let host = MemoryHost::new(Habit::Honest);
    Subject::on_paused_time("memory:", || Arc::new(MemoryBroker::default())).on_host(Arc::new(host))
}

impl Cell {
    /// Whether it fails, by something that it looks for, under one of these clauses.
    #[must_use]
    pub fn fails_under(&self, clauses: &[&str]) -> bool {
        self.verdict == Verdict::Fail && self.broken.iter().any(|clause| clauses.contains(&clause.as_str()))
    }
}
