//! Saboteurs of browsing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;
use workwire_broker::{
    Answer, BrokerError, CloseMode, Delivery, Fetch, Message, Peek, Peeked, Queue, Stored, Tag, Verdict,
};

use super::{Defect, Inner, Saboteur};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "holds_what_it_shows",
        breaks: &["BRW-1"],
        about: "holds the first message of a look that shows several",
        make: || Arc::new(HoldsWhatItShows),
    },
    Saboteur {
        name: "looks_by_taking_and_giving_back",
        breaks: &["BRW-2"],
        about: "takes what it shows, and gives it back as a failed attempt",
        make: || Arc::new(LooksByTakingAndGivingBack),
    },
    Saboteur {
        name: "looks_by_age",
        breaks: &["BRW-3"],
        about: "shows the older before the more urgent",
        make: || Arc::new(Ordered::by_age()),
    },
    Saboteur {
        name: "looks_from_the_end",
        breaks: &["BRW-4"],
        about: "shows the younger of one priority first",
        make: || Arc::new(Ordered::from_the_end()),
    },
    Saboteur {
        name: "tells_the_attempts_that_were",
        breaks: &["BRW-5"],
        about: "tells in a look how many attempts there were, not which one is next",
        make: || Arc::new(TellsTheAttemptsThatWere),
    },
    Saboteur {
        name: "shows_one_too_many",
        breaks: &["BRW-6"],
        about: "shows one message more than was asked for",
        make: || Arc::new(ShowsOneTooMany),
    },
    Saboteur {
        name: "begins_a_page_with_the_last",
        breaks: &["BRW-7"],
        about: "begins the next page with the message behind which it should begin",
        make: || Arc::new(BeginsAPageWithTheLast),
    },
    Saboteur {
        name: "begins_a_page_one_too_far",
        breaks: &["BRW-7"],
        about: "begins the next page with the second message behind the last of the one before",
        make: || Arc::new(BeginsAPageOneTooFar),
    },
    Saboteur {
        name: "shows_what_is_held",
        breaks: &["BRW-8"],
        about: "shows also what somebody holds",
        make: || Arc::new(ShowsMore::held()),
    },
    Saboteur {
        name: "shows_what_rests",
        breaks: &["BRW-9"],
        about: "shows also what was published for later",
        make: || Arc::new(ShowsMore::resting()),
    },
    Saboteur {
        name: "shows_what_has_expired",
        breaks: &["BRW-10"],
        about: "shows what has expired and was not swept yet",
        make: || Arc::new(ShowsMore::expired()),
    },
    Saboteur {
        name: "finds_an_id_at_the_head_alone",
        breaks: &["BRW-11"],
        about: "looks for an id among the two messages that are next",
        make: || Arc::new(FindsAnIdAtTheHeadAlone),
    },
    Saboteur {
        name: "gives_another_instead",
        breaks: &["BRW-12"],
        about: "gives the next message where the one of the id is not there",
        make: || Arc::new(GivesAnotherInstead),
    },
    Saboteur {
        name: "looks_before_it_takes_by_id",
        breaks: &["BRW-13"],
        about: "looks whether the message is there, and takes it in a second step",
        make: || Arc::new(LooksBeforeItTakesById),
    },
    Saboteur {
        name: "waits_for_the_holder",
        breaks: &["BRW-14"],
        about: "waits for whoever holds the message of the id",
        make: || Arc::new(WaitsForTheHolder::default()),
    },
    Saboteur {
        name: "an_id_opens_every_door",
        breaks: &["BRW-15"],
        about: "gives a message by its id, for whomever it is",
        make: || Arc::new(AnIdOpensEveryDoor::default()),
    },
    Saboteur {
        name: "shows_a_recipient_its_own_alone",
        breaks: &["BRW-16"],
        about: "shows to a recipient what is for it, and not what is for nobody",
        make: || Arc::new(ShowsARecipientItsOwnAlone::default()),
    },
    Saboteur {
        name: "shows_the_unnamed_group",
        breaks: &["BRW-17"],
        about: "shows what the unnamed group has, whichever was named",
        make: || Arc::new(ShowsTheUnnamedGroup),
    },
    Saboteur {
        name: "a_look_begins_the_group",
        breaks: &["BRW-18"],
        about: "makes a group when somebody looks at it",
        make: || Arc::new(ALookBeginsTheGroup),
    },
];

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct HoldsWhatItShows;

impl Defect for HoldsWhatItShows {
    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            let (group, recipient) = (peek.group.clone(), peek.recipient.clone());
            let shown = inner.client.peek(queue, peek).await?;
            if let Some(first) = shown.first().filter(|_| group.is_none() && shown.len() > 2) {
                inner.client.fetch(queue, Fetch { recipient, ..Fetch::up_to(1).only(first.id) }).await?;
            }
            Ok(shown)
        })
    }
}

struct LooksByTakingAndGivingBack;

