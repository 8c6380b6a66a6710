//! A broker in memory that does everything the contract speaks of: the contract, written as code.
//!
//! What it does is in [`state`] and the rooms below it: plain values and functions that are told the
//! time, one file for each subject. Here is only what makes a [`Broker`] of that: a clock, a lock, and
//! fetches that wait.

mod client;
mod counting;
mod ending;
mod entry;
mod letters;
mod presence;
mod seen;
mod state;
mod store;
mod taking;
mod waiting;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::capability::Capabilities;
use crate::clock::{Clock, Millis, RuntimeClock};
use crate::contract::{About, Answer, Broker, BrokerLimits, Choices, Client, Delivery, RestartMode};
use crate::error::BrokerError;
use client::MemoryClient;
use state::State;

/// A broker in memory. It claims every capability; what it keeps lives as long as it does and
/// survives its restarts, which are no deaths of a process.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use workwire_broker::{Broker, Client, Fetch, MemoryBroker, Message, Policy, Queue, Verdict};
/// let broker = MemoryBroker::default();
/// let client = broker.open("worker").await?;
/// let tasks = Queue::new("tasks");
/// client.declare(&tasks, &Policy::default()).await?;
/// client.publish(&tasks, Message::new(uuid::Uuid::now_v7(), "to do")).await?;
/// let taken = client.fetch(&tasks, Fetch::up_to(1)).await?;
/// assert_eq!(&taken[0].body[..], b"to do");
/// client.settle(&tasks, &taken[0].tag, Verdict::Done).await?;
/// # Ok::<(), workwire_broker::BrokerError>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct MemoryBroker {
    about: Arc<About>,
    shell: Arc<Shell>,
}

impl MemoryBroker {
    /// An empty broker that takes its time from this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::of(clock, BrokerLimits::default(), Choices::default())
    }

    /// The same, which does this where more than one way is right.
    ///
    /// A batch of which none is stored is refused as a whole, with what is wrong with its first bad
    /// message. What goes back behind its priority is what was settled as a retry; what comes back
    /// with a lease or a client that is lost keeps its place.
    #[must_use]
    pub fn with_choices(clock: Arc<dyn Clock>, choices: Choices) -> Self {
        Self::of(clock, BrokerLimits::default(), choices)
    }

    /// The same, which takes no more than this.
    #[must_use]
    pub fn with_limits(clock: Arc<dyn Clock>, limits: BrokerLimits) -> Self {
        Self::of(clock, limits, Choices::default())
    }

    fn of(clock: Arc<dyn Clock>, limits: BrokerLimits, choices: Choices) -> Self {
        let about = About {
            name: "memory".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            language: Some("Rust".to_owned()),
            capabilities: Capabilities::all(),
            limits,
            choices,
        };
        let about = Arc::new(about);
        let state = State::new(Arc::clone(&about));
        MemoryBroker { about, shell: Arc::new(Shell { clock, state: Mutex::new(state), news: Notify::new() }) }
    }
}

/// On the runtime's clock, so that it runs on paused time too.
impl Default for MemoryBroker {
    fn default() -> Self {
        Self::new(Arc::new(RuntimeClock::new()))
    }
}

impl Broker for MemoryBroker {
    fn about(&self) -> &About {
        &self.about
    }

    fn open<'a>(&'a self, client: &'a str) -> Answer<'a, Box<dyn Client>> {
        Box::pin(async move {
            let number = self.shell.act(|state, _| state.open(client))?;
            Ok(Box::new(MemoryClient::new(Arc::clone(&self.shell), number)) as Box<dyn Client>)
        })
    }

    fn restart(&self, mode: RestartMode) -> Answer<'_, ()> {
        Box::pin(async move {
            self.shell.act(|state, now| state.restart(now, mode));
            Ok(())
        })
    }

    fn shutdown(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.shell.act(State::shutdown);
            Ok(())
        })
    }
}

/// The state behind its lock, with its clock.
struct Shell {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Tells those who wait to look again: an answer is there, or something falls due earlier.
    news: Notify,
}

impl Shell {
    /// One step: time does its work, the operation is done, and those who wait are answered.
    fn act<T>(&self, operation: impl FnOnce(&mut State, Millis) -> T) -> T {
        let mut state = self.lock();
        let now = self.clock.now();
        let moment = state.next_moment();
        state.pass_to(now);
        let answer = operation(&mut state, now);
        state.serve(now);
        if state.has_answers() || state.next_moment() < moment {
            self.news.notify_waiters();
        }
        answer
    }

    /// The answer of a fetch that waits, once it is there. Whoever gives up waiting takes nothing.
    async fn answer_of(&self, waiter: u64) -> Result<Vec<Delivery>, BrokerError> {
        let _place = Waits { shell: self, waiter };
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            // Listens before it looks, so that nothing in between is missed.
            news.as_mut().enable();
            let moment = {
                let mut state = self.lock();
                if let Some(answer) = state.collect(waiter) {
                    return answer;
                }
                state.next_moment().unwrap_or(Millis::MAX)
            };
            tokio::select! {
                () = news => {}
                () = self.clock.sleep_until(moment) => self.act(|_, _| ()),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // An operation that panicked has left the state as whole as its last statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shell").field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// A fetch that waits. Dropped, it leaves.
struct Waits<'a> {
    shell: &'a Shell,
    waiter: u64,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.shell.act(|state, now| state.leave(now, self.waiter));
    }
}
