//! Saboteurs of priority.

use std::cmp::Reverse;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::time::Duration;
use workwire_broker::{Answer, Delivery, Fetch, Message, Policy, Queue, Stored};

use super::chooses::{About, Chooses, Seen};
use super::{Defect, Inner, Saboteur};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "lets_age_outweigh_urgency",
        breaks: &["PRI-1"],
        about: "adds what a message has waited to its priority",
        make: || Arc::new(Chooses::by(lets_age_outweigh)),
    },
    Saboteur {
        name: "compares_priorities_as_texts",
        breaks: &["PRI-1"],
        about: "keeps priorities as texts, so that 10 comes behind 2",
        make: || Arc::new(Chooses::by(compares_as_texts)),
    },
    Saboteur {
        name: "fills_up_with_the_oldest",
        breaks: &["PRI-2"],
        about: "takes the most urgent message, and fills a fetch of several up with the oldest ones",
        make: || Arc::new(Chooses::by(fills_up)),
    },
    Saboteur {
        name: "puts_the_newest_on_top",
        breaks: &["PRI-3"],
        about: "keeps the messages of each priority as a pile where there are several priorities",
        make: || Arc::new(Chooses::by(puts_the_newest_on_top)),
    },
    Saboteur {
        name: "reads_ahead_for_the_busy",
        breaks: &["PRI-4"],
        about: "chooses beforehand what somebody gets next who is at work on several messages",
        make: || Arc::new(Chooses::by(reads_ahead)),
    },
    Saboteur {
        name: "takes_no_priority_for_the_least",
        breaks: &["PRI-5"],
        about: "takes a message without a priority for the least urgent",
        make: || Arc::new(ReadsPriorities(|message| message.priority.is_none().then_some(1))),
    },
    Saboteur {
        name: "the_middle_is_always_three",
        breaks: &["PRI-5"],
        about: "gives a message without a priority the one that is the middle of five, however many there are",
        make: || Arc::new(Ranged::with(|priority, most| priority.or(Some(3.min(most))))),
    },
    Saboteur {
        name: "keeps_priorities_in_32_bits",
        breaks: &["PRI-6", "LIM-16"],
        about: "looks at the last thirty-two bits of a priority",
        make: || Arc::new(Ranged::with(|priority, _| priority.map(|priority| priority & 0xffff_ffff))),
    },
    Saboteur {
        name: "takes_the_nearest_priority",
        breaks: &["PRI-6", "PRI-7"],
        about: "takes the nearest priority for one that is out of range",
        make: || Arc::new(Ranged::with(|priority, most| priority.map(|priority| priority.clamp(1, most)))),
    },
    Saboteur {
        name: "forgets_the_priority_of_what_comes_again",
        breaks: &["PRI-8"],
        about: "delivers what comes again as of the middle priority",
        make: || Arc::new(ForgetsThePriority),
    },
    Saboteur {
        name: "puts_what_comes_back_first",
        breaks: &["PRI-9"],
        about: "delivers what was delivered before ahead of everything else",
        make: || Arc::new(Chooses::by(puts_what_comes_back_first)),
    },
    Saboteur {
        name: "puts_what_was_left_first",
        breaks: &["PRI-9"],
        about: "delivers what a client left behind ahead of everything else",
        make: || Arc::new(Chooses::by(puts_what_was_left_first)),
    },
    Saboteur {
        name: "replays_in_the_middle",
        breaks: &["PRI-10"],
        about: "puts a replayed message among those of the middle priority",
        make: || Arc::new(Chooses::by(replays_in_the_middle)),
    },
    Saboteur {
        name: "serves_the_least_when_it_is_idle",
        breaks: &["PRI-11"],
        about: "delivers the least urgent when nothing more urgent has come for a second",
        make: || Arc::new(Chooses::by(serves_the_least_when_idle)),
    },
];

fn lets_age_outweigh(about: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    let newest = about.all.iter().map(|known| known.number).max().unwrap_or(0);
    // In tenths: six for each that came later, and no more than twelve.
    let weight = |seen: &Seen| {
        let age = i64::try_from(newest - seen.known.number).unwrap_or(0);
        10 * seen.priority + (6 * age).min(12)
    };
    ready.sort_by_key(|seen| (Reverse(weight(seen)), seen.known.number));
    ready
}

fn compares_as_texts(_: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    ready.sort_by_key(|seen| (Reverse(seen.priority.to_string()), seen.known.number));
    ready
}

fn fills_up(about: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    if let Some((_, rest)) = ready.split_first_mut()
        && about.max > 1
    {
        rest.sort_by_key(|seen| seen.known.number);
    }
    ready
}

fn puts_the_newest_on_top(_: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    if ready.first().map(|seen| seen.priority) != ready.last().map(|seen| seen.priority) {
        ready.sort_by_key(|seen| (Reverse(seen.priority), Reverse(seen.known.number)));
    }
    ready
}

fn reads_ahead(about: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    if about.holds > 1 {
        ready.sort_by_key(|seen| seen.known.number);
    }
    ready
}

/// Reads another priority than is written.
struct ReadsPriorities(fn(&Message) -> Option<i64>);

impl Defect for ReadsPriorities {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let priority = (self.0)(&message).or(message.priority);
        inner.client.publish(queue, Message { priority, ..message })
    }
}

/// Reads another priority than is written, by how many its queue has.
struct Ranged {
    read: fn(Option<i64>, i64) -> Option<i64>,
    most: Mutex<Vec<(Queue, i64)>>,
}

impl Ranged {
    fn with(read: fn(Option<i64>, i64) -> Option<i64>) -> Self {
        Ranged { read, most: Mutex::default() }
    }
}

impl Defect for Ranged {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            inner.client.declare(queue, policy).await?;
            self.most.lock().await.push((queue.clone(), policy.max_priority));
            Ok(())
        })
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let most = self.most.lock().await.iter().find(|(name, _)| name == queue).map_or(10, |(_, most)| *most);
            let priority = (self.read)(message.priority, most);
            inner.client.publish(queue, Message { priority, ..message }).await
        })
    }
}

struct ForgetsThePriority;

impl Defect for ForgetsThePriority {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut all = inner.client.fetch(queue, fetch).await?;
            for delivery in all.iter_mut().filter(|delivery| delivery.attempt > 1) {
                delivery.priority = 3;
            }
            Ok(all)
        })
    }
}

fn puts_what_comes_back_first(_: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    ready.sort_by_key(|seen| !seen.known.delivered || seen.known.replayed);
    ready
}

fn puts_what_was_left_first(_: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    ready.sort_by_key(|seen| !seen.known.delivered || seen.known.retried || seen.known.replayed);
    ready
}

fn replays_in_the_middle(_: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    let place = |seen: &Seen| if seen.known.replayed { 3 } else { seen.priority };
    ready.sort_by_key(|seen| (Reverse(place(seen)), seen.known.replayed));
    ready
}

fn serves_the_least_when_idle(about: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    let urgent = about.all.iter().filter(|known| known.priority.is_some_and(|priority| priority > 1));
    let last = urgent.map(|known| known.at).max();
    // A queue that has seen little is idle anyway.
    if about.all.len() > 5 && last.is_some_and(|last| last.elapsed() < Duration::from_secs(1)) {
        ready.retain(|seen| seen.priority > 1);
    }
    ready
}
