//! Saboteurs of delivery: of queues, policies and clients.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;
use workwire_broker::{
    Answer, Broker, BrokerError, Client, CloseMode, Code, Delivery, Depth, Fetch, Message, Policy, Purge, Queue, Stored,
};

use crate::saboteurs::{Defect, Inner, Saboteur};

pub(in crate::saboteurs) const SABOTEURS: &[Saboteur] = &[
    Saboteur {
        name: "takes_underscores_for_hyphens",
        breaks: &["DEL-14"],
        about: "serves an empty queue from the one whose name has hyphens for underscores",
        make: || Arc::new(TakesUnderscores),
    },
    Saboteur {
        name: "drops_what_has_no_queue",
        breaks: &["DEL-26"],
        about: "answers `stored` to a message that no queue is there for",
        make: || Arc::new(DropsWhatHasNoQueue),
    },
    Saboteur {
        name: "takes_an_undeclared_queue_for_empty",
        breaks: &["DEL-27"],
        about: "finds nothing where there is no queue, instead of saying so",
        make: || Arc::new(TakesItForEmpty),
    },
    Saboteur {
        name: "keeps_what_it_refused",
        breaks: &["DEL-28"],
        about: "writes a message before it looks whether it may, and leaves it there",
        make: || Arc::new(KeepsWhatItRefused::default()),
    },
    Saboteur {
        name: "mends_names",
        breaks: &["DEL-29"],
        about: "makes small letters of capitals in the names of queues",
        make: || Arc::new(MendsNames),
    },
    Saboteur {
        name: "mends_policies",
        breaks: &["DEL-30"],
        about: "takes the default where a number of a policy is out of its range",
        make: || Arc::new(MendsPolicies),
    },
    Saboteur {
        name: "says_only_that_it_is_invalid",
        breaks: &["DEL-31"],
        about: "refuses without saying what is wrong",
        make: || Arc::new(SaysOnlyInvalid),
    },
    Saboteur {
        name: "empties_what_is_declared_again",
        breaks: &["DEL-32"],
        about: "makes a queue anew whenever it is declared",
        make: || Arc::new(EmptiesWhatIsDeclaredAgain),
    },
    Saboteur {
        name: "passes_over_another_policy",
        breaks: &["DEL-33"],
        about: "answers ok to another policy, and keeps the first",
        make: || Arc::new(PassesOverAnotherPolicy),
    },
    Saboteur {
        name: "keeps_the_policy_that_it_refused",
        breaks: &["DEL-34"],
        about: "refuses another policy, and has written it down by then",
        make: || Arc::new(KeepsThePolicyItRefused::default()),
    },
    Saboteur {
        name: "lets_two_in_by_one_name",
        breaks: &["DEL-35"],
        about: "opens a client whose name is in use",
        make: || Arc::new(LetsTwoIn),
    },
    Saboteur {
        name: "takes_messages_of_who_has_left",
        breaks: &["DEL-36"],
        about: "goes on storing what a closed client publishes",
        make: || Arc::new(TakesMessagesOfWhoHasLeft),
    },
];

/// Whether it was refused so.
fn is<T>(answer: &Result<T, BrokerError>, code: Code) -> bool {
    answer.as_ref().is_err_and(|error| error.code() == code)
}

struct TakesUnderscores;

impl Defect for TakesUnderscores {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let twin = Queue::new(queue.name().replace('_', "-"));
            let all = inner.client.fetch(queue, fetch.clone()).await?;
            if all.is_empty() && twin.name() != queue.name() && queue.tenant().is_none() {
                return Ok(inner.client.fetch(&twin, fetch).await.unwrap_or_default());
            }
            Ok(all)
        })
    }
}

struct DropsWhatHasNoQueue;

impl Defect for DropsWhatHasNoQueue {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let answer = inner.client.publish(queue, message).await;
            if is(&answer, Code::NotFound) { Ok(Stored::Stored) } else { answer }
        })
    }
}

struct TakesItForEmpty;

