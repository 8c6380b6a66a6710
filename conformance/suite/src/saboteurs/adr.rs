//! Saboteurs of addressing.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Mutex as Turn;
use uuid::Uuid;
use workwire_broker::{Answer, Delivery, Fetch, Message, Peek, Queue, Stored, Tag};

use super::{Defect, Inner, Saboteur};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "recipients_end_at_the_dash",
        breaks: &["ADR-1"],
        about: "gives to a recipient also what is for the part of its name before a dash",
        make: || Arc::new(RecipientsEndAtTheDash),
    },
    Saboteur {
        name: "whoever_asks_for_nobody_gets_all",
        breaks: &["ADR-2"],
        about: "gives what is addressed to whoever names no recipient, when nothing else is there",
        make: || Arc::new(WhoeverAsksForNobodyGetsAll::default()),
    },
    Saboteur {
        name: "recipients_are_lower_cased_once",
        breaks: &["ADR-3"],
        about: "writes recipients in small letters when it stores, and not when it looks",
        make: || Arc::new(RecipientsAreLowerCasedOnce),
    },
    Saboteur {
        name: "for_nobody_is_for_everybody",
        breaks: &["ADR-4"],
        about: "gives what is for nobody to each recipient",
        make: || Arc::new(ForNobodyIsForEverybody::default()),
    },
    Saboteur {
        name: "own_messages_first",
        breaks: &["ADR-5", "ADR-6"],
        about: "gives a recipient all of its own before anything that is for nobody",
        make: || Arc::new(OwnMessagesFirst::default()),
    },
    Saboteur {
        name: "looks_at_the_first_hundred",
        breaks: &["ADR-7"],
        about: "looks for a recipient's messages among the first hundred of the queue",
        make: || Arc::new(LooksAtTheFirstHundred::default()),
    },
    Saboteur {
        name: "forgets_the_recipient_after_a_delivery",
        breaks: &["ADR-8"],
        about: "takes a message back into its queue without its recipient",
        make: || Arc::new(ForgetsTheRecipient::after_a_delivery()),
    },
    Saboteur {
        name: "forgets_the_recipient_at_a_replay",
        breaks: &["ADR-9"],
        about: "replays a letter without its recipient",
        make: || Arc::new(ForgetsTheRecipient::at_a_replay()),
    },
    Saboteur {
        name: "one_waits_at_a_time",
        breaks: &["ADR-10"],
        about: "lets one fetch wait at a time; the others wait for its end",
        make: || Arc::new(OneWaitsAtATime::default()),
    },
];

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct RecipientsEndAtTheDash;

impl Defect for RecipientsEndAtTheDash {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let taken = inner.client.fetch(queue, fetch.clone()).await?;
            match fetch.recipient.as_deref().and_then(|name| name.split_once('-')) {
                Some((head, _)) if taken.is_empty() => {
                    inner.client.fetch(queue, Fetch { wait_ms: 0, ..fetch.clone() }.for_recipient(head)).await
                }
                _ => Ok(taken),
            }
        })
    }
}

/// To whom something was published.
#[derive(Default)]
struct WhoeverAsksForNobodyGetsAll(Mutex<HashSet<String>>);

impl Defect for WhoeverAsksForNobodyGetsAll {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        locked(&self.0).extend(message.to.clone());
        inner.client.publish(queue, message)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut taken = inner.client.fetch(queue, fetch.clone()).await?;
            if fetch.recipient.is_none() && taken.is_empty() {
                let names: Vec<String> = locked(&self.0).iter().cloned().collect();
                for name in names {
                    let fetch = Fetch { wait_ms: 0, ..fetch.clone() }.for_recipient(name);
                    taken.extend(inner.client.fetch(queue, fetch).await.unwrap_or_default());
                }
            }
            Ok(taken)
        })
    }
}

struct RecipientsAreLowerCasedOnce;

impl Defect for RecipientsAreLowerCasedOnce {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let to = message.to.as_deref().map(str::to_ascii_lowercase);
        inner.client.publish(queue, Message { to, ..message })
    }
}

/// The ids for nobody, and what was given to which recipient.
#[derive(Default)]
struct ForNobodyIsForEverybody {
    for_nobody: Mutex<HashSet<Uuid>>,
    given: Mutex<Vec<(Delivery, Option<String>)>>,
}

impl Defect for ForNobodyIsForEverybody {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        if message.to.is_none() {
            locked(&self.for_nobody).insert(message.id);
        }
        inner.client.publish(queue, message)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let recipient = fetch.recipient.clone();
            let mut taken = inner.client.fetch(queue, fetch).await?;
            let Some(recipient) = recipient else { return Ok(taken) };
            let for_nobody = locked(&self.for_nobody);
            let mut given = locked(&self.given);
            for delivery in taken.iter().filter(|delivery| for_nobody.contains(&delivery.id)) {
                given.push((delivery.clone(), Some(recipient.clone())));
            }
            for number in 0..given.len() {
                let (delivery, to) = given[number].clone();
                let had = given.iter().any(|(other, to)| other.id == delivery.id && to.as_ref() == Some(&recipient));
                if to.is_some() && !had {
                    let copy = Delivery { tag: Tag(format!("{}-{recipient}", delivery.tag.0)), ..delivery };
                    given.push((copy.clone(), Some(recipient.clone())));
                    taken.push(copy);
                }
            }
            Ok(taken)
        })
    }
}

