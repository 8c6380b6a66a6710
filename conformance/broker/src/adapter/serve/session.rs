//! Requests in, work on them side by side, answers out.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use tokio::io::AsyncRead;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::Unwritten;
use super::plan::{Start, plan};
use crate::adapter::lines::{Line, Lines};
use crate::adapter::wire::{
    Answer, CONTRACT, Close, Decode, Decoded, Empty, INVALID_PARAMS, INVALID_REQUEST, Id, Initialize, Initialized,
    MAX_LINE, METHOD_NOT_FOUND, Method, Mismatch, Open, PARSE_ERROR, Request, Restart, RpcError, read,
};
use crate::contract::{Broker, Client, CloseMode};
use crate::error::BrokerError;

/// How many requests are worked on at a time.
const PLACES: usize = 1_024;

/// For how long those that still wait are waited for, once the broker is shut down.
const LAST: Duration = Duration::from_secs(1);

pub(super) struct Session {
    broker: Arc<dyn Broker>,
    initialized: bool,
    clients: HashMap<String, Connection>,
    /// The names of those that were closed, the last one last.
    closed: VecDeque<String>,
    work: JoinSet<Done>,
    places: Arc<Semaphore>,
    answers: UnboundedSender<Unwritten>,
}

/// What there is under a name.
#[derive(Default)]
struct Connection {
    /// One that was closed stays for a while, and says so itself.
    client: Option<Arc<dyn Client>>,
    is_closed: bool,
    /// What is asked of it while it is being opened or closed.
    behind: Option<VecDeque<(Asker, Ask)>>,
}

/// How many closed connections stay.
const CLOSED: usize = 1_024;

/// Whose request it is: what the answer names it by, and its place among those worked on.
struct Asker {
    id: Id,
    place: OwnedSemaphorePermit,
}

/// What is asked of a connection.
enum Ask {
    Open,
    Close(CloseMode),
    Call(Start),
}

/// What came of a request.
struct Done {
    from: Asker,
    result: Result<Box<RawValue>, RpcError>,
    change: Option<Change>,
}

/// What it means for a connection.
enum Change {
    Opened(String, Arc<dyn Client>),
    NotOpened(String),
    Closed(String),
}

type Work = Pin<Box<dyn Future<Output = (Result<Box<RawValue>, RpcError>, Option<Change>)> + Send>>;

impl Session {
    pub(super) fn of(broker: Arc<dyn Broker>, answers: UnboundedSender<Unwritten>) -> Self {
        let places = Arc::new(Semaphore::new(PLACES));
        let (clients, closed, work) = (HashMap::new(), VecDeque::new(), JoinSet::new());
        Session { broker, initialized: false, clients, closed, work, places, answers }
    }

    pub(super) async fn run(mut self, mut lines: Lines<impl AsyncRead + Unpin>) -> io::Result<()> {
        let mut place = None;
        loop {
            tokio::select! {
                Ok(free) = Arc::clone(&self.places).acquire_owned(), if place.is_none() => place = Some(free),
                line = lines.next(), if place.is_some() => match (line, place.take()) {
                    (Ok(Some(line)), Some(place)) => {
                        if let Some(last) = self.line(line, place) {
                            self.end(Some(last)).await;
                            return Ok(());
                        }
                    }
                    (line, _) => {
                        self.end(None).await;
                        return line.map(drop);
                    }
                },
                Some(done) = self.work.join_next() => self.joined(done),
            }
        }
    }

    /// Works on a line. Gives back the request to shut down.
    fn line(&mut self, line: Line, place: OwnedSemaphorePermit) -> Option<Asker> {
        let text = match text_of(line) {
            Ok(text) => text,
            Err(error) => {
                self.answer(place, &Answer::<Empty>::refused(None, error));
                return None;
            }
        };
        let (id, error, place) = match request(&text) {
            Ok((id, method, params)) => match self.request(Asker { id, place }, method, params) {
                Ok(last) => return last,
                Err((Asker { id, place }, error)) => (Some(id), error, place),
            },
            Err((id, error)) => (id, error, place),
        };
        self.answer(place, &Answer::<Empty>::refused(id, error));
        None
    }

