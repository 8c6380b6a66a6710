//! Attempts that were counted wrongly.

use super::book::Book;
use super::story::Story;
use super::used::before_each;
use super::{Checker, Found};
use crate::anomaly::Kind;
use crate::history::History;

/// Deliveries whose attempt is not one more than those used up before.
pub const ATTEMPTS: Checker = Checker {
    name: "attempts",
    about: "A delivery's attempt is one more than the attempts used up before it; a letter's are the last delivery's.",
    clause: "ACK-17",
    kinds: &[Kind::AttemptWrong],
    check: attempts,
};

fn attempts(history: &History) -> Found {
    let book = Book::of(history);
    let mut found = Found::default();
    book.read(|story| {
        for taken in story.groups() {
            let Some(used) = before_each(&book, story, taken) else { continue };
            for (index, (one, used)) in taken.iter().zip(used).enumerate() {
                found.looked_at += 1;
                let (least, most) = (used.least + 1, used.most + 1);
                if (least..=most).contains(&one.seen.attempt) {
                    continue;
                }
                let before = index.checked_sub(1).map(|before| &taken[before]);
                let settle = before.and_then(|before| before.settled).map(|settled| settled.place);
                let expected =
                    if least == most { format!("attempt {least}") } else { format!("attempt {least} to {most}") };
                found.add(book.anomaly(
                    Kind::AttemptWrong,
                    before.map(|before| before.place).into_iter().chain(settle).chain([one.place]),
                    expected,
                    format!("{} with attempt {}", book.name(story), one.seen.attempt),
                ));
                break;
            }
        }
        letters(&book, story, &mut found);
    });
    found
}

/// A letter has the number of its message's last delivery.
fn letters(book: &Book<'_>, story: &Story<'_>, found: &mut Found) {
    if story.only().is_none() {
        return;
    }
    for (place, letter) in &story.letters {
        let Some(taken) = story.groups().find(|taken| taken[0].fetch.group == letter.group) else { continue };
        let (look, last) = (book.at(*place), &taken[taken.len() - 1]);
        let ended = look.ended.unwrap_or(u64::MAX);
        let all_seen = last.ended < look.began && book.unanswered(story.queue, ended) == 0;
        if !all_seen || before_each(book, story, taken).is_none() {
            continue;
        }
        found.looked_at += 1;
        if letter.attempts != last.seen.attempt {
            found.add(book.anomaly(
                Kind::AttemptWrong,
                [last.place, *place],
                format!("a letter with attempts {}", last.seen.attempt),
                format!("{} with attempts {}", book.name(story), letter.attempts),
            ));
        }
    }
}
