//! Saboteurs of limits.

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
        name: "full_before_duplicate",
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
    Saboteur {
        name: "cuts_what_is_too_long",
        breaks: &["LIM-13", "LIM-14"],
        about: "cuts a body at its limit, and stores the rest",
        make: || Arc::new(CutsWhatIsTooLong),
    },
    Saboteur {
        name: "does_not_say_how_long",
        breaks: &["LIM-14"],
        about: "says of a body that it is too long, and not how long it may be",
        make: || Arc::new(DoesNotSayHowLong),
    },
    Saboteur {
        name: "the_limit_is_too_much",
        breaks: &["LIM-15"],
        about: "refuses a body as long as the limit",
        make: || Arc::new(TheLimitIsTooMuch),
    },
    Saboteur {
        name: "brings_priorities_into_range",
        breaks: &["LIM-16"],
        about: "takes the nearest priority that there is",
        make: || Arc::new(BringsPrioritiesIntoRange::default()),
    },
    Saboteur {
        name: "no_ttl_is_for_ever",
        breaks: &["LIM-17"],
        about: "takes a time to live that is none for no limit",
        make: || Arc::new(NoTtlIsForEver),
    },
    Saboteur {
        name: "a_past_delay_is_none",
        breaks: &["LIM-18"],
        about: "takes a delay into the past for none",
        make: || Arc::new(APastDelayIsNone),
    },
    Saboteur {
        name: "a_past_retry_is_at_once",
        breaks: &["LIM-19"],
        about: "takes a rest into the past for none",
        make: || Arc::new(APastRetryIsAtOnce),
    },
    Saboteur {
        name: "nothing_is_as_many_as_there_are",
        breaks: &["LIM-20"],
        about: "takes a fetch of 0 for one of as many as there are",
        make: || Arc::new(NothingIsAsManyAsThereAre),
    },
    Saboteur {
        name: "no_lease_is_the_lease_as_it_was",
        breaks: &["LIM-21"],
        about: "answers ok to an extension to nothing",
        make: || Arc::new(NoLeaseIsTheLeaseAsItWas),
    },
    Saboteur {
        name: "brings_policies_into_range",
        breaks: &["LIM-22"],
        about: "takes the nearest policy that there is",
        make: || Arc::new(BringsPoliciesIntoRange),
    },
    Saboteur {
        name: "escapes_names",
        breaks: &["LIM-23"],
        about: "writes a line for each character that it does not allow in a queue's name",
        make: || Arc::new(Renames(escaped)),
    },
    Saboteur {
        name: "cuts_and_folds_names",
        breaks: &["LIM-23"],
        about: "cuts and folds a queue's name until it is one",
        make: || Arc::new(Renames(folded)),
    },
    Saboteur {
        name: "long_names_are_none",
        breaks: &["LIM-24"],
        about: "refuses a queue's name of more than 90 characters",
        make: || Arc::new(LongNamesAreNone),
    },
    Saboteur {
        name: "escapes_groups",
        breaks: &["LIM-25"],
        about: "writes a line for each character that it does not allow in a group's name",
        make: || Arc::new(EscapesGroups),
    },
    Saboteur {
        name: "cuts_groups",
        breaks: &["LIM-26"],
        about: "cuts a group's name after 100 characters",
        make: || Arc::new(CutsGroups),
    },
    Saboteur {
        name: "nobody_is_called_so",
        breaks: &["LIM-27"],
        about: "takes a recipient that is no name for nobody",
        make: || Arc::new(NobodyIsCalledSo),
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

struct CutsWhatIsTooLong;

impl Defect for CutsWhatIsTooLong {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let limit = usize::try_from(inner.broker.about().limits.max_message_bytes).unwrap_or(usize::MAX);
        let body = message.body.slice(..message.body.len().min(limit));
        inner.client.publish(queue, Message { body, ..message })
    }
}

struct DoesNotSayHowLong;

impl Defect for DoesNotSayHowLong {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let is_too_long =
            u64::try_from(message.body.len()).is_ok_and(|l| l > inner.broker.about().limits.max_message_bytes);
        if is_too_long {
            return Box::pin(std::future::ready(Err(BrokerError::invalid("the body is too long"))));
        }
        inner.client.publish(queue, message)
    }
}

struct TheLimitIsTooMuch;

impl Defect for TheLimitIsTooMuch {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let limit = inner.broker.about().limits.max_message_bytes;
        if u64::try_from(message.body.len()).is_ok_and(|length| length == limit) {
            let why = format!("body: expected less than {limit} bytes, found {limit}");
            return Box::pin(std::future::ready(Err(BrokerError::invalid(why))));
        }
        inner.client.publish(queue, message)
    }
}

