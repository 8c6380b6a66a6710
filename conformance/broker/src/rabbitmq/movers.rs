//! Who of this process moves what has rested: a task for each queue that its clients use.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::deadline::Deadline;
use super::link::Link;
use super::mover::{Mover, Stopped, ended};
use super::names::Names;
use super::options::{QueueKind, RabbitMqOptions};
use super::publisher::Publisher;
use super::register::Declared;

/// How long who may not take from the queue of resting messages waits before it asks once more.
const FORBIDDEN: Duration = Duration::from_mins(1);

/// How long who was cancelled waits before it looks for a quorum queue: who subscribes while one is being
/// deleted loses more than the channel, for the server fails and ends the connection.
const DELETED: Duration = Duration::from_secs(2);

/// How long who is to begin again waits for it.
const PAUSE: Duration = Duration::from_millis(50);

/// How long the mover of a queue that is deleted has for what it is moving.
const LAST: Duration = Duration::from_secs(2);

/// The movers of a process. They end with it, each when what it is moving is moved.
pub(super) struct Movers {
    tending: Arc<Link>,
    publisher: Arc<Publisher>,
    patience: Duration,
    /// How long who was cancelled waits.
    deleted: Duration,
    has_ended: AtomicBool,
    running: Arc<Running>,
}

/// The movers by the names of their queues.
type Running = Mutex<HashMap<String, Runs>>;

struct Runs {
    /// Somebody used the queue since the mover last looked for it.
    is_wanted: bool,
    ending: watch::Sender<bool>,
    /// None while the queue is deleted.
    task: Option<JoinHandle<()>>,
}

impl Movers {
    pub(super) fn new(tending: Arc<Link>, publishing: Arc<Link>, options: &RabbitMqOptions) -> Self {
        let publisher = Arc::new(Publisher::new(publishing));
        let deleted = if options.queue == QueueKind::Quorum { DELETED } else { PAUSE };
        let (has_ended, running) = (AtomicBool::new(false), Arc::default());
        Movers { tending, publisher, patience: options.timeout, deleted, has_ended, running }
    }

    /// Has what rests for this queue moved from now on, unless it is already.
    pub(super) fn look_after(&self, declared: &Declared) {
        let mut running = lock(&self.running);
        if self.has_ended.load(Ordering::Acquire) {
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
        let (ending, ended) = watch::channel(false);
        let task = Some(tokio::spawn(run(mover, self.deleted, ended, Arc::clone(&self.running))));
        running.insert(source, Runs { is_wanted: false, ending, task });
    }

    /// Has nothing moved for a queue that is deleted, as long as the answer is kept.
    pub(super) async fn pause(&self, declared: &Declared) -> Paused<'_> {
        let source = declared.names.rests();
        let paused = Runs { is_wanted: false, ending: watch::channel(true).0, task: None };
        let runs = lock(&self.running).insert(source.clone(), paused);
        let paused = Paused { running: &self.running, source };
        if let Some(runs) = runs {
            ended_by(Deadline::after(LAST), runs).await;
        }
        paused
    }

    /// Ends them, when what they are moving is moved.
    pub(super) async fn end(&self, deadline: Deadline) {
        for runs in self.stop() {
            ended_by(deadline, runs).await;
        }
    }

    /// Has them end, and says who they are.
    fn stop(&self) -> Vec<Runs> {
        let mut running = lock(&self.running);
        self.has_ended.store(true, Ordering::Release);
        running
            .drain()
            .map(|(_, runs)| {
                runs.ending.send_replace(true);
                runs
            })
            .collect()
    }
}

impl Drop for Movers {
    fn drop(&mut self) {
        self.stop();
    }
}

/// No mover is begun for a queue, as long as this is kept.
pub(super) struct Paused<'a> {
    running: &'a Running,
    source: String,
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        lock(self.running).remove(&self.source);
    }
}

/// Ends a mover. One that does not end in time is broken off, and leaves what it has to another one.
async fn ended_by(deadline: Deadline, runs: Runs) {
    runs.ending.send_replace(true);
    if let Some(task) = runs.task {
        let mover = task.abort_handle();
        if deadline.keep("ending", async { Ok(task.await) }).await.is_err() {
            mover.abort();
        }
    }
}

/// Moves, with a new subscription after each that ended, until the process or the queue is gone.
async fn run(mover: Mover, deleted: Duration, mut ending: watch::Receiver<bool>, running: Arc<Running>) {
    loop {
        let pause = match mover.subscription(&mut ending).await {
            Stopped::Gone if is_over(&running, &mover.names) => return,
            Stopped::Gone | Stopped::Over => PAUSE,
            Stopped::Canceled => deleted,
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
