//! Delivered before its time.

use workwire_broker::Capability;

use super::arrivals::{Rests, arrivals, unserved};
use super::book::Book;
use super::story::Published;
use super::{Checker, Found};
use crate::anomaly::Kind;
use crate::history::{History, SettleAs};

/// Deliveries before a delay, or a retry's rest, was over.
pub const EARLY: Checker = Checker {
    name: "early",
    about: "A message that has to rest is not delivered before its rest is over.",
    clause: "DLY-1",
    kinds: &[Kind::Early],
    check: early,
};

fn early(history: &History) -> Found {
    let book = Book::of(history);
    let backoff = book.claims(Capability::Backoff);
    let mut found = Found::default();
    book.read(|story| {
        let backs_off = backoff && book.lives.policy(story.queue).is_some_and(|policy| !policy.backoff_ms.is_empty());
        for taken in story.groups() {
            let rests = story.published.iter().any(Published::is_delayed)
                || taken.iter().flat_map(|taken| book.endings(taken)).any(|settled| match settled.how {
                    SettleAs::Retry(delay_ms) => delay_ms.map_or(backs_off, |ms| ms > 0),
                    _ => false,
                });
            if !rests || story.copies_by(taken[0].ended) == 0 {
                continue;
            }
            found.looked_at += taken.len() as u64;
            let Some((index, one)) = unserved(&arrivals(&book, story, taken, Rests::Kept), taken) else { continue };
            let at_all = arrivals(&book, story, taken, Rests::Ignored);
            if unserved(&at_all, taken).is_some_and(|(other, _)| other <= index) {
                continue;
            }
            let before = index.checked_sub(1).map(|before| &taken[before]);
            let cause = before.and_then(|before| before.settled).map(|settled| settled.place);
            let cause = cause.or(story.copies.first().map(|copy| copy.place));
            found.add(book.anomaly(
                Kind::Early,
                cause.into_iter().chain([one.place]),
                "no delivery before its rest is over".to_owned(),
                format!("{} to {} at {} µs", book.name(story), book.text(one.client), one.ended),
            ));
        }
    });
    found
}
