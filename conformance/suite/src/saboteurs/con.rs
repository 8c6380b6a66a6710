//! Saboteurs of work that is shared by many.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;
use workwire_broker::{
    Answer, Broker, BrokerError, Client, CloseMode, Code, Delivery, Fetch, Message, Queue, Stored, Tag, Verdict,
};

use super::{Defect, Inner, Saboteur};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "loses_one_in_ninety_seven",
        breaks: &["CON-1", "CON-4"],
        about: "confirms every message and drops one in ninety-seven",
        make: || Arc::new(LosesOneInAHundred::default()),
    },
    Saboteur {
        name: "gives_the_same_to_two",
        breaks: &["CON-2"],
        about: "now and then gives a message to the consumer that asks next, too",
        make: || Arc::new(GivesTheSameToTwo::default()),
    },
    Saboteur {
        name: "forgets_what_a_leaving_consumer_held",
        breaks: &["CON-3"],
        about: "of what consumers held that leave, loses one message of every fifth",
        make: || Arc::new(ForgetsTheFifth::default()),
    },
    Saboteur {
        name: "errs_when_many_are_connected",
        breaks: &["CON-4"],
        about: "with more than eighteen clients, refuses a fetch now and then since its store is locked",
        make: || Arc::new(ErrsWhenMany::default()),
    },
    Saboteur {
        name: "stalls_with_many",
        breaks: &["CON-4"],
        about: "with more than eighteen clients, gives them nothing for a minute after the first five hundred messages",
        make: || Arc::new(StallsWithMany::default()),
    },
    Saboteur {
        name: "serves_who_was_served",
        breaks: &["CON-5"],
        about: "gives to the consumer that it gave to last, as long as that one keeps asking",
        make: || Arc::new(ServesWhoWasServed::default()),
    },
    Saboteur {
        name: "frees_eight_leases_and_no_more",
        breaks: &["CON-6"],
        about: "gives back the first eight messages of a queue whose leases ended, and never the ninth",
        make: || Arc::new(FreesEight::default()),
    },
];

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct LosesOneInAHundred(Mutex<u32>);

impl Defect for LosesOneInAHundred {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let number = {
            let mut number = lock(&self.0);
            *number += 1;
            *number
        };
        if number.is_multiple_of(97) {
            return Box::pin(std::future::ready(Ok(Stored::Stored)));
        }
        inner.client.publish(queue, message)
    }
}

#[derive(Default)]
struct GivesTheSameToTwo(Mutex<Twins>);

#[derive(Default)]
struct Twins {
    given: u32,
    /// A copy, from which queue it is, and who has the other.
    waiting: Option<(Queue, Arc<str>, Delivery)>,
}

impl Defect for GivesTheSameToTwo {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let room = usize::try_from(fetch.max).unwrap_or(usize::MAX);
            let mut taken = inner.client.fetch(queue, fetch).await?;
            let mut twins = lock(&self.0);
            let is_for = |(of, holder, _): &mut (Queue, Arc<str>, Delivery)| of == queue && *holder != inner.name;
            if taken.len() < room
                && let Some((_, _, mut copy)) = twins.waiting.take_if(is_for)
            {
                copy.tag = Tag(format!("copy-{}", copy.tag.0));
                taken.push(copy);
            }
            for delivery in &taken {
                twins.given += 1;
                if twins.given.is_multiple_of(40) {
                    twins.waiting = Some((queue.clone(), Arc::clone(&inner.name), delivery.clone()));
                }
            }
            Ok(taken)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        if tag.0.starts_with("copy-") {
            return Box::pin(std::future::ready(Ok(())));
        }
        inner.client.settle(queue, tag, verdict)
    }
}

#[derive(Default)]
struct ForgetsTheFifth(Mutex<Leaving>);

#[derive(Default)]
struct Leaving {
    left: u32,
    held: HashMap<Arc<str>, Vec<(Queue, Tag)>>,
}

impl Defect for ForgetsTheFifth {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let taken = inner.client.fetch(queue, fetch).await?;
            let mut leaving = lock(&self.0);
            let held = leaving.held.entry(Arc::clone(&inner.name)).or_default();
            held.extend(taken.iter().map(|delivery| (queue.clone(), delivery.tag.clone())));
            Ok(taken)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        if let Some(held) = lock(&self.0).held.get_mut(&inner.name) {
            held.retain(|(_, other)| other != tag);
        }
        inner.client.settle(queue, tag, verdict)
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        Box::pin(async move {
            let forgotten = {
                let mut leaving = lock(&self.0);
                let mut held = leaving.held.remove(&inner.name).unwrap_or_default();
                leaving.left += u32::from(!held.is_empty());
                if leaving.left.is_multiple_of(5) { held.pop() } else { None }
            };
            if let Some((queue, tag)) = forgotten {
                let _ = inner.client.settle(&queue, &tag, Verdict::Done).await;
            }
            inner.client.close(mode).await
        })
    }
}

