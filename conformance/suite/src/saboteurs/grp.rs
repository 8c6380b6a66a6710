//! Saboteurs of groups.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use uuid::Uuid;
use workwire_broker::{Answer, Delivery, Depth, Fetch, Letter, Message, Peek, Purge, Queue, Stored, Tag, Verdict};

use super::{Defect, Inner, Saboteur};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "groups_end_at_the_dash",
        breaks: &["GRP-1"],
        about: "cuts a group's name at its first dash, so that two groups are one",
        make: || Arc::new(GroupsEndAtTheDash),
    },
    Saboteur {
        name: "done_for_one_group_is_done_for_all",
        breaks: &["GRP-5", "GRP-1", "GRP-14"],
        about: "keeps one mark `done` for a message, whichever group set it",
        make: || Arc::new(EndsForAll { verdict: Verdict::Done, seen: Seen::default() }),
    },
    Saboteur {
        name: "dead_for_one_group_is_gone_for_all",
        breaks: &["GRP-7"],
        about: "removes a message that died in one group from all of them",
        make: || Arc::new(EndsForAll { verdict: Verdict::Dead { reason: None }, seen: Seen::default() }),
    },
    Saboteur {
        name: "each_connection_is_a_group",
        breaks: &["GRP-2"],
        about: "gives every message to each connection of a group",
        make: || Arc::new(EachConnectionIsAGroup::default()),
    },
    Saboteur {
        name: "a_new_group_starts_at_the_end",
        breaks: &["GRP-3"],
        about: "declares that a new group sees all, and starts it behind the last message",
        make: || Arc::new(ANewGroupStartsAtTheEnd::default()),
    },
    Saboteur {
        name: "a_group_begins_when_it_finds_something",
        breaks: &["GRP-4"],
        about: "makes a group only when there is something to give to it",
        make: || Arc::new(AGroupBeginsWhenItFindsSomething),
    },
    Saboteur {
        name: "attempts_are_counted_for_all_groups",
        breaks: &["GRP-6"],
        about: "counts the failed attempts of a message over all groups",
        make: || Arc::new(AttemptsAreCountedForAllGroups::default()),
    },
    Saboteur {
        name: "letters_are_of_the_first_group",
        breaks: &["GRP-8"],
        about: "names the first group of a queue with each of its letters",
        make: || Arc::new(LettersAreOfTheFirstGroup::default()),
    },
    Saboteur {
        name: "lists_the_letters_of_all_groups",
        breaks: &["GRP-9"],
        about: "lists all letters, whichever group was named",
        make: || Arc::new(ListsTheLettersOfAllGroups),
    },
    Saboteur {
        name: "replays_in_every_group",
        breaks: &["GRP-10"],
        about: "gives a replayed letter to every group",
        make: || Arc::new(ReplaysToEveryGroup::default()),
    },
    Saboteur {
        name: "replays_another_groups_letter",
        breaks: &["GRP-11"],
        about: "replays a letter by its id, whichever group was named",
        make: || Arc::new(ReplaysAnotherGroupsLetter),
    },
    Saboteur {
        name: "the_unnamed_group_begins_late",
        breaks: &["GRP-12"],
        about: "begins the unnamed group with its first fetch where there are named ones",
        make: || Arc::new(TheUnnamedGroupBeginsLate::default()),
    },
    Saboteur {
        name: "depth_makes_the_group",
        breaks: &["GRP-13"],
        about: "makes a group when somebody counts it",
        make: || Arc::new(DepthMakesTheGroup),
    },
    Saboteur {
        name: "counts_the_unnamed_group_for_all",
        breaks: &["GRP-14"],
        about: "answers the counts of the unnamed group, whichever was named",
        make: || Arc::new(CountsTheUnnamedGroupForAll),
    },
    Saboteur {
        name: "purges_every_group",
        breaks: &["GRP-15"],
        about: "empties every group, whichever was named",
        make: || Arc::new(PurgesEveryGroup),
    },
    Saboteur {
        name: "purges_the_unnamed_group_alone",
        breaks: &["GRP-16"],
        about: "empties the unnamed group alone where none is named",
        make: || Arc::new(PurgesTheUnnamedGroupAlone),
    },
    Saboteur {
        name: "named_groups_have_no_priorities",
        breaks: &["GRP-17"],
        about: "gives messages to named groups by their age alone",
        make: || Arc::new(NamedGroupsHaveNoPriorities::default()),
    },
];

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct GroupsEndAtTheDash;

impl Defect for GroupsEndAtTheDash {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let cut = |group: String| group.split_once('-').map_or(group.clone(), |(head, _)| head.to_owned());
        inner.client.fetch(queue, Fetch { group: fetch.group.map(cut), ..fetch })
    }
}

/// Which groups fetched from which queue, and what was delivered to which.
#[derive(Default)]
struct Seen {
    groups: Mutex<HashMap<Queue, BTreeSet<Option<String>>>>,
    deliveries: Mutex<HashMap<Tag, (Uuid, Option<String>)>>,
}

