//! Cases that pass run once more with a time of the protocol itself, where they have one and all of
//! that is wanted. Such a case passes if it does so both times.

use std::sync::PoisonError;
use std::time::Duration;

use super::one::Place;
use super::{Run, millis};
use crate::case::{Case, Scale};
use crate::event::{Ended, Event, Figures};
use crate::plan::{self, Figure, Planned};
use crate::subject::Subject;
use crate::verdict::Verdict;

/// What of a plan runs a second time, and how long that takes.
pub(super) fn of(planned: &[Planned], subject: &Subject, jobs: usize) -> Figures {
    let run = planned.iter().filter(|planned| planned.skipped.is_none());
    let figures: Vec<&Figure> = run.filter_map(|planned| Figure::of(planned.case)).collect();
    let wait_s = if subject.has_own_time() { 0 } else { plan::together_s(&figures, jobs) };
    Figures { cases: figures.len(), wait_ms: millis(Duration::from_secs(wait_s)) }
}

impl Run {
    /// Keeps what passed and has a figure; gives back what can be told now.
    pub(super) fn kept_for_its_figure(&self, case: &'static Case, ended: Ended) -> Option<Ended> {
        let has_figure = self.options.full && Figure::of(case).is_some();
        if !has_figure || ended.verdict != Verdict::Pass || ended.figure.is_some() {
            return Some(ended);
        }
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).push((case, ended));
        None
    }

    /// Runs what was kept, side by side, the longest first.
    pub(super) async fn with_figures(&self, scale: Scale) {
        let passed = std::mem::take(&mut *self.passed.lock().unwrap_or_else(PoisonError::into_inner));
        let of = |(case, _): &(&'static Case, Ended)| Figure::of(case);
        let mut figures: Vec<&'static Figure> = passed.iter().filter_map(of).collect();
        figures.sort_by_key(|figure| std::cmp::Reverse(figure.lasts_s));
        let case = |figure: &Figure| passed.iter().map(|(case, _)| *case).find(|case| case.id == figure.case);
        let places = figures.iter().filter_map(|figure| Some(self.at_figure(case(figure)?, figure, scale)));
        let again = self.side_by_side(places.collect()).await;
        for (case, mut ended) in again {
            // What time alone has judged is looked at once more, with nothing beside it.
            let Some(figure) = Figure::of(case).filter(|_| !self.is_off()) else { return };
            if !self.subject.has_own_time() {
                self.tell(Event::CaseAgain { id: case.id });
                let Some((again, _)) = self.one(self.at_figure(case, figure, scale)).await else { return };
                ended = again;
            }
            self.ended(case, ended);
        }
    }

    fn at_figure(&self, case: &'static Case, figure: &'static Figure, scale: Scale) -> Place {
        // Twice as long as it must take, and as long as its patience is.
        let lasts = Duration::from_secs(2 * u64::from(figure.lasts_s));
        let patience = Duration::from_millis(u64::try_from(figure.ms).unwrap_or(0));
        let place = self.place(case, scale);
        Place { figure: Some(figure), timeout: place.timeout + lasts + patience, ..place }
    }
}
