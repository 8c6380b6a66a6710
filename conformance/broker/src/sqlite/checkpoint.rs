//! Moving what was written from the log into the file, beside the writer and not in its way.
//!
//! The database would do it in the writer's own time, at the end of a commit: whoever waits for that
//! commit waits for a thousand pages and two more waits for the disk. Here a thread copies while the
//! writer goes on; the writer itself only finishes the few pages that came meanwhile, after which the
//! log begins anew.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags};

/// From so many pages in the log on it is worth copying.
pub(crate) const ENOUGH_PAGES: i32 = 1_000;

/// From so many on the writer does it itself, however long that takes.
const TOO_MANY_PAGES: i32 = 64_000;

const IDLE: u8 = 0;
const COPYING: u8 = 1;
const COPIED: u8 = 2;

/// The thread that copies.
pub(crate) struct Checkpoint {
    wanted: Option<SyncSender<()>>,
    pages: Arc<AtomicI32>,
    state: Arc<AtomicU8>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoint {
    /// For the writer of this thread. Where it cannot be had, the database does it as it always does.
    pub(crate) fn start(path: &Path, writer: &mut Connection) -> Self {
        let (pages, state) = (Arc::new(AtomicI32::new(0)), Arc::new(AtomicU8::new(IDLE)));
        let mut none = Checkpoint { wanted: None, pages, state, thread: None };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let Ok(connection) = Connection::open_with_flags(path, flags) else { return none };
        if connection.execute_batch("PRAGMA cache_size = -1024; PRAGMA synchronous = NORMAL").is_err() {
            return none;
        }
        let (wanted, receiver) = sync_channel(1);
        let state = Arc::clone(&none.state);
        let copy = move || copy_whenever_wanted(&connection, &receiver, &state);
        let Ok(thread) = std::thread::Builder::new().name("workwire-copy".to_owned()).spawn(copy) else { return none };
        let pages = Arc::clone(&none.pages);
        let count = move |_: &mut Wal, count| {
            pages.store(count, Ordering::Relaxed);
            Ok(())
        };
        if writer.wal_hook(Some(count)).is_ok() {
            none.wanted = Some(wanted);
        }
        none.thread = Some(thread);
        none
    }

    /// How many pages the log held after the writer's last commit.
    pub(crate) fn pages(&self) -> i32 {
        self.pages.load(Ordering::Relaxed)
    }

    /// After a commit of the writer.
    pub(crate) fn after_commit(&self, writer: &Connection) {
        let Some(wanted) = &self.wanted else { return };
        let pages = self.pages();
        if pages < ENOUGH_PAGES {
            return;
        }
        match self.state.load(Ordering::Acquire) {
            IDLE => {
                self.state.store(COPYING, Ordering::Release);
                // There is room: only this asks, and only when nothing was asked.
                let _ = wanted.try_send(());
            }
            COPIED => {
                finish(writer);
                self.state.store(IDLE, Ordering::Release);
            }
            _ if pages > TOO_MANY_PAGES => finish(writer),
            _ => {}
        }
    }
}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        self.wanted = None;
        if let Some(thread) = self.thread.take() {
            // A copier that panicked has lost nothing.
            let _ = thread.join();
        }
    }
}

fn copy_whenever_wanted(connection: &Connection, wanted: &Receiver<()>, state: &AtomicU8) {
    while wanted.recv().is_ok() {
        finish(connection);
        state.store(COPIED, Ordering::Release);
    }
}

/// Copies what can be copied without waiting for anybody. What cannot is copied the next time.
fn finish(connection: &Connection) {
    let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
}
