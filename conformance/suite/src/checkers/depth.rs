//! Counts that do not add up.
//!
//! Judged at quiet points: no operation of the queue overlaps the count, none before it is without
//! an answer, and no lease, rest or life may have ended by itself since.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use workwire_broker::{Capability, Depth, Overflow, Policy, Stored};

use super::book::{Book, GRAIN, after, latest};
use super::{Checker, Found};
use crate::anomaly::Kind;
use crate::history::{
    Answer, Call, Delivered, History, MessageId, Micros, Operation, Outcome, Place, PublishCall, SettleAs, Word,
};

/// Counts that do not add up.
pub const DEPTH: Checker = Checker {
    name: "depth",
    about: "At every quiet point the counts are what was published less what has left.",
    clause: "OBS-5",
    kinds: &[Kind::Depth],
    check: depth,
};

fn depth(history: &History) -> Found {
    let book = Book::of(history);
    let counted = history.operations().iter().any(|operation| matches!(operation.call, Call::Depth(..)));
    if !counted {
        return Found::default();
    }
    let mut count = Count {
        deaths: book.claims(Capability::DeadLetter),
        backoff: book.claims(Capability::Backoff),
        durable: book.claims(Capability::Durable),
        book,
        queues: HashMap::new(),
        rests: HashMap::new(),
        next_settle: 0,
        next_delivery: 0,
        holder: HashMap::new(),
        held: HashMap::new(),
        found: Found::default(),
    };
    for (place, operation) in history.operations().iter().enumerate() {
        count.step(Place::try_from(place).unwrap_or(Place::MAX), operation);
    }
    count.finish()
}

/// What surely is where in the unnamed group of a queue.
#[derive(Default)]
struct Ledger {
    ready: i64,
    leased: i64,
    delayed: i64,
    dead: i64,
    /// Nothing can be said any more: something happened that leaves more than one way.
    lost_track: bool,
    /// From this moment on something may have expired.
    expires: Option<Micros>,
    /// The end of the last operation.
    busy_until: Micros,
    /// A count that is to be judged once it is sure that nothing overlapped it.
    pending: Option<(Place, Micros, [i64; 4])>,
    /// Leases that end, by their deliveries: in their order, since a queue has one length of them.
    leases: VecDeque<(Micros, usize)>,
    /// Rests that end, by their messages.
    rests: BinaryHeap<Reverse<(Micros, MessageId)>>,
    /// Whether anybody named a group.
    has_groups: bool,
}

struct Count<'a> {
    book: Book<'a>,
    deaths: bool,
    backoff: bool,
    durable: bool,
    queues: HashMap<Word, Ledger>,
    /// Messages that rest, and until when.
    rests: HashMap<(Word, MessageId), Micros>,
    next_settle: usize,
    next_delivery: usize,
    /// Deliveries that are held, and by whom.
    holder: HashMap<usize, Word>,
    /// How many deliveries each client holds of each queue.
    held: HashMap<Word, HashMap<Word, u32>>,
    found: Found,
}

impl<'a> Count<'a> {
    fn step(&mut self, place: Place, operation: &'a Operation) {
        match &operation.call {
            Call::Restart(_) if !is_refused(operation) => self.everywhere(operation, None),
            Call::Close(_) if !is_refused(operation) => self.everywhere(operation, Some(operation.client)),
            Call::Depth(queue, None) => self.count(place, *queue, operation),
            _ => {
                if let Some(queue) = operation.queue().filter(|_| changes(operation)) {
                    self.changed(queue, operation);
                    self.apply(queue, operation);
                }
            }
        }
        // Whatever becomes of them, these are numbered in the order of the operations.
        if matches!(operation.call, Call::Settle(_)) {
            self.next_settle += 1;
        }
        self.next_delivery += operation.deliveries().len();
    }

    /// A client or all of them are gone: what they held comes back, nobody knows when.
    fn everywhere(&mut self, operation: &Operation, client: Option<Word>) {
        let Some(client) = client else {
            for ledger in self.queues.values_mut() {
                settle_pending(&self.book, ledger, operation.began, &mut self.found);
                ledger.busy_until = ledger.busy_until.max(latest(operation));
                ledger.lost_track |= !self.durable || ledger.leased != 0;
            }
            return;
        };
        let held = self.held.remove(&client).unwrap_or_default();
        for (queue, _) in held.into_iter().filter(|(_, number)| *number > 0) {
            self.changed(queue, operation);
            self.of(queue).lost_track = true;
        }
    }

    /// Something happens to a queue: a count that it overlaps is no quiet one.
    fn changed(&mut self, queue: Word, operation: &Operation) {
        let ledger = self.queues.entry(queue).or_default();
        settle_pending(&self.book, ledger, operation.began, &mut self.found);
        ledger.busy_until = ledger.busy_until.max(latest(operation));
        ledger.lost_track |= matches!(operation.outcome, Outcome::Indefinite(_));
    }

