//! Saboteurs of observability.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;
use workwire_broker::{
    About, Answer, BrokerError, Capability, Delivery, Depth, Fetch, Letter, Message, Peek, Policy, Purge, Queue,
    Stored, Tag, Verdict,
};

use super::{Defect, Inner, Saboteur};

pub(super) mod adding;

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "counts_what_is_held_as_ready",
        breaks: &["OBS-1", "OBS-5"],
        about: "counts what is held as ready too",
        make: || Arc::new(Counts(|depth| Depth { ready: depth.ready + depth.leased.unwrap_or(0), ..depth })),
    },
    Saboteur {
        name: "counts_deliveries_for_ever",
        breaks: &["OBS-2", "OBS-5"],
        about: "counts every delivery as held that was not settled as done",
        make: || Arc::new(CountsDeliveriesForEver::default()),
    },
    Saboteur {
        name: "counts_what_rests_as_ready",
        breaks: &["OBS-3"],
        about: "counts what rests as ready",
        make: || {
            Arc::new(Counts(|depth| Depth {
                ready: depth.ready + depth.delayed.unwrap_or(0),
                delayed: Some(0),
                ..depth
            }))
        },
    },
    Saboteur {
        name: "counts_the_given_up_alone",
        breaks: &["OBS-4"],
        about: "counts as dead what was given up, and not whose attempts were used up",
        make: || Arc::new(CountsTheGivenUpAlone::default()),
    },
    Saboteur {
        name: "counts_the_retried_twice",
        breaks: &["OBS-5"],
        about: "counts a message once more from its second retry on",
        make: || Arc::new(CountsTheRetriedTwice::default()),
    },
    Saboteur {
        name: "a_deleted_queue_keeps_its_messages",
        breaks: &["OBS-6"],
        about: "removes a queue and leaves its messages",
        make: || Arc::new(ADeletedQueueKeepsItsMessages::default()),
    },
    Saboteur {
        name: "delete_is_a_purge",
        breaks: &["OBS-7", "OBS-8", "OBS-10", "OBS-11"],
        about: "empties a queue where it should remove it",
        make: || Arc::new(DeleteIsAPurge),
    },
    Saboteur {
        name: "keeps_the_policy",
        breaks: &["OBS-8"],
        about: "removes a queue and leaves its policy",
        make: || Arc::new(KeepsThePolicy::default()),
    },
    Saboteur {
        name: "a_deleted_queue_keeps_its_letters",
        breaks: &["OBS-9"],
        about: "removes a queue and leaves its letters",
        make: || Arc::new(ADeletedQueueKeepsItsLetters::default()),
    },
    Saboteur {
        name: "a_deleted_queue_keeps_its_groups",
        breaks: &["OBS-10"],
        about: "removes a queue and leaves its groups",
        make: || Arc::new(ADeletedQueueKeepsItsGroups::default()),
    },
    Saboteur {
        name: "a_deleted_queue_keeps_its_ids",
        breaks: &["OBS-11"],
        about: "removes a queue and leaves the ids that it has seen",
        make: || Arc::new(ADeletedQueueKeepsItsIds::default()),
    },
    Saboteur {
        name: "says_how_many_there_were",
        breaks: &["OBS-12"],
        about: "says of a purge how many there were, held ones too",
        make: || Arc::new(SaysHowManyThereWere),
    },
    Saboteur {
        name: "a_purge_stops_at_the_last",
        breaks: &["OBS-13"],
        about: "leaves the last message when it purges",
        make: || Arc::new(APurgeStopsAtTheLast),
    },
    Saboteur {
        name: "a_purge_takes_what_is_held",
        breaks: &["OBS-14"],
        about: "purges out of consumers' hands too",
        make: || Arc::new(APurgeTakesWhatIsHeld::default()),
    },
    Saboteur {
        name: "a_purge_takes_what_rests",
        breaks: &["OBS-15"],
        about: "purges what rests too",
        make: || Arc::new(APurgeTakesWhatRests::default()),
    },
    Saboteur {
        name: "a_purge_takes_the_letters",
        breaks: &["OBS-16"],
        about: "purges the letters too",
        make: || Arc::new(APurgeTakesTheLetters),
    },
    Saboteur {
        name: "a_purge_of_letters_takes_all",
        breaks: &["OBS-17"],
        about: "purges the messages too where the letters were meant",
        make: || Arc::new(APurgeOfLettersTakesAll),
    },
    Saboteur {
        name: "claims_what_it_cannot",
        breaks: &["OBS-18"],
        about: "claims that messages expire, and has no way to sweep them out",
        make: || Arc::new(ClaimsWhatItCannot),
    },
    Saboteur {
        name: "answers_ok_to_what_it_cannot",
        breaks: &["OBS-19"],
        about: "does not claim extensions, and answers ok to each",
        make: || Arc::new(AnswersOkToWhatItCannot),
    },
];

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Counts(fn(Depth) -> Depth);

impl Defect for Counts {
    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move { inner.client.depth(queue, group).await.map(self.0) })
    }
}

