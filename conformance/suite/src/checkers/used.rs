//! How many attempts of a message were used up, at the least and at the most.

use workwire_broker::Capability;

use super::book::Book;
use super::story::{Story, Taken};
use crate::history::{Micros, Parting, SettleAs};

/// At the least and at the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Used {
    pub(super) least: u32,
    pub(super) most: u32,
}

impl Used {
    const NONE: Used = Used { least: 0, most: 0 };
    const ONE: Used = Used { least: 1, most: 1 };
    const MAYBE: Used = Used { least: 0, most: 1 };

    pub(super) const fn and(self, other: Used) -> Used {
        Used { least: self.least + other.least, most: self.most + other.most }
    }
}

/// Whether this delivery, which was over by then, used up an attempt.
pub(super) fn by_delivery(book: &Book<'_>, taken: &Taken<'_>, by: Micros) -> Used {
    if let Some(settled) = taken.settled {
        return match settled.how {
            SettleAs::Retry(_) => Used::ONE,
            SettleAs::Done | SettleAs::Dead => Used::NONE,
        };
    }
    let counts = book.claims(Capability::Attempts);
    let is_by = |moment: Option<Micros>| moment.is_some_and(|moment| moment <= by);
    let lease = book.lease_end(taken) <= by;
    let abort = is_by(book.parting(taken, Parting::Abort));
    let graceful = is_by(book.parting(taken, Parting::Graceful));
    let unclear =
        is_by(book.parting(taken, Parting::Unclear)) || is_by(book.restart(taken.began)) || taken.maybe.is_some();
    if graceful && !lease && !abort && !unclear {
        return if counts { Used::NONE } else { Used::MAYBE };
    }
    let surely = counts && (lease || abort) && !graceful && !unclear;
    if surely { Used::ONE } else { Used::MAYBE }
}

/// Attempts used up before each of these deliveries of one group, where the order of the deliveries
/// is sure and there is one copy.
pub(super) fn before_each(book: &Book<'_>, story: &Story<'_>, taken: &[Taken<'_>]) -> Option<Vec<Used>> {
    let is_one = story.copies.len() == 1
        && story.copies[0].began <= taken[0].ended
        && !taken.iter().flat_map(|one| book.maybes(one)).any(|maybe| super::arrivals::may_leave_a_copy(book, &maybe));
    // Each was let go only after the one before it was answered, so that they came in the order of the answers.
    let in_order = taken.windows(2).all(|pair| book.released(&pair[1]) > pair[0].ended);
    if !is_one || !in_order {
        return None;
    }
    let group = taken[0].fetch.group;
    let forgets = book.forgets_after(0).is_some();
    let last = taken.last().map_or(0, |last| last.ended);
    let only_group = story.groups().count() == 1 && book.unanswered(story.queue, last) == 0;
    let mut all = Vec::with_capacity(taken.len());
    let mut used = Used::NONE;
    for (index, one) in taken.iter().enumerate() {
        if let Some(before) = index.checked_sub(1).map(|before| &taken[before]) {
            used = used.and(by_delivery(book, before, one.ended));
            for replay in story.replays_of(group) {
                // After a replay it begins again, where it was this group's letter.
                let is_own = replay.group.is_some() || only_group;
                if is_own && replay.latest < one.began && replay.began > before.ended {
                    used = Used::NONE;
                } else if replay.began <= one.ended && replay.latest >= book.released(before) {
                    // What was held was no letter before it was let go.
                    used.least = 0;
                }
            }
        }
        let unseen = book.unanswered(story.queue, one.ended);
        let least = if forgets { 0 } else { used.least };
        all.push(Used { least, most: used.most + unseen });
    }
    Some(all)
}
