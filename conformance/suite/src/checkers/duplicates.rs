//! Delivered again, for no reason that allows it.
//!
//! What allows it: a retry, a lease that may have ended, a client that closed or may be lost, a
//! restart, a replay, a second copy where dedupe does not forbid one; and each group has its own.

use super::arrivals::{Rests, arrivals, unserved};
use super::book::Book;
use super::story::Taken;
use super::{Checker, Found};
use crate::anomaly::Kind;
use crate::history::History;

/// Deliveries for which there is no cause.
pub const DUPLICATES: Checker = Checker {
    name: "duplicates",
    about: "A message is delivered again only where something gave it back: a retry, an ended lease, a lost client.",
    clause: "ACK-1",
    kinds: &[Kind::Duplicated, Kind::Revived],
    check: duplicates,
};

fn duplicates(history: &History) -> Found {
    let book = Book::of(history);
    let mut found = Found::default();
    book.read(|story| {
        found.looked_at += story.taken.len() as u64;
        for taken in story.groups() {
            // What was never published is nobody's duplicate.
            let first = &taken[0];
            if story.copies_by(first.ended) == 0 || taken.len() == 1 {
                continue;
            }
            if let Some((index, again)) = unserved(&arrivals(&book, story, taken, Rests::Ignored), taken) {
                let before = &taken[..index];
                let done = before.iter().find(|taken| is_done_before(taken, again));
                let kind = if done.is_some() { Kind::Revived } else { Kind::Duplicated };
                let cause = done.or(before.last()).unwrap_or(first);
                let places = [cause.place, again.place].into_iter().chain(cause.settled.map(|settled| settled.place));
                found.add(book.anomaly(
                    kind,
                    places,
                    match kind {
                        Kind::Revived => "no delivery of what was done".to_owned(),
                        _ => "one delivery, until something gives it back".to_owned(),
                    },
                    format!(
                        "{} to {} at {} µs, and again to {} at {} µs",
                        book.name(story),
                        book.text(cause.client),
                        cause.ended,
                        book.text(again.client),
                        again.ended
                    ),
                ));
            }
        }
    });
    found
}

fn is_done_before(taken: &Taken<'_>, again: &Taken<'_>) -> bool {
    taken.is_done() && taken.settled.is_some_and(|settled| settled.latest < again.began)
}
