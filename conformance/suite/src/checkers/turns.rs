//! Whose turn it was: something came while another message waited that should have come first.
//!
//! A message surely waits from the end of its publish to the begin of the fetch that first took it.
//! Who was taken by a fetch within that time came before it.

use std::collections::HashMap;

use workwire_broker::Capability;

use super::book::Book;
use super::story::{Published, Story, Taken};
use super::{Checker, Found};
use crate::anomaly::Kind;
use crate::history::{Call, History, Micros, Place, Word};

/// Less urgent messages that came before more urgent ones.
pub const PRIORITY: Checker = Checker {
    name: "priority",
    about: "While a more urgent message waits, no less urgent one is delivered.",
    clause: "PRI-1",
    kinds: &[Kind::PriorityInversion],
    check: priority,
};

/// Later messages that came before earlier ones.
pub const ORDER: Checker = Checker {
    name: "order",
    about: "Within one priority, what was published first is delivered first. Judged for one consumer at a time.",
    clause: "ORD-1",
    kinds: &[Kind::OrderInversion],
    check: order,
};

/// Those that one fetch chooses among: of a queue, in a group, for one recipient or for nobody.
type Line = (Word, Option<Word>, Option<Word>);

/// Lines by number, so that tables can be dense.
#[derive(Default)]
struct Lines(HashMap<Line, u32>);

impl Lines {
    fn number(&mut self, line: Line) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(line).or_insert(next)
    }

    fn find(&self, line: Line) -> Option<u32> {
        self.0.get(&line).copied()
    }

    /// A place for each level of each line.
    fn table(&self) -> Vec<Longest> {
        vec![Longest::default(); self.0.len() * LEVELS as usize]
    }
}

/// A message that surely waits from one moment to another.
#[derive(Clone, Copy)]
struct Waits {
    slot: Slot,
    from: Micros,
    until: Micros,
    published: Place,
    taken: Place,
    /// The place of its first delivery among all deliveries.
    delivery: u32,
}

const LEVELS: u32 = 16;

fn level(priority: i64) -> Option<u32> {
    u32::try_from(priority).ok().filter(|level| *level < LEVELS)
}

/// A line and a level in it, in one number: there is one for each message.
#[derive(Clone, Copy)]
struct Slot(u32);

impl Slot {
    const fn of(line: u32, level: u32) -> Self {
        Slot(line * LEVELS + level)
    }

    const fn level(self) -> u32 {
        self.0 % LEVELS
    }

