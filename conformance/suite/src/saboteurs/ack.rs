//! Saboteurs of settling.

use std::sync::Arc;

use workwire_broker::{Answer, Code, Queue, Tag, Verdict};

use super::{Defect, Inner, Saboteur};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "redelivers_after_done",
        breaks: &["ACK-1"],
        about: "takes `done` for `retry`",
        make: || Arc::new(RedeliversAfterDone),
    },
    Saboteur {
        name: "takes_any_tag",
        breaks: &["ACK-2"],
        about: "answers ok to a tag that names nothing",
        make: || Arc::new(TakesAnyTag),
    },
];

struct RedeliversAfterDone;

impl Defect for RedeliversAfterDone {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        let verdict = if verdict == Verdict::Done { Verdict::retry() } else { verdict };
        inner.client.settle(queue, tag, verdict)
    }
}

struct TakesAnyTag;

impl Defect for TakesAnyTag {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            match inner.client.settle(queue, tag, verdict).await {
                Err(error) if error.code() == Code::Stale => Ok(()),
                other => other,
            }
        })
    }
}
