//! Saboteurs of limits: of bodies, numbers and names.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use workwire_broker::{
    Answer, BrokerError, Code, Delivery, Depth, Fetch, Message, Peek, Peeked, Policy, Queue, Stored, Tag, Verdict,
    check_name,
};

use super::super::{Defect, Inner, Saboteur};

pub(in crate::saboteurs) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "cuts_what_is_too_long",
        breaks: &["LIM-13", "LIM-14"],
        about: "cuts a body at its limit, and stores the rest",
        make: || Arc::new(CutsWhatIsTooLong),
    },
    Saboteur {
        name: "does_not_say_how_long",
        breaks: &["LIM-14"],
        about: "says of a body that it is too long, and not how long it may be",
        make: || Arc::new(DoesNotSayHowLong),
    },
    Saboteur {
        name: "the_limit_is_too_much",
        breaks: &["LIM-15"],
        about: "refuses a body as long as the limit",
        make: || Arc::new(TheLimitIsTooMuch),
    },
    Saboteur {
        name: "brings_priorities_into_range",
        breaks: &["LIM-16"],
        about: "takes the nearest priority that there is",
        make: || Arc::new(BringsPrioritiesIntoRange::default()),
    },
    Saboteur {
        name: "the_most_urgent_is_too_much",
        breaks: &["LIM-16"],
        about: "refuses the highest priority that a queue has",
        make: || Arc::new(TheMostUrgentIsTooMuch::default()),
    },
    Saboteur {
        name: "no_ttl_is_for_ever",
        breaks: &["LIM-17"],
        about: "takes a time to live that is none for no limit",
        make: || Arc::new(NoTtlIsForEver),
    },
    Saboteur {
        name: "a_past_delay_is_none",
        breaks: &["LIM-18"],
        about: "takes a delay into the past for none",
        make: || Arc::new(APastDelayIsNone),
    },
    Saboteur {
        name: "no_delay_is_no_number",
        breaks: &["LIM-18"],
        about: "refuses a delay of 0",
        make: || Arc::new(NoDelayIsNoNumber),
    },
    Saboteur {
        name: "a_past_retry_is_at_once",
        breaks: &["LIM-19"],
        about: "takes a rest into the past for none",
        make: || Arc::new(APastRetryIsAtOnce),
    },
    Saboteur {
        name: "nothing_is_as_many_as_there_are",
        breaks: &["LIM-20"],
        about: "takes a fetch of 0 for one of as many as there are",
        make: || Arc::new(NothingIsAsManyAsThereAre),
    },
    Saboteur {
        name: "no_lease_is_the_lease_as_it_was",
        breaks: &["LIM-21"],
        about: "answers ok to an extension to nothing",
        make: || Arc::new(NoLeaseIsTheLeaseAsItWas),
    },
    Saboteur {
        name: "declares_before_it_checks",
        breaks: &["LIM-22"],
        about: "makes a queue, and finds then that its policy is none",
        make: || Arc::new(DeclaresBeforeItChecks),
    },
    Saboteur {
        name: "escapes_names",
        breaks: &["LIM-23"],
        about: "writes a line for each character that it does not allow in a queue's name",
        make: || Arc::new(Renames(escaped)),
    },
    Saboteur {
        name: "cuts_and_folds_names",
        breaks: &["LIM-23"],
        about: "cuts and folds a queue's name until it is one",
        make: || Arc::new(Renames(folded)),
    },
    Saboteur {
        name: "folds_names_to_look",
        breaks: &["LIM-23"],
        about: "cuts and folds the name of a queue that somebody looks into",
        make: || Arc::new(FoldsNamesToLook),
    },
    Saboteur {
        name: "long_names_are_none",
        breaks: &["LIM-24"],
        about: "refuses a queue's name of more than 90 characters",
        make: || Arc::new(LongNamesAreNone),
    },
    Saboteur {
        name: "escapes_groups",
        breaks: &["LIM-25"],
        about: "writes a line for each character that it does not allow in a group's name",
        make: || Arc::new(EscapesGroups),
    },
    Saboteur {
        name: "cuts_groups",
        breaks: &["LIM-26"],
        about: "cuts a group's name after 100 characters",
        make: || Arc::new(CutsGroups),
    },
    Saboteur {
        name: "nobody_is_called_so",
        breaks: &["LIM-27"],
        about: "takes a recipient that is no name for nobody",
        make: || Arc::new(NobodyIsCalledSo),
    },
];

struct CutsWhatIsTooLong;

impl Defect for CutsWhatIsTooLong {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let limit = usize::try_from(inner.broker.about().limits.max_message_bytes).unwrap_or(usize::MAX);
        let body = message.body.slice(..message.body.len().min(limit));
        inner.client.publish(queue, Message { body, ..message })
    }
}

struct DoesNotSayHowLong;

impl Defect for DoesNotSayHowLong {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let is_too_long =
            u64::try_from(message.body.len()).is_ok_and(|l| l > inner.broker.about().limits.max_message_bytes);
        if is_too_long {
            return Box::pin(std::future::ready(Err(BrokerError::invalid("the body is too long"))));
        }
        inner.client.publish(queue, message)
    }
}

struct TheLimitIsTooMuch;

impl Defect for TheLimitIsTooMuch {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let limit = inner.broker.about().limits.max_message_bytes;
        if u64::try_from(message.body.len()).is_ok_and(|length| length == limit) {
            let why = format!("body: expected less than {limit} bytes, found {limit}");
            return Box::pin(std::future::ready(Err(BrokerError::invalid(why))));
        }
        inner.client.publish(queue, message)
    }
}

/// The highest priority of each queue.
#[derive(Default)]
struct BringsPrioritiesIntoRange(Mutex<HashMap<Queue, i64>>);