    const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How long a message surely waits in a group, and in which line.
fn waits(book: &Book<'_>, story: &Story<'_>, taken: &[Taken<'_>], lines: &mut Lines) -> Option<Waits> {
    let only = story.only().filter(|only| !only.is_delayed())?;
    // Answered first is not always asked first.
    let first = taken.iter().min_by_key(|taken| taken.began)?;
    let unanswered = book.lives.unanswered.get(&story.queue).and_then(|all| all.first()).copied();
    let until = first.began.min(unanswered.unwrap_or(Micros::MAX));
    let line = lines.number((story.queue, first.fetch.group, only.call.to()));
    Some(Waits {
        slot: Slot::of(line, level(first.seen.priority)?),
        from: only.latest,
        until,
        published: only.place,
        taken: first.place,
        delivery: u32::try_from(first.delivery).unwrap_or(u32::MAX),
    })
}

/// The one that waits longest, of those that were looked at so far.
#[derive(Clone, Copy, Default)]
struct Longest {
    until: Micros,
    published: Place,
    taken: Place,
}

impl Longest {
    fn take(&mut self, waits: &Waits) {
        if waits.until > self.until {
            *self = Longest { until: waits.until, published: waits.published, taken: waits.taken };
        }
    }
}

fn priority(history: &History) -> Found {
    let book = Book::of(history);
    let mut found = Found::default();
    if !book.claims(Capability::Priority) {
        return found;
    }
    let (mut lines, mut all) = (Lines::default(), Vec::new());
    let mut levels = 0_u32;
    book.read(|story| {
        for taken in story.groups() {
            if let Some(waits) = waits(&book, story, taken, &mut lines) {
                levels |= 1 << waits.slot.level();
                all.push(waits);
            }
        }
    });
    if levels.count_ones() < 2 {
        return found;
    }
    all.sort_unstable_by_key(|waits| waits.from);
    let firsts = Firsts::of(&book, &all);
    let mut next_delivery = 0;
    let mut longest = lines.table();
    let mut next = all.iter().peekable();
    for (place, operation) in history.operations().iter().enumerate() {
        let place = Place::try_from(place).unwrap_or(Place::MAX);
        let (Call::Fetch(fetch), deliveries) = (&operation.call, operation.deliveries()) else { continue };
        let first_delivery = next_delivery;
        next_delivery += deliveries.len();
        let least = deliveries.iter().filter_map(|one| level(one.priority)).min();
        let (Some(least), None, Some(ended)) = (least, fetch.only, operation.ended) else { continue };
        found.looked_at += 1;
        while let Some(waits) = next.next_if(|waits| waits.from < operation.began) {
            longest[waits.slot.index()].take(waits);
        }
        let own = fetch.recipient.and_then(|to| lines.find((fetch.queue, fetch.group, Some(to))));
        let seen = own.into_iter().chain(lines.find((fetch.queue, fetch.group, None)));
        let more_urgent =
            seen.flat_map(|line| &longest[Slot::of(line, least).index() + 1..Slot::of(line + 1, 0).index()]);
        if let Some(other) = more_urgent.filter(|other| other.until > ended).max_by_key(|other| other.until) {
            found.add(inversion(&book, Kind::PriorityInversion, (other.published, other.taken), place));
        }
        // And within the answer itself.
        let mut highest: Option<Waits> = None;
        for (part, one) in deliveries.iter().enumerate().rev() {
            if let (Some(highest), Some(level)) = (highest, level(one.priority))
                && highest.slot.level() > level
            {
                found.add(inversion(&book, Kind::PriorityInversion, (highest.published, place), place));
                break;
            }
            let waited = firsts.get(&all, first_delivery + part).filter(|waits| waits.from < operation.began);
            if let Some(waits) =
                waited.filter(|waits| highest.is_none_or(|highest| highest.slot.level() < waits.slot.level()))
            {
                highest = Some(*waits);
            }
        }
    }
    found
}

/// Of each delivery, the place among those that waited of the message that it was the first of.
struct Firsts(Vec<u32>);

impl Firsts {
    fn of(book: &Book<'_>, all: &[Waits]) -> Self {
        let mut firsts = vec![u32::MAX; book.lives.handed.len()];
        for (place, waits) in (0_u32..).zip(all) {
            firsts[waits.delivery as usize] = place;
        }
        Firsts(firsts)
    }

    fn get<'w>(&self, all: &'w [Waits], delivery: usize) -> Option<&'w Waits> {
        all.get(*self.0.get(delivery)? as usize)
    }
}

fn inversion(
    book: &Book<'_>,
    kind: Kind,
    (published, later): (Place, Place),
    sooner: Place,
) -> crate::anomaly::Anomaly {
    let (what, rule) = match kind {
        Kind::PriorityInversion => ("a less urgent one", "the more urgent first"),
        _ => ("a later one", "the earlier first"),
    };
    let id = match &book.at(published).call {
        Call::Publish(publish) => book.history.words().uuid(publish.id).to_string(),
        _ => String::new(),
    };
    book.anomaly(
        kind,
        [published, sooner, later],
        rule.to_owned(),
        format!("{what} for {} while message {id} waited", book.text(book.at(sooner).client)),
    )
}

/// A delivery, and since when those who waited then had to come before it.
#[derive(Clone, Copy)]
struct Came {
    /// Of those for anybody, and of those for who asked.
    slots: [Slot; 2],
    published: Micros,
    ended: Micros,
    taken: Place,
    delivery: u32,
}

