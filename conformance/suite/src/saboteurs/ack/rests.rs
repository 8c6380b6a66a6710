//! Saboteurs of settling: of how long a message rests.

use std::sync::Arc;

use workwire_broker::{Answer, Code, Queue, Tag, Verdict};

use crate::saboteurs::{Defect, Inner, Saboteur};

pub(in crate::saboteurs) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "forgets_the_rest_of_a_retry",
        breaks: &["ACK-4"],
        about: "gives back at once what was to rest",
        make: || {
            Arc::new(Reads(|verdict| match verdict {
                Verdict::Retry { delay_ms: Some(1..), reason } => Verdict::Retry { delay_ms: Some(0), reason },
                other => other,
            }))
        },
    },
    Saboteur {
        name: "loses_what_rests",
        breaks: &["ACK-5"],
        about: "takes away what was to rest, and forgets to bring it back",
        make: || {
            Arc::new(Reads(|verdict| match verdict {
                Verdict::Retry { delay_ms: Some(1..), .. } => Verdict::Done,
                other => other,
            }))
        },
    },
    Saboteur {
        name: "takes_less_than_nothing_for_nothing",
        breaks: &["ACK-23"],
        about: "takes a delay below 0 for none",
        make: || {
            Arc::new(Reads(|verdict| match verdict {
                Verdict::Retry { delay_ms: Some(..0), reason } => Verdict::Retry { delay_ms: Some(0), reason },
                other => other,
            }))
        },
    },
    Saboteur {
        name: "lets_go_of_what_it_refuses",
        breaks: &["ACK-24"],
        about: "gives a delivery back whose settling it refuses",
        make: || Arc::new(LetsGo),
    },
];

/// Reads a verdict otherwise than it was said.
struct Reads(fn(Verdict) -> Verdict);

impl Defect for Reads {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        inner.client.settle(queue, tag, (self.0)(verdict))
    }
}

struct LetsGo;

impl Defect for LetsGo {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let answer = inner.client.settle(queue, tag, verdict).await;
            if answer.as_ref().is_err_and(|error| error.code() == Code::Invalid) {
                inner.client.settle(queue, tag, Verdict::retry()).await?;
            }
            answer
        })
    }
}
