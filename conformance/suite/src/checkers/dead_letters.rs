//! Dead too early, too late, twice, or without a letter.

use std::collections::HashSet;

use workwire_broker::Capability;

use super::arrivals::may_leave_a_copy;
use super::book::Book;
use super::story::{Story, Taken};
use super::used::{before_each, by_delivery};
use super::{Checker, Found};
use crate::anomaly::Kind;
use crate::history::{Answer, Call, History, Micros, Outcome, Place, SettleAs, Word};

/// Messages that died otherwise than they must.
pub const DEAD_LETTERS: Checker = Checker {
    name: "dead_letters",
    about: "A message becomes a letter when its attempts are used up or it is given up: just then, and once.",
    clause: "DLQ-1",
    kinds: &[Kind::DeadEarly, Kind::DeadLate, Kind::DeadTwice, Kind::DeadNever],
    check: dead_letters,
};

/// A letter may take so long to be where it is looked for.
const A_MOMENT: Micros = 1_000_000;

fn dead_letters(history: &History) -> Found {
    let book = Book::of(history);
    let mut found = Found::default();
    if !book.claims(Capability::DeadLetter) {
        return found;
    }
    let shown = Shown::of(&book);
    book.read(|story| {
        let Some(policy) = book.lives.policy(story.queue) else { return };
        let most = u32::try_from(policy.max_attempts).unwrap_or(u32::MAX);
        for taken in story.groups() {
            late(&book, story, taken, most, &mut found);
            never(&book, story, taken, most, &shown, &mut found);
        }
        for (place, letter) in &story.letters {
            found.looked_at += 1;
            early(&book, story, (*place, letter.group), most, &mut found);
        }
        twice(&book, story, &mut found);
        vanished(&book, story, &shown, &mut found);
    });
    found
}

/// Which letters each complete look showed.
struct Shown(HashSet<(Place, u32, Option<Word>)>);

impl Shown {
    fn of(book: &Book<'_>) -> Self {
        let mut all = HashSet::new();
        for place in book.lives.listings.values().flatten() {
            if let Outcome::Ok(Answer::Letters(letters)) = &book.at(*place).outcome {
                let index = |id: crate::history::MessageId| u32::try_from(id.index()).unwrap_or(u32::MAX);
                all.extend(letters.iter().map(|letter| (*place, index(letter.id), letter.group)));
            }
        }
        Shown(all)
    }

    fn has(&self, place: Place, story: &Story<'_>, group: Option<Word>) -> bool {
        self.0.contains(&(place, u32::try_from(story.id.index()).unwrap_or(u32::MAX), group))
    }
}

