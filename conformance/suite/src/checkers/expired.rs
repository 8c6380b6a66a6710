//! Delivered after its expiry.

use workwire_broker::Capability;

use super::book::{Book, GRAIN, after};
use super::story::{Fate, Story};
use super::{Checker, Found};
use crate::anomaly::Kind;
use crate::history::{History, Micros, Word};

/// Deliveries of what had expired.
pub const EXPIRED: Checker = Checker {
    name: "expired",
    about: "A message is not delivered once its time to live is over.",
    clause: "EXP-1",
    kinds: &[Kind::Expired],
    check: expired,
};

fn expired(history: &History) -> Found {
    let book = Book::of(history);
    let mut found = Found::default();
    if !book.claims(Capability::Ttl) {
        return found;
    }
    book.read(|story| {
        for taken in &story.taken {
            let Some(end) = surely_expired(&book, story, taken.fetch.group) else { continue };
            found.looked_at += 1;
            if taken.began > end {
                let copy = story.copies.first().map(|copy| copy.place);
                found.add(book.anomaly(
                    Kind::Expired,
                    copy.into_iter().chain([taken.place]),
                    format!("no delivery after {end} µs"),
                    format!("{} to {}, which asked at {} µs", book.name(story), book.text(taken.client), taken.began),
                ));
            }
        }
    });
    found
}

/// When the last copy has surely expired, where each does. A replay gives its time anew.
fn surely_expired(book: &Book<'_>, story: &Story<'_>, group: Option<Word>) -> Option<Micros> {
    let policy = book.lives.policy(story.queue);
    let mut end = None;
    let mut longest = 0;
    for copy in story.published.iter().filter(|published| published.is_possible()) {
        let ttl = copy.ttl_ms(policy)?;
        longest = longest.max(ttl);
        if copy.fate == Fate::Maybe {
            return None;
        }
        end = end.max(Some(after(copy.latest, ttl)));
    }
    let replays = story.replays_of(group).map(|replay| after(replay.latest, longest)).max();
    end.map(|end| end.max(replays.unwrap_or(0)).saturating_add(GRAIN))
}
