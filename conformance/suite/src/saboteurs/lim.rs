//! Saboteurs of limits: of how much a queue holds.

pub(super) mod values;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;
use workwire_broker::{
    Answer, BrokerError, Code, Delivery, Depth, Fetch, Message, Overflow, Policy, Purge, Queue, Stored, Tag, Verdict,
};

use super::{Defect, Inner, Saboteur};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "rounds_the_length_up",
        breaks: &["LIM-1"],
        about: "takes a length of more than four for about as many",
        make: || Arc::new(RoundsTheLengthUp),
    },
    Saboteur {
        name: "keeps_the_refused_for_later",
        breaks: &["LIM-2", "LIM-3"],
        about: "refuses as full, and stores what it refused when there is room",
        make: || Arc::new(KeepsTheRefusedForLater::default()),
    },
    Saboteur {
        name: "once_full_always_full",
        breaks: &["LIM-3"],
        about: "refuses everything after it was full once",
        make: || Arc::new(OnceFullAlwaysFull::default()),
    },
    Saboteur {
        name: "what_is_held_takes_no_room",
        breaks: &["LIM-4"],
        about: "counts what is ready and what rests towards the length",
        make: || Arc::new(Counts::with(|depth| depth.ready + depth.delayed.unwrap_or(0))),
    },
    Saboteur {
        name: "what_rests_takes_no_room",
        breaks: &["LIM-5"],
        about: "counts what is ready and what is held towards the length",
        make: || Arc::new(Counts::with(|depth| depth.ready + depth.leased.unwrap_or(0))),
    },
    Saboteur {
        name: "letters_take_room",
        breaks: &["LIM-6"],
        about: "counts dead letters towards the length",
        make: || Arc::new(Counts::with(|depth| all(depth) + depth.dead.unwrap_or(0))),
    },
    Saboteur {
        name: "the_newest_gives_way",
        breaks: &["LIM-7"],
        about: "drops the new message where the oldest has to give way",
        make: || Arc::new(TheNewestGivesWay::default()),
    },
    Saboteur {
        name: "counts_what_gave_way",
        breaks: &["LIM-8"],
        about: "counts what gave way as ready",
        make: || Arc::new(CountsWhatGaveWay::default()),
    },
    Saboteur {
        name: "drops_the_new_where_all_is_held",
        breaks: &["LIM-9"],
        about: "answers stored, and drops the new message, where everything is held",
        make: || Arc::new(DropsTheNewWhereAllIsHeld::default()),
    },
    Saboteur {
        name: "the_oldest_gives_way_also_if_held",
        breaks: &["LIM-10"],
        about: "drops the oldest message also out of somebody's hands",
        make: || Arc::new(TheOldestGivesWayAlsoIfHeld::default()),
    },
    Saboteur {
        name: "looks_for_room_before_the_id",
        breaks: &["LIM-11"],
        about: "asks whether the queue is full before it asks whether it knows the id",
        make: || Arc::new(FullBeforeDuplicate::default()),
    },
    Saboteur {
        name: "loses_the_letter_that_does_not_fit",
        breaks: &["LIM-12"],
        about: "removes a letter before it finds that the queue is full",
        make: || Arc::new(LosesTheLetterThatDoesNotFit),
    },
];

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn full() -> BrokerError {
    BrokerError::full("there is no room")
}

/// What counts towards the length.
fn all(depth: &Depth) -> u64 {
    depth.ready + depth.leased.unwrap_or(0) + depth.delayed.unwrap_or(0)
}

/// The lengths of queues, and what they do when they are full.
#[derive(Default)]
struct Bounds(Mutex<HashMap<Queue, (u64, Overflow)>>);

impl Bounds {
    fn learn(&self, queue: &Queue, policy: &Policy) {
        if let Some(most) = policy.max_length.and_then(|most| u64::try_from(most).ok()) {
            locked(&self.0).insert(queue.clone(), (most, policy.overflow));
        }
    }

    fn of(&self, queue: &Queue, overflow: Overflow) -> Option<u64> {
        locked(&self.0).get(queue).filter(|(_, of)| *of == overflow).map(|(most, _)| *most)
    }

    /// Whether the queue is full, as it counts.
    async fn is_full(&self, inner: &Inner, queue: &Queue, overflow: Overflow, count: fn(&Depth) -> u64) -> bool {
        let Some(most) = self.of(queue, overflow) else { return false };
        inner.client.depth(queue, None).await.is_ok_and(|depth| count(&depth) >= most)
    }
}

struct RoundsTheLengthUp;

impl Defect for RoundsTheLengthUp {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            let about = policy.max_length.map(|most| if most > 4 { most + 3 } else { most });
            inner.client.declare(queue, &Policy { max_length: about, ..policy.clone() }).await
        })
    }
}

/// What was refused, by queue.
#[derive(Default)]
struct KeepsTheRefusedForLater(Mutex<Vec<(Queue, Message)>>);

impl Defect for KeepsTheRefusedForLater {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let answer = inner.client.publish(queue, message.clone()).await;
            if answer.as_ref().is_err_and(|error| error.code() == Code::Full) {
                locked(&self.0).push((queue.clone(), message));
            }
            answer
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            inner.client.settle(queue, tag, verdict).await?;
            let kept = std::mem::take(&mut *locked(&self.0));
            for (queue, message) in kept {
                // What does not fit now either is forgotten.
                let _ = inner.client.publish(&queue, message).await;
            }
            Ok(())
        })
    }
}