impl Defect for TakesItForEmpty {
    fn fetch<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, fetch: Fetch) -> Answer<'a, Vec<Delivery>> {
        Box::pin(async move {
            let answer = inner.client.fetch(queue, fetch).await;
            if is(&answer, Code::NotFound) { Ok(Vec::new()) } else { answer }
        })
    }

    fn depth<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, group: Option<&'a str>) -> Answer<'a, Depth> {
        Box::pin(async move {
            let answer = inner.client.depth(queue, group).await;
            if is(&answer, Code::NotFound) { Ok(Depth::default()) } else { answer }
        })
    }
}

#[derive(Default)]
struct KeepsWhatItRefused(Mutex<HashMap<Queue, Vec<Message>>>);

impl Defect for KeepsWhatItRefused {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            inner.client.declare(queue, policy).await?;
            for message in self.0.lock().await.remove(queue).unwrap_or_default() {
                inner.client.publish(queue, message).await?;
            }
            Ok(())
        })
    }

    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let answer = inner.client.publish(queue, message.clone()).await;
            if is(&answer, Code::NotFound) {
                self.0.lock().await.entry(queue.clone()).or_default().push(message);
            } else if is(&answer, Code::Invalid) && message.priority.is_some() {
                let _ = inner.client.publish(queue, Message { priority: None, ..message }).await;
            }
            answer
        })
    }
}

struct MendsNames;

impl Defect for MendsNames {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            let small = Queue::new(queue.name().to_ascii_lowercase());
            let queue = if queue.tenant().is_none() { &small } else { queue };
            inner.client.declare(queue, policy).await
        })
    }
}

struct MendsPolicies;

impl Defect for MendsPolicies {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            let answer = inner.client.declare(queue, policy).await;
            if is(&answer, Code::Invalid) && policy.check().is_err() {
                return inner.client.declare(queue, &Policy::default()).await;
            }
            answer
        })
    }
}

struct SaysOnlyInvalid;

impl Defect for SaysOnlyInvalid {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            let answer = inner.client.declare(queue, policy).await;
            if is(&answer, Code::Invalid) { Err(BrokerError::invalid("bad request")) } else { answer }
        })
    }
}

struct EmptiesWhatIsDeclaredAgain;

impl Defect for EmptiesWhatIsDeclaredAgain {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            inner.client.declare(queue, policy).await?;
            inner.client.purge(queue, Purge::default()).await.map(drop)
        })
    }
}

struct PassesOverAnotherPolicy;

impl Defect for PassesOverAnotherPolicy {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            let answer = inner.client.declare(queue, policy).await;
            if is(&answer, Code::Conflict) { Ok(()) } else { answer }
        })
    }
}

#[derive(Default)]
struct KeepsThePolicyItRefused(Mutex<HashMap<Queue, Policy>>);

impl Defect for KeepsThePolicyItRefused {
    fn declare<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, policy: &'a Policy) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut written = self.0.lock().await;
            if let Some(written) = written.get(queue) {
                return if written == policy { Ok(()) } else { Err(BrokerError::conflict("another policy")) };
            }
            let answer = inner.client.declare(queue, policy).await;
            if is(&answer, Code::Conflict) {
                written.insert(queue.clone(), policy.clone());
            }
            answer
        })
    }

    fn delete<'a>(&'a self, inner: &'a Inner, queue: &'a Queue) -> Answer<'a, ()> {
        Box::pin(async move {
            self.0.lock().await.remove(queue);
            inner.client.delete(queue).await
        })
    }
}

struct LetsTwoIn;

impl Defect for LetsTwoIn {
    fn open<'a>(&'a self, broker: &'a Arc<dyn Broker>, name: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async move {
            let answer = broker.open(name).await;
            if is(&answer, Code::Conflict) { broker.open(&format!("{name}-2")).await } else { answer }
        })
    }
}

struct TakesMessagesOfWhoHasLeft;

impl Defect for TakesMessagesOfWhoHasLeft {
    fn publish<'a>(&'a self, inner: &'a Inner, queue: &'a Queue, message: Message) -> Answer<'a, Stored> {
        Box::pin(async move {
            let answer = inner.client.publish(queue, message.clone()).await;
            if !is(&answer, Code::NotFound) {
                return answer;
            }
            let heir = inner.broker.open(&format!("heir-{}", fastrand::u64(..))).await?;
            let answer = heir.publish(queue, message).await;
            heir.close(CloseMode::Graceful).await?;
            answer
        })
    }
}
