//! Histories told by hand: who did what, from when to when, in milliseconds.

use uuid::Uuid;
use workwire_broker::{Capabilities, CloseMode, Code, Depth, Policy, RestartMode, Stored};
use workwire_conformance::checkers::{Checker, Found};
use workwire_conformance::history::{
    About, Answer, Body, Call, Delivered, FetchCall, History, LetterSeen, MessageId, Micros, Operation, Outcome,
    PublishCall, SettleAs, SettleCall, Word,
};

/// From when to when.
pub(crate) type Span = std::ops::Range<u64>;

/// A history that is being told.
pub(crate) struct Tale {
    pub(crate) history: History,
    tags: u32,
}

/// What came of a call, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    Ok,
    Refused,
    /// No answer.
    Nothing,
}

impl Tale {
    /// Of a broker that claims everything, and a queue with this policy.
    pub(crate) fn of(policy: Policy) -> Self {
        Tale::without(&[], policy)
    }

    /// Of a broker that does not claim these.
    pub(crate) fn without(missing: &[workwire_broker::Capability], policy: Policy) -> Self {
        let claimed = missing.iter().fold(Capabilities::all(), |all, one| all.without(*one));
        let capabilities = claimed.iter().map(|capability| capability.as_str().to_owned()).collect();
        let mut tale = Tale { history: History::new(About { capabilities, ..About::default() }), tags: 0 };
        tale.declare("tasks", policy);
        tale
    }

    pub(crate) fn word(&mut self, text: &str) -> Word {
        self.history.words_mut().word(text)
    }

    pub(crate) fn id(&mut self, message: u128) -> MessageId {
        self.history.words_mut().id(Uuid::from_u128(message))
    }

    pub(crate) fn add(&mut self, client: &str, span: Span, call: Call, outcome: Outcome) {
        let client = self.word(client);
        let (began, ended) = (Micros::from(span.start) * 1_000, Some(Micros::from(span.end) * 1_000));
        self.history.begin(Operation { client, began, ended, call, outcome });
    }

    fn outcome(&mut self, came: Came, answer: Answer) -> Outcome {
        let why = self.word("why");
        match came {
            Came::Ok => Outcome::Ok(answer),
            Came::Refused => Outcome::Refused(Code::Full, why),
            Came::Nothing => Outcome::Indefinite(why),
        }
    }

    pub(crate) fn declare(&mut self, queue: &str, policy: Policy) {
        let queue = self.word(queue);
        self.add("keeper", 0..0, Call::Declare(queue, Box::new(policy)), Outcome::Ok(Answer::Done));
    }

    /// What is published where nothing else is said: to `tasks`, with a body of its own.
    pub(crate) fn message(&mut self, message: u128) -> PublishCall {
        PublishCall::new(self.word("tasks"), self.id(message), Body::of(&message.to_be_bytes()), None)
    }

    pub(crate) fn publish(&mut self, span: Span, message: u128) {
        let call = self.message(message);
        self.publish_as(span, call, Came::Ok);
    }

    pub(crate) fn publish_as(&mut self, span: Span, call: PublishCall, came: Came) {
        let outcome = self.outcome(came, Answer::Published(Stored::Stored));
        self.add("publisher", span, Call::Publish(call), outcome);
    }

    pub(crate) fn urgent(&mut self, span: Span, message: u128, priority: i64) {
        let mut call = self.message(message);
        call.priority = Some(priority);
        self.publish_as(span, call, Came::Ok);
    }

    pub(crate) fn fetch(&mut self, queue: &str) -> FetchCall {
        FetchCall { queue: self.word(queue), max: 10, wait_ms: 0, group: None, recipient: None, only: None }
    }

    /// A delivery as it must be.
    pub(crate) fn delivery(&mut self, message: u128, attempt: u32) -> Delivered {
        self.tags += 1;
        let tag = self.word(&format!("tag-{}", self.tags));
        Delivered { tag, id: self.id(message), body: Body::of(&message.to_be_bytes()), priority: 3, attempt }
    }