    fn request(&mut self, from: Asker, method: Method, params: &str) -> Result<Option<Asker>, (Asker, RpcError)> {
        if !self.initialized && !matches!(method, Method::Initialize | Method::Shutdown) {
            let error = BrokerError::invalid(format!("{method}: expected initialize first"));
            return Err((from, RpcError::from(&error)));
        }
        macro_rules! params {
            () => {
                match read(params) {
                    Ok(params) => params,
                    Err(mismatch) => return Err((from, wrong(&mismatch))),
                }
            };
        }
        match method {
            Method::Shutdown => return Ok(Some(from)),
            Method::Initialize => {
                let asked: Initialize = params!();
                let result = self.initialize(&asked).and_then(|initialized| raw(&initialized));
                self.done(Done { from, result, change: None });
            }
            Method::Decode => {
                let Decode { kind, body, encoding } = params!();
                let result = match encoding.read(body, "body") {
                    Ok(body) => raw(&Decoded::of(kind, &body)),
                    Err(mismatch) => Err(wrong(&mismatch)),
                };
                self.done(Done { from, result, change: None });
            }
            Method::Restart => {
                let Restart { mode } = params!();
                let broker = Arc::clone(&self.broker);
                let restarted = async move { (empty(broker.restart(mode).await), None) };
                self.start(from, Box::pin(restarted));
            }
            Method::Open => {
                let Open { client } = params!();
                self.ask(client, from, Ask::Open);
            }
            Method::Close => {
                let Close { client, mode } = params!();
                self.ask(client, from, Ask::Close(mode));
            }
            _ => match plan(method, params) {
                Ok((client, start)) => self.ask(client, from, Ask::Call(start)),
                Err(error) => return Err((from, error)),
            },
        }
        Ok(None)
    }

    fn initialize(&mut self, asked: &Initialize) -> Result<Initialized, RpcError> {
        if asked.contract != CONTRACT {
            let why = format!("contract: expected {CONTRACT:?}, found {:?}", asked.contract);
            return Err(RpcError::from(&BrokerError::new(crate::Code::Unsupported, why)));
        }
        self.initialized = true;
        Ok(Initialized::from(self.broker.about()))
    }

    /// Asks something of a connection, behind what is being done to it.
    fn ask(&mut self, name: String, from: Asker, ask: Ask) {
        let connection = self.clients.get_mut(&name);
        let client = connection.as_ref().and_then(|connection| connection.client.clone());
        if let Some(behind) = connection.and_then(|connection| connection.behind.as_mut()) {
            behind.push_back((from, ask));
            return;
        }
        match (ask, client) {
            (Ask::Call(start), Some(client)) => {
                let work = start(client);
                self.start(from, Box::pin(async move { (work.await, None) }));
            }
            (Ask::Close(mode), Some(client)) => {
                self.change(&name);
                let closed = async move { (empty(client.close(mode).await), Some(Change::Closed(name))) };
                self.start(from, Box::pin(closed));
            }
            // Whether a name is taken is the broker's to say: after a restart it is free.
            (Ask::Open, _) => {
                self.change(&name);
                let broker = Arc::clone(&self.broker);
                let opened = async move {
                    match broker.open(&name).await {
                        Ok(client) => (raw(&Empty {}), Some(Change::Opened(name, Arc::from(client)))),
                        Err(error) => (Err(RpcError::from(&error)), Some(Change::NotOpened(name))),
                    }
                };
                self.start(from, Box::pin(opened));
            }
            (Ask::Call(_) | Ask::Close(_), None) => {
                let error = BrokerError::not_found(format!("client {name:?} is not open"));
                self.done(Done { from, result: Err(RpcError::from(&error)), change: None });
            }
        }
    }

    fn change(&mut self, name: &str) {
        self.clients.entry(name.to_owned()).or_default().behind = Some(VecDeque::new());
    }

    /// What was asked of it in the meantime comes now.
    fn changed(&mut self, change: Change) {
        let (Change::Opened(name, _) | Change::NotOpened(name) | Change::Closed(name)) = &change;
        let name = name.clone();
        let Some(connection) = self.clients.get_mut(&name) else { return };
        let behind = connection.behind.take().unwrap_or_default();
        match change {
            Change::Opened(_, client) => (connection.client, connection.is_closed) = (Some(client), false),
            Change::Closed(_) => {
                connection.is_closed = true;
                self.closed.push_back(name.clone());
            }
            Change::NotOpened(_) if connection.client.is_none() => drop(self.clients.remove(&name)),
            Change::NotOpened(_) => {}
        }
        if self.closed.len() > CLOSED
            && let Some(oldest) = self.closed.pop_front()
            && self.clients.get(&oldest).is_some_and(|oldest| oldest.is_closed && oldest.behind.is_none())
        {
            self.clients.remove(&oldest);
        }
        for (from, ask) in behind {
            self.ask(name.clone(), from, ask);
        }
    }

