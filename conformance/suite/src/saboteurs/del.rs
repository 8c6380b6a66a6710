//! Saboteurs of delivery: of messages, and of who gets how many.

pub(super) mod queues;
pub(super) mod waiting;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use tokio::sync::Mutex;
use workwire_broker::{Answer, BrokerError, Code, Delivery, Fetch, Message, Queue, Stored, Tag, Verdict};

use super::{Defect, Inner, Saboteur};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "loses_one_in_a_hundred",
        breaks: &["DEL-1"],
        about: "answers `stored` to every hundredth message, and drops it",
        make: || Arc::new(LosesOneInAHundred::default()),
    },
    Saboteur {
        name: "takes_bytes_for_text",
        breaks: &["DEL-2"],
        about: "keeps bodies as text, and puts a sign of its own where they are none",
        make: || Arc::new(Reshapes(|body| Bytes::from(String::from_utf8_lossy(&body).into_owned()))),
    },
    Saboteur {
        name: "cuts_at_64_kib",
        breaks: &["DEL-4", "DEL-5"],
        about: "keeps lengths in sixteen bits, and cuts what is longer",
        make: || Arc::new(Reshapes(|body| body.slice(..body.len().min(65_535)))),
    },
    Saboteur {
        name: "takes_no_bytes_for_nothing",
        breaks: &["DEL-3"],
        about: "passes over a message whose body is empty",
        make: || Arc::new(PassesOverEmpty),
    },
    Saboteur {
        name: "makes_every_id_random",
        breaks: &["DEL-6"],
        about: "writes the version of a random UUID into whatever id it is given",
        make: || Arc::new(Retells(|one| one.id = uuid::Builder::from_random_bytes(one.id.into_bytes()).into_uuid())),
    },
    Saboteur {
        name: "forgets_the_priority",
        breaks: &["DEL-7"],
        about: "delivers in the right order, and names the middle of the range",
        make: || Arc::new(Retells(|one| one.priority = 3)),
    },
    Saboteur {
        name: "counts_from_nought",
        breaks: &["DEL-8"],
        about: "names the deliveries before this one instead of this one",
        make: || Arc::new(Retells(|one| one.attempt -= 1)),
    },
    Saboteur {
        name: "shows_the_held_to_the_next",
        breaks: &["DEL-9"],
        about: "delivers what somebody holds once more when a queue has nothing else",
        make: || Arc::new(ShowsTheHeld::default()),
    },
    Saboteur {
        name: "looks_before_it_takes",
        breaks: &["DEL-9"],
        about: "looks who is next and takes it in two steps, so that two who fetch at once get the same",
        make: || Arc::new(LooksBeforeItTakes::default()),
    },
    Saboteur {
        name: "adds_one_for_the_way",
        breaks: &["DEL-10"],
        about: "answers a fetch of several with one more where there is one",
        make: || Arc::new(AddsOne),
    },
    Saboteur {
        name: "takes_ahead",
        breaks: &["DEL-11"],
        about: "takes one more than it was asked for, and keeps it for the next time that nobody comes",
        make: || Arc::new(TakesAhead),
    },
    Saboteur {
        name: "an_empty_queue_is_an_error",
        breaks: &["DEL-12"],
        about: "refuses to look into a queue that never held anything",
        make: || Arc::new(AnEmptyQueueIsAnError::default()),
    },
    Saboteur {
        name: "takes_nought_for_all",
        breaks: &["DEL-13"],
        about: "takes a fetch of no message for one of as many as there are",
        make: || Arc::new(TakesNoughtForAll),
    },
    Saboteur {
        name: "cuts_batches_at_ten",
        breaks: &["DEL-37"],
        about: "writes batches in pieces of ten, and one message of each that follows is not written",
        make: || Arc::new(CutsBatches),
    },
    Saboteur {
        name: "stops_a_batch_at_the_first_bad_one",
        breaks: &["DEL-38"],
        about: "stores a batch up to its first bad message, and answers `stored` to those behind it",
        make: || Arc::new(StopsABatch),
    },
    Saboteur {
        name: "calls_a_bad_one_of_a_batch_full",
        breaks: &["DEL-38"],
        about: "refuses what it could not store of a batch as `full`, whatever was wrong with it",
        make: || Arc::new(CallsABadOneFull),
    },
];

#[derive(Default)]
struct LosesOneInAHundred(AtomicU32);

impl Defect for LosesOneInAHundred {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        if self.0.fetch_add(1, Ordering::Relaxed) % 100 == 99 {
            return Box::pin(async { Ok(Stored::Stored) });
        }
        inner.client.publish(queue, message)
    }
}

