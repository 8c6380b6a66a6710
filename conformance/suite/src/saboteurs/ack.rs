//! Saboteurs of settling: whose a delivery is, and what ends it.

pub(super) mod attempts;
pub(super) mod rests;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;
use uuid::Uuid;
use workwire_broker::{Answer, BrokerError, Client, Code, Delivery, Fetch, Peek, Policy, Queue, Tag, Verdict};

use super::{Defect, Inner, Saboteur};

pub(super) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "takes_every_third_done_for_retry",
        breaks: &["ACK-1"],
        about: "gathers what is done, and of three gives one back",
        make: || Arc::new(TakesEveryThirdDone::default()),
    },
    Saboteur {
        name: "lets_the_lease_of_what_is_done_run_on",
        breaks: &["ACK-1"],
        about: "delivers what is done once more when its lease would have ended",
        make: || Arc::new(LetsTheLeaseRunOn::default()),
    },
    Saboteur {
        name: "takes_any_tag",
        breaks: &["ACK-2"],
        about: "answers ok to a tag that it never gave to anybody",
        make: || Arc::new(TakesAnyTag::default()),
    },
    Saboteur {
        name: "gives_it_back_to_the_same",
        breaks: &["ACK-3"],
        about: "delivers what was retried to none but the client that had it",
        make: || Arc::new(GivesItBackToTheSame::default()),
    },
    Saboteur {
        name: "takes_dead_for_retry",
        breaks: &["ACK-6"],
        about: "delivers what was given up without a reason until its attempts are used up",
        make: || Arc::new(TakesDeadForRetry),
    },
    Saboteur {
        name: "answers_ok_twice",
        breaks: &["ACK-7", "ACK-9"],
        about: "answers ok to a tag that was settled before",
        make: || Arc::new(AnswersOkTwice::default()),
    },
    Saboteur {
        name: "settles_messages_for_deliveries",
        breaks: &["ACK-8"],
        about: "refuses a second settling, and settles the message by then",
        make: || Arc::new(SettlesMessages::default()),
    },
    Saboteur {
        name: "takes_anothers_tag",
        breaks: &["ACK-10", "ACK-11"],
        about: "settles whatever delivery a tag names, whoever says it",
        make: || Arc::new(TakesAnothersTag::default()),
    },
    Saboteur {
        name: "knows_tags_without_their_queue",
        breaks: &["ACK-12"],
        about: "settles a delivery by its tag, whatever queue is named with it",
        make: || Arc::new(KnowsTagsWithoutTheirQueue::default()),
    },
    Saboteur {
        name: "settles_all_up_to_it",
        breaks: &["ACK-13"],
        about: "settles with a delivery all earlier ones of its client",
        make: || Arc::new(SettlesAllUpToIt::default()),
    },
    Saboteur {
        name: "settles_nothing_behind_a_stale_tag",
        breaks: &["ACK-14"],
        about: "closes the way by which a client settles at the first tag that is stale",
        make: || Arc::new(SettlesNothingBehind::default()),
    },
    Saboteur {
        name: "answers_ok_when_it_is_too_late",
        breaks: &["ACK-15"],
        about: "answers ok to who settles after the lease has ended, and does nothing",
        make: || Arc::new(AnswersOkTooLate::default()),
    },
    Saboteur {
        name: "lets_a_late_done_win",
        breaks: &["ACK-16"],
        about: "refuses a late `done`, and takes the message away from who holds it now",
        make: || Arc::new(LetsALateDoneWin::default()),
    },
];

/// A delivery that was handed out.
#[derive(Clone)]
struct Handed {
    id: Uuid,
    queue: Queue,
    client: Arc<dyn Client>,
    holder: Arc<str>,
    settled: Option<Verdict>,
}

/// Every delivery that was handed out, by its tag, and in their order.
#[derive(Default)]
struct Book {
    by_tag: HashMap<Tag, Handed>,
    in_order: Vec<Tag>,
}

impl Book {
    fn note(&mut self, inner: &Inner, queue: &Queue, deliveries: &[Delivery]) {
        for delivery in deliveries {
            let (client, holder) = (Arc::clone(&inner.client), Arc::clone(&inner.name));
            let handed = Handed { id: delivery.id, queue: queue.clone(), client, holder, settled: None };
            self.by_tag.insert(delivery.tag.clone(), handed);
            self.in_order.push(delivery.tag.clone());
        }
    }
}

