//! Saboteurs of leases: of those that are made longer, or shorter.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::time::{Duration, Instant};
use workwire_broker::{Answer, BrokerError, Client, Code, Delivery, Fetch, Policy, Queue, Tag};

use crate::saboteurs::{Defect, Inner, Saboteur};

pub(in crate::saboteurs) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "extends_by_its_default",
        breaks: &["LSE-12"],
        about: "takes the default of 30 s for an extension by less than nothing",
        make: || Arc::new(Reckons::by(|lease, _| if lease < 1 { 30_000 } else { lease })),
    },
    Saboteur {
        name: "extends_for_ever",
        breaks: &["LSE-7", "LSE-8"],
        about: "takes an extended lease for one without an end",
        make: || Arc::new(Reckons::by(|lease, _| if lease < 1 { lease } else { lease + 3_600_000 })),
    },
    Saboteur {
        name: "extends_by_nothing",
        breaks: &["LSE-6", "LSE-8"],
        about: "answers ok to an extension, and lets the lease end when it would have",
        make: || Arc::new(Reckons::by(|lease, left| if lease < 1 { lease } else { left.max(1) })),
    },
    Saboteur {
        name: "adds_to_what_is_left",
        breaks: &["LSE-8"],
        about: "adds an extension to what is left of the lease, and never shortens it",
        make: || Arc::new(Reckons::by(|lease, left| if lease < 1 { lease } else { lease + left })),
    },
    Saboteur {
        name: "extends_all_of_its_client",
        breaks: &["LSE-9"],
        about: "extends with a lease all that its client holds of the queue",
        make: || Arc::new(ExtendsAll::default()),
    },
    Saboteur {
        name: "extends_what_has_ended",
        breaks: &["LSE-10"],
        about: "answers ok to an extension that comes too late",
        make: || Arc::new(ExtendsWhatHasEnded::default()),
    },
    Saboteur {
        name: "extends_for_anybody",
        breaks: &["LSE-11"],
        about: "extends whatever delivery a tag names, whoever says it",
        make: || Arc::new(ExtendsForAnybody::default()),
    },
];

/// Reckons how long it extends a lease, by what is asked and what is left.
struct Reckons {
    how: fn(i64, i64) -> i64,
    leases: Mutex<HashMap<Queue, i64>>,
    ends: Mutex<HashMap<Tag, Instant>>,
}

impl Reckons {
    fn by(how: fn(i64, i64) -> i64) -> Self {
        Reckons { how, leases: Mutex::default(), ends: Mutex::default() }
    }
}

impl Defect for Reckons {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            self.leases.lock().await.insert(queue.clone(), policy.lease_ms);
            inner.client.declare(queue, policy).await
        })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let all = inner.client.fetch(queue, fetch).await?;
            let lease = self.leases.lock().await.get(queue).copied().unwrap_or_default();
            let end = Instant::now() + Duration::from_millis(u64::try_from(lease).unwrap_or(0));
            self.ends.lock().await.extend(all.iter().map(|delivery| (delivery.tag.clone(), end)));
            Ok(all)
        })
    }

    fn extend<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        Box::pin(async move {
            let end = self.ends.lock().await.get(tag).copied();
            let left = end.map_or(0, |end| end.saturating_duration_since(Instant::now()).as_millis());
            let lease_ms = (self.how)(lease_ms, i64::try_from(left).unwrap_or(0));
            inner.client.extend(queue, tag, lease_ms).await
        })
    }
}

/// A delivery that was handed out, and to whom.
struct Handed {
    queue: Queue,
    client: Arc<dyn Client>,
    holder: Arc<str>,
}

/// A defect that knows what it handed out, and does something else by that when a lease is extended.
macro_rules! when_it_extends {
    ($Name:ident: |$inner:ident, $queue:ident, $tag:ident, $lease_ms:ident, $handed:ident, $answer:ident| $instead:block) => {
        #[derive(Default)]
        struct $Name(Mutex<HashMap<Tag, Handed>>);

        impl Defect for $Name {
            fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
                Box::pin(async move {
                    let all = inner.client.fetch(queue, fetch).await?;
                    let handed = || {
                        let (client, holder) = (Arc::clone(&inner.client), Arc::clone(&inner.name));
                        Handed { queue: queue.clone(), client, holder }
                    };
                    self.0.lock().await.extend(all.iter().map(|delivery| (delivery.tag.clone(), handed())));
                    Ok(all)
                })
            }

            fn extend<'a>(
                &'a self,
                $inner: &'a Inner,
                $queue: &'a Queue,
                $tag: &'a Tag,
                $lease_ms: i64,
            ) -> Answer<'a, ()> {
                Box::pin(async move {
                    let $answer: Result<(), BrokerError> = $inner.client.extend($queue, $tag, $lease_ms).await;
                    let $handed = self.0.lock().await;
                    $instead
                })
            }
        }
    };
}

fn is_stale(answer: &Result<(), BrokerError>) -> bool {
    answer.as_ref().is_err_and(|error| error.code() == Code::Stale)
}

when_it_extends!(ExtendsAll: |inner, queue, tag, lease_ms, handed, answer| {
    if answer.is_ok() {
        for (other, _) in handed.iter().filter(|(_, handed)| handed.holder == inner.name && handed.queue == *queue) {
            // What was settled is stale.
            let _ = inner.client.extend(queue, other, lease_ms).await;
        }
    }
    answer
});

when_it_extends!(ExtendsWhatHasEnded: |inner, queue, tag, lease_ms, handed, answer| {
    let its_own = handed.get(tag).is_some_and(|handed| handed.holder == inner.name);
    if is_stale(&answer) && its_own { Ok(()) } else { answer }
});

when_it_extends!(ExtendsForAnybody: |inner, queue, tag, lease_ms, handed, answer| {
    match handed.get(tag) {
        Some(handed) if is_stale(&answer) && handed.holder != inner.name => {
            handed.client.extend(queue, tag, lease_ms).await
        }
        _ => answer,
    }
});