    fn count(&mut self, place: Place, queue: Word, operation: &Operation) {
        let (Outcome::Ok(Answer::Depth(_)), Some(ended)) = (&operation.outcome, operation.ended) else { return };
        let known = self.book.lives.policy(queue).is_some();
        let ledger = self.queues.entry(queue).or_default();
        settle_pending(&self.book, ledger, operation.began, &mut self.found);
        let mut rests_end = false;
        while let Some(Reverse((until, id))) = ledger.rests.peek().copied() {
            if until > ended {
                break;
            }
            rests_end |= self.rests.get(&(queue, id)) == Some(&until);
            ledger.rests.pop();
        }
        while let Some((_, delivery)) = ledger.leases.pop_front_if(|(until, _)| *until <= ended) {
            ledger.lost_track |= self.holder.contains_key(&delivery);
        }
        let moves = rests_end || ledger.expires.is_some_and(|expires| expires <= ended);
        ledger.lost_track |= moves || !known;
        if !ledger.lost_track && ledger.busy_until < operation.began {
            let counts = [ledger.ready, ledger.leased, ledger.delayed, ledger.dead];
            ledger.pending = Some((place, ended, counts));
        }
    }

    fn apply(&mut self, queue: Word, operation: &'a Operation) {
        let Some(policy) = self.book.lives.policy(queue).cloned() else { return };
        match (&operation.call, &operation.outcome) {
            (Call::Publish(publish), Outcome::Ok(Answer::Published(Stored::Stored))) => {
                self.published(publish, operation, &policy);
            }
            (Call::Fetch(fetch), Outcome::Ok(Answer::Deliveries(all))) => {
                if fetch.group.is_some() {
                    self.of(queue).has_groups = true;
                    return;
                }
                for (index, one) in all.iter().enumerate() {
                    self.taken(queue, one, self.next_delivery + index, operation, &policy);
                }
            }
            (Call::Settle(settle), Outcome::Ok(_)) => self.settled(queue, settle.verdict, operation, &policy),
            (Call::Extend(..), _) => self.of(queue).lost_track = true,
            (Call::Replay(_, group, _), Outcome::Ok(_)) => {
                let ledger = self.of(queue);
                ledger.lost_track |= ledger.has_groups || group.is_some() || ledger.expires.is_some();
                ledger.dead -= 1;
                ledger.ready += 1;
            }
            (Call::Purge(_, group, dead), Outcome::Ok(Answer::Removed(number))) => {
                let ledger = self.of(queue);
                ledger.lost_track |= ledger.has_groups || group.is_some();
                let number = i64::try_from(*number).unwrap_or(i64::MAX);
                if *dead { ledger.dead -= number } else { ledger.ready -= number }
            }
            (Call::Delete(_), Outcome::Ok(_)) => {
                self.rests.retain(|(of, _), _| *of != queue);
                let ledger = self.of(queue);
                *ledger = Ledger { busy_until: ledger.busy_until, lost_track: ledger.lost_track, ..Ledger::default() };
            }
            _ => {}
        }
    }

    fn of(&mut self, queue: Word) -> &mut Ledger {
        self.queues.entry(queue).or_default()
    }

    fn rest(&mut self, queue: Word, id: MessageId, until: Micros) {
        // Of two with one id, nobody can tell which was taken.
        let is_stored = |place: &Place| {
            let operation = self.book.at(*place);
            operation.queue() == Some(queue)
                && matches!(operation.outcome, Outcome::Ok(Answer::Published(Stored::Stored)))
        };
        let copies = self.book.lives.of(id).iter().map(|trace| trace.operation).filter(is_stored).count();
        // One that rests already was taken by a fetch that had begun before its rest did.
        let rests = self.rests.insert((queue, id), until).is_some();
        self.of(queue).lost_track |= copies > 1 || rests;
        self.of(queue).rests.push(Reverse((until, id)));
    }

    fn published(&mut self, publish: &PublishCall, operation: &Operation, policy: &Policy) {
        let ttl = [publish.ttl_ms(), policy.ttl_ms].into_iter().flatten().min();
        let expires = ttl.map(|ttl| after(operation.began, ttl).saturating_sub(GRAIN));
        let delay = publish.delay_ms().unwrap_or(0);
        if delay > 0 {
            let until = after(operation.began, delay).saturating_sub(GRAIN);
            self.rest(publish.queue, publish.id, until);
        }
        let ledger = self.of(publish.queue);
        if delay > 0 {
            ledger.delayed += 1;
        } else {
            ledger.ready += 1;
        }
        ledger.expires = [ledger.expires, expires].into_iter().flatten().min();
        let length = ledger.ready + ledger.leased + ledger.delayed;
        let gives_way = policy.overflow == Overflow::DropOldest;
        // What another group still has counts too.
        let may_be_full = policy.max_length.is_some_and(|most| length > most || ledger.has_groups);
        ledger.lost_track |= gives_way && may_be_full;
    }

