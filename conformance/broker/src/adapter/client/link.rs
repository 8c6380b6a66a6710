//! What the operations and the streams to and from the adapter share: who waits for which answer,
//! what is still to be written, and what was found.

use std::collections::{HashMap, VecDeque};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

use super::finding::{Finding, FindingKind, Findings, excerpt, words};
use super::past::{Judged, Late, Past};
use crate::adapter::wire::{Call, Close, Id, MAX_LINE, Method, Mismatch, Request, RpcError, TwoPointZero, read};
use crate::contract::CloseMode;
use crate::error::{BrokerError, Code};

pub(super) struct Link {
    state: Mutex<State>,
    /// There is something to write, or nothing ever again.
    news: Notify,
    limit: Duration,
    ids: AtomicU64,
    /// How often the broker was restarted: clients from before are gone.
    restarts: AtomicU64,
}

#[derive(Default)]
struct State {
    waiting: HashMap<u64, Waiting>,
    past: Past,
    unwritten: VecDeque<(u64, Vec<u8>)>,
    findings: Findings,
    /// It was told to shut down, and has answered.
    is_shut_down: bool,
    /// Why there is nobody to talk to any more.
    end: Option<String>,
}

/// Who waits for an answer.
struct Waiting {
    method: Method,
    is_written: bool,
    answer: oneshot::Sender<Result<Answered, BrokerError>>,
}

/// A well-formed answer, and the line that it stood on.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) line: u64,
    pub(super) answer: Result<Box<RawValue>, RpcError>,
}

impl Link {
    pub(super) fn new(limit: Duration) -> Self {
        let (ids, restarts) = (AtomicU64::new(1), AtomicU64::new(0));
        Link { state: Mutex::default(), news: Notify::new(), limit, ids, restarts }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, kind: FindingKind, line: Option<u64>, excerpt: String, message: impl Into<String>) {
        self.state().findings.add(Finding { kind, line, excerpt, message: message.into() });
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        self.state().findings.kept().to_vec()
    }

    pub(super) fn findings_total(&self) -> u64 {
        self.state().findings.total()
    }

