//! Delivered though it was purged, or deleted, before.

use super::book::{Book, GRAIN, after};
use super::story::{Story, Taken};
use super::{Checker, Found};
use crate::anomaly::Kind;
use crate::history::{Call, History, Outcome, Place};

/// What came back after a purge.
pub const PURGED: Checker = Checker {
    name: "purged",
    about: "What was ready when its queue was purged, or there when it was deleted, is never delivered.",
    clause: "OBS-13",
    kinds: &[Kind::Purged],
    check: purged,
};

fn purged(history: &History) -> Found {
    let book = Book::of(history);
    let mut found = Found::default();
    if book.lives.purges.is_empty() && book.lives.deletes.is_empty() {
        return found;
    }
    book.read(|story| {
        for taken in &story.taken {
            let purges = book.lives.purges.get(&story.queue).into_iter().flatten();
            let deletes = book.lives.deletes.get(&story.queue).into_iter().flatten();
            let gone = purges.chain(deletes).filter(|place| book.at(**place).ended < Some(taken.began));
            for place in gone {
                found.looked_at += 1;
                if is_gone(&book, story, taken, *place) {
                    let copy = story.copies.first().map(|copy| copy.place);
                    found.add(book.anomaly(
                        Kind::Purged,
                        copy.into_iter().chain([*place, taken.place]),
                        "nothing of what was removed".to_owned(),
                        format!("{} to {}", book.name(story), book.text(taken.client)),
                    ));
                    return;
                }
            }
        }
    });
    found
}

/// Whether the message was surely among what this operation removed.
fn is_gone(book: &Book<'_>, story: &Story<'_>, taken: &Taken<'_>, place: Place) -> bool {
    let removal = book.at(place);
    if !matches!(removal.outcome, Outcome::Ok(_)) || book.forgets_after(removal.began).is_some() {
        return false;
    }
    // Every copy was there before; and letters are another matter.
    let all_before = !story.copies.is_empty() && story.copies.iter().all(|copy| copy.latest < removal.began);
    if !all_before || story.replays.iter().any(|replay| replay.latest >= removal.began) {
        return false;
    }
    match removal.call {
        Call::Delete(_) => true,
        Call::Purge(_, group, false) => {
            let ended = removal.ended.unwrap_or(u64::MAX);
            let rested = |copy: &super::story::Published<'_>| {
                after(copy.latest, copy.call.delay_ms().unwrap_or(0)).saturating_add(2 * GRAIN) < removal.began
            };
            let is_ready = story.copies.iter().all(|copy| !copy.is_delayed() || rested(copy))
                && story.taken.iter().all(|other| other.began > ended)
                && story.replays.is_empty()
                && book.unanswered(story.queue, ended) == 0;
            is_ready && (group.is_none() || group == taken.fetch.group)
        }
        _ => false,
    }
}
