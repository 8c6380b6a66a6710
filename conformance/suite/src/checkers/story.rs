//! The story of one message in one queue: how it came there, who took it, what became of it.

use workwire_broker::{Policy, Stored};

use super::book::{Book, GRAIN, after, latest};
use crate::history::{
    Answer, Call, Delivered, FetchCall, LetterSeen, MessageId, Micros, Outcome, PeekSeen, Place, PublishCall, SettleAs,
    Trace, Word,
};

/// What became of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Stored,
    Maybe,
    Duplicate,
    Refused,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Published<'a> {
    pub(super) place: Place,
    pub(super) began: Micros,
    /// The last moment at which it may have happened.
    pub(super) latest: Micros,
    pub(super) fate: Fate,
    pub(super) call: &'a PublishCall,
}

/// A settle that was not refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled {
    pub(super) place: Place,
    pub(super) began: Micros,
    pub(super) latest: Micros,
    pub(super) how: SettleAs,
}

/// A delivery.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken<'a> {
    pub(super) place: Place,
    /// Its place among all deliveries.
    pub(super) delivery: usize,
    pub(super) client: Word,
    pub(super) began: Micros,
    pub(super) ended: Micros,
    pub(super) fetch: &'a FetchCall,
    pub(super) seen: &'a Delivered,
    /// The settle that was accepted.
    pub(super) settled: Option<Settled>,
    /// The first of those that have no answer.
    pub(super) maybe: Option<Settled>,
}

/// A replay that was not refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replayed {
    pub(super) began: Micros,
    pub(super) latest: Micros,
    /// Of this group; of any where none is named.
    pub(super) group: Option<Word>,
}

/// One message in one queue.
#[derive(Debug, Default)]
pub(super) struct Story<'a> {
    pub(super) id: MessageId,
    pub(super) queue: Word,
    pub(super) published: Vec<Published<'a>>,
    /// One publish for each copy that may be there: of those that dedupe makes one, one.
    pub(super) copies: Vec<Published<'a>>,
    /// By group, then in the order of the answers.
    pub(super) taken: Vec<Taken<'a>>,
    pub(super) letters: Vec<(Place, &'a LetterSeen)>,
    pub(super) peeked: Vec<(Place, &'a PeekSeen)>,
    pub(super) replays: Vec<Replayed>,
}

impl<'a> Story<'a> {
    pub(super) fn read(&mut self, book: &Book<'a>, id: MessageId, queue: Word, traces: &[Trace], claims_dedupe: bool) {
        (self.id, self.queue) = (id, queue);
        self.published.clear();
        self.copies.clear();
        self.taken.clear();
        self.letters.clear();
        self.peeked.clear();
        self.replays.clear();
        for trace in traces {
            self.add(book, *trace);
        }
        if self.taken.len() > 1 {
            self.taken.sort_by_key(|taken| (taken.fetch.group, taken.ended));
        }
        let window = if claims_dedupe { book.lives.policy(queue).map_or(0, |policy| policy.dedupe_ms) } else { 0 };
        self.count_copies(book, window);
    }

    fn add(&mut self, book: &Book<'a>, trace: Trace) {
        let place = trace.operation;
        let operation = book.at(place);
        let (began, latest) = (operation.began, latest(operation));
        match (&operation.call, &operation.outcome) {
            (Call::Publish(call), outcome) => {
                let fate = match outcome {
                    Outcome::Ok(Answer::Published(Stored::Duplicate)) => Fate::Duplicate,
                    Outcome::Ok(_) => Fate::Stored,
                    Outcome::Indefinite(_) => Fate::Maybe,
                    Outcome::Refused(..) => Fate::Refused,
                };
                self.published.push(Published { place, began, latest, fate, call });
            }
            (_, Outcome::Refused(..)) => {}
            (Call::Replay(_, group, _), _) => self.replays.push(Replayed { began, latest, group: *group }),
            (Call::Fetch(fetch), Outcome::Ok(Answer::Deliveries(all))) => {
                let handed = book.lives.handed[trace.delivery()];
                self.taken.push(Taken {
                    place,
                    delivery: trace.delivery(),
                    client: operation.client,
                    began,
                    ended: latest,
                    fetch,
                    seen: &all[trace.part()],
                    settled: handed.settled().and_then(|place| settled(book, place)),
                    maybe: handed.maybe().and_then(|place| settled(book, place)),
                });
            }
            (_, Outcome::Ok(Answer::Peeked(all))) => self.peeked.push((place, &all[trace.part()])),
            (_, Outcome::Ok(Answer::Letters(all))) => self.letters.push((place, &all[trace.part()])),
            _ => {}
        }
    }

    fn count_copies(&mut self, book: &Book<'a>, window_ms: i64) {
        for published in &self.published {
            if matches!(published.fate, Fate::Duplicate | Fate::Refused) {
                continue;
            }
            let one = self.copies.iter_mut().find(|copy| is_one_copy(book, self.queue, copy, published, window_ms));
            match one {
                Some(copy) if copy.fate == Fate::Maybe && published.fate == Fate::Stored => {
                    // The first may be the one that happened, in spite of what the second was told.
                    *copy = Published { began: copy.began.min(published.began), ..*published };
                }
                Some(_) => {}
                None => self.copies.push(*published),
            }
        }
    }

    /// The deliveries of each group.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[Taken<'a>]> {
        self.taken.chunk_by(|a, b| a.fetch.group == b.fetch.group)
    }

    /// How many copies may have been there by then.
    pub(super) fn copies_by(&self, moment: Micros) -> usize {
        self.copies.iter().filter(|copy| copy.began <= moment).count()
    }

    /// The message's only publish, where it surely was stored and nothing brought it back from the dead.
    pub(super) fn only(&self) -> Option<&Published<'a>> {
        match &self.copies[..] {
            [one] if one.fate == Fate::Stored && self.replays.is_empty() => Some(one),
            _ => None,
        }
    }

    /// Replays that may have brought back a letter of this group.
    pub(super) fn replays_of(&self, group: Option<Word>) -> impl Iterator<Item = &Replayed> {
        self.replays.iter().filter(move |replay| replay.group.is_none() || replay.group == group)
    }
}