async fn fetch_and_note(
    book: &Mutex<Book>,
    inner: &Inner,
    queue: &Queue,
    fetch: Fetch,
) -> Result<Vec<Delivery>, BrokerError> {
    let all = inner.client.fetch(queue, fetch).await?;
    book.lock().await.note(inner, queue, &all);
    Ok(all)
}

async fn settle_and_note(
    book: &Mutex<Book>,
    inner: &Inner,
    queue: &Queue,
    tag: &Tag,
    verdict: Verdict,
) -> Result<(), BrokerError> {
    let answer = inner.client.settle(queue, tag, verdict.clone()).await;
    if answer.is_ok()
        && let Some(handed) = book.lock().await.by_tag.get_mut(tag)
    {
        handed.settled = Some(verdict);
    }
    answer
}

fn is_stale(answer: &Result<(), BrokerError>) -> bool {
    answer.as_ref().is_err_and(|error| error.code() == Code::Stale)
}

/// A defect that keeps a book of deliveries, and does something else where a settling is stale.
macro_rules! where_it_is_stale {
    ($Name:ident: |$inner:ident, $book:ident, $queue:ident, $tag:ident, $verdict:ident, $answer:ident| $instead:block) => {
        #[derive(Default)]
        struct $Name(Mutex<Book>);

        impl Defect for $Name {
            fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
                Box::pin(fetch_and_note(&self.0, inner, queue, fetch))
            }

            fn settle<'a>(
                &'a self,
                $inner: &'a Inner,
                $queue: &'a Queue,
                $tag: &'a Tag,
                $verdict: Verdict,
            ) -> Answer<'a, ()> {
                Box::pin(async move {
                    let $answer = settle_and_note(&self.0, $inner, $queue, $tag, $verdict.clone()).await;
                    if !is_stale(&$answer) {
                        return $answer;
                    }
                    let $book = self.0.lock().await;
                    $instead
                })
            }
        }
    };
}

#[derive(Default)]
struct TakesEveryThirdDone(Mutex<u32>);

impl Defect for TakesEveryThirdDone {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            if verdict != Verdict::Done {
                return inner.client.settle(queue, tag, verdict).await;
            }
            let mut done = self.0.lock().await;
            *done += 1;
            let verdict = if *done % 3 == 0 { Verdict::retry() } else { verdict };
            inner.client.settle(queue, tag, verdict).await
        })
    }
}

#[derive(Default)]
struct LetsTheLeaseRunOn(Mutex<HashMap<Queue, i64>>);

impl Defect for LetsTheLeaseRunOn {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            self.0.lock().await.insert(queue.clone(), policy.lease_ms);
            inner.client.declare(queue, policy).await
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let lease = self.0.lock().await.get(queue).copied();
            let verdict = match (verdict, lease) {
                (Verdict::Done, Some(lease)) => Verdict::Retry { delay_ms: Some(lease), reason: None },
                (other, _) => other,
            };
            inner.client.settle(queue, tag, verdict).await
        })
    }
}

where_it_is_stale!(TakesAnyTag: |inner, book, queue, tag, verdict, answer| {
    if book.by_tag.contains_key(tag) { answer } else { Ok(()) }
});

#[derive(Default)]
struct GivesItBackToTheSame {
    book: Mutex<Book>,
    bound: Mutex<HashMap<Uuid, Arc<str>>>,
}

impl Defect for GivesItBackToTheSame {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let next = Peek { max: 1, group: fetch.group.clone(), recipient: fetch.recipient.clone(), after: None };
            let next = inner.client.peek(queue, next).await.unwrap_or_default();
            let bound = self.bound.lock().await;
            if next.iter().any(|next| bound.get(&next.id).is_some_and(|holder| *holder != inner.name)) {
                return Ok(Vec::new());
            }
            drop(bound);
            fetch_and_note(&self.book, inner, queue, fetch).await
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            if matches!(verdict, Verdict::Retry { .. })
                && let Some(handed) = self.book.lock().await.by_tag.get(tag)
            {
                self.bound.lock().await.insert(handed.id, Arc::clone(&inner.name));
            }
            inner.client.settle(queue, tag, verdict).await
        })
    }
}

