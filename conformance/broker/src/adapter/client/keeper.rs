//! Watches over an adapter: sees it end, ends it, and clears away what it leaves.

use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;

use super::finding::{FindingKind, last};
use super::group::Group;
use super::link::Link;
use super::log::Log;

/// For how long what an adapter wrote before it ended is looked for, where somebody else holds the
/// pipe open.
const DRAIN: Duration = Duration::from_millis(250);

/// What the keeper is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Watch,
    /// It was told to shut down: it has the grace time.
    Finish,
    Kill,
}

/// The parts of a running adapter.
pub(super) struct Parts {
    pub(super) link: Arc<Link>,
    /// Nothing where the adapter was attached to, and not started.
    pub(super) child: Option<Child>,
    pub(super) log: Arc<Log>,
    pub(super) reader: JoinHandle<()>,
    pub(super) writer: JoinHandle<io::Result<()>>,
    pub(super) logger: Option<JoinHandle<()>>,
}

/// The hold that a broker has on its adapter. Dropped, it kills it.
pub(super) struct Keeper {
    orders: watch::Sender<Order>,
    ended: watch::Receiver<bool>,
    group: Option<Arc<Group>>,
    tasks: Vec<AbortHandle>,
    link: Arc<Link>,
}

impl Keeper {
    pub(super) fn of(parts: Parts, grace: Duration) -> Self {
        let (orders, ordered) = watch::channel(Order::Watch);
        let (end, ended) = watch::channel(false);
        let group = parts.child.as_ref().and_then(|child| Group::of(child.id())).map(Arc::new);
        let link = Arc::clone(&parts.link);
        let mut tasks = vec![parts.reader.abort_handle(), parts.writer.abort_handle()];
        tasks.extend(parts.logger.as_ref().map(JoinHandle::abort_handle));
        let watch = Watch { parts, group: group.clone(), ordered, grace };
        let watching = tokio::spawn(async move {
            watch.run().await;
            end.send_replace(true);
        });
        tasks.push(watching.abort_handle());
        Keeper { orders, ended, group, tasks, link }
    }

    /// Gives an order, and waits until the adapter has ended and all is cleared away.
    pub(super) async fn end(&self, order: Order) {
        self.orders.send_replace(order);
        let mut ended = self.ended.clone();
        // Where the watch is gone, so is the adapter.
        let _ = ended.wait_for(|ended| *ended).await;
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(group) = &self.group {
            group.kill();
        }
        self.tasks.iter().for_each(AbortHandle::abort);
        self.link.end("the broker behind the adapter was dropped");
    }
}

struct Watch {
    parts: Parts,
    group: Option<Arc<Group>>,
    ordered: watch::Receiver<Order>,
    grace: Duration,
}

/// What was seen first.
enum Seen {
    Order,
    Exit(io::Result<ExitStatus>),
    OutputEnded,
    InputEnded,
}

/// How an adapter ended.
struct End {
    /// Its status, where it was a process and is known to have ended.
    status: Option<ExitStatus>,
    /// What else there is to say.
    how: &'static str,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "the adapter ended with {status}"),
            None => write!(f, "the adapter {}", self.how),
        }
    }
}

impl Watch {
    async fn run(mut self) {
        let Parts { child, reader, writer, .. } = &mut self.parts;
        let seen = tokio::select! {
            biased;
            _ = self.ordered.wait_for(|order| *order != Order::Watch) => Seen::Order,
            status = exit(child) => Seen::Exit(status),
            _ = reader => Seen::OutputEnded,
            _ = writer => Seen::InputEnded,
        };
        let end = match seen {
            Seen::Order => self.finish().await,
            Seen::Exit(status) => End { status: status.ok(), how: "ended" },
            Seen::OutputEnded => self.soon("closed its output").await,
            Seen::InputEnded => self.soon("closed its input").await,
        };
        self.clear(&end).await;
        self.judge(&end);
    }

    /// It was told to end.
    async fn finish(&mut self) -> End {
        let Parts { link, child, reader, writer, .. } = &mut self.parts;
        // Closes its input, which tells it the same once more.
        writer.abort();
        let patience = if *self.ordered.borrow() == Order::Kill { Duration::ZERO } else { self.grace };
        if child.is_none() {
            let _ = timeout(patience, reader).await;
            return End { status: None, how: "was told to shut down" };
        }
        if let Ok(status) = timeout(patience, exit(child)).await {
            return End { status: status.ok(), how: "ended" };
        }
        if !patience.is_zero() {
            let message = format!("expected it to end within {patience:?} after shutdown, and had to kill it");
            link.find(FindingKind::BadExit, None, String::new(), message);
        }
        self.kill().await;
        End { status: None, how: "was killed" }
    }

    /// It can be talked to no more; a process most likely ends in this moment, and has a status then.
    async fn soon(&mut self, how: &'static str) -> End {
        if self.parts.child.is_none() {
            return End { status: None, how };
        }
        if let Ok(status) = timeout(DRAIN, exit(&mut self.parts.child)).await {
            return End { status: status.ok(), how };
        }
        self.kill().await;
        End { status: None, how }
    }

    async fn kill(&mut self) {
        if let Some(group) = &self.group {
            group.kill();
        }
        // What cannot be killed, because the kernel holds it, is not waited for.
        let _ = timeout(self.grace.max(DRAIN), exit(&mut self.parts.child)).await;
    }

    /// Reads what is left to read, and clears away what the process left behind.
    async fn clear(&mut self, end: &End) {
        let Parts { link, child, reader, writer, logger, .. } = &mut self.parts;
        writer.abort();
        let mut left = Vec::new();
        let is_open = !reader.is_finished() && timeout(DRAIN, &mut *reader).await.is_err();
        if let Some(group) = &self.group
            && group.clear().await
        {
            left.push("processes of its group were alive, and had to be killed");
        }
        if is_open && child.is_some() {
            left.push("something held its output open");
        }
        reader.abort();
        if let Some(logger) = logger {
            let _ = timeout(DRAIN, &mut *logger).await;
            logger.abort();
        }
        if !left.is_empty() && end.status.is_some() {
            let message = format!("{end}, and left something behind: {}", left.join("; "));
            link.find(FindingKind::LeftBehind, None, String::new(), message);
        }
    }

    fn judge(&self, end: &End) {
        let Parts { link, log, .. } = &self.parts;
        let log = log.last_lines();
        let words = if log.is_empty() { String::new() } else { format!("; its log ends: {log}") };
        let order = match *self.ordered.borrow() {
            // It may be faster than the order.
            Order::Watch if link.is_shut_down() => Order::Finish,
            order => order,
        };
        match order {
            Order::Watch => {
                let waited = match link.outstanding() {
                    0 => "nobody waited for an answer".to_owned(),
                    1 => "one request was not answered".to_owned(),
                    count => format!("{count} requests were not answered"),
                };
                let message = format!("{end} before it was told to; {waited}{words}");
                link.find(FindingKind::EarlyExit, None, last(&log), message);
            }
            Order::Finish if end.status.is_some_and(|status| !status.success()) => {
                let message = format!("expected it to end with status 0 after shutdown: {end}{words}");
                link.find(FindingKind::BadExit, None, last(&log), message);
            }
            Order::Finish | Order::Kill => {}
        }
        link.end(&format!("{end}{words}"));
    }
}

/// How a process ends; never, where there is none.
async fn exit(child: &mut Option<Child>) -> io::Result<ExitStatus> {
    match child {
        Some(child) => child.wait().await,
        None => std::future::pending().await,
    }
}
