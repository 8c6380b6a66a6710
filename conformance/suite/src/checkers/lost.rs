//! Acknowledged, and gone.

use std::collections::HashMap;

use workwire_broker::Overflow;

use super::book::{Book, GRAIN, after, latest};
use super::story::{Fate, Published, Story, Taken};
use super::used::by_delivery;
use super::{Checker, Found};
use crate::anomaly::Kind;
use crate::history::{Call, History, Micros, Outcome, Place, SettleAs, Word};

/// Messages that were stored and that nobody ever finished, though their queue stood empty.
pub const LOST: Checker = Checker {
    name: "lost",
    about: "What was stored is delivered, until it is done, dead, expired or removed. Judged where a queue was drained.",
    clause: "DEL-1",
    kinds: &[Kind::Lost],
    check: lost,
};

fn lost(history: &History) -> Found {
    let book = Book::of(history);
    let mut found = Found::default();
    let mut drained: HashMap<(Word, Option<Word>), Place> = HashMap::new();
    for place in &book.lives.drains {
        let drain = book.at(*place);
        let Call::Drained(queue, group) = drain.call else { continue };
        if let Outcome::Indefinite(why) = drain.outcome {
            let (queue, why) = (book.text(queue), book.text(why));
            found.unknown = Some(format!("nobody knows whether queue {queue} was drained: {why}"));
        } else {
            drained.insert((queue, group), *place);
        }
    }
    if drained.is_empty() {
        return found;
    }
    let mut groups: HashMap<Word, Vec<(Option<Word>, Place)>> = HashMap::new();
    for ((queue, group), place) in drained {
        groups.entry(queue).or_default().push((group, place));
    }
    for groups in groups.values_mut() {
        groups.sort_unstable();
    }
    book.read(|story| {
        for (group, drain) in groups.get(&story.queue).into_iter().flatten() {
            look(&book, story, *group, *drain, &mut found);
        }
    });
    found
}

fn look(book: &Book<'_>, story: &Story<'_>, group: Option<Word>, place: Place, found: &mut Found) {
    let drain = book.at(place);
    let since = joined(book, story.queue, group);
    let Some(since) = since else { return };
    let must_come = |copy: &&Published<'_>| {
        copy.fate == Fate::Stored
            && copy.began >= since
            && copy.latest < drain.began
            && is_kept(book, story, copy, place)
    };
    let stored = story.copies.iter().filter(must_come);
    let must = stored.clone().count();
    found.looked_at += must as u64;
    let taken = story.taken.iter().filter(|taken| taken.fetch.group == group);
    // Settled, or perhaps settled, so that the message left the queue for good.
    let may_be_final = |taken: &&Taken<'_>| book.endings(taken).any(|ending| !matches!(ending.how, SettleAs::Retry(_)));
    if must == 0 || taken.clone().filter(may_be_final).count() >= must {
        return;
    }
    if may_be_dead(book, story, taken.clone(), drain.began) {
        return;
    }
    let deliveries: Vec<Place> = taken.map(|taken| taken.place).collect();
    let last = deliveries.last().copied();
    let what = match deliveries.len() {
        0 => "never delivered".to_owned(),
        times => format!("delivered {times} times, and never finished"),
    };
    found.add(book.anomaly(
        Kind::Lost,
        stored.map(|copy| copy.place).take(1).chain(last).chain([place]),
        "each stored message, before its queue stands empty".to_owned(),
        format!("{}: {what}", book.name(story)),
    ));
}

/// Since when a group surely gets what is published: of the moment in which it was made nobody can tell.
fn joined(book: &Book<'_>, queue: Word, group: Option<Word>) -> Option<Micros> {
    if group.is_none() {
        return Some(0);
    }
    let (_, surely) = book.lives.joined.get(&(queue, group))?;
    book.at((*surely)?).ended.map(|ended| ended + 1)
}

/// Whether nothing may have removed a copy but its consumers.
fn is_kept(book: &Book<'_>, story: &Story<'_>, copy: &Published<'_>, drain: Place) -> bool {
    let Some(policy) = book.lives.policy(story.queue) else { return false };
    let ended = book.at(drain).ended.unwrap_or(u64::MAX);
    let expires = copy.ttl_ms(Some(policy)).is_some_and(|ttl| after(copy.began, ttl).saturating_sub(GRAIN) <= ended);
    let gives_way = policy.max_length.is_some() && policy.overflow == Overflow::DropOldest;
    let removes = |places: Option<&Vec<Place>>| {
        places.into_iter().flatten().map(|place| book.at(*place)).any(|removal| {
            let is_letters = matches!(removal.call, Call::Purge(_, _, true));
            removal.began <= ended && latest(removal) >= copy.began && !is_letters
        })
    };
    let is_removed = removes(book.lives.purges.get(&story.queue)) || removes(book.lives.deletes.get(&story.queue));
    !expires && !gives_way && !is_removed && book.forgets_after(copy.began).is_none()
}

/// Whether its attempts may have been used up, so that it is among the letters.
fn may_be_dead<'t, 'a: 't>(
    book: &Book<'_>,
    story: &Story<'_>,
    taken: impl Iterator<Item = &'t Taken<'a>>,
    by: Micros,
) -> bool {
    let most = book.lives.policy(story.queue).map_or(1, |policy| policy.max_attempts);
    let used: u32 = taken.map(|taken| by_delivery(book, taken, by).most).sum();
    i64::from(used.saturating_add(book.unanswered(story.queue, by))) >= most
}
