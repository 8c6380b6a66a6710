//! A broker that does not answer is left alone for a while: a circuit breaker, and a client behind one.
//!
//! It is written out here: the breakers that there are as crates take their time from the machine
//! alone, or let several probes through at once.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use workwire::ErrorCode;

use crate::clock::{Clock, Millis, RuntimeClock};
use crate::contract::{
    Answer, Client, CloseMode, Delivery, Depth, Fetch, Letter, Message, Peek, Peeked, Purge, Push, Stored, Tag, Verdict,
};
use crate::error::BrokerError;
use crate::face::millis;
use crate::policy::Policy;
use crate::presence::{AgentState, Update};
use crate::queue::Queue;

/// So many failures in a row open a circuit where nothing is said.
pub const BREAKER_FAILURES: u32 = 5;

/// So long a circuit stays open before a probe is let through where nothing is said.
pub const BREAKER_REST: Duration = Duration::from_mins(1);

/// Whether a circuit lets operations through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Circuit {
    /// All of them.
    Closed,
    /// None.
    Open,
    /// One, to see whether the others would fare better now.
    HalfOpen,
}

#[derive(Debug)]
enum State {
    Closed { failures: u32 },
    Open { until: Millis },
    Probing,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// Counts the changes of state: what was let through before the last one says nothing any more.
    era: u64,
}

/// Opens after so many failures in a row, and lets a single probe through when it has rested: its
/// success closes it, its failure opens it again.
///
/// ```
/// use std::sync::Arc;
/// use workwire_broker::clock::ManualClock;
/// use workwire_broker::{Circuit, CircuitBreaker};
///
/// let clock = ManualClock::at(0);
/// let breaker = CircuitBreaker::default().with_clock(Arc::new(clock.clone()));
/// for _ in 0..5 {
///     breaker.enter()?.failed();
/// }
/// assert!(breaker.enter().is_err());
/// clock.advance(60_000);
/// assert_eq!(breaker.circuit(), Circuit::HalfOpen);
/// breaker.enter()?.succeeded();
/// assert_eq!(breaker.circuit(), Circuit::Closed);
/// # Ok::<(), workwire_broker::BrokerError>(())
/// ```
pub struct CircuitBreaker {
    failures: u32,
    rest: Duration,
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

impl CircuitBreaker {
    /// Opens after so many failures in a row, for so long.
    #[must_use]
    pub fn new(failures: u32, rest: Duration) -> Self {
        let inner = Mutex::new(Inner { state: State::Closed { failures: 0 }, era: 0 });
        CircuitBreaker { failures: failures.max(1), rest, clock: Arc::new(RuntimeClock::new()), inner }
    }

    /// The same with another clock than the runtime's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        CircuitBreaker { clock, ..self }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Each change is one assignment: it is whole whatever happened to who made it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it lets operations through.
    #[must_use]
    pub fn circuit(&self) -> Circuit {
        match self.inner().state {
            State::Closed { .. } => Circuit::Closed,
            State::Open { until } if self.clock.now() < until => Circuit::Open,
            State::Open { .. } | State::Probing => Circuit::HalfOpen,
        }
    }

    /// Asks to be let through. Who was must say how it went; a pass that is dropped says nothing, and
    /// makes room for another probe.
    ///
    /// # Errors
    /// `unavailable` with the protocol's code 3001 where the circuit is open, or another's probe is on
    /// its way. Nothing was sent then.
    pub fn enter(&self) -> Result<Pass<'_>, BrokerError> {
        let now = self.clock.now();
        let mut inner = self.inner();
        match inner.state {
            State::Closed { .. } => {}
            State::Open { until } if now < until => return Err(self.refusal(until - now)),
            State::Open { .. } => inner.change(State::Probing),
            State::Probing => return Err(self.refusal(0)),
        }
        Ok(Pass { breaker: self, era: inner.era, is_open: true })
    }

    fn refusal(&self, left: Millis) -> BrokerError {
        let code = ErrorCode::BROKER_UNAVAILABLE;
        let next = match left {
            0 => "a probe is on its way".to_owned(),
            left => format!("the next probe is let through in {left} ms"),
        };
        BrokerError::unavailable(format!(
            "broker unavailable ({}): the circuit is open after {} failures in a row, and nothing was sent; {next}",
            code.get(),
            self.failures
        ))
        .with_data(json!({"error_code": code.get(), "retry_after_ms": left}))
    }

    /// Lets an operation through, and judges it: what is indefinite is a failure, and what was refused
    /// a success, since a broker that refuses answers.
    ///
    /// # Errors
    /// The operation's, and that of [`enter`](Self::enter).
    pub async fn call<T>(&self, operation: impl Future<Output = Result<T, BrokerError>>) -> Result<T, BrokerError> {
        self.judge(operation, |_| false).await
    }

    /// The same, where an answer can hold failures too.
    async fn judge<T>(
        &self,
        operation: impl Future<Output = Result<T, BrokerError>>,
        is_failure: impl FnOnce(&T) -> bool,
    ) -> Result<T, BrokerError> {
        let pass = self.enter()?;
        let answer = operation.await;
        let failed = match &answer {
            Ok(answer) => is_failure(answer),
            Err(error) => error.is_indefinite(),
        };
        if failed {
            pass.failed();
        } else {
            pass.succeeded();
        }
        answer
    }