/// To whom each message is.
#[derive(Default)]
struct OwnMessagesFirst(Mutex<HashMap<Uuid, String>>);

impl Defect for OwnMessagesFirst {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        if let Some(to) = &message.to {
            locked(&self.0).insert(message.id, to.clone());
        }
        inner.client.publish(queue, message)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            if fetch.recipient.is_none() || fetch.id.is_some() || fetch.max == 0 {
                return inner.client.fetch(queue, fetch).await;
            }
            let look = Peek { group: fetch.group.clone(), recipient: fetch.recipient.clone(), ..Peek::default() };
            let ready = inner.client.peek(queue, Peek { max: u32::MAX, ..look }).await?;
            let own: Vec<Uuid> = {
                let to = locked(&self.0);
                ready.iter().map(|one| one.id).filter(|id| to.get(id) == fetch.recipient.as_ref()).collect()
            };
            let most = usize::try_from(fetch.max).unwrap_or(usize::MAX);
            let mut taken = Vec::new();
            for id in own.into_iter().take(most) {
                taken.extend(inner.client.fetch(queue, fetch.clone().only(id)).await?);
            }
            let left = fetch.max - u32::try_from(taken.len()).unwrap_or(fetch.max);
            if left > 0 {
                let wait_ms = if taken.is_empty() { fetch.wait_ms } else { 0 };
                taken.extend(inner.client.fetch(queue, Fetch { max: left, wait_ms, ..fetch }).await?);
            }
            Ok(taken)
        })
    }
}

/// What is for somebody and was not delivered yet.
#[derive(Default)]
struct LooksAtTheFirstHundred(Mutex<HashMap<(Queue, Uuid), String>>);

impl Defect for LooksAtTheFirstHundred {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        if let Some(to) = &message.to {
            locked(&self.0).insert((queue.clone(), message.id), to.clone());
        }
        inner.client.publish(queue, message)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let is_others =
                |((of, _), to): (&(Queue, Uuid), &String)| of == queue && Some(to) != fetch.recipient.as_ref();
            if locked(&self.0).iter().filter(|entry| is_others(*entry)).count() >= 100 {
                return Ok(Vec::new());
            }
            let taken = inner.client.fetch(queue, fetch).await?;
            locked(&self.0).retain(|(_, id), _| !taken.iter().any(|delivery| delivery.id == *id));
            Ok(taken)
        })
    }
}

/// Messages that have lost their recipient, and which one that was.
struct ForgetsTheRecipient {
    at_a_replay: bool,
    to: Mutex<HashMap<Uuid, String>>,
    lost: Mutex<HashMap<Uuid, String>>,
}

impl ForgetsTheRecipient {
    fn after_a_delivery() -> Self {
        ForgetsTheRecipient { at_a_replay: false, to: Mutex::default(), lost: Mutex::default() }
    }

    fn at_a_replay() -> Self {
        ForgetsTheRecipient { at_a_replay: true, ..Self::after_a_delivery() }
    }

    fn lose(&self, id: Uuid) {
        if let Some(to) = locked(&self.to).get(&id) {
            locked(&self.lost).insert(id, to.clone());
        }
    }
}

impl Defect for ForgetsTheRecipient {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        if let Some(to) = &message.to {
            locked(&self.to).insert(message.id, to.clone());
        }
        inner.client.publish(queue, message)
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut taken = inner.client.fetch(queue, fetch.clone()).await?;
            let looks_further = taken.is_empty() && fetch.id.is_none();
            let lost = if looks_further { locked(&self.lost).clone() } else { HashMap::new() };
            for (id, to) in lost {
                let fetch = Fetch { wait_ms: 0, ..fetch.clone() }.only(id).for_recipient(to);
                taken.extend(inner.client.fetch(queue, fetch).await.unwrap_or_default());
            }
            if !self.at_a_replay {
                for delivery in &taken {
                    self.lose(delivery.id);
                }
            }
            Ok(taken)
        })
    }

    fn replay<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, id: Uuid, group: Option<&'a str>) -> Answer<'a, ()> {
        if self.at_a_replay {
            self.lose(id);
        } else {
            locked(&self.lost).remove(&id);
        }
        inner.client.replay(queue, id, group)
    }
}

#[derive(Default)]
struct OneWaitsAtATime(Turn<()>);

impl Defect for OneWaitsAtATime {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let is_addressed = fetch.wait_ms > 0 && fetch.recipient.is_some();
            let _turn = if is_addressed { Some(self.0.lock().await) } else { None };
            inner.client.fetch(queue, fetch).await
        })
    }
}