/// Stores other bytes than it was given.
struct Reshapes(fn(Bytes) -> Bytes);

impl Defect for Reshapes {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let body = (self.0)(message.body.clone());
        inner.client.publish(queue, Message { body, ..message })
    }
}

struct PassesOverEmpty;

impl Defect for PassesOverEmpty {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let all = inner.client.fetch(queue, fetch).await?;
            let (kept, passed): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| !one.body.is_empty());
            for delivery in passed {
                inner.client.settle(queue, &delivery.tag, Verdict::Done).await?;
            }
            Ok(kept)
        })
    }
}

/// Tells a delivery otherwise than it is.
struct Retells(fn(&mut Delivery));

impl Defect for Retells {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let mut all = inner.client.fetch(queue, fetch).await?;
            all.iter_mut().for_each(self.0);
            Ok(all)
        })
    }
}

#[derive(Default)]
struct ShowsTheHeld(Mutex<HashMap<Queue, Delivery>>);

impl Defect for ShowsTheHeld {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let all = inner.client.fetch(queue, fetch).await?;
            let mut held = self.0.lock().await;
            match all.last() {
                Some(last) => {
                    held.insert(queue.clone(), last.clone());
                    Ok(all)
                }
                // Once, so that not everything is told twice.
                None => Ok(held.remove(queue).into_iter().collect()),
            }
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let answer = inner.client.settle(queue, tag, verdict).await;
            self.0.lock().await.retain(|_, held| held.tag != *tag);
            answer
        })
    }
}

#[derive(Default)]
struct LooksBeforeItTakes(Mutex<Option<(Queue, Vec<Delivery>)>>);

impl Defect for LooksBeforeItTakes {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            if let Some((of, all)) = self.0.lock().await.take()
                && of == *queue
            {
                return Ok(all);
            }
            let all = inner.client.fetch(queue, fetch).await?;
            *self.0.lock().await = Some((queue.clone(), all.clone()));
            tokio::task::yield_now().await;
            self.0.lock().await.take();
            Ok(all)
        })
    }
}

struct AddsOne;

impl Defect for AddsOne {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let more = u32::from(fetch.max > 1);
        inner.client.fetch(queue, Fetch { max: fetch.max + more, ..fetch })
    }
}

struct TakesAhead;

impl Defect for TakesAhead {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let asked = usize::try_from(fetch.max).unwrap_or(usize::MAX);
            let more = u32::from(fetch.max > 1);
            let mut all = inner.client.fetch(queue, Fetch { max: fetch.max + more, ..fetch }).await?;
            all.truncate(asked);
            Ok(all)
        })
    }
}

#[derive(Default)]
struct AnEmptyQueueIsAnError(Mutex<Vec<Queue>>);

impl Defect for AnEmptyQueueIsAnError {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            self.0.lock().await.push(queue.clone());
            inner.client.publish(queue, message).await
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let answer = inner.client.fetch(queue, Fetch { wait_ms: fetch.wait_ms, ..fetch }).await?;
            if answer.is_empty() && !self.0.lock().await.contains(queue) {
                return Err(BrokerError::not_found("nothing was ever published there"));
            }
            Ok(answer)
        })
    }
}

struct TakesNoughtForAll;

impl Defect for TakesNoughtForAll {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let max = if fetch.max == 0 { 1_000 } else { fetch.max };
        inner.client.fetch(queue, Fetch { max, ..fetch })
    }
}

struct CutsBatches;

impl Defect for CutsBatches {
    fn publish_batch<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(messages.len());
            for (place, message) in messages.into_iter().enumerate() {
                let is_lost = place > 0 && place % 10 == 0;
                answers.push(if is_lost { Ok(Stored::Stored) } else { inner.client.publish(queue, message).await });
            }
            Ok(answers)
        })
    }
}

struct StopsABatch;

impl Defect for StopsABatch {
    fn publish_batch<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async move {
            let (mut answers, mut is_broken) = (Vec::with_capacity(messages.len()), false);
            for message in messages {
                if is_broken {
                    answers.push(Ok(Stored::Stored));
                    continue;
                }
                let answer = inner.client.publish(queue, message).await;
                is_broken = answer.as_ref().is_err_and(|error| error.code() == Code::Invalid);
                answers.push(answer);
            }
            Ok(answers)
        })
    }
}

struct CallsABadOneFull;

impl Defect for CallsABadOneFull {
    fn publish_batch<'a>(
        &'a self,
        inner: &'a Inner,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(messages.len());
            for message in messages {
                let answer = inner.client.publish(queue, message).await;
                answers.push(answer.map_err(|_| BrokerError::full("it could not be stored")));
            }
            Ok(answers)
        })
    }
}
