//! Trivial brokers: they do nothing at all, each in its own way. A case that one of them passes looks
//! at nothing.

use std::sync::Arc;

use serde_json::{Value, json};
use workwire_broker::{Answer, BrokerError, Capability, Code, MemoryBroker};

use crate::between;
use crate::oddities::{Around, Turn};
use crate::saboteurs::Layered;
use crate::subject::{Reached, Reaching, Subject};

/// A broker that does nothing.
#[derive(Debug, Clone, Copy)]
pub struct Trivial {
    /// Its name.
    pub name: &'static str,
    /// What it does instead, in one sentence.
    pub about: &'static str,
    /// Makes it anew.
    pub reach: fn() -> Reaching,
}

impl Trivial {
    /// The broker, anew for each case.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject::reached_on_paused_time(format!("trivial:{}", self.name), self.reach)
    }
}

/// Every one of them.
#[must_use]
pub fn all() -> Vec<&'static Trivial> {
    TRIVIAL.iter().collect()
}

const TRIVIAL: &[Trivial] = &[
    Trivial { name: "never_answers", about: "answers nothing", reach: || turned(Never) },
    Trivial { name: "refuses", about: "refuses everything", reach: || turned(Refuses(Code::Invalid)) },
    Trivial { name: "knows_nothing", about: "finds nothing", reach: || turned(Refuses(Code::NotFound)) },
    Trivial { name: "cannot", about: "can do nothing of what it claims", reach: || turned(Refuses(Code::Unsupported)) },
    Trivial { name: "is_away", about: "is never there", reach: || turned(Refuses(Code::Unavailable)) },
    Trivial {
        name: "silent_adapter",
        about: "says what it can do, and nothing more",
        reach: || between::answering(|method, _| said_first(method)),
    },
    Trivial {
        name: "agreeing_adapter",
        about: "agrees to everything, and does nothing",
        reach: || between::answering(|method, params| said_first(method).or_else(|| Some(Ok(agreed(method, params))))),
    },
    Trivial {
        name: "refusing_adapter",
        about: "says what it can do, and refuses everything",
        reach: || between::answering(|method, _| said_first(method).or_else(|| Some(Err(refused())))),
    },
];

fn turned(turn: impl Turn + 'static) -> Reaching {
    let broker = Layered::new(Arc::new(MemoryBroker::default()), Arc::new(Around(turn)));
    Box::pin(std::future::ready(Ok(Reached::bare(Arc::new(broker)))))
}

struct Never;

impl Turn for Never {
    fn turn<'a, T: Send + 'a>(&'a self, _: Answer<'a, T>) -> Answer<'a, T> {
        Box::pin(std::future::pending())
    }
}

struct Refuses(Code);

impl Turn for Refuses {
    fn turn<'a, T: Send + 'a>(&'a self, _: Answer<'a, T>) -> Answer<'a, T> {
        Box::pin(std::future::ready(Err(BrokerError::new(self.0, "no"))))
    }
}

/// Without this, nobody would ask anything.
fn said_first(method: &str) -> Option<Result<Value, Value>> {
    let all: Vec<&str> = Capability::ALL.iter().map(|capability| capability.as_str()).collect();
    let initialized = json!({"contract": "1", "name": "trivial", "version": "0", "capabilities": all});
    (method == "initialize").then_some(Ok(initialized))
}

fn refused() -> Value {
    json!({"code": Code::Invalid.number(), "message": "no"})
}

/// The right shape, and nothing in it.
fn agreed(method: &str, params: &Value) -> Value {
    match method {
        "publish" => json!({"outcome": "stored"}),
        "publish_batch" => {
            let count = params["items"].as_array().map_or(0, Vec::len);
            json!({"outcomes": vec!["stored"; count]})
        }
        "fetch" => json!({"deliveries": []}),
        "peek" => json!({"messages": []}),
        "depth" => json!({"ready": 0, "leased": 0, "delayed": 0, "dead": 0}),
        "dead_letters" => json!({"letters": []}),
        "purge" => json!({"removed": 0}),
        "sweep" => json!({"expired": 0}),
        "agents" => json!({"agents": []}),
        _ => json!({}),
    }
}
