//! The door at which the writers of several processes queue.
//!
//! SQLite lets one process write at a time, and whoever asks again first: a busy process keeps the
//! others out. So each takes the lock of a file beside the store before it asks, and lets it go once
//! it has been let in. A process that has just written finds the next one standing there.
//!
//! The system gives such a lock to those who wait for it in the order in which they came (where it
//! does not, the order is worse, and nothing else), but lets nobody wait for so long and no longer. A
//! process may be stopped while it stands at the door; the others must not stop with it. So a thread
//! waits for the lock, and the writer for the thread, until its patience ends.

use std::cell::Cell;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

pub(crate) struct Door {
    file: Arc<File>,
    ask: Sender<()>,
    answers: Receiver<Answer>,
    /// Whether the writer waits. Whoever finds it true and makes it false decides: the thread, that
    /// the writer has the door; the writer, that it waits no more.
    waits: Arc<AtomicBool>,
    /// Whether the thread has been asked and has not answered.
    asked: Cell<bool>,
    /// Whether it was waited for without success the last time: then somebody stands there who does
    /// not move, and not everything is to be kept waiting for so long.
    in_vain: Cell<bool>,
}

/// What has become of the thread's wait.
enum Answer {
    /// The writer has the door.
    Yours,
    /// Nobody waited any more.
    TooLate,
    /// There are no such locks here.
    Never,
}

impl Door {
    /// None where there are no such files or threads: then the order is worse, and nothing else.
    pub(crate) fn of(store: &Path) -> Option<Self> {
        let mut make = OpenOptions::new();
        make.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut make, 0o600);
        let file = Arc::new(make.open(door_of(store)).ok()?);
        let (ask, asked) = channel();
        let (answer, answers) = channel();
        let waits = Arc::new(AtomicBool::new(false));
        let (locked, waiting) = (Arc::clone(&file), Arc::clone(&waits));
        let wait = move || wait_whenever_asked(&locked, &asked, &answer, &waiting);
        // It ends by itself, at the latest when it gets the lock and nobody is there.
        std::thread::Builder::new().name("workwire-door".to_owned()).spawn(wait).ok()?;
        Some(Door { file, ask, answers, waits, asked: Cell::new(false), in_vain: Cell::new(false) })
    }

    /// Waits for its turn, and says whether it came. Who waited in vain goes in without.
    pub(crate) fn queue_up(&self, patience: Duration) -> bool {
        let come = self.wait(if self.in_vain.get() { patience / 50 } else { patience });
        self.in_vain.set(!come);
        come
    }

    fn wait(&self, patience: Duration) -> bool {
        // While the thread still waits for an earlier turn, this is what it waits for.
        if !self.asked.get() {
            match self.file.try_lock() {
                Ok(()) => return true,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(_)) => return false,
            }
        }
        let start = Instant::now();
        loop {
            self.waits.store(true, Ordering::Release);
            if !self.asked.replace(true) && self.ask.send(()).is_err() {
                return false;
            }
            let left = patience.saturating_sub(start.elapsed());
            let answer = match self.answers.recv_timeout(left) {
                Ok(answer) => answer,
                Err(_) if self.waits.swap(false, Ordering::AcqRel) => return false,
                // It has come at the last moment.
                Err(_) => self.answers.recv().unwrap_or(Answer::Never),
            };
            self.asked.set(false);
            match answer {
                Answer::Yours => return true,
                Answer::TooLate => {}
                Answer::Never => return false,
            }
        }
    }

    /// Lets the next one stand there.
    pub(crate) fn leave(&self) {
        // It is let go at the latest when the file is closed.
        let _ = self.file.unlock();
    }
}

fn wait_whenever_asked(file: &File, asked: &Receiver<()>, answer: &Sender<Answer>, waits: &AtomicBool) {
    while asked.recv().is_ok() {
        let come = match file.lock() {
            Ok(()) if waits.swap(false, Ordering::AcqRel) => Answer::Yours,
            Ok(()) => {
                // Others want it.
                let _ = file.unlock();
                Answer::TooLate
            }
            Err(_) => Answer::Never,
        };
        if answer.send(come).is_err() {
            // The writer has gone, and the file is closed with this thread.
            return;
        }
    }
}

/// The file whose lock is the door.
pub(crate) fn door_of(path: &Path) -> PathBuf {
    super::connection::beside(path, "-door")
}