    fn end(&self, era: u64, end: End) {
        let open = || State::Open { until: self.clock.now().saturating_add(millis(self.rest)) };
        let mut inner = self.inner();
        if inner.era != era {
            return;
        }
        match (&mut inner.state, end) {
            (State::Closed { failures }, End::Failed) => {
                *failures += 1;
                if *failures >= self.failures {
                    inner.change(open());
                }
            }
            (State::Closed { failures }, End::Succeeded) => *failures = 0,
            (State::Probing, End::Succeeded) => inner.change(State::Closed { failures: 0 }),
            (State::Probing, End::Failed) => inner.change(open()),
            // Nobody knows how the probe went: the next one may go at once.
            (State::Probing, End::Dropped) => inner.change(State::Open { until: self.clock.now() }),
            (State::Closed { .. }, End::Dropped) | (State::Open { .. }, _) => {}
        }
    }
}

impl Inner {
    fn change(&mut self, state: State) {
        *self = Inner { state, era: self.era + 1 };
    }
}

#[derive(Clone, Copy)]
enum End {
    Succeeded,
    Failed,
    Dropped,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        CircuitBreaker::new(BREAKER_FAILURES, BREAKER_REST)
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("failures", &self.failures)
            .field("rest", &self.rest)
            .field("inner", &*self.inner())
            .finish_non_exhaustive()
    }
}

/// Leave to go through a circuit.
#[derive(Debug)]
#[must_use = "a pass that is dropped says nothing of how it went"]
pub struct Pass<'a> {
    breaker: &'a CircuitBreaker,
    era: u64,
    is_open: bool,
}

impl Pass<'_> {
    /// It went well.
    pub fn succeeded(mut self) {
        self.end(End::Succeeded);
    }

    /// It did not.
    pub fn failed(mut self) {
        self.end(End::Failed);
    }

    fn end(&mut self, end: End) {
        if std::mem::take(&mut self.is_open) {
            self.breaker.end(self.era, end);
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.end(End::Dropped);
    }
}

/// A client behind a circuit breaker, which can be shared by the clients of one broker. Closing goes
/// through at any time.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use workwire_broker::{Broker, Channels, CircuitBreaker, Client, Guarded, MemoryBroker};
/// let client = MemoryBroker::default().open("agent").await?;
/// let guarded: Box<dyn Client> = Box::new(Guarded::new(client, Arc::new(CircuitBreaker::default())));
/// let channels = Channels::over(guarded);
/// # let _ = channels;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Guarded {
    client: Shown,
    breaker: Arc<CircuitBreaker>,
}

struct Shown(Box<dyn Client>);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl Guarded {
    /// Puts a client behind a breaker.
    #[must_use]
    pub fn new(client: Box<dyn Client>, breaker: Arc<CircuitBreaker>) -> Self {
        Guarded { client: Shown(client), breaker }
    }
}

macro_rules! guarded {
    ($($name:ident($($argument:ident: $Type:ty),*) -> $Answer:ty;)+) => {$(
        fn $name<'a>(&'a self, $($argument: $Type),*) -> Answer<'a, $Answer> {
            Box::pin(self.breaker.call(self.client.0.$name($($argument),*)))
        }
    )+};
}

/// Whether one of many was left open.
fn any_indefinite<T>(answers: &[Result<T, BrokerError>]) -> bool {
    answers.iter().any(|answer| answer.as_ref().is_err_and(BrokerError::is_indefinite))
}

impl Client for Guarded {
    guarded! {
        declare(queue: &'a Queue, policy: &'a Policy) -> ();
        publish(queue: &'a Queue, message: Message) -> Stored;
        fetch(queue: &'a Queue, fetch: Fetch) -> Vec<Delivery>;
        peek(queue: &'a Queue, peek: Peek) -> Vec<Peeked>;
        settle(queue: &'a Queue, tag: &'a Tag, verdict: Verdict) -> ();
        extend(queue: &'a Queue, tag: &'a Tag, lease_ms: i64) -> ();
        depth(queue: &'a Queue, group: Option<&'a str>) -> Depth;
        dead_letters(queue: &'a Queue, max: u32, group: Option<&'a str>) -> Vec<Letter>;
        replay(queue: &'a Queue, id: uuid::Uuid, group: Option<&'a str>) -> ();
        purge(queue: &'a Queue, what: Purge<'a>) -> u64;
        delete(queue: &'a Queue) -> ();
        sweep(queue: &'a Queue) -> u64;
        heartbeat(update: Update, tenant: Option<&'a str>) -> ();
        agents(offline_after_ms: Option<i64>, tenant: Option<&'a str>) -> Vec<AgentState>;
    }

    fn publish_batch<'a>(
        &'a self,
        queue: &'a Queue,
        messages: Vec<Message>,
    ) -> Answer<'a, Vec<Result<Stored, BrokerError>>> {
        Box::pin(self.breaker.judge(self.client.0.publish_batch(queue, messages), |answers| any_indefinite(answers)))
    }

    fn settle_many<'a>(
        &'a self,
        queue: &'a Queue,
        settled: Vec<(Tag, Verdict)>,
    ) -> Answer<'a, Vec<Result<(), BrokerError>>> {
        Box::pin(self.breaker.judge(self.client.0.settle_many(queue, settled), |answers| any_indefinite(answers)))
    }

    /// Judges the beginning; what is pushed then comes by itself.
    fn push<'a>(&'a self, queue: &'a Queue, fetch: &Fetch, credit: u32) -> Option<Answer<'a, Box<dyn Push + 'a>>> {
        let push = self.client.0.push(queue, fetch, credit)?;
        Some(Box::pin(self.breaker.call(push)))
    }

    fn close(&self, mode: CloseMode) -> Answer<'_, ()> {
        self.client.0.close(mode)
    }
}
