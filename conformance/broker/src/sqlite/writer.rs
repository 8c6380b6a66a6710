//! The one thread that writes to the file: it gathers what callers want, does all of it in one
//! transaction, waits once for the disk, and answers everybody.
//!
//! While it waits for the disk, the next callers queue up: the more there are, the fewer waits each
//! of them costs. A fetch that waits is served by the very transaction that stores what it waits
//! for, so that a message reaches its consumer after one wait for the disk, not two.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::connection::Connections;
use super::store::Store;
use super::trouble::{Kept, Trouble, in_words, is_busy};
use super::waiting::{Cancelled, Waiting, Wanted};
use crate::clock::{Clock, Millis};
use crate::contract::{CloseMode, Delivery};
use crate::error::BrokerError;

/// How soon a waiting fetch notices what another process has published.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How often the writer looks after the file when nobody wants anything.
const KEEP_HOUSE_EVERY_MS: Millis = 60_000;

/// How many callers one transaction serves.
const MAX_BATCH: usize = 2_048;

/// What a caller wants, and how it is answered. Run inside a transaction, which may have to be
/// repeated; answered when the transaction is on the disk.
pub(crate) trait Work: Send {
    fn run(&mut self, store: &mut Store<'_>, now: Millis) -> Result<(), rusqlite::Error>;
    fn answer(self: Box<Self>, committed: Result<(), BrokerError>);
}

pub(crate) enum Command {
    Open {
        name: String,
        client: i64,
        reply: oneshot::Sender<Result<(), BrokerError>>,
    },
    Work {
        client: i64,
        work: Box<dyn Work>,
    },
    Fetch(Wanted),
    /// A waiting fetch waits no more.
    Cancel(Cancelled),
    Close {
        client: i64,
        mode: CloseMode,
        reply: Option<oneshot::Sender<Result<(), BrokerError>>>,
    },
    /// Ends the thread, after all clients have been closed like this.
    Stop {
        mode: CloseMode,
        reply: oneshot::Sender<Result<(), BrokerError>>,
    },
}

/// Something that a transaction does.
enum Step {
    Work(Box<dyn Work>),
    Fetch(Wanted),
    Release {
        clients: Vec<i64>,
        mode: CloseMode,
        reply: Option<oneshot::Sender<Result<(), BrokerError>>>,
    },
    /// Deliveries whose consumer had gone when they came.
    GiveBack {
        client: i64,
        deliveries: Vec<Delivery>,
    },
}

pub(crate) struct Writer<'c> {
    connections: &'c Connections,
    store: Store<'c>,
    clock: Arc<dyn Clock>,
    clients: HashMap<i64, String>,
    waiting: Waiting,
    version: i64,
    kept_house_at: Millis,
    /// To be done before anything else.
    given_back: Vec<Step>,
    stopping: Option<(CloseMode, oneshot::Sender<Result<(), BrokerError>>)>,
}

impl<'c> Writer<'c> {
    pub(crate) fn new(connections: &'c Connections, store: Store<'c>, clock: Arc<dyn Clock>) -> Self {
        let kept_house_at = clock.now();
        Writer {
            connections,
            store,
            clock,
            clients: HashMap::new(),
            waiting: Waiting::default(),
            version: -1,
            kept_house_at,
            given_back: Vec::new(),
            stopping: None,
        }
    }