    /// Takes one message from `tasks`, and says its tag.
    pub(crate) fn take(&mut self, client: &str, span: Span, message: u128, attempt: u32) -> Word {
        let fetch = self.fetch("tasks");
        let delivery = self.delivery(message, attempt);
        self.take_as(client, span, fetch, &[delivery])
    }

    pub(crate) fn take_as(&mut self, client: &str, span: Span, fetch: FetchCall, all: &[Delivered]) -> Word {
        let answer = Answer::Deliveries(all.into());
        self.add(client, span, Call::Fetch(fetch), Outcome::Ok(answer));
        all.last().map_or_else(Word::default, |delivery| delivery.tag)
    }

    /// A fetch that got no answer.
    pub(crate) fn unanswered(&mut self, client: &str, span: Span) {
        let fetch = self.fetch("tasks");
        let outcome = self.outcome(Came::Nothing, Answer::Done);
        self.add(client, span, Call::Fetch(fetch), outcome);
    }

    pub(crate) fn settle(&mut self, client: &str, span: Span, tag: Word, how: SettleAs) {
        self.settle_as(client, span, tag, how, Came::Ok);
    }

    pub(crate) fn settle_as(&mut self, client: &str, span: Span, tag: Word, how: SettleAs, came: Came) {
        let call = SettleCall { queue: self.word("tasks"), tag, verdict: how, reason: None };
        let outcome = self.outcome(came, Answer::Done);
        self.add(client, span, Call::Settle(call), outcome);
    }

    pub(crate) fn done(&mut self, client: &str, span: Span, tag: Word) {
        self.settle(client, span, tag, SettleAs::Done);
    }

    pub(crate) fn retry(&mut self, client: &str, span: Span, tag: Word) {
        self.settle(client, span, tag, SettleAs::Retry(None));
    }

    pub(crate) fn close(&mut self, client: &str, span: Span, mode: CloseMode) {
        self.add(client, span, Call::Close(mode), Outcome::Ok(Answer::Done));
    }

    pub(crate) fn restart(&mut self, span: Span, mode: RestartMode) {
        self.add("runner", span, Call::Restart(mode), Outcome::Ok(Answer::Done));
    }

    pub(crate) fn replay(&mut self, span: Span, message: u128) {
        let call = Call::Replay(self.word("tasks"), None, self.id(message));
        self.add("keeper", span, call, Outcome::Ok(Answer::Done));
    }

    pub(crate) fn drained(&mut self, span: Span) {
        self.drained_as(span, Came::Ok);
    }

    pub(crate) fn drained_as(&mut self, span: Span, came: Came) {
        let call = Call::Drained(self.word("tasks"), None);
        let outcome = self.outcome(came, Answer::Done);
        self.add("keeper", span, call, outcome);
    }

    /// A look at the letters that shows these.
    pub(crate) fn letters(&mut self, span: Span, letters: &[(u128, u32)]) {
        let reason = self.word("because");
        let mut all = Vec::new();
        for (message, attempts) in letters {
            let (id, body) = (self.id(*message), Body::of(&message.to_be_bytes()));
            all.push(LetterSeen { id, body, reason, attempts: *attempts, priority: None, died_at: None, group: None });
        }
        let call = Call::DeadLetters(self.word("tasks"), None, 100);
        self.add("keeper", span, call, Outcome::Ok(Answer::Letters(all.into())));
    }

    pub(crate) fn purge(&mut self, span: Span, removed: u64) {
        let call = Call::Purge(self.word("tasks"), None, false);
        self.add("keeper", span, call, Outcome::Ok(Answer::Removed(removed)));
    }

    pub(crate) fn depth(&mut self, span: Span, [ready, leased, delayed, dead]: [u64; 4]) {
        let depth = Depth { ready, leased: Some(leased), delayed: Some(delayed), dead: Some(dead) };
        let call = Call::Depth(self.word("tasks"), None);
        self.add("keeper", span, call, Outcome::Ok(Answer::Depth(Box::new(depth))));
    }

    pub(crate) fn look(&self, checker: &Checker) -> Found {
        (checker.check)(&self.history)
    }
}
