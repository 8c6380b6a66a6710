//! Other bytes, or another priority, than were published.

use workwire_broker::{Capability, Policy};

use super::book::Book;
use super::story::{Published, Story};
use super::{Checker, Found};
use crate::anomaly::Kind;
use crate::history::{Body, History, Place};

/// What came out otherwise than it went in.
pub const CORRUPTED: Checker = Checker {
    name: "corrupted",
    about: "Bytes and priority are those of the publish, on every delivery, in every look, in every letter.",
    clause: "DEL-2",
    kinds: &[Kind::Corrupted],
    check: corrupted,
};

fn corrupted(history: &History) -> Found {
    let book = Book::of(history);
    let priority = book.claims(Capability::Priority);
    let mut found = Found::default();
    book.read(|story| {
        let policy = book.lives.policy(story.queue);
        let mut look = |place: Place, body: Body, shown: Option<i64>| {
            let ended = book.at(place).ended.unwrap_or(0);
            let mut possible = story.published.iter().filter(|one| one.is_possible() && one.began <= ended).peekable();
            let Some(first) = possible.peek().copied() else { return };
            found.looked_at += 1;
            let shown = shown.filter(|_| priority);
            let is_same = |one: &Published<'_>| one.call.body == body && is_priority(one, policy, shown);
            if !possible.any(is_same) {
                found.add(book.anomaly(
                    Kind::Corrupted,
                    [first.place, place],
                    words(first.call.body, first.call.priority),
                    format!("{} with {}", book.name(story), words(body, shown)),
                ));
            }
        };
        look_at(story, &mut look);
    });
    found
}

fn look_at(story: &Story<'_>, look: &mut impl FnMut(Place, Body, Option<i64>)) {
    for taken in &story.taken {
        look(taken.place, taken.seen.body, Some(taken.seen.priority));
    }
    for (place, peeked) in &story.peeked {
        look(*place, peeked.body, Some(peeked.priority));
    }
    for (place, letter) in &story.letters {
        look(*place, letter.body, letter.priority);
    }
}

fn is_priority(one: &Published<'_>, policy: Option<&Policy>, shown: Option<i64>) -> bool {
    let published = one.call.priority.or(policy.map(Policy::default_priority));
    published.is_none_or(|published| shown.is_none_or(|shown| shown == published))
}

fn words(body: Body, priority: Option<i64>) -> String {
    let priority = priority.map_or(String::new(), |priority| format!(", priority {priority}"));
    format!("{} bytes, digest {:016x}{priority}", body.bytes, body.digest)
}