impl Defect for BringsPrioritiesIntoRange {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(queue.clone(), policy.max_priority);
        inner.client.declare(queue, policy)
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let most = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(queue).copied().unwrap_or(5).max(1);
        let priority = message.priority.map(|priority| priority.clamp(1, most));
        inner.client.publish(queue, Message { priority, ..message })
    }
}

/// The highest priority of each queue.
#[derive(Default)]
struct TheMostUrgentIsTooMuch(Mutex<HashMap<Queue, i64>>);

impl Defect for TheMostUrgentIsTooMuch {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(queue.clone(), policy.max_priority);
        inner.client.declare(queue, policy)
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let most = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(queue).copied();
        if most.is_some() && message.priority == most {
            let why = "priority: expected less than the queue's max_priority";
            return Box::pin(std::future::ready(Err(BrokerError::invalid(why))));
        }
        inner.client.publish(queue, message)
    }
}

struct NoTtlIsForEver;

impl Defect for NoTtlIsForEver {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let ttl_ms = message.ttl_ms.filter(|ttl| *ttl > 0);
        inner.client.publish(queue, Message { ttl_ms, ..message })
    }
}

struct APastDelayIsNone;

impl Defect for APastDelayIsNone {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let delay_ms = message.delay_ms.filter(|delay| *delay > 0);
        inner.client.publish(queue, Message { delay_ms, ..message })
    }
}

struct NoDelayIsNoNumber;

impl Defect for NoDelayIsNoNumber {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        if message.delay_ms == Some(0) {
            let why = "delay_ms: expected at least 1, found 0";
            return Box::pin(std::future::ready(Err(BrokerError::invalid(why))));
        }
        inner.client.publish(queue, message)
    }
}

struct APastRetryIsAtOnce;

impl Defect for APastRetryIsAtOnce {
    fn settle<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> Answer<'a, ()> {
        let verdict = match verdict {
            Verdict::Retry { delay_ms: Some(delay), reason } => Verdict::Retry { delay_ms: Some(delay.max(0)), reason },
            other => other,
        };
        inner.client.settle(queue, tag, verdict)
    }
}

struct NothingIsAsManyAsThereAre;

impl Defect for NothingIsAsManyAsThereAre {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let max = if fetch.max == 0 { u32::MAX } else { fetch.max };
        inner.client.fetch(queue, Fetch { max, ..fetch })
    }
}

struct NoLeaseIsTheLeaseAsItWas;

impl Defect for NoLeaseIsTheLeaseAsItWas {
    fn extend<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> Answer<'a, ()> {
        if lease_ms < 1 {
            return Box::pin(std::future::ready(Ok(())));
        }
        inner.client.extend(queue, tag, lease_ms)
    }
}

struct DeclaresBeforeItChecks;

impl Defect for DeclaresBeforeItChecks {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            let answer = inner.client.declare(queue, policy).await;
            if answer.as_ref().is_err_and(|error| error.code() == Code::Invalid) && queue.check().is_ok() {
                // Where it is there already, it stays as it is.
                let _ = inner.client.declare(queue, &Policy { max_attempts: 1, ..Policy::default() }).await;
            }
            answer
        })
    }
}

/// Makes a name of what is none.
struct Renames(fn(&str) -> String);

impl Renames {
    fn renamed(&self, queue: &Queue) -> Queue {
        match queue.tenant() {
            Some(_) => queue.clone(),
            None if queue.check().is_ok() => queue.clone(),
            None => Queue::new(self.0(queue.name())),
        }
    }
}

fn escaped(name: &str) -> String {
    let allowed = |c: char| if matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-') { c } else { '_' };
    name.chars().map(allowed).collect()
}

fn folded(name: &str) -> String {
    name.trim().trim_end_matches('\0').to_lowercase().chars().take(100).collect()
}

impl Defect for Renames {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move { inner.client.declare(&self.renamed(queue), policy).await })
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move { inner.client.publish(&self.renamed(queue), message).await })
    }

    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move { inner.client.fetch(&self.renamed(queue), fetch).await })
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move { inner.client.depth(&self.renamed(queue), group).await })
    }
}

struct FoldsNamesToLook;

impl Defect for FoldsNamesToLook {
    fn peek<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, peek: Peek) -> Answer<'a, Vec<Peeked>> {
        Box::pin(async move {
            if peek.max == 0 {
                return Err(BrokerError::invalid("max: expected at least 1, found 0"));
            }
            inner.client.peek(&Renames(folded).renamed(queue), peek).await
        })
    }
}

struct LongNamesAreNone;

impl Defect for LongNamesAreNone {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        if queue.name().len() > 90 {
            return Box::pin(std::future::ready(Err(BrokerError::invalid("the name is too long"))));
        }
        inner.client.declare(queue, policy)
    }
}

struct EscapesGroups;

impl Defect for EscapesGroups {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let allowed = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' };
        let group = fetch.group.map(|group| group.chars().map(allowed).collect());
        inner.client.fetch(queue, Fetch { group, ..fetch })
    }
}

struct CutsGroups;

impl Defect for CutsGroups {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        let is_name = fetch.group.as_ref().is_some_and(|group| group.len() <= 128 && group.is_ascii());
        let cut = |group: String| if is_name { group.chars().take(100).collect() } else { group };
        inner.client.fetch(queue, Fetch { group: fetch.group.map(cut), ..fetch })
    }
}

struct NobodyIsCalledSo;

impl Defect for NobodyIsCalledSo {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        let to = message.to.filter(|to| check_name("to", to).is_ok());
        inner.client.publish(queue, Message { to, ..message })
    }
}
