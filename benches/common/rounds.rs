//! Comparing on a machine that is not quiet: batches in turn, much shorter than what the scheduler gives
//! to a program at a time, so that most of them are undisturbed, and the median of the ratios of neighbours.

use std::time::Duration;

use crate::batch::Batch;

/// How long to measure.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    pub(crate) batch: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Plan { rounds: 1000, batch: Duration::from_micros(300) }
    }
}

/// Something to measure, and how often in a batch.
pub(crate) struct Calibrated<'a> {
    work: &'a Batch,
    times: u32,
}

impl<'a> Calibrated<'a> {
    /// Finds how often to do it, and warms it up by that.
    pub(crate) fn new(work: &'a Batch, batch: Duration) -> Self {
        let undisturbed = |times| (0..3).map(|_| work(u64::from(times))).min().unwrap_or_default();
        let mut times = 1;
        loop {
            let took = undisturbed(times);
            if took * 4 >= batch {
                let one = (took / times).max(Duration::from_nanos(1)).as_nanos();
                return Calibrated { work, times: u32::try_from(batch.as_nanos() / one).unwrap_or(1).max(1) };
            }
            times *= 2;
        }
    }

    /// Nanoseconds for each time, over one batch.
    pub(crate) fn run(&self) -> f64 {
        (self.work)(u64::from(self.times)).as_secs_f64() * 1e9 / f64::from(self.times)
    }
}

/// Measures all of them in turn, in alternating order: for each its figures, by round.
pub(crate) fn in_turn(works: &[&Batch], plan: Plan) -> Vec<Vec<f64>> {
    let works: Vec<_> = works.iter().map(|work| Calibrated::new(work, plan.batch)).collect();
    let mut figures = vec![Vec::new(); works.len()];
    for round in 0..plan.rounds {
        for step in 0..works.len() {
            let index = if round % 2 == 0 { step } else { works.len() - 1 - step };
            figures[index].push(works[index].run());
        }
    }
    figures
}

/// A middle, and between what eight in ten of the figures lie.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) lower: f64,
    pub(crate) median: f64,
    pub(crate) upper: f64,
}

pub(crate) fn spread(figures: &[f64]) -> Spread {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |percent: usize| sorted[(sorted.len() - 1) * percent / 100];
    Spread { lower: at(10), median: at(50), upper: at(90) }
}

/// The ratios of neighbours.
pub(crate) fn ratios(figures: &[f64], to: &[f64]) -> Spread {
    spread(&figures.iter().zip(to).map(|(one, other)| one / other).collect::<Vec<_>>())
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ({:.2}–{:.2})", self.median, self.lower, self.upper)
    }
}

/// Nanoseconds for a reader: four digits and a unit behind are enough.
pub(crate) fn nanoseconds(figures: &[f64]) -> String {
    let median = spread(figures).median;
    if median < 10_000.0 { format!("{median:.0}") } else { format!("{:.1} k", median / 1000.0) }
}