/// Delivered though its attempts were surely used up.
fn late(book: &Book<'_>, story: &Story<'_>, taken: &[Taken<'_>], most: u32, found: &mut Found) {
    let Some(used) = before_each(book, story, taken) else { return };
    found.looked_at += taken.len() as u64;
    if let Some((index, _)) = used.iter().enumerate().find(|(_, used)| used.least >= most) {
        let places = taken[index.saturating_sub(1)..=index].iter().map(|taken| taken.place);
        found.add(book.anomaly(
            Kind::DeadLate,
            places,
            format!("a letter after {most} attempts"),
            format!("{} delivered after {} that failed", book.name(story), used[index].least),
        ));
    }
}

/// A letter though neither were its attempts used up nor was it given up.
fn early(book: &Book<'_>, story: &Story<'_>, (place, group): (Place, Option<Word>), most: u32, found: &mut Found) {
    let ended = book.at(place).ended.unwrap_or(u64::MAX);
    // What was never published is nobody's death.
    if story.copies_by(ended) == 0 {
        return;
    }
    let before = story.taken.iter().filter(|taken| taken.fetch.group == group && taken.began <= ended);
    let given_up = before.clone().flat_map(|taken| book.endings(taken));
    if given_up.into_iter().any(|settled| settled.how == SettleAs::Dead && settled.began <= ended) {
        return;
    }
    let used: u32 = before.clone().map(|taken| possibly_used(book, taken, ended)).sum();
    let used = used.saturating_add(book.unanswered(story.queue, ended));
    if used < most {
        found.add(book.anomaly(
            Kind::DeadEarly,
            before.map(|taken| taken.place).take(3).chain([place]),
            format!("no letter before {most} attempts are used up, or it is given up"),
            format!("{} is a letter after at most {used}", book.name(story)),
        ));
    }
}

fn possibly_used(book: &Book<'_>, taken: &Taken<'_>, by: Micros) -> u32 {
    let is_over = taken.settled.map_or_else(|| book.released(taken) <= by, |settled| settled.began <= by);
    if is_over { by_delivery(book, taken, by).most } else { 0 }
}

/// One look shows it more often than there were copies.
fn twice(book: &Book<'_>, story: &Story<'_>, found: &mut Found) {
    let left = story.taken.iter().flat_map(|taken| book.maybes(taken)).filter(|maybe| may_leave_a_copy(book, maybe));
    let copies = story.copies.len() + left.count();
    for letters in story.letters.chunk_by(|a, b| a.0 == b.0) {
        let of_one_group = |group: Option<Word>| letters.iter().filter(|(_, letter)| letter.group == group).count();
        let most = letters.iter().map(|(_, letter)| of_one_group(letter.group)).max().unwrap_or(0);
        if copies > 0 && most > copies {
            found.add(book.anomaly(
                Kind::DeadTwice,
                [letters[0].0],
                format!("{copies} letter"),
                format!("{}: {most} letters", book.name(story)),
            ));
            return;
        }
    }
}

/// It surely died, and a look after that does not show its letter.
fn never(book: &Book<'_>, story: &Story<'_>, taken: &[Taken<'_>], most: u32, shown: &Shown, found: &mut Found) {
    let last = &taken[taken.len() - 1];
    let group = last.fetch.group;
    let Some(settled) = last.settled else { return };
    let died = match settled.how {
        SettleAs::Dead => true,
        SettleAs::Retry(_) => before_each(book, story, taken)
            .is_some_and(|used| used.last().is_some_and(|used| used.least + 1 >= most && story.replays.is_empty())),
        SettleAs::Done => false,
    };
    if !died || story.copies.len() != 1 {
        return;
    }
    found.looked_at += 1;
    let drained = book
        .lives
        .drains
        .iter()
        .map(|place| book.at(*place))
        .filter(|drain| drain.call == Call::Drained(story.queue, group) && drain.began > settled.latest);
    let drained = drained.filter_map(|drain| drain.ended).min().unwrap_or(u64::MAX);
    let since = drained.min(settled.latest.saturating_add(A_MOMENT));
    if let Some(look) = missed(book, story, group, since, shown) {
        found.add(book.anomaly(
            Kind::DeadNever,
            [last.place, settled.place, look],
            "its letter".to_owned(),
            format!("{} is no letter", book.name(story)),
        ));
    }
}

/// A letter that was there is gone, though looking takes nothing.
fn vanished(book: &Book<'_>, story: &Story<'_>, shown: &Shown, found: &mut Found) {
    let Some((first, letter)) = story.letters.first() else { return };
    let since = book.at(*first).ended.unwrap_or(u64::MAX);
    if let Some(look) = missed(book, story, letter.group, since, shown) {
        found.add(book.anomaly(
            Kind::DeadNever,
            [*first, look],
            "the letter that was there before".to_owned(),
            format!("{} is no letter any more", book.name(story)),
        ));
    }
}

/// A complete look, begun after this moment, that does not show a letter which nothing took away.
fn missed(book: &Book<'_>, story: &Story<'_>, group: Option<Word>, since: Micros, shown: &Shown) -> Option<Place> {
    let looks = book.lives.listings.get(&story.queue)?;
    let is_for_it = |place: &&Place| {
        let look = book.at(**place);
        let speaks_of = matches!(look.call, Call::DeadLetters(_, of, _) if of.is_none() || of == group);
        look.began > since && speaks_of && !shown.has(**place, story, group)
    };
    let look = *looks.iter().find(is_for_it)?;
    let ended = book.at(look).ended.unwrap_or(u64::MAX);
    let is_before = |place: &Place| book.at(*place).began <= ended;
    let purges = book.lives.purges.get(&story.queue).into_iter().flatten();
    let taken_away = purges.filter(|place| matches!(book.at(**place).call, Call::Purge(_, _, true))).any(is_before)
        || book.lives.deletes.get(&story.queue).into_iter().flatten().any(is_before)
        || story.replays.iter().any(|replay| replay.began <= ended)
        || book.forgets_after(0).is_some();
    (!taken_away).then_some(look)
}
