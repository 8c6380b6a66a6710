//! What belongs together in a history: everything that happened to a message, which settle ended
//! which delivery, what became of clients. Made once, in one pass; tables are indexed by place.

use std::collections::HashMap;

use workwire_broker::{CloseMode, Policy};

use super::{Answer, Call, History, MessageId, Micros, Operation, Outcome, Word};

/// The place of an operation in its history, from 0, whatever number it has.
pub(crate) type Place = u32;

/// A place that is none.
const NONE: u32 = u32::MAX;

/// Where a message was named: by which operation, at which place of its answer, as which delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trace {
    pub(crate) operation: Place,
    part: u32,
    delivery: u32,
}

impl Trace {
    pub(crate) const fn part(self) -> usize {
        self.part as usize
    }

    /// The delivery's place among all deliveries; of what is no delivery, none.
    pub(crate) const fn delivery(self) -> usize {
        self.delivery as usize
    }
}

/// A delivery, and the settles that name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handed {
    pub(crate) operation: Place,
    part: u32,
    /// The delivery before it with the same tag: tags need only be good for one connection.
    same_tag: u32,
    settled: u32,
    maybe: u32,
}

impl Handed {
    pub(crate) const fn part(&self) -> usize {
        self.part as usize
    }

    /// The settle that was accepted.
    pub(crate) fn settled(&self) -> Option<Place> {
        (self.settled != NONE).then_some(self.settled)
    }

    /// The first settle that was neither accepted nor refused.
    pub(crate) fn maybe(&self) -> Option<Place> {
        (self.maybe != NONE).then_some(self.maybe)
    }
}

/// How a client may have let go of what it held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parting {
    Graceful,
    Abort,
    /// An answer did not come, so its connection may be gone.
    Unclear,
}

/// What belongs together.
#[derive(Debug, Default)]
pub(crate) struct Lives {
    /// Where the traces of each message begin.
    begins: Vec<u32>,
    traces: Vec<Trace>,
    pub(crate) handed: Vec<Handed>,
    /// Of each settle, in their order, the delivery that it names.
    settles: Vec<u32>,
    /// Settles behind the first that were neither accepted nor refused, by delivery.
    pub(crate) further: HashMap<usize, Vec<Place>>,
    /// Extensions that were not refused, by delivery.
    pub(crate) extends: HashMap<usize, Vec<Place>>,
    /// The one policy of a queue; nothing where there are several.
    policies: HashMap<Word, Option<Policy>>,
    /// When each client may have gone, earliest first.
    pub(crate) partings: HashMap<Word, Vec<(Micros, Parting)>>,
    pub(crate) restarts: Vec<Place>,
    /// Fetches without an answer, by queue: each may have taken something.
    pub(crate) unanswered: HashMap<Word, Vec<Micros>>,
    pub(crate) purges: HashMap<Word, Vec<Place>>,
    pub(crate) deletes: HashMap<Word, Vec<Place>>,
    pub(crate) drains: Vec<Place>,
    /// The first fetch of a group that may have made it, and the first that surely has.
    pub(crate) joined: HashMap<(Word, Option<Word>), (Place, Option<Place>)>,
    /// Complete looks at the letters, by queue.
    pub(crate) listings: HashMap<Word, Vec<Place>>,
    /// What adapters did that their protocol does not allow.
    pub(crate) misbehaved: Vec<Place>,
    /// How many operations came to an end.
    pub(crate) ended: u64,
}

impl Lives {
    /// The traces of a message, in the order of the operations.
    pub(crate) fn of(&self, id: MessageId) -> &[Trace] {
        let (from, to) = (self.begins[id.index()] as usize, self.begins[id.index() + 1] as usize);
        &self.traces[from..to]
    }

    /// The delivery that the nth settle of the history names.
    pub(crate) fn delivery_of_settle(&self, nth: usize) -> Option<usize> {
        self.settles.get(nth).filter(|place| **place != NONE).map(|place| *place as usize)
    }

    /// The policy of a queue, where the history says one and only one.
    pub(crate) fn policy(&self, queue: Word) -> Option<&Policy> {
        self.policies.get(&queue).and_then(Option::as_ref)
    }

    pub(super) fn of_history(history: &History) -> Self {
        let mut lives = Lives { begins: counted(history), ..Lives::default() };
        let total = lives.begins.last().copied().unwrap_or(0) as usize;
        lives.traces = vec![Trace { operation: NONE, part: NONE, delivery: NONE }; total];
        let mut reading =
            Reading { next: lives.begins.clone(), by_tag: vec![NONE; history.words().texts()], lives, history };
        for (index, operation) in history.operations().iter().enumerate() {
            reading.read(Place::try_from(index).unwrap_or(NONE), operation);
        }
        reading.lives
    }
}

/// How often each message is named, summed up.
fn counted(history: &History) -> Vec<u32> {
    let mut counts = vec![0_u32; history.words().ids() + 1];
    for operation in history.operations() {
        named(operation, |id, _| counts[id.index()] += 1);
    }
    let mut sum = 0;
    for count in &mut counts {
        sum += std::mem::replace(count, sum);
    }
    counts
}