    fn taken(&mut self, queue: Word, one: &Delivered, delivery: usize, operation: &Operation, policy: &Policy) {
        let rested = self.rests.remove(&(queue, one.id)).is_some();
        self.holder.insert(delivery, operation.client);
        *self.held.entry(operation.client).or_default().entry(queue).or_default() += 1;
        let until = after(operation.began, policy.lease_ms).saturating_sub(GRAIN);
        let ledger = self.queues.entry(queue).or_default();
        if rested {
            ledger.delayed -= 1;
        } else {
            ledger.ready -= 1;
        }
        ledger.leased += 1;
        // Of those that were settled long ago there may be millions.
        while ledger.leases.pop_front_if(|(_, other)| !self.holder.contains_key(other)).is_some() {}
        ledger.leases.push_back((until, delivery));
    }

    fn settled(&mut self, queue: Word, verdict: SettleAs, operation: &Operation, policy: &Policy) {
        let delivery = self.book.lives.delivery_of_settle(self.next_settle);
        let held = delivery.and_then(|delivery| Some((delivery, self.holder.remove(&delivery)?)));
        let Some((delivery, client)) = held else {
            // A settle of what nobody is known to hold, such as a named group's.
            let groups = self.of(queue).has_groups;
            self.of(queue).lost_track |= !groups;
            return;
        };
        if let Some(number) = self.held.get_mut(&client).and_then(|held| held.get_mut(&queue)) {
            *number = number.saturating_sub(1);
        }
        let handed = &self.book.lives.handed[delivery];
        let one = self.book.at(handed.operation).deliveries()[handed.part()];
        let deaths = self.deaths;
        let is_last = i64::from(one.attempt) >= policy.max_attempts;
        self.of(queue).leased -= 1;
        match verdict {
            SettleAs::Done => {}
            SettleAs::Dead => self.of(queue).dead += 1,
            SettleAs::Retry(_) if is_last => {
                let ledger = self.of(queue);
                ledger.dead += 1;
                ledger.lost_track |= !deaths;
            }
            SettleAs::Retry(delay_ms) => {
                let backoff = if self.backoff { policy.backoff(one.attempt) } else { 0 };
                let rest = delay_ms.unwrap_or(backoff);
                if rest > 0 {
                    let until = after(operation.began, rest).saturating_sub(GRAIN);
                    self.rest(queue, one.id, until);
                    self.of(queue).delayed += 1;
                } else {
                    self.of(queue).ready += 1;
                }
            }
        }
    }

    fn finish(mut self) -> Found {
        for ledger in self.queues.values_mut() {
            settle_pending(&self.book, ledger, Micros::MAX, &mut self.found);
        }
        self.found.anomalies.sort_by_key(|anomaly| anomaly.operations.first().copied());
        self.found
    }
}

/// Judges a count that waited for the next operation, which begins now.
fn settle_pending(book: &Book<'_>, ledger: &mut Ledger, began: Micros, found: &mut Found) {
    let Some((place, ended, counts)) = ledger.pending.take() else { return };
    if ended >= began {
        return;
    }
    let Outcome::Ok(Answer::Depth(depth)) = &book.at(place).outcome else { return };
    found.looked_at += 1;
    let told = told(depth);
    let is_right =
        told.iter().zip(counts).all(|(told, count)| told.is_none_or(|told| i64::try_from(told) == Ok(count)));
    if !is_right {
        let words = |all: [Option<i64>; 4]| {
            let named = ["ready", "leased", "delayed", "dead"].into_iter().zip(all);
            named
                .filter_map(|(name, count)| count.map(|count| format!("{name} {count}")))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let told = told.map(|told| told.and_then(|told| i64::try_from(told).ok()));
        found.add(book.anomaly(Kind::Depth, [place], words(counts.map(Some)), words(told)));
    }
}

const fn told(depth: &Depth) -> [Option<u64>; 4] {
    [Some(depth.ready), depth.leased, depth.delayed, depth.dead]
}

fn is_refused(operation: &Operation) -> bool {
    matches!(operation.outcome, Outcome::Refused(..))
}

/// Whether it may change what is where.
fn changes(operation: &Operation) -> bool {
    let looks = matches!(operation.call, Call::Peek(_) | Call::DeadLetters(..) | Call::Depth(..) | Call::Drained(..));
    !looks && !is_refused(operation)
}