/// Where no reason is given with it: every case that gives up something else does give one.
struct TakesDeadForRetry;

impl Defect for TakesDeadForRetry {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        let verdict = match verdict {
            Verdict::Dead { reason: None } => Verdict::retry(),
            other => other,
        };
        inner.client.settle(queue, tag, verdict)
    }
}

where_it_is_stale!(AnswersOkTwice: |inner, book, queue, tag, verdict, answer| {
    let handed = book.by_tag.get(tag);
    if handed.is_some_and(|handed| handed.settled.is_some() && handed.holder == inner.name) { Ok(()) } else { answer }
});

where_it_is_stale!(SettlesMessages: |inner, book, queue, tag, verdict, answer| {
    let settled = book.by_tag.get(tag).filter(|handed| handed.settled.is_some() && handed.queue == *queue);
    if let (Some(handed), Verdict::Done) = (settled, verdict) {
        for delivery in inner.client.fetch(queue, Fetch::up_to(1).only(handed.id)).await? {
            inner.client.settle(queue, &delivery.tag, Verdict::Done).await?;
        }
    }
    answer
});

where_it_is_stale!(TakesAnothersTag: |inner, book, queue, tag, verdict, answer| {
    match book.by_tag.get(tag) {
        Some(handed) if handed.holder != inner.name => handed.client.settle(queue, tag, verdict).await,
        _ => answer,
    }
});

where_it_is_stale!(KnowsTagsWithoutTheirQueue: |inner, book, queue, tag, verdict, answer| {
    match book.by_tag.get(tag) {
        Some(handed) if handed.queue != *queue => inner.client.settle(&handed.queue, tag, verdict).await,
        _ => answer,
    }
});

#[derive(Default)]
struct SettlesAllUpToIt(Mutex<Book>);

impl Defect for SettlesAllUpToIt {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(fetch_and_note(&self.0, inner, queue, fetch))
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            settle_and_note(&self.0, inner, queue, tag, verdict.clone()).await?;
            let book = self.0.lock().await;
            for earlier in book.in_order.iter().take_while(|earlier| *earlier != tag) {
                let handed = &book.by_tag[earlier];
                if handed.holder == inner.name && handed.queue == *queue && verdict == Verdict::Done {
                    // What was settled before is stale.
                    let _ = inner.client.settle(queue, earlier, Verdict::Done).await;
                }
            }
            Ok(())
        })
    }
}

#[derive(Default)]
struct SettlesNothingBehind(Mutex<Vec<Arc<str>>>);

impl Defect for SettlesNothingBehind {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            // A new way is opened with the next fetch.
            self.0.lock().await.retain(|closed| *closed != inner.name);
            inner.client.fetch(queue, fetch).await
        })
    }

    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut closed = self.0.lock().await;
            if closed.contains(&inner.name) {
                return Err(BrokerError::stale());
            }
            let answer = inner.client.settle(queue, tag, verdict).await;
            if is_stale(&answer) {
                closed.push(Arc::clone(&inner.name));
            }
            answer
        })
    }
}

where_it_is_stale!(AnswersOkTooLate: |inner, book, queue, tag, verdict, answer| {
    let late = book.by_tag.get(tag).filter(|handed| handed.settled.is_none() && handed.queue == *queue);
    if late.is_some_and(|handed| handed.holder == inner.name) { Ok(()) } else { answer }
});

where_it_is_stale!(LetsALateDoneWin: |inner, book, queue, tag, verdict, answer| {
    let late = book.by_tag.get(tag).filter(|handed| handed.settled.is_none() && handed.holder == inner.name);
    if let (Some(late), Verdict::Done) = (late, verdict) {
        let last = book.in_order.iter().rev().find(|tag| book.by_tag[*tag].id == late.id);
        if let Some((tag, handed)) = last.map(|tag| (tag, &book.by_tag[tag])) {
            let _ = handed.client.settle(queue, tag, Verdict::Done).await;
        }
    }
    answer
});