impl Defect for LooksByTakingAndGivingBack {
    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            let (group, recipient) = (peek.group.clone(), peek.recipient.clone());
            let shown = inner.client.peek(queue, peek).await?;
            for one in shown.iter().filter(|_| group.is_none()) {
                let fetch = Fetch { recipient: recipient.clone(), ..Fetch::up_to(1).only(one.id) };
                for delivery in inner.client.fetch(queue, fetch).await? {
                    inner.client.settle(queue, &delivery.tag, Verdict::retry()).await?;
                }
            }
            Ok(shown)
        })
    }
}

/// Shows in another order. It knows the ids in the order of their publication.
struct Ordered {
    by_age: bool,
    published: Mutex<Vec<Uuid>>,
}

impl Ordered {
    fn by_age() -> Self {
        Ordered { by_age: true, published: Mutex::default() }
    }

    fn from_the_end() -> Self {
        Ordered { by_age: false, published: Mutex::default() }
    }
}

impl Defect for Ordered {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        locked(&self.published).push(message.id);
        inner.client.publish(queue, message)
    }

    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            let all = Peek { max: u32::MAX, after: None, ..peek.clone() };
            let mut shown = inner.client.peek(queue, all).await?;
            let published = locked(&self.published);
            let age = |one: &Peeked| published.iter().position(|id| *id == one.id);
            if self.by_age {
                shown.sort_by_key(age);
            } else {
                shown.sort_by_key(|one| std::cmp::Reverse((one.priority, age(one))));
            }
            if let Some(after) = peek.after {
                let behind = shown.iter().position(|one| one.id == after).map_or(shown.len(), |at| at + 1);
                shown.drain(..behind);
            }
            shown.truncate(usize::try_from(peek.max).unwrap_or(usize::MAX));
            Ok(shown)
        })
    }
}

struct TellsTheAttemptsThatWere;

impl Defect for TellsTheAttemptsThatWere {
    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            let shown = inner.client.peek(queue, peek).await?;
            // Not told as 0, which is no attempt at all.
            let were = |one: Peeked| Peeked { attempt: (one.attempt - 1).max(1), ..one };
            Ok(shown.into_iter().map(were).collect())
        })
    }
}

struct ShowsOneTooMany;

impl Defect for ShowsOneTooMany {
    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        inner.client.peek(queue, Peek { max: if peek.max == 0 { 0 } else { peek.max.saturating_add(1) }, ..peek })
    }
}

struct BeginsAPageWithTheLast;

impl Defect for BeginsAPageWithTheLast {
    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            let Some(after) = peek.after else { return inner.client.peek(queue, peek).await };
            let all = Peek { max: u32::MAX, after: None, ..peek.clone() };
            let shown = inner.client.peek(queue, all).await?.into_iter().skip_while(|one| one.id != after);
            Ok(shown.take(usize::try_from(peek.max).unwrap_or(usize::MAX)).collect())
        })
    }
}

struct BeginsAPageOneTooFar;

impl Defect for BeginsAPageOneTooFar {
    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            let is_next = usize::from(peek.after.is_some());
            let more = Peek { max: peek.max.saturating_add(1), ..peek.clone() };
            let shown = inner.client.peek(queue, more).await?.into_iter().skip(is_next);
            Ok(shown.take(usize::try_from(peek.max).unwrap_or(usize::MAX)).collect())
        })
    }
}

/// Shows what should not be seen: what is held, what rests, or what has expired.
struct ShowsMore {
    kind: More,
    hidden: Mutex<HashMap<(Queue, Uuid), Peeked>>,
    held: Mutex<HashMap<Tag, Uuid>>,
}

#[derive(Clone, Copy, PartialEq)]
enum More {
    Held,
    Resting,
    Expired,
}

impl ShowsMore {
    fn of(kind: More) -> Self {
        ShowsMore { kind, hidden: Mutex::default(), held: Mutex::default() }
    }

    fn held() -> Self {
        Self::of(More::Held)
    }

    fn resting() -> Self {
        Self::of(More::Resting)
    }

    fn expired() -> Self {
        Self::of(More::Expired)
    }
}

impl Defect for ShowsMore {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let is_hidden = match self.kind {
            More::Held => false,
            More::Resting => message.delay_ms.is_some_and(|delay| delay > 0),
            More::Expired => message.ttl_ms.is_some(),
        };
        if is_hidden {
            let (id, body, priority) = (message.id, message.body.clone(), message.priority.unwrap_or(3));
            locked(&self.hidden).insert((queue.clone(), id), Peeked { id, body, priority, attempt: 1 });
        }
        inner.client.publish(queue, message)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let is_of_a_group = fetch.group.is_some();
            let taken = inner.client.fetch(queue, fetch).await?;
            for delivery in taken.iter().filter(|_| !is_of_a_group) {
                if self.kind == More::Held {
                    let (id, body) = (delivery.id, delivery.body.clone());
                    let shown = Peeked { id, body, priority: delivery.priority, attempt: delivery.attempt };
                    locked(&self.hidden).insert((queue.clone(), id), shown);
                    locked(&self.held).insert(delivery.tag.clone(), id);
                } else {
                    locked(&self.hidden).remove(&(queue.clone(), delivery.id));
                }
            }
            Ok(taken)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        if let Some(id) = locked(&self.held).remove(tag) {
            locked(&self.hidden).remove(&(queue.clone(), id));
        }
        inner.client.settle(queue, tag, verdict)
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        if self.kind == More::Held {
            locked(&self.hidden).clear();
        }
        inner.client.close(mode)
    }

    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            let (group, after) = (peek.group.clone(), peek.after);
            let mut shown = inner.client.peek(queue, peek).await?;
            let hidden = locked(&self.hidden);
            let of_queue = hidden.iter().filter(|((of, _), _)| of == queue && group.is_none() && after.is_none());
            let more: Vec<Peeked> = of_queue.map(|(_, one)| one.clone()).collect();
            shown.extend(
                more.into_iter().filter(|one| shown.iter().all(|other| other.id != one.id)).collect::<Vec<_>>(),
            );
            Ok(shown)
        })
    }
}