    pub(super) fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Acquire)
    }

    pub(super) fn restarted(&self) {
        self.restarts.fetch_add(1, Ordering::AcqRel);
    }

    /// Asks, and answers what `convert` makes of the result.
    pub(super) async fn call<C: Call, T>(
        self: &Arc<Self>,
        params: C,
        convert: impl FnOnce(C::Result) -> Result<T, Mismatch>,
    ) -> Result<T, BrokerError> {
        self.ask(&params, Duration::ZERO, Late::Ignored)?.answer(convert).await
    }

    /// Sends a request. `wait` is how much longer than others its answer may take, `late` what is to
    /// be done if it comes when nobody waits any more.
    pub(super) fn ask<C: Call>(
        self: &Arc<Self>,
        params: &C,
        wait: Duration,
        late: Late,
    ) -> Result<Pending<C>, BrokerError> {
        let (id, line) = self.line(params)?;
        let (answer, answered) = oneshot::channel();
        let mut state = self.state();
        if let Some(why) = &state.end {
            return Err(BrokerError::unavailable(why.clone()));
        }
        state.waiting.insert(id, Waiting { method: C::METHOD, is_written: false, answer });
        state.unwritten.push_back((id, line));
        drop(state);
        self.news.notify_one();
        let allowed = self.limit.saturating_add(wait);
        let deadline = Instant::now().checked_add(allowed);
        Ok(Pending { link: Arc::clone(self), id, allowed, deadline, late, answered, params: PhantomData })
    }

    /// Closes a client whose answer nobody waits for.
    pub(super) fn abort(&self, client: String) {
        let Ok((id, line)) = self.line(&Close { client, mode: CloseMode::Abort }) else { return };
        let mut state = self.state();
        if state.end.is_none() {
            state.past.give_up(id, Late::Ignored);
            state.unwritten.push_back((id, line));
            drop(state);
            self.news.notify_one();
        }
    }

    fn line<C: Call>(&self, params: &C) -> Result<(u64, Vec<u8>), BrokerError> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        // So many requests are never made.
        let name = Id::Number(i64::try_from(id).unwrap_or(i64::MAX));
        let method = C::METHOD.as_str().to_owned();
        let request = Request { jsonrpc: TwoPointZero, id: name, method, params: Some(params) };
        let mut line = serde_json::to_vec(&request).map_err(|error| BrokerError::invalid(error.to_string()))?;
        if line.len() > MAX_LINE {
            let found = line.len();
            let why = format!("{}: expected a request of at most {MAX_LINE} bytes, found {found}", C::METHOD);
            return Err(BrokerError::invalid(why));
        }
        line.push(b'\n');
        Ok((id, line))
    }

    /// The next line to write; nothing once there is nobody to write to.
    pub(super) async fn next_line(&self) -> Option<Vec<u8>> {
        loop {
            {
                let mut state = self.state();
                if state.end.is_some() {
                    return None;
                }
                if let Some((id, line)) = state.unwritten.pop_front() {
                    if let Some(waiting) = state.waiting.get_mut(&id) {
                        waiting.is_written = true;
                    }
                    return Some(line);
                }
            }
            // A notification that comes in between is kept.
            self.news.notified().await;
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.state().unwritten.is_empty()
    }

    /// An answer came. `refused` is why it is none that can be used.
    pub(super) fn answered(&self, id: &Id, line: u64, text: &str, answer: Result<Answered, Mismatch>) {
        let mut state = self.state();
        let number = if let Id::Number(number) = id { u64::try_from(*number).ok() } else { None };
        let of_request = number.filter(|number| (1..self.ids.load(Ordering::Relaxed)).contains(number));
        let find = |state: &mut State, kind, message| {
            state.findings.add(Finding { kind, line: Some(line), excerpt: excerpt(text.as_bytes()), message });
        };
        let Some(number) = of_request.filter(|id| state.waiting.get(id).is_none_or(|waiting| waiting.is_written))
        else {
            let message = format!("an answer to request {id}, which was never made");
            return find(&mut state, FindingKind::NoRequest, message);
        };
        let Some(waiting) = state.waiting.remove(&number) else {
            match state.past.judge(number) {
                Judged::Second => {
                    let message = format!("a second answer to request {id}");
                    find(&mut state, FindingKind::SecondAnswer, message);
                }
                Judged::Late(Late::Close(client)) if answer.is_ok_and(|answered| answered.answer.is_ok()) => {
                    drop(state);
                    self.abort(client);
                }
                Judged::Late(_) | Judged::Forgotten => {}
            }
            return;
        };
        state.is_shut_down |= waiting.method == Method::Shutdown;
        let answer = answer.map_err(|mismatch| {
            let message = format!("the answer to {} is none: {mismatch}", waiting.method);
            find(&mut state, FindingKind::WrongShape, message.clone());
            BrokerError::unavailable(message)
        });
        drop(state);
        // Who gave up waiting in this moment has no use for it.
        let _ = waiting.answer.send(answer);
    }

    /// There is nobody to talk to any more, and why. Whoever waits is told.
    pub(super) fn end(&self, why: &str) {
        let mut state = self.state();
        if state.end.is_some() {
            return;
        }
        state.end = Some(why.to_owned());
        state.unwritten.clear();
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.news.notify_one();
        for waiting in waiting.into_values() {
            let _ = waiting.answer.send(Err(BrokerError::unavailable(why)));
        }
    }

    /// How many wait for an answer.
    pub(super) fn outstanding(&self) -> usize {
        self.state().waiting.len()
    }

    /// Whether the adapter has answered that it shuts down.
    pub(super) fn is_shut_down(&self) -> bool {
        self.state().is_shut_down
    }

    /// The error that an adapter answered with.
    pub(super) fn refusal(&self, method: Method, line: u64, error: RpcError) -> BrokerError {
        let message = words(&error.message);
        let refusal = match error.kind() {
            Some(Code::Unsupported) if error.code < 0 => BrokerError::unsupported(method),
            Some(code) => BrokerError::new(code, message),
            None => {
                let why = format!("{method} was refused with code {}, which means nothing", error.code);
                self.find(FindingKind::UnknownCode, Some(line), message.clone(), why.clone());
                BrokerError::unavailable(format!("{why}: {message}"))
            }
        };
        match error.data {
            Some(data) => refusal.with_data(data),
            None => refusal,
        }
    }

    fn misshapen(&self, method: Method, line: u64, text: &str, mismatch: Mismatch) -> BrokerError {
        let message = format!("the answer to {method} has the wrong shape: {}", mismatch.under("result"));
        self.find(FindingKind::WrongShape, Some(line), excerpt(text.as_bytes()), message.clone());
        BrokerError::unavailable(format!("line {line}: {message}"))
    }

    fn silent(&self, method: Method, id: u64, allowed: Duration) -> BrokerError {
        let mut state = self.state();
        let is_written = state.waiting.get(&id).is_none_or(|waiting| waiting.is_written);
        let why = if is_written {
            format!("no answer to {method}, request {id}, within {allowed:?}")
        } else {
            format!("{method}, request {id}, could not be written within {allowed:?}: the adapter does not read")
        };
        state.findings.add(Finding {
            kind: FindingKind::Silence,
            line: None,
            excerpt: String::new(),
            message: why.clone(),
        });
        BrokerError::unavailable(why)
    }

    fn give_up(&self, id: u64, late: &mut Late) {
        let mut state = self.state();
        if let Some(waiting) = state.waiting.remove(&id) {
            if waiting.is_written {
                state.past.give_up(id, std::mem::replace(late, Late::Ignored));
            } else {
                // It was never asked, and is not asked any more.
                state.unwritten.retain(|(unwritten, _)| *unwritten != id);
            }
        }
    }
}