/// Says each message that an operation names, and at which place.
fn named(operation: &Operation, mut say: impl FnMut(MessageId, usize)) {
    match (&operation.call, &operation.outcome) {
        (Call::Publish(publish), _) => say(publish.id, 0),
        (Call::Replay(_, _, id), _) => say(*id, 0),
        (_, Outcome::Ok(Answer::Deliveries(all))) => all.iter().enumerate().for_each(|(part, one)| say(one.id, part)),
        (_, Outcome::Ok(Answer::Peeked(all))) => all.iter().enumerate().for_each(|(part, one)| say(one.id, part)),
        (_, Outcome::Ok(Answer::Letters(all))) => all.iter().enumerate().for_each(|(part, one)| say(one.id, part)),
        _ => {}
    }
}

struct Reading<'a> {
    history: &'a History,
    lives: Lives,
    /// Where the next trace of each message belongs.
    next: Vec<u32>,
    /// The last delivery with each tag.
    by_tag: Vec<u32>,
}

impl Reading<'_> {
    fn read(&mut self, place: Place, operation: &Operation) {
        let is_refused = matches!(operation.outcome, Outcome::Refused(..));
        if matches!(operation.outcome, Outcome::Indefinite(_)) {
            self.part(operation, Parting::Unclear);
        }
        self.trace(place, operation);
        let lives = &mut self.lives;
        if matches!(operation.call, Call::Misbehaved(..)) {
            lives.misbehaved.push(place);
        } else {
            lives.ended += u64::from(operation.ended.is_some());
        }
        match &operation.call {
            Call::Settle(settle) => {
                let delivery = self.find(operation.client, settle.queue, settle.tag);
                self.lives.settles.push(delivery);
                if delivery != NONE {
                    self.settle(delivery, place, &operation.outcome);
                }
            }
            Call::Extend(queue, tag, _) if !is_refused => {
                let delivery = self.find(operation.client, *queue, *tag);
                if delivery != NONE {
                    self.lives.extends.entry(delivery as usize).or_default().push(place);
                }
            }
            Call::Fetch(fetch) if !is_refused => {
                let is_ok = matches!(operation.outcome, Outcome::Ok(_));
                if !is_ok {
                    lives.unanswered.entry(fetch.queue).or_default().push(operation.began);
                }
                let joined = lives.joined.entry((fetch.queue, fetch.group)).or_insert((place, None));
                if is_ok && joined.1.is_none() {
                    joined.1 = Some(place);
                }
            }
            _ if is_refused => {}
            Call::Close(CloseMode::Graceful) => self.part(operation, Parting::Graceful),
            Call::Close(CloseMode::Abort) => self.part(operation, Parting::Abort),
            Call::Restart(_) => lives.restarts.push(place),
            Call::Declare(queue, policy) => {
                let known = lives.policies.entry(*queue).or_insert_with(|| Some((**policy).clone()));
                if known.as_ref().is_some_and(|known| known != &**policy) {
                    *known = None;
                }
            }
            Call::Purge(queue, ..) => lives.purges.entry(*queue).or_default().push(place),
            Call::Delete(queue) => lives.deletes.entry(*queue).or_default().push(place),
            Call::Drained(..) => lives.drains.push(place),
            Call::DeadLetters(queue, _, max) => {
                if let Outcome::Ok(Answer::Letters(letters)) = &operation.outcome
                    && is_complete(letters, *max)
                {
                    lives.listings.entry(*queue).or_default().push(place);
                }
            }
            _ => {}
        }
    }

    fn trace(&mut self, place: Place, operation: &Operation) {
        let deliveries = operation.deliveries();
        named(operation, |id, part| {
            let part = u32::try_from(part).unwrap_or(NONE);
            let mut delivery = NONE;
            if let Some(one) = deliveries.get(part as usize) {
                delivery = u32::try_from(self.lives.handed.len()).unwrap_or(NONE);
                let same_tag = std::mem::replace(&mut self.by_tag[one.tag.index()], delivery);
                self.lives.handed.push(Handed { operation: place, part, same_tag, settled: NONE, maybe: NONE });
            }
            let next = &mut self.next[id.index()];
            self.lives.traces[*next as usize] = Trace { operation: place, part, delivery };
            *next += 1;
        });
    }

    /// The last delivery with this tag to this client from this queue.
    fn find(&self, client: Word, queue: Word, tag: Word) -> u32 {
        let mut delivery = self.by_tag[tag.index()];
        while let Some(handed) = self.lives.handed.get(delivery as usize) {
            let fetch = &self.history.operations()[handed.operation as usize];
            if fetch.client == client && fetch.queue() == Some(queue) {
                return delivery;
            }
            delivery = handed.same_tag;
        }
        NONE
    }

    fn settle(&mut self, delivery: u32, place: Place, outcome: &Outcome) {
        let handed = &mut self.lives.handed[delivery as usize];
        match outcome {
            Outcome::Ok(_) if handed.settled == NONE => handed.settled = place,
            Outcome::Indefinite(_) if handed.maybe == NONE => handed.maybe = place,
            Outcome::Indefinite(_) => self.lives.further.entry(delivery as usize).or_default().push(place),
            _ => {}
        }
    }

    fn part(&mut self, operation: &Operation, how: Parting) {
        self.lives.partings.entry(operation.client).or_default().push((operation.began, how));
    }
}

/// Whether a look at the letters was not cut short, by their number or by their size.
fn is_complete(letters: &[super::LetterSeen], max: u32) -> bool {
    const SMALL: u64 = 1_048_576;
    let bytes: u64 = letters.iter().map(|letter| u64::from(letter.body.bytes)).sum();
    letters.len() < max as usize && bytes < SMALL
}
