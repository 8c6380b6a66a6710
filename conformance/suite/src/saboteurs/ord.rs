//! Saboteurs of order.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;
use workwire_broker::{Answer, BrokerError, Message, Queue, Stored};

use super::chooses::{About, Chooses, Seen};
use super::{Defect, Inner, Saboteur};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "turns_the_page_early",
        breaks: &["ORD-1", "ORD-2"],
        about: "keeps messages in pages of 22, and reads the first of the next page before the last of this one",
        make: || Arc::new(Chooses::by(turns_the_page_early)),
    },
    Saboteur {
        name: "lets_the_short_overtake",
        breaks: &["ORD-3"],
        about: "stores short bodies beside the message and long ones apart, and has the short ones ready first",
        make: || Arc::new(Chooses::by(lets_the_short_overtake)),
    },
    Saboteur {
        name: "spreads_publishers_over_shards",
        breaks: &["ORD-4"],
        about: "spreads the messages of a queue over three shards when several publish to it",
        make: || Arc::new(Chooses::by(spreads_publishers)),
    },
    Saboteur {
        name: "gives_way_to_the_newest",
        breaks: &["ORD-5"],
        about: "puts what is published while others are at work before what waits",
        make: || Arc::new(Chooses::by(gives_way_to_the_newest)),
    },
    Saboteur {
        name: "writes_batches_backwards",
        breaks: &["ORD-6"],
        about: "writes the last message of a batch first",
        make: || Arc::new(WritesBatchesBackwards),
    },
    Saboteur {
        name: "reads_back_by_id",
        breaks: &["ORD-7"],
        about: "reads its messages back by their ids when it is started again",
        make: || Arc::new(Chooses::by(reads_back_by_id)),
    },
    Saboteur {
        name: "sends_a_retry_to_the_back",
        breaks: &["ORD-8"],
        about: "says that a retried message keeps its place, and puts it behind the others",
        make: || Arc::new(Chooses::by(sends_a_retry_to_the_back)),
    },
    Saboteur {
        name: "begins_at_the_end_after_a_retry",
        breaks: &["ORD-9"],
        about: "reads on from the end of the queue once something was retried",
        make: || Arc::new(Chooses::by(begins_at_the_end)),
    },
    Saboteur {
        name: "takes_back_backwards",
        breaks: &["ORD-10"],
        about: "turns a queue around when a client is gone that held something of it",
        make: || Arc::new(Chooses::by(takes_back_backwards)),
    },
    Saboteur {
        name: "looks_for_ended_leases_from_the_end",
        breaks: &["ORD-11"],
        about: "goes on from where it found a message whose lease had ended",
        make: || Arc::new(Chooses::by(looks_from_the_end)),
    },
    Saboteur {
        name: "gives_the_next_for_the_last",
        breaks: &["ORD-12"],
        about: "keeps whoever fetches one by one from the next until the last one is settled",
        make: || Arc::new(Chooses::by(gives_the_next_for_the_last)),
    },
    Saboteur {
        name: "stops_at_what_rests",
        breaks: &["ORD-13"],
        about: "reads a queue up to the first message that rests",
        make: || Arc::new(Chooses::by(stops_at_what_rests)),
    },
];

fn turns_the_page_early(_: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    const PAGE: u64 = 22;
    let place = |number: u64| match number % PAGE {
        0 => 2 * number + 4,
        _ => 2 * number + 1,
    };
    ready.sort_by_key(|seen| (Reverse(seen.priority), place(seen.known.number)));
    ready
}

fn lets_the_short_overtake(_: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    ready.sort_by_key(|seen| (Reverse(seen.priority), seen.known.bytes, seen.known.number));
    ready
}

fn spreads_publishers(about: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    let publishers: HashSet<_> = about.all.iter().map(|known| &known.publisher).collect();
    if publishers.len() > 1 {
        ready.sort_by_key(|seen| (Reverse(seen.priority), seen.known.number % 3, seen.known.number));
    }
    ready
}

fn gives_way_to_the_newest(_: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    ready.sort_by_key(|seen| (Reverse(seen.priority), !seen.known.while_held, seen.known.number));
    ready
}

struct WritesBatchesBackwards;

impl Defect for WritesBatchesBackwards {
    fn publish_batch<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        mut messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async move {
            messages.reverse();
            let mut answers = inner.client.publish_batch(queue, messages).await?;
            answers.reverse();
            Ok(answers)
        })
    }
}

fn reads_back_by_id(_: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    ready.sort_by_key(|seen| (Reverse(seen.priority), !seen.known.restarted, seen.known.restarted.then_some(seen.id)));
    ready
}

fn sends_a_retry_to_the_back(_: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    ready.sort_by_key(|seen| (Reverse(seen.priority), seen.known.retried));
    ready
}

fn begins_at_the_end(_: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    // A queue of a few messages is read as one piece.
    if ready.len() > 5 && ready.iter().any(|seen| seen.known.retried) {
        ready.sort_by_key(|seen| (Reverse(seen.priority), !seen.known.retried, Reverse(seen.known.number)));
    }
    ready
}

fn takes_back_backwards(about: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    if about.was_left {
        ready.sort_by_key(|seen| (Reverse(seen.priority), Reverse(seen.known.number)));
    }
    ready
}

fn looks_from_the_end(about: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    let came_back = |seen: &Seen| seen.attempt > 1 && !seen.known.retried && !seen.known.replayed;
    if !about.was_left && ready.iter().any(came_back) {
        ready.sort_by_key(|seen| (Reverse(seen.priority), Reverse(seen.known.number)));
        ready.sort_by_key(|seen| (Reverse(seen.priority), came_back(seen)));
    }
    ready
}

fn gives_the_next_for_the_last(about: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    if about.max == 1 && about.holds == 1 {
        ready.clear();
    }
    ready
}

fn stops_at_what_rests(about: &About, mut ready: Vec<Seen>) -> Vec<Seen> {
    let now = Instant::now();
    let resting = about.all.iter().filter(|known| known.rests_until > now).map(|known| known.number).min();
    if let Some(resting) = resting {
        ready.retain(|seen| seen.known.number < resting);
    }
    ready
}