impl Published<'_> {
    /// Whether it may have happened.
    pub(super) fn is_possible(&self) -> bool {
        matches!(self.fate, Fate::Stored | Fate::Maybe)
    }

    /// How long it lives, where anything says that it does not live for ever.
    pub(super) fn ttl_ms(&self, policy: Option<&Policy>) -> Option<i64> {
        [self.call.ttl_ms(), policy.and_then(|policy| policy.ttl_ms)].into_iter().flatten().min()
    }

    /// Whether it has to rest first.
    pub(super) fn is_delayed(&self) -> bool {
        self.call.delay_ms().is_some_and(|ms| ms > 0)
    }
}

impl Taken<'_> {
    /// Whether the work was surely said to be done.
    pub(super) fn is_done(&self) -> bool {
        self.settled.is_some_and(|settled| settled.how == SettleAs::Done)
    }
}

/// A settle, read from its place.
pub(super) fn settled(book: &Book<'_>, place: Place) -> Option<Settled> {
    let operation = book.at(place);
    let Call::Settle(settle) = &operation.call else { return None };
    Some(Settled { place, began: operation.began, latest: latest(operation), how: settle.verdict })
}

/// Whether dedupe makes one message of two publishes, whichever came first.
fn is_one_copy(book: &Book<'_>, queue: Word, first: &Published<'_>, second: &Published<'_>, window_ms: i64) -> bool {
    // Without an answer, an id that is remembered is not stored twice all the same.
    let ended = |published: &Published<'_>| book.at(published.place).ended.unwrap_or(Micros::MAX);
    let (from, to) = (first.began.min(second.began), ended(first).max(ended(second)));
    let forgets = book.lives.deletes.get(&queue).into_iter().flatten().any(|place| {
        let delete = book.at(*place);
        delete.began <= to && latest(delete) >= from
    });
    to.saturating_add(GRAIN) < after(from, window_ms) && !forgets && book.forgets_after(from).is_none_or(|at| at > to)
}
