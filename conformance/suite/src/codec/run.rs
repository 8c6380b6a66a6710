//! Puts the vectors to a codec, side by side, and tells what happens as a run of brokers does.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use workwire_broker::adapter::AdapterBroker;
use workwire_broker::adapter::wire::{Decoded, Kind};
use workwire_broker::{BrokerError, OpenError, clock};

use super::case::{CodecCase, Miss, cases};
use super::hostile;
use super::vector::{Expected, Vector};
use crate::anomaly::{Anomaly, Kind as Wrong};
use crate::event::{Beginning, Ended, Event, Figures, Judged};
use crate::runner::suite;
use crate::verdict::{Broken, Verdict};

/// What reads messages.
pub trait Codec: Send + Sync {
    /// Reads one strictly, and writes it again.
    fn decode(
        &self,
        kind: Kind,
        body: Bytes,
    ) -> Pin<Box<dyn Future<Output = Result<Decoded, BrokerError>> + Send + '_>>;
}

/// The codec of this project.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnCodec;

impl Codec for OwnCodec {
    fn decode(
        &self,
        kind: Kind,
        body: Bytes,
    ) -> Pin<Box<dyn Future<Output = Result<Decoded, BrokerError>> + Send + '_>> {
        Box::pin(async move { Ok(Decoded::of(kind, &body)) })
    }
}

impl Codec for AdapterBroker {
    fn decode(
        &self,
        kind: Kind,
        body: Bytes,
    ) -> Pin<Box<dyn Future<Output = Result<Decoded, BrokerError>> + Send + '_>> {
        Box::pin(AdapterBroker::decode(self, kind, body))
    }
}

/// How many vectors are put to it at a time.
const AT_ONCE: usize = 16;

/// So many misses of a case are told.
const TOLD: usize = 10;

/// Judges a codec by the cases of the role that are wanted.
///
/// # Errors
/// Where it reads no messages at all.
pub async fn run(
    codec: Arc<dyn Codec>,
    target: Judged,
    wanted: impl Fn(&CodecCase) -> bool,
    events: mpsc::UnboundedSender<Event>,
) -> Result<(), OpenError> {
    let start = Instant::now();
    let probe = codec.decode(Kind::Envelope, Bytes::from_static(b"{}")).await;
    if let Err(error) = probe {
        return Err(OpenError::setup(format!("{} does not answer `decode`: {error}", target.address)));
    }
    let all: Vec<&'static CodecCase> = cases().iter().filter(|case| wanted(case)).collect();
    let _ = events.send(Event::Began(Beginning {
        suite: suite(),
        target,
        seed: 0,
        started_at: clock::timestamp(clock::Clock::now(&clock::SystemClock)).to_string(),
        cases: all.len(),
        figures: Figures::default(),
    }));
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    for case in all {
        if events.is_closed() {
            break;
        }
        let _ = events.send(Event::CaseBegan { id: &case.id });
        let ended = judged(case, &codec, &slots).await;
        let _ = events.send(Event::CaseEnded(Box::new(ended)));
    }
    let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let _ = events.send(Event::Ended { duration_ms, broken_off: events.is_closed() });
    Ok(())
}

async fn judged(case: &'static CodecCase, codec: &Arc<dyn Codec>, slots: &Arc<Semaphore>) -> Ended {
    let start = Instant::now();
    let mut answers = JoinSet::new();
    for (place, vector) in case.vectors.iter().enumerate() {
        let (codec, slots) = (Arc::clone(codec), Arc::clone(slots));
        answers.spawn(async move {
            let _slot = slots.acquire_owned().await;
            (place, answer(case, vector, &*codec).await)
        });
    }
    let mut told: Vec<(usize, Told)> = Vec::with_capacity(case.vectors.len());
    while let Some(answer) = answers.join_next().await {
        told.extend(answer.ok());
    }
    // Answers come in any order, and a report says the same each time.
    told.sort_by_key(|(place, _)| *place);
    let mut outcome = Outcome::default();
    for (_, told) in told {
        outcome.add(told);
    }
    if case.clauses[0] == hostile::CLAUSE {
        for (name, kind, body) in hostile::inputs() {
            let answer = codec.decode(kind, body).await;
            outcome.add(hostile::judged(name, answer));
        }
    }
    outcome.ended(case, start)
}

/// What came of one vector.
pub(super) enum Told {
    Right,
    Wrong(Miss),
    NoAnswer(String),
}

async fn answer(case: &CodecCase, vector: &Vector, codec: &dyn Codec) -> Told {
    let told = judged_answer(case, vector, codec.decode(vector.kind, vector.body.clone()).await);
    let (Told::Right, true, Expected::Accepted { canonical }) = (&told, case.again, &vector.expected) else {
        return told;
    };
    // What was written is read again, and written as it is.
    judged_answer(case, vector, codec.decode(vector.kind, Bytes::from(canonical.clone())).await)
}

pub(super) fn judged_answer(case: &CodecCase, vector: &Vector, answer: Result<Decoded, BrokerError>) -> Told {
    match answer {
        Ok(decoded) => case.judge(vector, &decoded).map_or(Told::Right, Told::Wrong),
        Err(error) if case.clauses[0] == hostile::CLAUSE => Told::Wrong(Miss {
            vector: vector.name.clone(),
            expected: "an answer, whatever it is".to_owned(),
            found: error.to_string(),
        }),
        Err(error) => Told::NoAnswer(format!("{}: {error}", vector.name)),
    }
}

/// What came of all vectors of a case.
#[derive(Default)]
pub(super) struct Outcome {
    looked_at: usize,
    missed: usize,
    broken: Vec<Miss>,
    unknown: Option<String>,
}

impl Outcome {
    pub(super) fn add(&mut self, told: Told) {
        match told {
            Told::Right => self.looked_at += 1,
            Told::Wrong(miss) => {
                self.looked_at += 1;
                self.missed += 1;
                if self.broken.len() < TOLD {
                    self.broken.push(miss);
                }
            }
            Told::NoAnswer(why) => drop(self.unknown.get_or_insert(why)),
        }
    }

    pub(super) fn verdict(&self) -> (Verdict, String) {
        match (&self.broken[..], &self.unknown) {
            ([first, ..], _) => {
                let all = self.looked_at;
                let why = format!(
                    "{} of {all} vectors; {}: expected {}, found {}",
                    self.missed, first.vector, first.expected, first.found
                );
                (Verdict::Fail, why)
            }
            ([], Some(why)) => (Verdict::Unknown, why.clone()),
            ([], None) if self.looked_at == 0 => (Verdict::Unknown, "nothing was read".to_owned()),
            ([], None) => (Verdict::Pass, String::new()),
        }
    }

    fn ended(self, case: &'static CodecCase, start: Instant) -> Ended {
        let (verdict, reason) = self.verdict();
        let broken = |miss: Miss| Broken {
            clause: case.clauses[0].to_owned(),
            anomaly: Anomaly {
                kind: Wrong::Demand,
                operations: Vec::new(),
                expected: format!("{}: {}", miss.vector, miss.expected),
                found: miss.found,
                timing: false,
            },
        };
        Ended {
            id: &case.id,
            clauses: &case.clauses,
            must: case.is_must(),
            verdict,
            reason,
            broken: self.broken.into_iter().map(broken).collect(),
            duration_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            history: None,
            log: String::new(),
            figure: None,
        }
    }
}
