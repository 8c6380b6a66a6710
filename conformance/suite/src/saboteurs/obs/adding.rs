//! Saboteurs of counts that do not add up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use workwire_broker::{Answer, Depth, Queue, Tag, Verdict};

use super::{Counts, Defect, Inner, Saboteur, locked};

pub(in crate::saboteurs) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "counts_two_in_hands_and_no_more",
        breaks: &["OBS-5"],
        about: "counts what is held as two where it is more",
        make: || Arc::new(Counts(|depth| Depth { leased: depth.leased.map(|leased| leased.min(2)), ..depth })),
    },
    Saboteur {
        name: "counts_letters_as_ready",
        breaks: &["OBS-5"],
        about: "counts the letters as ready too",
        make: || Arc::new(Counts(|depth| Depth { ready: depth.ready + depth.dead.unwrap_or(0), ..depth })),
    },
    Saboteur {
        name: "counts_the_done_as_dead",
        breaks: &["OBS-5"],
        about: "counts as dead whatever nobody will fetch again",
        make: || Arc::new(CountsTheDoneAsDead::default()),
    },
];

/// How many are done, by queue.
#[derive(Default)]
struct CountsTheDoneAsDead(Mutex<HashMap<Queue, u64>>);

impl Defect for CountsTheDoneAsDead {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let is_done = verdict == Verdict::Done;
            inner.client.settle(queue, tag, verdict).await?;
            *locked(&self.0).entry(queue.clone()).or_default() += u64::from(is_done);
            Ok(())
        })
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            let depth = inner.client.depth(queue, group).await?;
            let done = locked(&self.0).get(queue).copied().unwrap_or(0);
            Ok(Depth { dead: depth.dead.map(|dead| dead + done), ..depth })
        })
    }
}