/// What was delivered and not done, by queue and group.
#[derive(Default)]
struct CountsDeliveriesForEver(Mutex<HashMap<Tag, (Queue, Option<String>)>>);

impl Defect for CountsDeliveriesForEver {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let group = fetch.group.clone();
            let taken = inner.client.fetch(queue, fetch).await?;
            let new = taken.iter().map(|delivery| (delivery.tag.clone(), (queue.clone(), group.clone())));
            locked(&self.0).extend(new);
            Ok(taken)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        if !matches!(verdict, Verdict::Retry { .. }) {
            locked(&self.0).remove(tag);
        }
        inner.client.settle(queue, tag, verdict)
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            let depth = inner.client.depth(queue, group).await?;
            let held = locked(&self.0);
            let own = held.values().filter(|(of, whose)| of == queue && whose.as_deref() == group).count();
            Ok(Depth { leased: Some(u64::try_from(own).unwrap_or(0)), ..depth })
        })
    }
}

/// How many were given up, by queue.
#[derive(Default)]
struct CountsTheGivenUpAlone(Mutex<HashMap<Queue, u64>>);

impl Defect for CountsTheGivenUpAlone {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let is_dead = matches!(verdict, Verdict::Dead { .. });
            inner.client.settle(queue, tag, verdict).await?;
            *locked(&self.0).entry(queue.clone()).or_default() += u64::from(is_dead);
            Ok(())
        })
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            let depth = inner.client.depth(queue, group).await?;
            let given_up = locked(&self.0).get(queue).copied().unwrap_or(0);
            Ok(Depth { dead: depth.dead.map(|dead| dead.min(given_up)), ..depth })
        })
    }
}

/// How often was retried, by queue.
#[derive(Default)]
struct CountsTheRetriedTwice(Mutex<HashMap<Queue, u64>>);

impl Defect for CountsTheRetriedTwice {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        let is_retry = matches!(verdict, Verdict::Retry { delay_ms: None | Some(0), .. });
        *locked(&self.0).entry(queue.clone()).or_default() += u64::from(is_retry);
        inner.client.settle(queue, tag, verdict)
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            let depth = inner.client.depth(queue, group).await?;
            let retried = locked(&self.0).get(queue).copied().unwrap_or(0);
            Ok(Depth { ready: depth.ready + retried.saturating_sub(1), ..depth })
        })
    }
}

/// The messages of deleted queues.
#[derive(Default)]
struct ADeletedQueueKeepsItsMessages(Mutex<HashMap<Queue, Vec<Message>>>);

impl Defect for ADeletedQueueKeepsItsMessages {
    fn delete<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, ()> {
        Box::pin(async move {
            let left = inner.client.peek(queue, Peek { max: u32::MAX, ..Peek::default() }).await?;
            inner.client.delete(queue).await?;
            let messages = left.into_iter().map(|one| Message::new(one.id, one.body)).collect();
            locked(&self.0).insert(queue.clone(), messages);
            Ok(())
        })
    }

    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            inner.client.declare(queue, policy).await?;
            let left = locked(&self.0).remove(queue).unwrap_or_default();
            for message in left {
                inner.client.publish(queue, message).await?;
            }
            Ok(())
        })
    }
}

struct DeleteIsAPurge;

impl Defect for DeleteIsAPurge {
    fn delete<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, ()> {
        Box::pin(async move {
            if inner.client.depth(queue, None).await?.leased.is_some_and(|held| held > 0) {
                return inner.client.delete(queue).await;
            }
            inner.client.purge(queue, Purge::default()).await?;
            inner.client.purge(queue, Purge { group: None, dead: true }).await?;
            Ok(())
        })
    }
}

#[derive(Default)]
struct KeepsThePolicy(Mutex<HashMap<Queue, Policy>>);

impl Defect for KeepsThePolicy {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            if locked(&self.0).get(queue).is_some_and(|kept| kept != policy) {
                return Err(BrokerError::conflict(format!("queue {queue} is declared with another policy")));
            }
            inner.client.declare(queue, policy).await?;
            locked(&self.0).insert(queue.clone(), policy.clone());
            Ok(())
        })
    }
}

/// The letters of deleted queues.
#[derive(Default)]
struct ADeletedQueueKeepsItsLetters(Mutex<HashMap<Queue, Vec<Letter>>>);

impl Defect for ADeletedQueueKeepsItsLetters {
    fn delete<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, ()> {
        Box::pin(async move {
            let letters = inner.client.dead_letters(queue, u32::MAX, None).await?;
            inner.client.delete(queue).await?;
            locked(&self.0).insert(queue.clone(), letters);
            Ok(())
        })
    }

    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let mut letters = inner.client.dead_letters(queue, max, group).await?;
            letters.extend(locked(&self.0).get(queue).cloned().unwrap_or_default());
            Ok(letters)
        })
    }
}

/// The groups of each queue.
#[derive(Default)]
struct ADeletedQueueKeepsItsGroups(Mutex<HashMap<Queue, HashSet<String>>>);