    /// Serves callers until it is told to stop, or nobody is left who could call. Who told it waits for an answer.
    pub(crate) fn serve(mut self, commands: &Receiver<Command>) -> Option<oneshot::Sender<Result<(), BrokerError>>> {
        loop {
            let mut steps = std::mem::take(&mut self.given_back);
            let pause = if steps.is_empty() { self.pause() } else { Duration::ZERO };
            match commands.recv_timeout(pause) {
                Ok(command) => self.accept(command, &mut steps),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.stop(CloseMode::Abort);
                    return None;
                }
            }
            if steps.is_empty() {
                self.look_around();
            } else {
                self.transact(steps, Some(commands));
            }
            if let Some((mode, reply)) = self.stopping.take() {
                self.stop(mode);
                return Some(reply);
            }
        }
    }

    fn pause(&self) -> Duration {
        if self.waiting.is_empty() {
            let left = self.kept_house_at + KEEP_HOUSE_EVERY_MS - self.clock.now();
            Duration::from_millis(u64::try_from(left).unwrap_or(0).max(1))
        } else {
            LOOK_EVERY
        }
    }

    fn accept(&mut self, command: Command, steps: &mut Vec<Step>) {
        match command {
            Command::Open { name, client, reply } => {
                let taken = self.clients.values().any(|open| *open == name);
                let answer = if taken {
                    Err(BrokerError::conflict(format!("client {name} is open already")))
                } else {
                    self.clients.insert(client, name);
                    Ok(())
                };
                // Who asked and went has no client to close.
                if reply.send(answer).is_err() {
                    self.clients.remove(&client);
                }
            }
            Command::Work { client, work } if self.clients.contains_key(&client) => steps.push(Step::Work(work)),
            Command::Work { work, .. } => work.answer(Err(closed())),
            Command::Fetch(wanted) if self.clients.contains_key(&wanted.client) => steps.push(Step::Fetch(wanted)),
            Command::Fetch(wanted) => wanted.answer(Err(closed())),
            Command::Cancel(cancelled) => {
                // It may be among the steps, not waiting yet.
                let early = steps.iter_mut().find_map(|step| match step {
                    Step::Fetch(wanted) if wanted.number == cancelled.number => Some(wanted),
                    _ => None,
                });
                match early {
                    Some(wanted) => wanted.waits = false,
                    None => self.waiting.cancel(&cancelled),
                }
            }
            Command::Close { client, mode, reply } if self.clients.remove(&client).is_some() => {
                self.waiting.close(client);
                steps.push(Step::Release { clients: vec![client], mode, reply });
            }
            Command::Close { reply, .. } => {
                if let Some(reply) = reply {
                    // Who asked may have gone.
                    let _ = reply.send(Err(closed()));
                }
            }
            Command::Stop { mode, reply } => self.stopping = Some((mode, reply)),
        }
    }

    /// Does all of it in one transaction, and what else comes in the meantime; where that fails, each
    /// by itself, so that one that cannot be done takes no other with it.
    fn transact(&mut self, mut steps: Vec<Step>, more: Option<&Receiver<Command>>) {
        let now = self.clock.now();
        let mut done = self.attempt(&mut steps, more, now);
        // Who has no room to publish may still have room to settle.
        if let Err(Failed { error, kept: Kept::Nothing }) = &done
            && is_full(error)
            && self.connections.copy_log()
        {
            done = self.attempt(&mut steps, None, now);
        }
        match done {
            Ok(()) => {
                self.answer(steps);
                self.connections.after_commit();
            }
            Err(Failed { error, kept: Kept::Nothing }) if steps.len() > 1 && !is_busy(&error) => {
                for step in steps {
                    self.transact(vec![step], None);
                }
            }
            Err(Failed { error, kept }) => {
                let error = in_words(&error, kept);
                self.waiting.forget_taken();
                for step in steps {
                    step.fail(&error);
                }
            }
        }
    }

    fn attempt(&mut self, steps: &mut Vec<Step>, more: Option<&Receiver<Command>>, now: Millis) -> Result<(), Failed> {
        let nothing = |error| Failed { error, kept: Kept::Nothing };
        self.connections.begin().map_err(nothing)?;
        let done = self.run(steps, more, now).and_then(|()| database(self.store.write_back()));
        if let Err(error) = done {
            self.roll_back();
            return Err(nothing(error));
        }
        if let Err(error) = self.connections.commit() {
            // A commit that found no room wrote nothing that counts. After other errors nobody knows.
            let kept = if is_full(&error) { Kept::Nothing } else { Kept::Unknown };
            self.roll_back();
            return Err(Failed { error, kept });
        }
        Ok(())
    }

    fn roll_back(&mut self) {
        // The database may have rolled back by itself already.
        self.connections.roll_back();
        self.version = -1;
        self.waiting.forget_taken();
    }

    fn run(&mut self, steps: &mut Vec<Step>, more: Option<&Receiver<Command>>, now: Millis) -> rusqlite::Result<()> {
        let version = self.store.version()?;
        let foreign = version != self.version;
        if foreign {
            self.store.refresh()?;
            self.version = version;
        }
        database(self.store.tick(now))?;
        if foreign {
            self.waiting.serve_all(&mut self.store, now)?;
        }
        let (mut ran, mut now) = (0, now);
        loop {
            while ran < steps.len() {
                if self.run_step(&mut steps[ran], now)? {
                    ran += 1;
                } else if let Step::Fetch(wanted) = steps.remove(ran) {
                    self.waiting.push(wanted);
                }
            }
            // Who comes while the others are served comes along, and shares the wait for the disk.
            match more {
                Some(commands) if ran < MAX_BATCH && self.stopping.is_none() => match commands.try_recv() {
                    Ok(command) => {
                        self.accept(command, steps);
                        // It came later than the others: what is due by then is due for it.
                        now = self.clock.now();
                        database(self.store.tick(now))?;
                    }
                    Err(_) => break,
                },
                _ => break,
            }
        }
        self.waiting.serve_woken(&mut self.store, now)
    }

    /// False for a fetch that found nothing and may wait: what the next step brings may be for it.
    fn run_step(&mut self, step: &mut Step, now: Millis) -> rusqlite::Result<bool> {
        match step {
            Step::Work(work) => work.run(&mut self.store, now)?,
            Step::Fetch(wanted) => {
                // Those who came before come first.
                self.waiting.serve_woken(&mut self.store, now)?;
                wanted.take(&mut self.store, now)?;
                return Ok(!wanted.is_waiting());
            }
            Step::Release { clients, mode, .. } => database(self.store.release(clients, *mode, now))?,
            Step::GiveBack { client, deliveries } => {
                for delivery in deliveries {
                    database(self.store.give_back(&delivery.tag, *client, now))?;
                }
            }
        }
        Ok(true)
    }

    /// The transaction is on the disk: everybody hears so.
    fn answer(&mut self, steps: Vec<Step>) {
        let mut lost = Vec::new();
        for step in steps {
            match step {
                Step::Work(work) => work.answer(Ok(())),
                Step::Fetch(wanted) => lost.extend(wanted.deliver()),
                Step::Release { reply: Some(reply), .. } => {
                    // Who asked may have gone.
                    let _ = reply.send(Ok(()));
                }
                Step::Release { .. } | Step::GiveBack { .. } => {}
            }
        }
        lost.extend(self.waiting.deliver());
        let give_back = lost.into_iter().map(|(client, deliveries)| Step::GiveBack { client, deliveries });
        self.given_back.extend(give_back);
    }

    /// Nobody wants anything just now: has another process written, or time made something due?
    fn look_around(&mut self) {
        let now = self.clock.now();
        let is_time = now >= self.kept_house_at + KEEP_HOUSE_EVERY_MS;
        let due = !self.waiting.is_empty()
            && (now >= self.store.next_due() || self.store.version().is_ok_and(|version| version != self.version));
        if due || is_time {
            self.transact(Vec::new(), None);
        }
        if is_time {
            self.kept_house_at = now;
            self.connections.optimize();
        }
    }

    fn stop(mut self, mode: CloseMode) {
        let clients: Vec<i64> = self.clients.drain().map(|(client, _)| client).collect();
        for client in &clients {
            self.waiting.close(*client);
        }
        self.transact(vec![Step::Release { clients, mode, reply: None }], None);
        self.connections.optimize();
    }
}

impl Step {
    fn fail(self, error: &BrokerError) {
        match self {
            Step::Work(work) => work.answer(Err(error.clone())),
            Step::Fetch(wanted) => wanted.answer(Err(error.clone())),
            Step::Release { reply: Some(reply), .. } => {
                // Who asked may have gone.
                let _ = reply.send(Err(error.clone()));
            }
            // What is held comes back when its lease ends.
            Step::Release { .. } | Step::GiveBack { .. } => {}
        }
    }
}

/// A transaction that did not go through.
struct Failed {
    error: rusqlite::Error,
    kept: Kept,
}

pub(crate) fn closed() -> BrokerError {
    BrokerError::not_found("the client is closed")
}

/// The writer's own steps refuse nothing; a refusal is a mistake in the tables, and gives up the
/// transaction.
fn database<T>(done: Result<T, Trouble>) -> rusqlite::Result<T> {
    done.map_err(|trouble| match trouble {
        Trouble::Database(error) => error,
        Trouble::Refused(refused) => rusqlite::Error::ToSqlConversionFailure(Box::new(refused)),
    })
}

fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
}
