//! Fetches that wait, and what wakes them: something that was published or came back here, word from
//! another process, or a moment at which time changes something.
//!
//! A fetch registers before it looks, so that nothing that comes while it looks is missed. Whoever is
//! woken and does not look passes the word on.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::contract::Fetch;
use crate::queue::Queue;

/// Fetches of one kind want the same: group, recipient, and a message by its id.
type Kind = (Option<String>, Option<String>, Option<Uuid>);

#[derive(Debug, Default)]
pub(super) struct Hub {
    state: Mutex<State>,
    /// The earliest moment has changed.
    earlier: Notify,
    /// Somebody waits.
    pub(super) begun: Notify,
}

#[derive(Debug, Default)]
struct State {
    queues: HashMap<Queue, Waiters>,
    numbers: u64,
}

#[derive(Debug, Default)]
struct Waiters {
    kinds: HashMap<Kind, BTreeMap<u64, oneshot::Sender<()>>>,
    due: Option<Instant>,
}

impl Hub {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place in the order of those who wait.
    pub(super) fn number(&self) -> u64 {
        let mut state = self.state();
        state.numbers += 1;
        state.numbers
    }

    /// Registers a fetch that is about to look. `owes` where it looks because it was woken.
    pub(super) fn register(self: &Arc<Self>, queue: &Queue, fetch: &Fetch, number: u64, owes: bool) -> Registered {
        let kind = (fetch.group.clone(), fetch.recipient.clone(), fetch.id);
        let (sender, woken) = oneshot::channel();
        let mut state = self.state();
        let is_first = state.queues.is_empty();
        state.queues.entry(queue.clone()).or_default().kinds.entry(kind.clone()).or_default().insert(number, sender);
        drop(state);
        if is_first {
            self.begun.notify_one();
        }
        Registered { hub: Arc::clone(self), queue: queue.clone(), kind, number, woken, owes }
    }

    /// So many messages have come: of each kind so many may find something.
    pub(super) fn wake(&self, queue: &Queue, count: usize) {
        let mut state = self.state();
        let Some(waiters) = state.queues.get_mut(queue) else { return };
        for waiting in waiters.kinds.values_mut() {
            wake_first(waiting, count);
        }
    }

    /// Anything may have changed in a queue.
    pub(super) fn wake_all(&self, queue: &Queue) {
        self.wake(queue, usize::MAX);
    }

    /// Anything may have changed anywhere.
    pub(super) fn wake_everybody(&self) {
        for waiters in self.state().queues.values_mut() {
            for waiting in waiters.kinds.values_mut() {
                wake_first(waiting, usize::MAX);
            }
        }
    }

    /// One of each kind looks, in case that word was lost.
    pub(super) fn wake_one_of_each(&self) {
        for waiters in self.state().queues.values_mut() {
            for waiting in waiters.kinds.values_mut() {
                wake_first(waiting, 1);
            }
        }
    }

    /// Whether nobody waits.
    pub(super) fn is_idle(&self) -> bool {
        self.state().queues.is_empty()
    }

    /// Time will change something in a queue, so many milliseconds from now.
    pub(super) fn due_in(&self, queue: &Queue, millis: i64) {
        let Some(due) =
            u64::try_from(millis).ok().and_then(|millis| Instant::now().checked_add(Duration::from_millis(millis)))
        else {
            return;
        };
        let mut state = self.state();
        let Some(waiters) = state.queues.get_mut(queue) else { return };
        if waiters.due.is_none_or(|known| due < known) {
            waiters.due = Some(due);
            drop(state);
            self.earlier.notify_one();
        }
    }

    /// Wakes who waits when his time comes, for ever.
    pub(super) async fn keep_time(&self) {
        loop {
            let earliest = self.state().queues.values().filter_map(|waiters| waiters.due).min();
            match earliest {
                None => self.earlier.notified().await,
                Some(earliest) => tokio::select! {
                    () = self.earlier.notified() => {}
                    () = sleep_until(earliest) => self.wake_due(),
                },
            }
        }
    }

    fn wake_due(&self) {
        let now = Instant::now();
        for waiters in self.state().queues.values_mut() {
            if waiters.due.is_some_and(|due| due <= now) {
                waiters.due = None;
                for waiting in waiters.kinds.values_mut() {
                    wake_first(waiting, usize::MAX);
                }
            }
        }
    }

    fn wake_of_kind(&self, queue: &Queue, kind: &Kind) {
        if let Some(waiting) = self.state().queues.get_mut(queue).and_then(|waiters| waiters.kinds.get_mut(kind)) {
            wake_first(waiting, 1);
        }
    }
}

/// Wakes those who have waited longest. Who is woken leaves the order, and his registration says the rest.
fn wake_first(waiting: &mut BTreeMap<u64, oneshot::Sender<()>>, count: usize) {
    for _ in 0..count.min(waiting.len()) {
        if let Some((_, sender)) = waiting.pop_first() {
            // Who has gone meanwhile passes it on when he is dropped.
            let _ = sender.send(());
        }
    }
}

/// A fetch in the order of those who wait.
#[derive(Debug)]
pub(super) struct Registered {
    hub: Arc<Hub>,
    queue: Queue,
    kind: Kind,
    number: u64,
    woken: oneshot::Receiver<()>,
    /// Word that was received and not yet followed by a look.
    owes: bool,
}

impl Registered {
    /// The look that was owed is over.
    pub(super) fn has_looked(&mut self) {
        self.owes = false;
    }

    /// Until there may be something.
    pub(super) async fn woken(&mut self) {
        // A sender that is gone without a word has nothing to say but to look.
        let _ = (&mut self.woken).await;
        self.owes = true;
    }

    /// The look that this was about is made by another.
    pub(super) fn hand_over(mut self) -> bool {
        std::mem::take(&mut self.owes)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        let mut was_waiting = false;
        if let Some(waiters) = state.queues.get_mut(&self.queue) {
            if let Some(waiting) = waiters.kinds.get_mut(&self.kind) {
                was_waiting = waiting.remove(&self.number).is_some();
                if waiting.is_empty() {
                    waiters.kinds.remove(&self.kind);
                }
            }
            if waiters.kinds.is_empty() {
                state.queues.remove(&self.queue);
            }
        }
        drop(state);
        // Woken while it looked, or before: what woke it may be for the next one.
        if self.owes || (!was_waiting && self.woken.try_recv().is_ok()) {
            self.hub.wake_of_kind(&self.queue, &self.kind);
        }
    }
}
