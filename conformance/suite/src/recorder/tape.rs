//! The history while it is written.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use uuid::Uuid;
use workwire_broker::{BrokerError, Queue};

use crate::history::{About, Answer, Call, History, MessageId, Micros, Number, Operation, Outcome, Word};

pub(super) struct Tape {
    start: Instant,
    prefix: String,
    page: Mutex<Page>,
}

/// What is written, and when the last thing was.
struct Page {
    history: History,
    last: Micros,
    /// By how much moments are moved so that no two are the same.
    moved: Micros,
}

impl Page {
    /// A moment of its own, later than all before. Moments are never moved back, so that what lies
    /// between two of them is never less than it was.
    fn moment(&mut self, now: Micros) -> Micros {
        if now + self.moved <= self.last {
            self.moved = self.last + 1 - now;
        }
        self.last = now + self.moved;
        self.last
    }
}

impl Tape {
    pub(super) fn new(about: About, prefix: &str) -> Self {
        let page = Page { history: History::new(about), last: 0, moved: 0 };
        Tape { start: Instant::now(), prefix: prefix.to_owned(), page: Mutex::new(page) }
    }

    fn now(&self) -> Micros {
        Micros::try_from(self.start.elapsed().as_micros()).unwrap_or(Micros::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Page> {
        // Each step leaves the history whole.
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A text as it stands in the history: without the prefix of this run.
    pub(super) fn word(&self, text: &str) -> Word {
        let text = text.strip_prefix(self.prefix.as_str()).unwrap_or(text);
        self.lock().history.words_mut().word(text)
    }

    pub(super) fn queue(&self, queue: &Queue) -> Word {
        let plain = |text: &'_ str| text.strip_prefix(self.prefix.as_str()).unwrap_or(text).to_owned();
        let text = match queue.tenant() {
            Some(tenant) => format!("{}/{}", plain(tenant), plain(queue.name())),
            None => plain(queue.name()),
        };
        self.lock().history.words_mut().word(&text)
    }

    pub(super) fn id(&self, id: Uuid) -> MessageId {
        self.lock().history.words_mut().id(id)
    }

    /// An operation begins. It has not been answered until it is.
    pub(super) fn begin(&self, client: Word, call: Call) -> Number {
        let mut page = self.lock();
        let began = page.moment(self.now());
        let history = &mut page.history;
        let open = history.words_mut().word("it never ended");
        history.begin(Operation { client, began, ended: None, call, outcome: Outcome::Indefinite(open) })
    }

    pub(super) fn end(&self, number: Number, answer: Result<Answer, &BrokerError>) {
        let mut page = self.lock();
        let ended = page.moment(self.now());
        let history = &mut page.history;
        let outcome = match answer {
            Ok(answer) => Outcome::Ok(answer),
            Err(error) => {
                let words = history.words_mut().word(error.message());
                if error.is_indefinite() { Outcome::Indefinite(words) } else { Outcome::Refused(error.code(), words) }
            }
        };
        history.end(number, ended, outcome);
    }

    pub(super) fn note(&self, add: impl FnOnce(&mut History)) {
        add(&mut self.lock().history);
    }

    pub(super) fn history(&self) -> History {
        self.lock().history.clone()
    }
}
