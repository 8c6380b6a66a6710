//! Somebody between a runner and an honest adapter, who hears what is asked and spoils what is
//! answered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use workwire_broker::{Broker, Capabilities, Code, MemoryBroker};

use crate::between::{self, Between, Said};
use crate::oddities::Claims;
use crate::saboteurs::{Defect, Layered};
use crate::subject::Reaching;

/// What is said for an answer to a request.
type Spoil = fn(&Value, Value) -> Vec<Said>;

/// Which answers are spoiled, and how.
#[derive(Clone, Copy)]
pub(super) struct Spoiler {
    claims: Option<Capabilities>,
    methods: &'static [&'static str],
    spoil: Spoil,
    delay: Duration,
}

impl Spoiler {
    /// Spoils the answers of these methods.
    pub(super) fn of(methods: &'static [&'static str], spoil: Spoil) -> Arc<dyn Defect> {
        Arc::new(Spoiler { claims: None, methods, spoil, delay: Duration::ZERO })
    }

    /// The same, of a broker that claims no more than this.
    pub(super) fn claiming(claims: Capabilities, methods: &'static [&'static str], spoil: Spoil) -> Arc<dyn Defect> {
        Arc::new(Spoiler { claims: Some(claims), methods, spoil, delay: Duration::ZERO })
    }

    /// Requests of these methods come later.
    pub(super) fn delaying(methods: &'static [&'static str], delay: Duration) -> Arc<dyn Defect> {
        Arc::new(Spoiler { claims: None, methods, spoil: |_, answer| vec![line(&answer)], delay })
    }
}

impl Defect for Spoiler {
    fn reach(&self) -> Option<Reaching> {
        let memory: Arc<dyn Broker> = Arc::new(MemoryBroker::default());
        let broker = match self.claims {
            Some(claims) => Arc::new(Layered::new(memory, Arc::new(Claims(claims)))),
            None => memory,
        };
        Some(between::served_through(broker, Spoiling { how: *self, asked: HashMap::new() }))
    }
}

struct Spoiling {
    how: Spoiler,
    /// The requests whose answers are to be spoiled.
    asked: HashMap<u64, Value>,
}

/// What every line says of itself.
#[derive(Deserialize)]
struct Named<'a> {
    id: Option<u64>,
    #[serde(default)]
    method: &'a str,
}

impl Between for Spoiling {
    fn asked(&mut self, line: String) -> (Duration, String) {
        let mut delay = Duration::ZERO;
        if let Ok(Named { id: Some(id), method }) = serde_json::from_str(&line)
            && self.how.methods.contains(&method)
        {
            self.asked.insert(id, serde_json::from_str(&line).unwrap_or_default());
            delay = self.how.delay;
        }
        (delay, line)
    }

    fn answered(&mut self, line: String) -> Vec<Said> {
        let id = serde_json::from_str::<Named<'_>>(&line).ok().and_then(|named| named.id);
        match id.and_then(|id| self.asked.remove(&id)) {
            Some(request) => (self.how.spoil)(&request, serde_json::from_str(&line).unwrap_or_default()),
            None => vec![Said::Line(line.into_bytes())],
        }
    }
}

/// A line, as it is.
pub(super) fn line(said: &Value) -> Said {
    Said::Line(said.to_string().into_bytes())
}

/// The same answer with another result; a refusal stays what it is.
pub(super) fn replaced(mut answer: Value, result: Value) -> Vec<Said> {
    if let Some(place) = answer.get_mut("result") {
        *place = result;
    }
    vec![line(&answer)]
}

/// What an answer refuses with.
pub(super) fn code_of(answer: &Value) -> Option<Code> {
    Code::of_number(answer["error"]["code"].as_i64()?)
}