/// A request that was sent. Dropped, it is given up.
pub(super) struct Pending<C> {
    link: Arc<Link>,
    id: u64,
    allowed: Duration,
    /// Nothing where it is beyond what can be told.
    deadline: Option<Instant>,
    late: Late,
    answered: oneshot::Receiver<Result<Answered, BrokerError>>,
    params: PhantomData<fn() -> C>,
}

impl<C: Call> Pending<C> {
    /// Waits for the answer, and makes of it what `convert` does.
    pub(super) async fn answer<T>(
        self,
        convert: impl FnOnce(C::Result) -> Result<T, Mismatch>,
    ) -> Result<T, BrokerError> {
        self.answer_of_line(|result, _| convert(result)).await
    }

    /// The same, where it matters on which line the answer stood.
    pub(super) async fn answer_of_line<T>(
        mut self,
        convert: impl FnOnce(C::Result, u64) -> Result<T, Mismatch>,
    ) -> Result<T, BrokerError> {
        let answered = match self.deadline {
            Some(deadline) => timeout_at(deadline, &mut self.answered).await,
            None => Ok((&mut self.answered).await),
        };
        let Ok(answered) = answered else {
            return Err(self.link.silent(C::METHOD, self.id, self.allowed));
        };
        // Nobody drops the other end without an answer.
        let Answered { line, answer } =
            answered.unwrap_or_else(|_| Err(BrokerError::unavailable("the adapter is gone")))?;
        match answer {
            Ok(text) => {
                let result = read(text.get()).and_then(|result| convert(result, line));
                result.map_err(|mismatch| self.link.misshapen(C::METHOD, line, text.get(), mismatch))
            }
            Err(error) => Err(self.link.refusal(C::METHOD, line, error)),
        }
    }
}

impl<C> Drop for Pending<C> {
    fn drop(&mut self) {
        self.link.give_up(self.id, &mut self.late);
        // An answer that came and was not looked at is as late.
        if let Late::Close(client) = &self.late
            && let Ok(Ok(Answered { answer: Ok(_), .. })) = self.answered.try_recv()
        {
            self.link.abort(client.clone());
        }
    }
}
