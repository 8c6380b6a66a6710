//! The protocol's own times. Cases say short ones, so that a run is over in seconds; each of these
//! can be run a second time, stretched so far that its time is the one that the protocol names.
//!
//! What the run looks at stays the same: only how long things last changes, and by how much patience
//! has to be longer. Times that no message and no policy of the protocol names have no figure, nor
//! have cases that stop the broker, since those would have it stand still for minutes.

use crate::case::{Case, Scale};

/// A time of the protocol, and a case that can be run with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// The case.
    pub case: &'static str,
    /// What lasts so long, in words.
    pub words: &'static str,
    /// How long it is in the protocol, in milliseconds.
    pub ms: i64,
    /// How long the case says that it is.
    pub own_ms: i64,
    /// How long the case then takes on a broker that does what it must, in seconds.
    pub lasts_s: u32,
}

/// Every one of them.
pub const FIGURES: &[Figure] = &[
    figure("lse/an_ended_lease_delivers_again", "an event's lease of 60 s", 60_000, 150, 60),
    figure("lse/never_before_the_lease_ends", "a claim of 300 s", 300_000, 300, 300),
    figure("lse/an_ending_lease_wakes_who_waits", "the default lease of 30 s", 30_000, 200, 30),
    figure("lse/each_delivery_has_a_whole_lease", "the default lease of 30 s", 30_000, 200, 90),
    figure("lse/an_extended_lease_ends_later", "a claim that is extended to 300 s", 300_000, 900, 300),
    figure("dly/each_failure_has_its_rest", "an event's first rests of 1 s and 4 s", 4_000, 200, 5),
    figure("dly/a_rest_after_a_failure", "an event's last rest of 16 s", 16_000, 300, 16),
    figure("dup/free_after_the_window", "the default window of 300 s", 300_000, 200, 315),
    figure("dup/a_duplicate_prolongs_nothing", "the default window of 300 s", 300_000, 400, 308),
    figure("dup/known_until_the_window_is_over", "the default window of 300 s", 300_000, 600, 200),
    figure("prs/who_is_silent_for_so_long_is_offline", "a silence of 180 s", 180_000, 300, 300),
    figure("prs/nobody_is_offline_before", "a silence of 180 s", 180_000, 1_000, 108),
    figure("prs/one_more_brings_it_back", "a silence of 180 s", 180_000, 1_000, 216),
    figure("prs/three_minutes_where_nothing_is_said", "the last seconds of 180 s of silence", 176_000, 400, 176),
];

const fn figure(case: &'static str, words: &'static str, ms: i64, own_ms: i64, lasts_s: u32) -> Figure {
    Figure { case, words, ms, own_ms, lasts_s }
}

impl Figure {
    /// The one of a case, if it has one.
    #[must_use]
    pub fn of(case: &Case) -> Option<&'static Figure> {
        FIGURES.iter().find(|figure| figure.case == case.id)
    }

    /// How long a millisecond of the case is, so that its time is this one.
    #[must_use]
    pub fn scale(&self, broker: Scale) -> Scale {
        broker.at_figure(self.own_ms, self.ms)
    }
}

/// How long cases of these figures take, so many side by side, in seconds: the longest first.
#[must_use]
pub fn together_s(figures: &[&Figure], side_by_side: usize) -> u64 {
    let mut lasting: Vec<u32> = figures.iter().map(|figure| figure.lasts_s).collect();
    lasting.sort_unstable_by(|one, other| other.cmp(one));
    let mut slots = vec![0_u64; side_by_side.clamp(1, figures.len().max(1))];
    for lasts in lasting {
        if let Some(first) = slots.iter_mut().min() {
            *first += u64::from(lasts);
        }
    }
    slots.into_iter().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Alone;
    use crate::cases;

    #[test]
    fn each_is_of_a_case_that_can_run_beside_others() {
        for figure in FIGURES {
            let case = cases::find(figure.case).unwrap_or_else(|| panic!("{}: no case", figure.case));
            assert_eq!(case.alone, Alone::No, "{}", case.id);
            assert_eq!(Figure::of(case), Some(figure), "{}: one figure for each case", case.id);
            assert!(figure.ms > figure.own_ms && figure.own_ms > 0, "{}", case.id);
        }
    }

    #[test]
    fn some_side_by_side_take_as_long_as_the_longest_slot() {
        let all: Vec<&Figure> = FIGURES.iter().collect();
        let sum: u64 = all.iter().map(|figure| u64::from(figure.lasts_s)).sum();
        assert_eq!(together_s(&all, 1), sum);
        assert_eq!(together_s(&all, 100), 315);
        assert_eq!(together_s(&[], 4), 0);
        assert!((sum / 2..=sum / 2 + 315).contains(&together_s(&all, 2)));
    }
}