    /// Begins work at once, so that it is begun before what comes behind it; and goes on with it
    /// beside the rest.
    fn start(&mut self, from: Asker, mut work: Work) {
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready((result, change)) => self.done(Done { from, result, change }),
            Poll::Pending => {
                self.work.spawn(async move {
                    let (result, change) = work.await;
                    Done { from, result, change }
                });
            }
        }
    }

    fn joined(&mut self, done: Result<Done, tokio::task::JoinError>) {
        match done.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(done) => self.done(done),
            // A broker's panic is its crash, and is seen as one.
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // Nobody cancels work.
            Err(Err(_)) => {}
        }
    }

    fn done(&mut self, done: Done) {
        let Done { from: Asker { id, place }, result, change } = done;
        match result {
            Ok(result) => self.answer(place, &Answer::<_>::ok(id, result)),
            Err(error) => self.answer(place, &Answer::<Empty>::refused(Some(id), error)),
        }
        if let Some(change) = change {
            self.changed(change);
        }
    }

    fn answer<R: Serialize>(&self, place: OwnedSemaphorePermit, answer: &Answer<R>) {
        let mut line = serde_json::to_vec(answer).unwrap_or_default();
        if line.len() > MAX_LINE || line.is_empty() {
            let why = format!("the answer takes {} bytes, of at most {MAX_LINE} on a line", line.len());
            let refused = Answer::<Empty>::refused(answer.id.clone(), RpcError::from(&BrokerError::unavailable(why)));
            line = serde_json::to_vec(&refused).unwrap_or_default();
        }
        line.push(b'\n');
        // Where nobody reads any more, the end is near.
        let _ = self.answers.send((line, place));
    }

    /// Shuts the broker down, lets those end that waited for it, and answers the request for it last.
    async fn end(&mut self, last: Option<Asker>) {
        let ended = self.broker.shutdown().await;
        let rest = async {
            while let Some(done) = self.work.join_next().await {
                self.joined(done);
            }
        };
        // Work that goes on behind a broker's end is not waited for.
        let _ = tokio::time::timeout(LAST, rest).await;
        if let Some(from) = last {
            self.done(Done { from, result: empty(ended), change: None });
        }
    }
}

fn text_of(line: Line) -> Result<String, RpcError> {
    match line {
        Line::Whole(bytes) => String::from_utf8(bytes).map_err(|error| RpcError::new(PARSE_ERROR, error.to_string())),
        Line::TooLong { bytes, .. } => {
            let why = format!("expected a line of at most {MAX_LINE} bytes, found {bytes}");
            Err(RpcError::new(INVALID_REQUEST, why))
        }
    }
}

/// The parts of a request, or the error that answers it.
fn request(text: &str) -> Result<(Id, Method, &str), (Option<Id>, RpcError)> {
    #[derive(Deserialize)]
    struct Named {
        id: Id,
    }

    let request = read::<Request<&RawValue>>(text).map_err(|mismatch| {
        if mismatch.is_syntax() {
            return (None, RpcError::new(PARSE_ERROR, mismatch.to_string()));
        }
        let id = read::<Named>(text).ok().map(|named| named.id);
        (id, RpcError::new(INVALID_REQUEST, mismatch.to_string()))
    })?;
    match request.method.parse() {
        Ok(method) => Ok((request.id, method, request.params.map_or("{}", RawValue::get))),
        Err(why) => Err((Some(request.id), RpcError::new(METHOD_NOT_FOUND, why))),
    }
}

pub(super) fn wrong(mismatch: &Mismatch) -> RpcError {
    RpcError::new(INVALID_PARAMS, mismatch.to_string())
}

pub(super) fn raw<T: Serialize>(result: &T) -> Result<Box<RawValue>, RpcError> {
    to_raw_value(result).map_err(|error| RpcError::from(&BrokerError::unavailable(error.to_string())))
}

fn empty(answer: Result<(), BrokerError>) -> Result<Box<RawValue>, RpcError> {
    match answer {
        Ok(()) => raw(&Empty {}),
        Err(error) => Err(RpcError::from(&error)),
    }
}