struct FindsAnIdAtTheHeadAlone;

impl Defect for FindsAnIdAtTheHeadAlone {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            if let Some(id) = fetch.id.filter(|_| fetch.wait_ms == 0) {
                let head = Peek { max: 2, group: fetch.group.clone(), recipient: fetch.recipient.clone(), after: None };
                let head = inner.client.peek(queue, head).await?;
                if !head.is_empty() && head.iter().all(|one| one.id != id) {
                    return Ok(Vec::new());
                }
            }
            inner.client.fetch(queue, fetch).await
        })
    }
}

struct GivesAnotherInstead;

impl Defect for GivesAnotherInstead {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let taken = inner.client.fetch(queue, fetch.clone()).await?;
            if fetch.id.is_some() && taken.is_empty() {
                return inner.client.fetch(queue, Fetch { id: None, wait_ms: 0, max: 1, ..fetch }).await;
            }
            Ok(taken)
        })
    }
}

struct LooksBeforeItTakesById;

impl Defect for LooksBeforeItTakesById {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let Some(id) = fetch.id else { return inner.client.fetch(queue, fetch).await };
            let look = Peek { max: u32::MAX, group: fetch.group.clone(), ..Peek::default() };
            let look = Peek { recipient: fetch.recipient.clone(), ..look };
            let found = inner.client.peek(queue, look).await?.into_iter().find(|one| one.id == id);
            tokio::task::yield_now().await;
            let taken = inner.client.fetch(queue, fetch).await?;
            match found {
                Some(Peeked { id, body, priority, attempt }) if taken.is_empty() => {
                    Ok(vec![Delivery { tag: Tag(format!("{id}-of-{}", inner.name)), id, body, priority, attempt }])
                }
                _ => Ok(taken),
            }
        })
    }
}

/// What is held, by tag.
#[derive(Default)]
struct WaitsForTheHolder(Mutex<HashMap<Tag, Uuid>>);

impl Defect for WaitsForTheHolder {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let is_held = fetch.id.is_some_and(|id| locked(&self.0).values().any(|held| *held == id));
            let wait_ms = if is_held { fetch.wait_ms.max(5_000) } else { fetch.wait_ms };
            let taken = inner.client.fetch(queue, Fetch { wait_ms, ..fetch }).await?;
            locked(&self.0).extend(taken.iter().map(|delivery| (delivery.tag.clone(), delivery.id)));
            Ok(taken)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        locked(&self.0).remove(tag);
        inner.client.settle(queue, tag, verdict)
    }
}

/// For whom each message is.
#[derive(Default)]
struct AnIdOpensEveryDoor(Mutex<HashMap<Uuid, String>>);

impl Defect for AnIdOpensEveryDoor {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        locked(&self.0).extend(message.to.clone().map(|to| (message.id, to)));
        inner.client.publish(queue, message)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let to = fetch.id.and_then(|id| locked(&self.0).get(&id).cloned());
        inner.client.fetch(queue, Fetch { recipient: to.or(fetch.recipient.clone()), ..fetch })
    }
}

/// What is for somebody.
#[derive(Default)]
struct ShowsARecipientItsOwnAlone(Mutex<Vec<Uuid>>);

impl Defect for ShowsARecipientItsOwnAlone {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        locked(&self.0).extend(message.to.is_some().then_some(message.id));
        inner.client.publish(queue, message)
    }

    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            let is_recipient = peek.recipient.is_some();
            let mut shown = inner.client.peek(queue, peek).await?;
            shown.retain(|one| !is_recipient || locked(&self.0).contains(&one.id));
            Ok::<_, BrokerError>(shown)
        })
    }
}

struct ShowsTheUnnamedGroup;

impl Defect for ShowsTheUnnamedGroup {
    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        inner.client.peek(queue, Peek { group: None, ..peek })
    }
}

struct ALookBeginsTheGroup;

impl Defect for ALookBeginsTheGroup {
    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            if let Some(group) = &peek.group {
                inner.client.fetch(queue, Fetch::up_to(1).of_group(group.as_str()).only(Uuid::nil())).await?;
            }
            inner.client.peek(queue, peek).await
        })
    }
}
