//! Answers as broker and oracle both can give them: without tags, errors by their codes.

use workwire_broker::{AgentState, BrokerError, Code, Delivery, Depth, Letter, Peeked, Stored};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Yes,
    Refused(Code),
    Stored(Stored),
    Batch(Vec<Result<Stored, Code>>),
    Messages(Vec<Seen>),
    Depth(Depth),
    Letters(Vec<Letter>),
    Count(u64),
    Agents(Vec<AgentState>),
}

/// A message that was fetched, or looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: u128,
    pub(crate) body: String,
    pub(crate) priority: i64,
    pub(crate) attempt: u32,
}

impl From<&Delivery> for Seen {
    fn from(delivery: &Delivery) -> Self {
        let body = String::from_utf8(delivery.body.to_vec()).unwrap();
        Seen { id: delivery.id.as_u128(), body, priority: delivery.priority, attempt: delivery.attempt }
    }
}

impl From<&Peeked> for Seen {
    fn from(peeked: &Peeked) -> Self {
        let body = String::from_utf8(peeked.body.to_vec()).unwrap();
        Seen { id: peeked.id.as_u128(), body, priority: peeked.priority, attempt: peeked.attempt }
    }
}

impl Answer {
    pub(crate) fn of<T>(answer: Result<T, BrokerError>, told: impl FnOnce(T) -> Answer) -> Answer {
        answer.map_or_else(|error| Answer::Refused(error.code()), told)
    }
}