impl Seen {
    /// Whether the group is new.
    fn group(&self, queue: &Queue, group: Option<&str>) -> bool {
        locked(&self.groups).entry(queue.clone()).or_default().insert(group.map(str::to_owned))
    }

    fn others(&self, queue: &Queue, group: Option<&str>) -> Vec<Option<String>> {
        let groups = locked(&self.groups);
        let all = groups.get(queue).into_iter().flatten().cloned().chain([None]);
        let others: BTreeSet<_> = all.filter(|other| other.as_deref() != group).collect();
        others.into_iter().collect()
    }

    fn delivered(&self, deliveries: &[Delivery], group: Option<&str>) {
        let new = deliveries.iter().map(|one| (one.tag.clone(), (one.id, group.map(str::to_owned))));
        locked(&self.deliveries).extend(new);
    }

    fn delivery(&self, tag: &Tag) -> Option<(Uuid, Option<String>)> {
        locked(&self.deliveries).get(tag).cloned()
    }
}

struct EndsForAll {
    verdict: Verdict,
    seen: Seen,
}

impl Defect for EndsForAll {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let group = fetch.group.clone();
            self.seen.group(queue, group.as_deref());
            let deliveries = inner.client.fetch(queue, fetch).await?;
            self.seen.delivered(&deliveries, group.as_deref());
            Ok(deliveries)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let ends = std::mem::discriminant(&verdict) == std::mem::discriminant(&self.verdict);
            inner.client.settle(queue, tag, verdict).await?;
            let Some((id, group)) = self.seen.delivery(tag).filter(|_| ends) else { return Ok(()) };
            for other in self.seen.others(queue, group.as_deref()) {
                let fetch = Fetch { group: other, ..Fetch::up_to(1).only(id) };
                for delivery in inner.client.fetch(queue, fetch).await? {
                    inner.client.settle(queue, &delivery.tag, Verdict::Done).await?;
                }
            }
            Ok(())
        })
    }
}

#[derive(Default)]
struct EachConnectionIsAGroup(Mutex<HashMap<(Queue, String), Arc<str>>>);

impl Defect for EachConnectionIsAGroup {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let own = fetch.group.clone().map(|group| {
            let mut first = locked(&self.0);
            let first = first.entry((queue.clone(), group.clone())).or_insert_with(|| Arc::clone(&inner.name));
            if *first == inner.name { group } else { format!("{group}.{}", inner.name) }
        });
        inner.client.fetch(queue, Fetch { group: own, ..fetch })
    }
}

#[derive(Default)]
struct ANewGroupStartsAtTheEnd(Seen);

impl Defect for ANewGroupStartsAtTheEnd {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            if fetch.group.is_some() && self.0.group(queue, fetch.group.as_deref()) {
                let nothing = Fetch { wait_ms: 0, ..fetch.clone().only(Uuid::nil()) };
                inner.client.fetch(queue, nothing).await?;
                inner.client.purge(queue, Purge { group: fetch.group.as_deref(), dead: false }).await?;
            }
            inner.client.fetch(queue, fetch).await
        })
    }
}

struct AGroupBeginsWhenItFindsSomething;

impl Defect for AGroupBeginsWhenItFindsSomething {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            if fetch.group.is_some() && fetch.wait_ms == 0 {
                let peek = Peek { max: 1, group: fetch.group.clone(), recipient: fetch.recipient.clone(), after: None };
                if inner.client.peek(queue, peek).await?.is_empty() {
                    return Ok(Vec::new());
                }
            }
            inner.client.fetch(queue, fetch).await
        })
    }
}

#[derive(Default)]
struct AttemptsAreCountedForAllGroups {
    seen: Seen,
    retried: Mutex<Vec<(Uuid, Option<String>)>>,
}

impl Defect for AttemptsAreCountedForAllGroups {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let group = fetch.group.clone();
            let mut deliveries = inner.client.fetch(queue, fetch).await?;
            self.seen.delivered(&deliveries, group.as_deref());
            let retried = locked(&self.retried);
            for delivery in &mut deliveries {
                let elsewhere = retried.iter().filter(|(id, of)| *id == delivery.id && *of != group).count();
                delivery.attempt += u32::try_from(elsewhere).unwrap_or(0);
            }
            Ok(deliveries)
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        if matches!(verdict, Verdict::Retry { .. }) {
            locked(&self.retried).extend(self.seen.delivery(tag));
        }
        inner.client.settle(queue, tag, verdict)
    }
}

/// The first group that fetched, by queue.
#[derive(Default)]
struct LettersAreOfTheFirstGroup(Mutex<HashMap<Queue, Option<String>>>);

impl Defect for LettersAreOfTheFirstGroup {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        locked(&self.0).entry(queue.clone()).or_insert_with(|| fetch.group.clone());
        inner.client.fetch(queue, fetch)
    }

    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        Box::pin(async move {
            let letters = inner.client.dead_letters(queue, max, group).await?;
            let first = locked(&self.0).get(queue).cloned().flatten();
            Ok(letters.into_iter().map(|letter| Letter { group: first.clone(), ..letter }).collect())
        })
    }
}