/// The highest priority of each queue.
#[derive(Default)]
struct BringsPrioritiesIntoRange(Mutex<HashMap<Queue, i64>>);

impl Defect for BringsPrioritiesIntoRange {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        locked(&self.0).insert(queue.clone(), policy.max_priority);
        inner.client.declare(queue, policy)
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let most = locked(&self.0).get(queue).copied().unwrap_or(5).max(1);
        let priority = message.priority.map(|priority| priority.clamp(1, most));
        inner.client.publish(queue, Message { priority, ..message })
    }
}

struct NoTtlIsForEver;

impl Defect for NoTtlIsForEver {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let ttl_ms = message.ttl_ms.filter(|ttl| *ttl > 0);
        inner.client.publish(queue, Message { ttl_ms, ..message })
    }
}

struct APastDelayIsNone;

impl Defect for APastDelayIsNone {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let delay_ms = message.delay_ms.filter(|delay| *delay > 0);
        inner.client.publish(queue, Message { delay_ms, ..message })
    }
}

struct APastRetryIsAtOnce;

impl Defect for APastRetryIsAtOnce {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        let verdict = match verdict {
            Verdict::Retry { delay_ms: Some(delay), reason } => Verdict::Retry { delay_ms: Some(delay.max(0)), reason },
            other => other,
        };
        inner.client.settle(queue, tag, verdict)
    }
}

struct NothingIsAsManyAsThereAre;

impl Defect for NothingIsAsManyAsThereAre {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let max = if fetch.max == 0 { u32::MAX } else { fetch.max };
        inner.client.fetch(queue, Fetch { max, ..fetch })
    }
}

struct NoLeaseIsTheLeaseAsItWas;

impl Defect for NoLeaseIsTheLeaseAsItWas {
    fn extend<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        if lease_ms < 1 {
            return Box::pin(std::future::ready(Ok(())));
        }
        inner.client.extend(queue, tag, lease_ms)
    }
}

struct BringsPoliciesIntoRange;

impl Defect for BringsPoliciesIntoRange {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            let max_priority = policy.max_priority.clamp(1, inner.broker.about().limits.max_priority);
            let in_range = Policy { max_priority, max_attempts: policy.max_attempts.max(1), ..policy.clone() };
            inner.client.declare(queue, &in_range).await
        })
    }
}

/// Makes a name of what is none.
struct Renames(fn(&str) -> String);

impl Renames {
    fn renamed(&self, queue: &Queue) -> Queue {
        match queue.tenant() {
            Some(_) => queue.clone(),
            None if queue.check().is_ok() => queue.clone(),
            None => Queue::new(self.0(queue.name())),
        }
    }
}

fn escaped(name: &str) -> String {
    let allowed = |c: char| if matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-') { c } else { '_' };
    name.chars().map(allowed).collect()
}

fn folded(name: &str) -> String {
    name.trim().trim_end_matches('\0').to_lowercase().chars().take(100).collect()
}

impl Defect for Renames {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move { inner.client.declare(&self.renamed(queue), policy).await })
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move { inner.client.publish(&self.renamed(queue), message).await })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move { inner.client.fetch(&self.renamed(queue), fetch).await })
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move { inner.client.depth(&self.renamed(queue), group).await })
    }
}

struct LongNamesAreNone;

impl Defect for LongNamesAreNone {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        if queue.name().len() > 90 {
            return Box::pin(std::future::ready(Err(BrokerError::invalid("the name is too long"))));
        }
        inner.client.declare(queue, policy)
    }
}

struct EscapesGroups;

impl Defect for EscapesGroups {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let allowed = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' };
        let group = fetch.group.map(|group| group.chars().map(allowed).collect());
        inner.client.fetch(queue, Fetch { group, ..fetch })
    }
}

struct CutsGroups;

impl Defect for CutsGroups {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let is_name = fetch.group.as_ref().is_some_and(|group| group.len() <= 128 && group.is_ascii());
        let cut = |group: String| if is_name { group.chars().take(100).collect() } else { group };
        inner.client.fetch(queue, Fetch { group: fetch.group.map(cut), ..fetch })
    }
}

struct NobodyIsCalledSo;

impl Defect for NobodyIsCalledSo {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let to = message.to.filter(|to| workwire_broker::check_name("to", to).is_ok());
        inner.client.publish(queue, Message { to, ..message })
    }
}
