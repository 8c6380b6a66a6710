//! Writes down what is done to a broker. Cases reach brokers through it alone, and nobody else adds
//! operations to a history.

mod actor;
mod restarts;
mod tape;
mod told;

use std::sync::Arc;

use workwire_broker::adapter::Finding;
use workwire_broker::{Broker, BrokerError, RestartMode};

pub use actor::Actor;
pub use told::Told;

use crate::history::{About, Answer, Call, History};
pub(crate) use restarts::Restarts;
use tape::Tape;

/// A broker whose every operation is written down.
#[derive(Clone)]
pub struct Recorder {
    broker: Arc<dyn Broker>,
    tape: Arc<Tape>,
    restarts: Arc<Restarts>,
}

impl Recorder {
    /// Begins an empty history. `prefix` is what the names of queues, tenants and clients begin with
    /// at the broker; in the history they stand without it.
    #[must_use]
    pub fn new(broker: Arc<dyn Broker>, about: About, prefix: &str) -> Self {
        Recorder { broker, tape: Arc::new(Tape::new(about, prefix)), restarts: Arc::default() }
    }

    /// Another broker that is written down into the same history.
    #[must_use]
    pub fn beside(&self, broker: Arc<dyn Broker>) -> Self {
        Recorder { broker, tape: Arc::clone(&self.tape), restarts: Arc::clone(&self.restarts) }
    }

    /// Writes down that a process was started, under this name, or why it was not.
    pub(crate) fn started(&self, name: &str, answer: Result<(), BrokerError>) -> Told<()> {
        let number = self.tape.begin(self.tape.word(name), Call::Start);
        self.tape.end(number, answer.as_ref().map(|()| Answer::Done));
        Told::new(number, answer)
    }

    /// Opens a client.
    pub async fn open(&self, name: &str) -> Told<Option<Actor>> {
        let client = self.tape.word(name);
        let number = self.tape.begin(client, Call::Open);
        let opened = self.broker.open(name).await;
        self.tape.end(number, opened.as_ref().map(|_| Answer::Done));
        Told::new(number, opened.map(|opened| Some(Actor::new(opened, name, client, Arc::clone(&self.tape)))))
    }

    /// Has the broker stop and start again.
    pub async fn restart(&self, mode: RestartMode) -> Told<()> {
        let number = self.tape.begin(self.tape.word("runner"), Call::Restart(mode));
        self.restarts.begin();
        let answer = self.broker.restart(mode).await;
        self.restarts.end();
        self.tape.end(number, answer.as_ref().map(|()| Answer::Done));
        Told::new(number, answer)
    }

    /// How long restarts have taken.
    pub(crate) fn restarts(&self) -> Arc<Restarts> {
        Arc::clone(&self.restarts)
    }

    /// Writes down what an adapter did that its protocol does not allow.
    pub(crate) fn misbehaved(&self, findings: &[Finding]) {
        for finding in findings {
            let (kind, what) = (self.tape.word(finding.kind.as_str()), self.tape.word(&finding.to_string()));
            let number = self.tape.begin(self.tape.word("adapter"), Call::Misbehaved(kind, what));
            self.tape.end(number, Ok(Answer::Done));
        }
    }

    /// The broker, for what does not belong into a history.
    #[must_use]
    pub fn broker(&self) -> &Arc<dyn Broker> {
        &self.broker
    }

    /// Adds to the history what is no operation.
    pub(crate) fn note(&self, add: impl FnOnce(&mut History)) {
        self.tape.note(add);
    }

    /// What was recorded so far.
    #[must_use]
    pub fn history(&self) -> History {
        self.tape.history()
    }
}
