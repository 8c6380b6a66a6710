//! Histories told by hand: who did what, from when to when, in milliseconds.

use uuid::Uuid;
use workwire_broker::{Capabilities, CloseMode, Code, Depth, Policy, RestartMode, Stored};
use workwire_conformance::anomaly::Kind;
use workwire_conformance::checkers::{Checker, Found};
use workwire_conformance::history::{
    About, Answer, Body, Call, Delivered, FetchCall, History, LetterSeen, MessageId, Micros, Operation, Outcome,
    PeekCall, PeekSeen, PublishCall, SettleAs, SettleCall, Word,
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

    /// A call of which the answer says no more than whether it was done.
    pub(crate) fn call(&mut self, client: &str, span: Span, call: Call, came: Came) {
        let outcome = self.outcome(came, Answer::Done);
        self.add(client, span, call, outcome);
    }

    /// A fetch of a named group.
    pub(crate) fn fetch_of(&mut self, group: &str) -> FetchCall {
        FetchCall { group: Some(self.word(group)), ..self.fetch("tasks") }
    }

    /// Takes one message from `tasks` for a named group.
    pub(crate) fn take_of(&mut self, group: &str, span: Span, message: u128, attempt: u32) -> Word {
        let fetch = self.fetch_of(group);
        let delivery = self.delivery(message, attempt);
        self.take_as("worker", span, fetch, &[delivery])
    }

    pub(crate) fn extend(&mut self, client: &str, span: Span, tag: Word, lease_ms: i64, came: Came) {
        let call = Call::Extend(self.word("tasks"), tag, lease_ms);
        self.call(client, span, call, came);
    }

    pub(crate) fn replay_of(&mut self, group: &str, span: Span, message: u128) {
        let call = Call::Replay(self.word("tasks"), Some(self.word(group)), self.id(message));
        self.call("keeper", span, call, Came::Ok);
    }

    pub(crate) fn drained_of(&mut self, group: &str, span: Span) {
        let call = Call::Drained(self.word("tasks"), Some(self.word(group)));
        self.call("keeper", span, call, Came::Ok);
    }

    pub(crate) fn delete(&mut self, span: Span, came: Came) {
        let call = Call::Delete(self.word("tasks"));
        self.call("keeper", span, call, came);
    }

    /// A look at one message that waits.
    pub(crate) fn peek(&mut self, span: Span, message: u128) {
        let (queue, id) = (self.word("tasks"), self.id(message));
        let seen = PeekSeen { id, body: Body::of(&message.to_be_bytes()), priority: 3, attempt: 1 };
        let call = Call::Peek(PeekCall { queue, max: 10, group: None, recipient: None, after: None });
        self.add("keeper", span, call, Outcome::Ok(Answer::Peeked([seen].into())));
    }

    pub(crate) fn look(&self, checker: &Checker) -> Found {
        (checker.check)(&self.history)
    }
}

/// Leases of a tenth of a second.
pub(crate) fn policy() -> Policy {
    Policy { lease_ms: 100, ..Policy::default() }
}

/// The checker finds this, once.
#[track_caller]
pub(crate) fn shows(tale: &Tale, checker: &Checker, kind: Kind) {
    let found = tale.look(checker);
    let kinds: Vec<Kind> = found.anomalies.iter().map(|anomaly| anomaly.kind).collect();
    assert_eq!(kinds, [kind], "{found:#?}");
    assert!(checker.kinds.contains(&kind), "{} does not say that it finds {kind:?}", checker.name);
    assert!(!found.anomalies[0].operations.is_empty());
}

/// The checker finds nothing.
#[track_caller]
pub(crate) fn is_right(tale: &Tale, checker: &Checker) {
    let found = tale.look(checker);
    assert!(found.anomalies.is_empty(), "{found:#?}");
}

/// The checker finds this, once; or nothing.
#[track_caller]
pub(crate) fn says(tale: &Tale, checker: &Checker, kind: Option<Kind>) {
    if let Some(kind) = kind { shows(tale, checker, kind) } else { is_right(tale, checker) }
}

/// A tale in which message 1 is published and a worker takes it.
pub(crate) fn taken() -> (Tale, Word) {
    let mut tale = Tale::of(policy());
    tale.publish(1..2, 1);
    let tag = tale.take("worker", 10..11, 1, 1);
    (tale, tag)
}

/// Message 1, taken and retried so many times.
pub(crate) fn retried(times: u32, max_attempts: i64) -> Tale {
    let mut tale = Tale::of(Policy { max_attempts, ..policy() });
    tale.publish(1..2, 1);
    for (attempt, at) in (1..=times).zip((1_u64..).map(|number| number * 10)) {
        let tag = tale.take("worker", at..at + 1, 1, attempt);
        tale.retry("worker", at + 2..at + 3, tag);
    }
    tale
}

/// A delivery with this priority.
pub(crate) fn of_priority(tale: &mut Tale, message: u128, priority: i64) -> Delivered {
    Delivered { priority, ..tale.delivery(message, 1) }
}

/// Messages published one after the other, taken by these, at these times.
pub(crate) fn turns(published: &[(u128, i64)], taken: &[(&str, Span, u128)]) -> Tale {
    let mut tale = Tale::of(policy());
    for (number, (message, priority)) in (0_u64..).zip(published) {
        tale.urgent(number * 2 + 1..number * 2 + 2, *message, *priority);
    }
    for (client, span, message) in taken {
        let priority = published.iter().find(|(other, _)| other == message).unwrap().1;
        let (fetch, delivery) = (tale.fetch("tasks"), of_priority(&mut tale, *message, priority));
        tale.take_as(client, span.clone(), fetch, &[delivery]);
    }
    tale
}