#[derive(Default)]
struct ErrsWhenMany(Mutex<(HashSet<String>, u32)>);

impl Defect for ErrsWhenMany {
    fn open<'a>(&'a self, broker: &'a Arc<dyn Broker>, name: &'a str) -> Answer<'a, Box<dyn Client>> {
        lock(&self.0).0.insert(name.to_owned());
        broker.open(name)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let mut state = lock(&self.0);
        if state.0.len() > 18 {
            state.1 += 1;
            if state.1.is_multiple_of(10) {
                let locked = BrokerError::new(Code::Conflict, "the store is locked by another client");
                return Box::pin(std::future::ready(Err(locked)));
            }
        }
        drop(state);
        inner.client.fetch(queue, fetch)
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        lock(&self.0).0.remove(&*inner.name);
        inner.client.close(mode)
    }
}

/// Longer than anybody waits for something to move.
const STALL: Duration = Duration::from_mins(1);

#[derive(Default)]
struct StallsWithMany(Mutex<Stall>);

#[derive(Default)]
struct Stall {
    opened: HashSet<String>,
    given: HashMap<Queue, usize>,
    /// When it stalled, and who was there then.
    stalled: Option<(Instant, HashSet<String>)>,
}

impl Defect for StallsWithMany {
    fn open<'a>(&'a self, broker: &'a Arc<dyn Broker>, name: &'a str) -> Answer<'a, Box<dyn Client>> {
        lock(&self.0).opened.insert(name.to_owned());
        broker.open(name)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let is_stalled =
                |(at, who): &(Instant, HashSet<String>)| at.elapsed() < STALL && who.contains(&*inner.name);
            if lock(&self.0).stalled.as_ref().is_some_and(is_stalled) {
                return Ok(Vec::new());
            }
            let taken = inner.client.fetch(queue, fetch).await?;
            let mut stall = lock(&self.0);
            let stall = &mut *stall;
            let given = stall.given.entry(queue.clone()).or_default();
            *given += taken.len();
            if *given >= 500 && stall.opened.len() > 18 && stall.stalled.is_none() {
                stall.stalled = Some((Instant::now(), stall.opened.clone()));
            }
            Ok(taken)
        })
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        lock(&self.0).opened.remove(&*inner.name);
        inner.client.close(mode)
    }
}

/// How long a consumer may be silent and is still the one that is served.
const FAVOUR: Duration = Duration::from_millis(20);

#[derive(Default)]
struct ServesWhoWasServed(Mutex<BTreeMap<Queue, (Arc<str>, Instant)>>);

impl Defect for ServesWhoWasServed {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let is_waiting = fetch.wait_ms > 0;
            let served = lock(&self.0).get(queue).cloned();
            let is_other = |(name, at): &(Arc<str>, Instant)| *name != inner.name && at.elapsed() < FAVOUR;
            if !is_waiting && served.as_ref().is_some_and(is_other) {
                return Ok(Vec::new());
            }
            let taken = inner.client.fetch(queue, fetch).await?;
            if !taken.is_empty() {
                lock(&self.0).insert(queue.clone(), (Arc::clone(&inner.name), Instant::now()));
            }
            Ok(taken)
        })
    }
}

#[derive(Default)]
struct FreesEight(Mutex<Freed>);

#[derive(Default)]
struct Freed {
    /// What is out, and with whom.
    out: HashMap<(Queue, Uuid), Arc<str>>,
    /// Who is still connected.
    connected: HashSet<Arc<str>>,
    number: HashMap<Queue, u32>,
}

impl Defect for FreesEight {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let taken = inner.client.fetch(queue, fetch).await?;
            let mut given = Vec::new();
            for delivery in taken {
                let is_stuck = {
                    let mut freed = lock(&self.0);
                    freed.connected.insert(Arc::clone(&inner.name));
                    let before = freed.out.insert((queue.clone(), delivery.id), Arc::clone(&inner.name));
                    let timed_out = before.is_some_and(|holder| freed.connected.contains(&holder));
                    let number = freed.number.entry(queue.clone()).or_default();
                    *number += u32::from(timed_out);
                    timed_out && *number > 8
                };
                if is_stuck {
                    let _ = inner.client.extend(queue, &delivery.tag, 3_600_000).await;
                } else {
                    given.push(delivery);
                }
            }
            Ok(given)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            inner.client.settle(queue, tag, verdict).await?;
            // Whatever it held and settled is nobody's any more.
            let mut freed = lock(&self.0);
            freed.out.retain(|_, holder| *holder != inner.name);
            Ok(())
        })
    }

    fn close<'a>(&'a self, inner: &'a Inner, mode: CloseMode) -> Answer<'a, ()> {
        lock(&self.0).connected.remove(&inner.name);
        inner.client.close(mode)
    }
}
