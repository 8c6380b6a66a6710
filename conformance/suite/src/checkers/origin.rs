//! Where a message that was seen comes from: nowhere, a refused publish, or somebody else's queue.

use std::collections::HashSet;

use workwire_broker::NewGroup;

use super::book::Book;
use super::story::{Fate, Story, Taken};
use super::{Checker, Found};
use crate::anomaly::Kind;
use crate::history::{Answer, Call, History, Outcome, Place, Word};

/// Messages that nobody published.
pub const PHANTOM: Checker = Checker {
    name: "phantom",
    about: "Whatever is delivered was published before.",
    clause: "DEL-6",
    kinds: &[Kind::Phantom],
    check: phantom,
};

/// Messages whose publish was refused.
pub const REFUSED_DELIVERED: Checker = Checker {
    name: "refused_delivered",
    about: "What was refused is never delivered.",
    clause: "DEL-28",
    kinds: &[Kind::RefusedDelivered],
    check: refused_delivered,
};

/// Messages that were for somebody else.
pub const LEAKED: Checker = Checker {
    name: "leaked",
    about: "Nothing is seen by another queue, tenant, group or recipient than it is for.",
    clause: "DEL-14",
    kinds: &[Kind::Leaked],
    check: leaked,
};

fn phantom(history: &History) -> Found {
    of_no_known_origin(history, Kind::Phantom, "only what was published before")
}

fn refused_delivered(history: &History) -> Found {
    of_no_known_origin(history, Kind::RefusedDelivered, "nothing of what was refused")
}

fn of_no_known_origin(history: &History, kind: Kind, expected: &str) -> Found {
    let book = Book::of(history);
    let mut found = Found::default();
    book.read(|story| {
        for place in seen(story) {
            found.looked_at += 1;
            if let Some((other, why)) = origin(&book, story, place)
                && other == kind
            {
                found.add(book.anomaly(
                    kind,
                    why.into_iter().chain([place]),
                    expected.to_owned(),
                    format!("{} is shown to {}", book.name(story), book.text(book.at(place).client)),
                ));
            }
        }
    });
    found
}

/// Every operation that shows the message.
fn seen(story: &Story<'_>) -> impl Iterator<Item = Place> {
    let taken = story.taken.iter().map(|taken| taken.place);
    let peeked = story.peeked.iter().map(|(place, _)| *place);
    taken.chain(peeked).chain(story.letters.iter().map(|(place, _)| *place))
}

/// What is wrong with where a message comes from that an operation shows, and what shows that.
fn origin(book: &Book<'_>, story: &Story<'_>, place: Place) -> Option<(Kind, Option<Place>)> {
    let ended = book.at(place).ended?;
    let before = |fate: Fate| story.published.iter().find(|one| one.fate == fate && one.began <= ended);
    if story.copies_by(ended) > 0 || before(Fate::Duplicate).is_some() {
        return None;
    }
    if let Some(refused) = before(Fate::Refused) {
        return Some((Kind::RefusedDelivered, Some(refused.place)));
    }
    let elsewhere = book.published_elsewhere(story.id, story.queue);
    Some((if elsewhere.is_some() { Kind::Leaked } else { Kind::Phantom }, elsewhere))
}

fn leaked(history: &History) -> Found {
    let book = Book::of(history);
    let mut found = Found::default();
    book.read(|story| {
        for place in seen(story) {
            found.looked_at += 1;
            if let Some((Kind::Leaked, why)) = origin(&book, story, place) {
                let published = why.and_then(|place| book.at(place).queue()).unwrap_or_default();
                found.add(book.anomaly(
                    Kind::Leaked,
                    why.into_iter().chain([place]),
                    format!("only what was published to queue {}", book.text(story.queue)),
                    format!("{}, which was published to queue {}", book.name(story), book.text(published)),
                ));
            }
        }
        for taken in &story.taken {
            if let Some((place, whose)) = not_for(&book, story, taken) {
                found.add(book.anomaly(
                    Kind::Leaked,
                    [place, taken.place],
                    format!("only what is for {}", whose.1),
                    format!("{}, which is for {}", book.name(story), whose.0),
                ));
            }
        }
    });
    presence(&book, &mut found);
    found
}

/// Whether each copy was for somebody else; if so, a publish, for whom it is and who got it.
fn not_for(book: &Book<'_>, story: &Story<'_>, taken: &Taken<'_>) -> Option<(Place, (String, String))> {
    let mut possible = story.published.iter().filter(|one| one.is_possible() && one.began <= taken.ended).peekable();
    let place = possible.peek()?.place;
    if possible.clone().all(|one| one.call.to().is_some() && one.call.to() != taken.fetch.recipient) {
        let to = story.published.iter().find_map(|one| one.call.to())?;
        let got =
            taken.fetch.recipient.map_or("nobody by name".to_owned(), |to| format!("recipient {}", book.text(to)));
        return Some((place, (format!("recipient {}", book.text(to)), got)));
    }
    // A group that sees only what is published from its beginning on.
    let group = taken.fetch.group.filter(|_| book.history.about.choices.new_group == NewGroup::New)?;
    let (first, _) = book.lives.joined.get(&(story.queue, Some(group)))?;
    let joined = book.at(*first).began;
    let was_before = possible.all(|one| one.latest < joined);
    (was_before && story.replays.is_empty())
        .then(|| (place, ("groups that were there before".to_owned(), format!("group {}", book.text(group)))))
}

/// Agents that are shown to a tenant to whom they never said anything.
fn presence(book: &Book<'_>, found: &mut Found) {
    let mut said: HashSet<(Option<Word>, String)> = HashSet::new();
    for (place, operation) in book.history.operations().iter().enumerate() {
        match (&operation.call, &operation.outcome) {
            (Call::Heartbeat(..), Outcome::Refused(..)) => {}
            (Call::Heartbeat(update, tenant), _) => {
                said.insert((*tenant, update.agent()));
            }
            (Call::Agents(_, tenant), Outcome::Ok(Answer::Agents(agents))) => {
                found.looked_at += 1;
                for agent in agents.iter().filter(|agent| !said.contains(&(*tenant, agent.agent_id.clone()))) {
                    let others = said.iter().any(|(_, other)| *other == agent.agent_id);
                    // Who never said anything in this history may have done so before it.
                    if others && is_not_to_come(book, place, *tenant, &agent.agent_id) {
                        let place = Place::try_from(place).unwrap_or(Place::MAX);
                        let whose = tenant.map_or("no tenant".to_owned(), |word| format!("tenant {}", book.text(word)));
                        found.add(book.anomaly(
                            Kind::Leaked,
                            [place],
                            format!("only agents of {whose}"),
                            format!("agent {}, which is of another", agent.agent_id),
                        ));
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether no update of this agent, in this tenant, began while the answer was still to come.
fn is_not_to_come(book: &Book<'_>, place: usize, tenant: Option<Word>, agent: &str) -> bool {
    let operations = book.history.operations();
    let ended = operations[place].ended.unwrap_or(0);
    let meanwhile = operations[place..].iter().take_while(|operation| operation.began <= ended);
    !meanwhile.into_iter().any(|operation| {
        matches!(&operation.call, Call::Heartbeat(update, other) if *other == tenant && update.agent() == agent)
    })
}
