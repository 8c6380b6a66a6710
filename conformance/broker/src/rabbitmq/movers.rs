//! Who of this process moves what has rested: a task for each queue that its clients use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::deadline::Deadline;
use super::link::Link;
use super::mover::{Mover, Stopped, ended};
use super::names::Names;
use super::publisher::Publisher;
use super::register::Declared;

/// How long who may not take from the queue of resting messages waits before it asks once more.
const FORBIDDEN: Duration = Duration::from_mins(1);

/// How long who is to begin again waits for it.
const PAUSE: Duration = Duration::from_millis(50);

/// The movers of a process. They end with it, each when what it is moving is moved.
pub(super) struct Movers {
    tending: Arc<Link>,
    publisher: Arc<Publisher>,
    patience: Duration,
    ending: watch::Sender<bool>,
    running: Arc<Running>,
}

/// The movers by the names of their queues.
type Running = Mutex<HashMap<String, Runs>>;

struct Runs {
    /// Somebody used the queue since the mover last looked for it.
    is_wanted: bool,
    task: JoinHandle<()>,
}

impl Movers {
    pub(super) fn new(tending: Arc<Link>, publishing: Arc<Link>, patience: Duration) -> Self {
        let (ending, _) = watch::channel(false);
        Movers { tending, publisher: Arc::new(Publisher::new(publishing)), patience, ending, running: Arc::default() }
    }

    /// Has what rests for this queue moved from now on, unless it is already.
    pub(super) fn look_after(&self, declared: &Declared) {
        let mut running = lock(&self.running);
        if *self.ending.borrow() {
            return;
        }
        let source = declared.names.rests();
        if let Some(runs) = running.get_mut(&source) {
            runs.is_wanted = true;
            return;
        }
        let mover = Mover {
            tending: Arc::clone(&self.tending),
            publisher: Arc::clone(&self.publisher),
            queue: declared.queue.clone(),
            names: declared.names.clone(),
            patience: self.patience,
        };
        let task = tokio::spawn(run(mover, self.ending.subscribe(), Arc::clone(&self.running)));
        running.insert(source, Runs { is_wanted: false, task });
    }

    /// Ends them, when what they are moving is moved.
    pub(super) async fn end(&self, deadline: Deadline) {
        self.ending.send_replace(true);
        let running = std::mem::take(&mut *lock(&self.running));
        for runs in running.into_values() {
            // One that does not end in time leaves the rest of its work to another process.
            let _ = deadline.keep("ending", async { Ok(runs.task.await) }).await;
        }
    }
}

/// Moves, with a new subscription after each that ended, until the process or the queue is gone.
async fn run(mover: Mover, mut ending: watch::Receiver<bool>, running: Arc<Running>) {
    loop {
        let pause = match mover.subscription(&mut ending).await {
            Stopped::Gone if is_over(&running, &mover.names) => return,
            Stopped::Gone | Stopped::Over => PAUSE,
            Stopped::Forbidden => FORBIDDEN,
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = ended(&mut ending) => return,
        }
    }
}

/// Whether nobody has used the queue since it was found to be gone; its mover is forgotten then. Who
/// declares it meanwhile has either wanted it, or finds no mover and begins one.
fn is_over(running: &Running, names: &Names) -> bool {
    let (mut running, source) = (lock(running), names.rests());
    let is_wanted = running.get_mut(&source).is_some_and(|runs| std::mem::take(&mut runs.is_wanted));
    if !is_wanted {
        running.remove(&source);
    }
    !is_wanted
}

fn lock(running: &Running) -> std::sync::MutexGuard<'_, HashMap<String, Runs>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}
