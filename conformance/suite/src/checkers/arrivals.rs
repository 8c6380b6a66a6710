//! When a message may have been there to be taken: a delivery needs a copy that arrived before it,
//! and each arrival serves one.

use workwire_broker::Capability;

use super::book::{Book, GRAIN, after};
use super::story::{Settled, Story, Taken};
use crate::history::{Micros, SettleAs};

/// Whether rests are kept: delays of messages and of retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rests {
    Kept,
    Ignored,
}

/// The earliest moment of each arrival of a message in the group of these deliveries, in order.
pub(super) fn arrivals(book: &Book<'_>, story: &Story<'_>, taken: &[Taken<'_>], rests: Rests) -> Vec<Micros> {
    let possible = story.published.iter().filter(|published| published.is_possible());
    let delay = possible.map(|published| published.call.delay_ms().unwrap_or(0)).min().unwrap_or(0);
    let mut all: Vec<Micros> = story.copies.iter().map(|copy| rested(copy.began, delay, rests)).collect();
    let group = taken.first().and_then(|taken| taken.fetch.group);
    all.extend(story.replays_of(group).map(|replay| replay.began));
    for one in taken {
        all.extend(comes_back(book, one, rests));
        let copies = book.maybes(one).filter(|maybe| may_leave_a_copy(book, maybe));
        all.extend(copies.map(|maybe| maybe.began));
    }
    all.sort_unstable();
    all
}

/// The first delivery for which nothing had arrived that an earlier one did not need.
pub(super) fn unserved<'t, 'a>(arrivals: &[Micros], taken: &'t [Taken<'a>]) -> Option<(usize, &'t Taken<'a>)> {
    let is_unserved = |(index, taken): &(usize, &Taken<'_>)| arrivals.get(*index).is_none_or(|at| *at > taken.ended);
    taken.iter().enumerate().find(is_unserved)
}

/// Without dedupe, a `retry` or `dead` that was broken off may leave the message where it was, and a copy.
pub(super) fn may_leave_a_copy(book: &Book<'_>, maybe: &Settled) -> bool {
    maybe.how != SettleAs::Done && !book.claims(Capability::Dedupe)
}

/// The earliest moment at which a delivered message may have been back in its queue.
fn comes_back(book: &Book<'_>, taken: &Taken<'_>, rests: Rests) -> Option<Micros> {
    let retried = |settled: Settled| match settled.how {
        SettleAs::Retry(delay_ms) => Some(rested(settled.began, rest(book, taken, delay_ms), rests)),
        _ => None,
    };
    if let Some(settled) = taken.settled {
        let forgotten = book.forgets_after(settled.began);
        return [retried(settled), forgotten].into_iter().flatten().min();
    }
    book.maybes(taken).filter_map(retried).chain([book.let_go(taken)]).min()
}

/// How long a retried message rests at least.
fn rest(book: &Book<'_>, taken: &Taken<'_>, delay_ms: Option<i64>) -> i64 {
    let policy = book.lives.policy(taken.fetch.queue).filter(|_| book.claims(Capability::Backoff));
    delay_ms.or_else(|| policy.map(|policy| policy.backoff(taken.seen.attempt))).unwrap_or(0)
}

fn rested(moment: Micros, rest_ms: i64, rests: Rests) -> Micros {
    if rests == Rests::Ignored || rest_ms <= 0 { moment } else { after(moment, rest_ms).saturating_sub(GRAIN) }
}
