//! Cases that stop the broker: one by one on each server, and on a second one where there can be another.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::{Barrier, mpsc};
use workwire_broker::{
    About, Answer, Broker, BrokerError, Capability, Client, Fetch, MemoryBroker, OpenError, Policy, RestartMode,
};
use workwire_conformance::Case;
use workwire_conformance::case::{Alone, Stage, Stop};
use workwire_conformance::demand::Expectation;
use workwire_conformance::event::Event;
use workwire_conformance::runner::{self, Options};
use workwire_conformance::subject::{Reached, Subject};
use workwire_conformance::verdict::Verdict;

async fn outlives_a_stop(stage: &mut Stage) -> Result<(), Stop> {
    let queue = stage.queue("tasks", &Policy::default()).await?;
    let before = stage.client("before").await?;
    let message = stage.message("mine");
    stage.publish(&before, &queue, &message).await?;
    stage.restart(RestartMode::Graceful).await?;
    let after = stage.client("after").await?;
    let told = stage.take(&after, &queue, Fetch::up_to(9), 1).await;
    stage.demand("DUR-1", &told, Expectation::shows(message.id));
    Ok(())
}

const fn stopping(id: &'static str) -> Case {
    Case {
        id,
        clauses: &["DUR-1"],
        needs: &[Capability::Restart],
        checks: &[],
        alone: Alone::Yes,
        run: |stage| Box::pin(outlives_a_stop(stage)),
    }
}

static STOPPING: [Case; 5] =
    [stopping("t/one"), stopping("t/two"), stopping("t/three"), stopping("t/four"), stopping("t/five")];

/// All servers of a run.
struct Servers {
    started: AtomicUsize,
    ended: AtomicUsize,
    /// How many of them have to be stopped for the first time at once.
    together: Barrier,
}

/// One of them: it is never stopped while it is.
#[derive(Debug)]
struct Server {
    inner: MemoryBroker,
    all: Arc<Servers>,
    first: AtomicBool,
    stopped: AtomicBool,
}

impl std::fmt::Debug for Servers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Servers")
    }
}

impl Broker for Server {
    fn about(&self) -> &About {
        self.inner.about()
    }

    fn open<'a>(&'a self, client: &'a str) -> Answer<'a, Box<dyn Client>> {
        self.inner.open(client)
    }

    fn restart(&self, mode: RestartMode) -> Answer<'_, ()> {
        Box::pin(async move {
            if self.stopped.swap(true, Ordering::SeqCst) {
                return Err(BrokerError::unavailable("it is being stopped by somebody else"));
            }
            if self.first.swap(false, Ordering::SeqCst) {
                self.all.together.wait().await;
            }
            tokio::task::yield_now().await;
            let restarted = self.inner.restart(mode).await;
            self.stopped.store(false, Ordering::SeqCst);
            restarted
        })
    }

    fn shutdown(&self) -> Answer<'_, ()> {
        self.all.ended.fetch_add(1, Ordering::SeqCst);
        self.inner.shutdown()
    }
}

fn servers(together: usize) -> Arc<Servers> {
    let (started, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    Arc::new(Servers { started, ended, together: Barrier::new(together) })
}

/// Each reach is a server of its own; after so many there are no more.
fn subject(all: &Arc<Servers>, most: usize) -> Subject {
    let all = Arc::clone(all);
    Subject::shared("servers:", move || {
        let all = Arc::clone(&all);
        Box::pin(async move {
            if all.started.fetch_add(1, Ordering::SeqCst) >= most {
                return Err(OpenError::setup("no more of them"));
            }
            let (first, stopped) = (AtomicBool::new(true), AtomicBool::new(false));
            Ok(Reached::bare(Arc::new(Server { inner: MemoryBroker::default(), all, first, stopped })))
        })
    })
}

/// Runs all, and says how many ran at once at most.
async fn run(subject: &Subject, options: &Options) -> usize {
    let (events, mut heard) = mpsc::unbounded_channel();
    runner::run(&STOPPING.iter().collect::<Vec<_>>(), subject, options, events).await.unwrap();
    let (mut open, mut most, mut passed) = (0, 0, 0);
    while let Some(event) = heard.recv().await {
        match event {
            Event::CaseBegan { .. } => open += 1,
            Event::CaseEnded(ended) => {
                assert_eq!((ended.verdict, ended.reason.as_str()), (Verdict::Pass, ""), "{}", ended.id);
                (open, passed) = (open - 1, passed + 1);
            }
            Event::LeftBehind { what } => panic!("{what}"),
            _ => {}
        }
        most = most.max(open);
    }
    assert_eq!(passed, STOPPING.len());
    most
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_one_server_one_after_the_other() {
    let all = servers(1);
    assert_eq!(run(&subject(&all, 1), &Options::default()).await, 1);
    assert_eq!((all.started.load(Ordering::SeqCst), all.ended.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_has_its_part_of_them() {
    let all = servers(2);
    assert_eq!(run(&subject(&all, 2).with_more_servers(), &Options::default()).await, 2);
    assert_eq!((all.started.load(Ordering::SeqCst), all.ended.load(Ordering::SeqCst)), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wants_one_at_a_time_has_one_server() {
    let all = servers(1);
    let options = Options { jobs: 1, ..Options::default() };
    assert_eq!(run(&subject(&all, 2).with_more_servers(), &options).await, 1);
    assert_eq!(all.started.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_second_one_starts_the_first_serves_for_all() {
    let all = servers(1);
    assert_eq!(run(&subject(&all, 1).with_more_servers(), &Options::default()).await, 1);
    assert_eq!((all.started.load(Ordering::SeqCst), all.ended.load(Ordering::SeqCst)), (2, 1));
}
