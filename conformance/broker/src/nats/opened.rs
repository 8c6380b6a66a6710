//! A queue that this process uses: its policy, its index, and who waits for news of it.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use super::api::{Api, Fault, PATIENCE};
use super::index::{Index, Written};
use super::names::Names;
use super::record::Record;
use super::streams;
use crate::clock::{Clock, Millis, SystemClock};
use crate::error::BrokerError;
use crate::policy::Policy;
use crate::queue::Queue;

/// What is known of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its streams are being read, for the first time or anew.
    Reading,
    Current,
    /// It was deleted.
    Closed,
}

/// The server's time. Clocks less than a second apart count as one, so that a slow answer moves nothing.
#[derive(Debug, Default)]
pub(super) struct ServerClock {
    ahead: AtomicI64,
}

impl ServerClock {
    pub(super) fn now(&self) -> Millis {
        SystemClock.now().saturating_add(self.ahead.load(Ordering::Relaxed))
    }

    /// The server said its time just now.
    pub(super) fn set(&self, server: Millis) {
        let ahead = server - SystemClock.now();
        self.ahead.store(if ahead.abs() < 1_000 { 0 } else { ahead }, Ordering::Relaxed);
    }
}

pub(super) struct OpenQueue {
    pub(super) api: Arc<Api>,
    pub(super) clock: Arc<ServerClock>,
    pub(super) queue: Queue,
    pub(super) names: Names,
    pub(super) policy: Policy,
    pub(super) replicas: u32,
    /// Counts connections.
    pub(super) epoch: watch::Receiver<u64>,
    index: Mutex<Index>,
    /// What was stored here while the streams were being read: what was read of them may end before it.
    meanwhile: Mutex<Vec<Written>>,
    phase: watch::Sender<Phase>,
    /// Tells those who wait that something may be ready.
    pub(super) news: Notify,
    /// Tells those who wait until the stream has told something.
    pub(super) told: Notify,
    /// Tells the keeper that time has other work to do than it thought.
    pub(super) alarm: Notify,
    /// Messages up to this number may be held by somebody of whom the stream of claims does not know.
    pub(super) bound: AtomicU64,
    /// Claims of this process that nobody needs any more.
    pub(super) spent: Mutex<Vec<u64>>,
    /// One at a time publishes to a queue of bounded length, and leaves the number of what it stored.
    pub(super) door: tokio::sync::Mutex<u64>,
    is_followed: AtomicBool,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl OpenQueue {
    pub(super) fn new(
        api: Arc<Api>,
        clock: Arc<ServerClock>,
        queue: Queue,
        names: Names,
        policy: Policy,
        replicas: u32,
        epoch: watch::Receiver<u64>,
    ) -> Self {
        OpenQueue {
            api,
            clock,
            queue,
            names,
            policy,
            replicas,
            epoch,
            index: Mutex::default(),
            meanwhile: Mutex::default(),
            phase: watch::Sender::new(Phase::Reading),
            news: Notify::new(),
            told: Notify::new(),
            alarm: Notify::new(),
            bound: AtomicU64::new(0),
            spent: Mutex::default(),
            door: tokio::sync::Mutex::default(),
            is_followed: AtomicBool::new(false),
            tasks: Mutex::default(),
        }
    }

    pub(super) fn now(&self) -> Millis {
        self.clock.now()
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        // Whoever panicked here has left the index as whole as its last statement.
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One step of the index: time does its work before, and who waits is told after.
    pub(super) fn change<T>(&self, step: impl FnOnce(&mut Index, Millis) -> T) -> T {
        let now = self.now();
        let mut index = self.lock();
        let (arrivals, before) = (index.arrivals, index.next_moment());
        index.pass_to(now);
        let answer = step(&mut index, now);
        let (something_came, has_ended, next) = (index.arrivals != arrivals, index.has_ended(), index.next_moment());
        drop(index);
        if something_came {
            self.news.notify_waiters();
        }
        if has_ended || next.is_some_and(|next| before.is_none_or(|before| next < before)) {
            self.alarm.notify_one();
        }
        answer
    }

    /// The index as it was read anew takes the old one's place, with what was stored here behind what was read.
    pub(super) fn replace(&self, index: Index, bound: u64) {
        self.bound.store(bound, Ordering::Relaxed);
        let mut meanwhile = self.meanwhile();
        self.change(|old, now| {
            *old = index;
            old.go_on_with(now, meanwhile.drain(..));
        });
        self.news.notify_waiters();
        self.told.notify_waiters();
        self.alarm.notify_one();
        self.set_phase(Phase::Current);
        drop(meanwhile);
    }

    /// What was stored before the streams are read is read: where they cannot be, time and again, nothing piles up.
    pub(super) fn begin_to_read(&self) {
        self.meanwhile().clear();
    }

    fn meanwhile(&self) -> MutexGuard<'_, Vec<Written>> {
        // Each of its changes is one statement.
        self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was just stored here counts at once, without waiting for the stream to tell of it.
    pub(super) fn apply(&self, record: Record, seq: u64, bytes: usize) {
        // Whoever only publishes need not know what there is; reading begins behind this.
        if !self.is_followed.load(Ordering::SeqCst) {
            return;
        }
        // Held until it is applied, so that it is in one index or in the other.
        let mut meanwhile = self.meanwhile();
        if *self.phase.borrow() == Phase::Reading {
            meanwhile.push((record.clone(), seq, bytes));
        }
        self.change(|index, now| index.apply(now, record, seq, bytes));
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        self.phase.send_if_modified(|old| {
            // What is deleted stays so.
            let changes = *old != phase && *old != Phase::Closed;
            if changes {
                *old = phase;
            }
            changes
        });
        self.news.notify_waiters();
    }

    pub(super) fn is_closed(&self) -> bool {
        *self.phase.borrow() == Phase::Closed
    }

    /// Follows the queue's streams from now on, if that was not so before.
    pub(super) fn begin_to_follow(self: &Arc<Self>) {
        if !self.is_followed.swap(true, Ordering::SeqCst) {
            let follower = tokio::spawn(super::feed::follow(Arc::clone(self)));
            let keeper = tokio::spawn(super::keeper::keep(Arc::clone(self)));
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.extend([follower.abort_handle(), keeper.abort_handle()]);
        }
    }

    /// The same, and waits until they are read.
    pub(super) async fn follow(self: &Arc<Self>) -> Result<(), BrokerError> {
        self.begin_to_follow();
        let mut phase = self.phase.subscribe();
        let known = tokio::time::timeout(2 * PATIENCE, phase.wait_for(|phase| *phase != Phase::Reading)).await;
        match known {
            Ok(Ok(phase)) if *phase == Phase::Closed => Err(BrokerError::no_queue(&self.queue)),
            Ok(Ok(_)) => Ok(()),
            _ => Err(BrokerError::unavailable(format!("queue {}: its streams could not be read in time", self.queue))),
        }
    }

    /// Waits until all that was stored before this call is known here.
    pub(super) async fn catch_up(self: &Arc<Self>) -> Result<(), BrokerError> {
        self.follow().await?;
        for _ in 0..3 {
            let state = streams::state(&self.api, &self.names.stream).await;
            let state = state.map_err(|fault| self.error(fault))?;
            let mut phase = self.phase.subscribe();
            let told = async {
                loop {
                    let told = self.told.notified();
                    tokio::pin!(told);
                    // Listens before it looks, so that nothing in between is missed.
                    told.as_mut().enable();
                    if self.lock().told >= state.last_seq {
                        return;
                    }
                    tokio::select! { () = told => {} _ = phase.changed() => {} }
                }
            };
            tokio::pin!(told);
            loop {
                let before = self.lock().told;
                if tokio::time::timeout(PATIENCE, told.as_mut()).await.is_ok() {
                    return self.follow().await;
                }
                // Much may be told before what is waited for.
                if self.lock().told == before {
                    break;
                }
            }
            // What is missing was removed by somebody else's hand: it is read anew.
            self.set_phase(Phase::Reading);
            self.follow().await?;
        }
        Err(BrokerError::unavailable(format!("queue {}: its stream tells less than it holds", self.queue)))
    }

    /// The same, and what time has ended is moved on.
    pub(super) async fn settle_down(self: &Arc<Self>) -> Result<(), BrokerError> {
        self.catch_up().await?;
        // What fails here is tried again by the keeper; until then it is where it was.
        let _ = super::keeper::end_leases(self).await;
        Ok(())
    }

    /// In the contract's words; a stream that is gone closes the queue here.
    pub(super) fn error(&self, fault: Fault) -> BrokerError {
        if fault.is_missing() {
            self.set_phase(Phase::Closed);
        }
        fault.about(&self.queue)
    }

    pub(super) fn spend(&self, claim: u64) {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).push(claim);
    }

    pub(super) fn stop(&self) {
        for task in self.tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
    }

    pub(super) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }
}