impl Defect for ADeletedQueueKeepsItsGroups {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        locked(&self.0).entry(queue.clone()).or_default().extend(fetch.group.clone());
        inner.client.fetch(queue, fetch)
    }

    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            inner.client.declare(queue, policy).await?;
            let groups = locked(&self.0).get(queue).cloned().unwrap_or_default();
            for group in groups {
                inner.client.fetch(queue, Fetch::up_to(1).of_group(group).only(Uuid::nil())).await?;
            }
            Ok(())
        })
    }
}

/// The ids that were seen, and the queues that were deleted.
#[derive(Default)]
struct ADeletedQueueKeepsItsIds {
    seen: Mutex<HashSet<(Queue, Uuid)>>,
    deleted: Mutex<HashSet<Queue>>,
}

impl Defect for ADeletedQueueKeepsItsIds {
    fn delete<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, ()> {
        locked(&self.deleted).insert(queue.clone());
        inner.client.delete(queue)
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let is_new = locked(&self.seen).insert((queue.clone(), message.id));
        if !is_new && locked(&self.deleted).contains(queue) {
            return Box::pin(std::future::ready(Ok(Stored::Duplicate)));
        }
        inner.client.publish(queue, message)
    }
}

struct SaysHowManyThereWere;

impl Defect for SaysHowManyThereWere {
    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            let held = inner.client.depth(queue, what.group).await?.leased.unwrap_or(0);
            let removed = inner.client.purge(queue, what).await?;
            Ok(if what.dead { removed } else { removed + held })
        })
    }
}

struct APurgeStopsAtTheLast;

impl Defect for APurgeStopsAtTheLast {
    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            let ready = inner.client.depth(queue, what.group).await?.ready;
            if what.dead || what.group.is_some() || ready < 3 {
                return inner.client.purge(queue, what).await;
            }
            let all_but_one = u32::try_from(ready - 1).unwrap_or(u32::MAX);
            for delivery in inner.client.fetch(queue, Fetch::up_to(all_but_one)).await? {
                inner.client.settle(queue, &delivery.tag, Verdict::Done).await?;
            }
            Ok(ready)
        })
    }
}

/// What is held, and by whom.
#[derive(Default)]
struct APurgeTakesWhatIsHeld(Mutex<Vec<(Queue, Tag, Inner)>>);

impl Defect for APurgeTakesWhatIsHeld {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let taken = inner.client.fetch(queue, fetch).await?;
            locked(&self.0).extend(taken.iter().map(|one| (queue.clone(), one.tag.clone(), inner.clone())));
            Ok(taken)
        })
    }

    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            let held = if what.dead { Vec::new() } else { std::mem::take(&mut *locked(&self.0)) };
            for (of, tag, holder) in held.iter().filter(|(of, ..)| of == queue) {
                // What was settled meanwhile is stale, and gone already.
                let _ = holder.client.settle(of, tag, Verdict::Done).await;
            }
            inner.client.purge(queue, what).await
        })
    }
}

/// What was published for later, and what of that was purged.
#[derive(Default)]
struct APurgeTakesWhatRests {
    later: Mutex<HashSet<(Queue, Uuid)>>,
    purged: Mutex<HashSet<(Queue, Uuid)>>,
}

impl Defect for APurgeTakesWhatRests {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        if message.delay_ms.is_some_and(|delay| delay > 0) {
            locked(&self.later).insert((queue.clone(), message.id));
        }
        inner.client.publish(queue, message)
    }

    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        let mut later = locked(&self.later);
        let resting: Vec<_> = later.iter().filter(|(of, _)| of == queue && !what.dead).cloned().collect();
        later.retain(|one| !resting.contains(one));
        locked(&self.purged).extend(resting);
        inner.client.purge(queue, what)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut left = Vec::new();
            for delivery in inner.client.fetch(queue, fetch).await? {
                if locked(&self.purged).contains(&(queue.clone(), delivery.id)) {
                    inner.client.settle(queue, &delivery.tag, Verdict::Done).await?;
                } else {
                    left.push(delivery);
                }
            }
            Ok(left)
        })
    }
}

struct APurgeTakesTheLetters;

impl Defect for APurgeTakesTheLetters {
    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            inner.client.purge(queue, Purge { dead: true, ..what }).await?;
            inner.client.purge(queue, what).await
        })
    }
}

struct APurgeOfLettersTakesAll;

impl Defect for APurgeOfLettersTakesAll {
    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            if what.dead {
                inner.client.purge(queue, Purge { dead: false, ..what }).await?;
            }
            inner.client.purge(queue, what).await
        })
    }
}

struct ClaimsWhatItCannot;

impl Defect for ClaimsWhatItCannot {
    fn sweep<'a>(&'a self, _inner: &'a Inner, _queue: &'a Queue) -> Answer<'a, u64> {
        Box::pin(std::future::ready(Err(BrokerError::unsupported("sweep"))))
    }
}

struct AnswersOkToWhatItCannot;

impl Defect for AnswersOkToWhatItCannot {
    fn about(&self, about: About) -> About {
        About { capabilities: about.capabilities.without(Capability::Extend), ..about }
    }

    fn extend<'a>(&'a self, _inner: &'a Inner, _queue: &'a Queue, _tag: &'a Tag, _lease_ms: i64) -> Answer<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}
