//! Held by two at once.

use super::arrivals::may_leave_a_copy;
use super::book::Book;
use super::{Checker, Found};
use crate::anomaly::Kind;
use crate::history::{History, Micros};

/// One message in two hands.
pub const TWO_HOLDERS: Checker = Checker {
    name: "two_holders",
    about: "No two consumers of a group hold one message at the same time.",
    clause: "DEL-9",
    kinds: &[Kind::TwoHolders],
    check: two_holders,
};

/// A delivery that is surely held from its answer to its release.
struct Hold {
    index: usize,
    ended: Micros,
    released: Micros,
}

fn two_holders(history: &History) -> Found {
    let book = Book::of(history);
    let mut found = Found::default();
    let mut held: Vec<Hold> = Vec::new();
    book.read(|story| {
        found.looked_at += story.taken.len() as u64;
        for taken in story.groups().filter(|taken| taken.len() > 1) {
            let left = taken.iter().flat_map(|taken| book.maybes(taken)).filter(|maybe| may_leave_a_copy(&book, maybe));
            let copies = story.copies.len() + left.count();
            held.clear();
            for (index, one) in taken.iter().enumerate() {
                let released = book.released(one);
                held.retain(|hold| hold.released > one.ended);
                let at_once = |hold: &&Hold| released > one.ended || hold.ended < one.began;
                let holders = held.iter().filter(at_once);
                if copies > 0 && holders.clone().count() >= copies {
                    let places = holders.map(|hold| taken[hold.index].place).chain([one.place]);
                    let other = held.last().map_or(one, |hold| &taken[hold.index]);
                    found.add(book.anomaly(
                        Kind::TwoHolders,
                        places,
                        "one holder at a time".to_owned(),
                        format!(
                            "{} with {} since {} µs, and with {} since {} µs",
                            book.name(story),
                            book.text(other.client),
                            other.ended,
                            book.text(one.client),
                            one.ended
                        ),
                    ));
                    break;
                }
                held.push(Hold { index, ended: one.ended, released });
            }
        }
    });
    found
}