#[derive(Default)]
struct OnceFullAlwaysFull(Mutex<HashSet<Queue>>);

impl Defect for OnceFullAlwaysFull {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            if locked(&self.0).contains(queue) {
                return Err(full());
            }
            let answer = inner.client.publish(queue, message).await;
            if answer.as_ref().is_err_and(|error| error.code() == Code::Full) {
                locked(&self.0).insert(queue.clone());
            }
            answer
        })
    }
}

/// Counts in its own way what a queue that refuses holds.
struct Counts {
    bounds: Bounds,
    count: fn(&Depth) -> u64,
}

impl Counts {
    fn with(count: fn(&Depth) -> u64) -> Self {
        Counts { bounds: Bounds::default(), count }
    }
}

impl Defect for Counts {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            self.bounds.learn(queue, policy);
            let unbounded = policy.overflow == Overflow::Reject && policy.max_length.is_some_and(|most| most > 0);
            let max_length = if unbounded { None } else { policy.max_length };
            inner.client.declare(queue, &Policy { max_length, ..policy.clone() }).await
        })
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            if self.bounds.is_full(inner, queue, Overflow::Reject, self.count).await {
                return Err(full());
            }
            inner.client.publish(queue, message).await
        })
    }

    fn replay<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            if self.bounds.is_full(inner, queue, Overflow::Reject, all).await {
                return Err(full());
            }
            inner.client.replay(queue, id, group).await
        })
    }
}

#[derive(Default)]
struct TheNewestGivesWay(Bounds);

impl Defect for TheNewestGivesWay {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.0.learn(queue, policy);
        inner.client.declare(queue, policy)
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let depth = inner.client.depth(queue, None).await?;
            if depth.ready > 1 && self.0.is_full(inner, queue, Overflow::DropOldest, all).await {
                return Ok(Stored::Stored);
            }
            inner.client.publish(queue, message).await
        })
    }
}

/// How many gave way, by queue.
#[derive(Default)]
struct CountsWhatGaveWay {
    bounds: Bounds,
    gave_way: Mutex<HashMap<Queue, u64>>,
}

impl Defect for CountsWhatGaveWay {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.bounds.learn(queue, policy);
        inner.client.declare(queue, policy)
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let was_full = self.bounds.is_full(inner, queue, Overflow::DropOldest, all).await;
            let answer = inner.client.publish(queue, message).await;
            if was_full && answer == Ok(Stored::Stored) {
                *locked(&self.gave_way).entry(queue.clone()).or_default() += 1;
            }
            answer
        })
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            let depth = inner.client.depth(queue, group).await?;
            let gave_way = locked(&self.gave_way).get(queue).copied().unwrap_or(0);
            Ok(Depth { ready: depth.ready + gave_way, ..depth })
        })
    }
}

#[derive(Default)]
struct DropsTheNewWhereAllIsHeld(Bounds);

impl Defect for DropsTheNewWhereAllIsHeld {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.0.learn(queue, policy);
        inner.client.declare(queue, policy)
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            match inner.client.publish(queue, message).await {
                Err(error) if error.code() == Code::Full && self.0.of(queue, Overflow::DropOldest).is_some() => {
                    Ok(Stored::Stored)
                }
                answer => answer,
            }
        })
    }
}

/// What is held, the oldest first.
#[derive(Default)]
struct TheOldestGivesWayAlsoIfHeld {
    bounds: Bounds,
    held: Mutex<Vec<(Queue, Tag, Inner)>>,
}

impl Defect for TheOldestGivesWayAlsoIfHeld {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.bounds.learn(queue, policy);
        inner.client.declare(queue, policy)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let taken = inner.client.fetch(queue, fetch).await?;
            if self.bounds.of(queue, Overflow::DropOldest).is_some() {
                let held = taken.iter().map(|delivery| (queue.clone(), delivery.tag.clone(), inner.clone()));
                locked(&self.held).extend(held);
            }
            Ok(taken)
        })
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let is_mixed = inner.client.depth(queue, None).await?.ready > 0;
            if is_mixed && self.bounds.is_full(inner, queue, Overflow::DropOldest, all).await {
                let oldest = locked(&self.held).iter().find(|(of, ..)| of == queue).cloned();
                if let Some((queue, tag, holder)) = oldest {
                    let _ = holder.client.settle(&queue, &tag, Verdict::Done).await;
                }
            }
            inner.client.publish(queue, message).await
        })
    }
}

#[derive(Default)]
struct FullBeforeDuplicate(Bounds);

impl Defect for FullBeforeDuplicate {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.0.learn(queue, policy);
        inner.client.declare(queue, policy)
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            if self.0.is_full(inner, queue, Overflow::Reject, all).await {
                return Err(full());
            }
            inner.client.publish(queue, message).await
        })
    }
}

struct LosesTheLetterThatDoesNotFit;

impl Defect for LosesTheLetterThatDoesNotFit {
    fn replay<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            let answer = inner.client.replay(queue, id, group).await;
            if answer.as_ref().is_err_and(|error| error.code() == Code::Full) {
                inner.client.purge(queue, Purge { group, dead: true }).await?;
            }
            answer
        })
    }
}