fn order(history: &History) -> Found {
    let book = Book::of(history);
    let mut found = Found::default();
    if !book.claims(Capability::Fifo) {
        return found;
    }
    let alone = Alone::of(&book);
    let (mut lines, mut waiting, mut came) = (Lines::default(), Vec::new(), Vec::new());
    book.read(|story| {
        for taken in story.groups().filter(|taken| alone.is_one(story.queue, taken[0].fetch.group)) {
            waiting.extend(waits(&book, story, taken, &mut lines));
            if let Some(only) = story.only().filter(|only| !only.is_delayed()) {
                came.extend(taken.iter().filter_map(|taken| arrival(story, only, taken, &mut lines)));
            }
        }
    });
    found.looked_at = came.len() as u64;
    waiting.sort_unstable_by_key(|waits| waits.from);
    came.sort_unstable_by_key(|came| came.published);
    let mut longest = lines.table();
    let mut next = waiting.iter().peekable();
    for one in &came {
        while let Some(waits) = next.next_if(|waits| waits.from < one.published) {
            longest[waits.slot.index()].take(waits);
        }
        let earlier = one.slots.iter().map(|slot| &longest[slot.index()]);
        if let Some(other) = earlier.filter(|other| other.until > one.ended).max_by_key(|other| other.until) {
            found.add(inversion(&book, Kind::OrderInversion, (other.published, other.taken), one.taken));
        }
    }
    in_answers(&book, &waiting, came, &mut found);
    found
}

fn arrival(story: &Story<'_>, only: &Published<'_>, taken: &Taken<'_>, lines: &mut Lines) -> Option<Came> {
    if taken.fetch.only.is_some() {
        return None;
    }
    let (queue, group) = (story.queue, taken.fetch.group);
    let level = level(taken.seen.priority)?;
    let mut slot = |recipient| Slot::of(lines.number((queue, group, recipient)), level);
    Some(Came {
        slots: [slot(None), slot(taken.fetch.recipient)],
        published: only.began,
        ended: taken.ended,
        taken: taken.place,
        delivery: u32::try_from(taken.delivery).unwrap_or(u32::MAX),
    })
}

/// Within one answer, what was published before something that stands in front of it.
fn in_answers(book: &Book<'_>, waiting: &[Waits], mut came: Vec<Came>, found: &mut Found) {
    let firsts = Firsts::of(book, waiting);
    came.retain(|came| book.at(came.taken).deliveries().len() > 1);
    came.sort_unstable_by_key(|came| came.delivery);
    for answer in came.chunk_by(|a, b| a.taken == b.taken) {
        let mut earliest: [Option<Waits>; LEVELS as usize] = [None; LEVELS as usize];
        for one in answer.iter().rev() {
            let slot = &mut earliest[one.slots[0].level() as usize];
            if let Some(other) = slot.filter(|other| other.from < one.published) {
                found.add(inversion(book, Kind::OrderInversion, (other.published, one.taken), one.taken));
                break;
            }
            let waited = firsts.get(waiting, one.delivery as usize);
            if let Some(waits) = waited.filter(|waits| slot.is_none_or(|slot| waits.from < slot.from)) {
                *slot = Some(*waits);
            }
        }
    }
}

/// Which groups had one consumer at a time: with several, nobody can tell who came first.
struct Alone(HashMap<(Word, Option<Word>), Consumer>);

struct Consumer {
    client: Word,
    before: Vec<Word>,
    last: Micros,
    several: bool,
}

impl Alone {
    fn of(book: &Book<'_>) -> Self {
        let mut all: HashMap<(Word, Option<Word>), Consumer> = HashMap::new();
        for operation in book.history.operations() {
            let Call::Fetch(fetch) = &operation.call else { continue };
            let is_refused = matches!(operation.outcome, crate::history::Outcome::Refused(..));
            let is_empty =
                matches!(operation.outcome, crate::history::Outcome::Ok(_)) && operation.deliveries().is_empty();
            if is_refused || is_empty {
                continue;
            }
            let first = Consumer { client: operation.client, before: Vec::new(), last: 0, several: false };
            let consumer = all.entry((fetch.queue, fetch.group)).or_insert(first);
            if consumer.client != operation.client {
                consumer.several |= consumer.before.contains(&operation.client) || consumer.last >= operation.began;
                let before = std::mem::replace(&mut consumer.client, operation.client);
                if !consumer.several {
                    consumer.before.push(before);
                }
            }
            consumer.last = consumer.last.max(super::book::latest(operation));
        }
        Alone(all)
    }

    fn is_one(&self, queue: Word, group: Option<Word>) -> bool {
        self.0.get(&(queue, group)).is_some_and(|consumer| !consumer.several)
    }
}