struct ListsTheLettersOfAllGroups;

impl Defect for ListsTheLettersOfAllGroups {
    fn dead_letters<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        max: u32,
        _group: Option<&'a str>,
    ) -> Answer<'a, Vec<Letter>> {
        inner.client.dead_letters(queue, max, None)
    }
}

/// What was replayed, and from which group; who has had it since.
#[derive(Default)]
struct ReplaysToEveryGroup(Mutex<Vec<Replayed>>);

struct Replayed {
    queue: Queue,
    id: Uuid,
    body: Bytes,
    given: HashSet<Option<String>>,
}

impl Defect for ReplaysToEveryGroup {
    fn replay<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        Box::pin(async move {
            let letters = inner.client.dead_letters(queue, u32::MAX, group).await?;
            inner.client.replay(queue, id, group).await?;
            if let Some(letter) = letters.into_iter().find(|letter| letter.id == id && letter.group.is_some()) {
                let given = HashSet::from([letter.group]);
                locked(&self.0).push(Replayed { queue: queue.clone(), id, body: letter.body, given });
            }
            Ok(())
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let group = fetch.group.clone();
            let mut deliveries = inner.client.fetch(queue, fetch).await?;
            for replayed in locked(&self.0).iter_mut().filter(|replayed| replayed.queue == *queue) {
                if replayed.given.insert(group.clone()) {
                    let (id, body) = (replayed.id, replayed.body.clone());
                    let tag = Tag(format!("again-{id}-{}", replayed.given.len()));
                    deliveries.push(Delivery { tag, id, body, priority: 3, attempt: 1 });
                }
            }
            Ok(deliveries)
        })
    }
}

struct ReplaysAnotherGroupsLetter;

impl Defect for ReplaysAnotherGroupsLetter {
    fn replay<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, id: Uuid, _group: Option<&'a str>) -> Answer<'a, ()> {
        inner.client.replay(queue, id, None)
    }
}

#[derive(Default)]
struct TheUnnamedGroupBeginsLate(Seen);

impl Defect for TheUnnamedGroupBeginsLate {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let is_new = self.0.group(queue, fetch.group.as_deref());
            if fetch.group.is_none() && is_new && self.0.others(queue, None).iter().any(Option::is_some) {
                for delivery in inner.client.fetch(queue, Fetch::up_to(u32::MAX)).await? {
                    inner.client.settle(queue, &delivery.tag, Verdict::Done).await?;
                }
            }
            inner.client.fetch(queue, fetch).await
        })
    }
}

struct DepthMakesTheGroup;

impl Defect for DepthMakesTheGroup {
    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            if let Some(group) = group {
                inner.client.fetch(queue, Fetch::up_to(1).of_group(group).only(Uuid::nil())).await?;
            }
            inner.client.depth(queue, group).await
        })
    }
}

struct CountsTheUnnamedGroupForAll;

impl Defect for CountsTheUnnamedGroupForAll {
    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, _group: Option<&'a str>) -> Answer<'a, Depth> {
        inner.client.depth(queue, None)
    }
}

struct PurgesEveryGroup;

impl Defect for PurgesEveryGroup {
    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        inner.client.purge(queue, Purge { group: None, ..what })
    }
}

struct PurgesTheUnnamedGroupAlone;

impl Defect for PurgesTheUnnamedGroupAlone {
    fn purge<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, what: Purge<'a>) -> Answer<'a, u64> {
        Box::pin(async move {
            if what.dead || what.group.is_some() {
                return inner.client.purge(queue, what).await;
            }
            let mut removed = 0;
            for delivery in inner.client.fetch(queue, Fetch::up_to(u32::MAX)).await? {
                inner.client.settle(queue, &delivery.tag, Verdict::Done).await?;
                removed += 1;
            }
            Ok(removed)
        })
    }
}

/// The ids, in the order of their publication.
#[derive(Default)]
struct NamedGroupsHaveNoPriorities(Mutex<Vec<Uuid>>);

impl Defect for NamedGroupsHaveNoPriorities {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        locked(&self.0).push(message.id);
        inner.client.publish(queue, message)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            if fetch.group.is_none() || fetch.id.is_some() || fetch.wait_ms > 0 {
                return inner.client.fetch(queue, fetch).await;
            }
            let (group, recipient) = (fetch.group.clone(), fetch.recipient.clone());
            let peeked = inner.client.peek(queue, Peek { max: u32::MAX, group, recipient, after: None }).await?;
            if peeked.is_empty() {
                return inner.client.fetch(queue, fetch).await;
            }
            let by_age = locked(&self.0).clone();
            let mut ids: Vec<Uuid> = peeked.into_iter().map(|one| one.id).collect();
            ids.sort_by_key(|id| by_age.iter().position(|other| other == id));
            let mut taken = Vec::new();
            for id in ids.into_iter().take(usize::try_from(fetch.max).unwrap_or(usize::MAX)) {
                taken.extend(inner.client.fetch(queue, fetch.clone().only(id)).await?);
            }
            Ok(taken)
        })
    }
}
