//! Why an operation did not go through, and whether it may have happened all the same.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The kinds of refusal, with the numbers that the adapter protocol gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The broker does not claim to do this.
    Unsupported = 1,
    /// A name, a number or a body is not what it must be.
    Invalid = 2,
    /// The tag was settled, or its lease ended, or it is another client's, or nobody's.
    Stale = 3,
    /// The queue holds as much as its policy allows, or the disk does.
    Full = 4,
    /// No answer came, or none could be given: the operation may have happened.
    Unavailable = 5,
    /// No such client, queue, or letter.
    NotFound = 6,
    /// The client is open already, the policy is another, the id has another body.
    Conflict = 7,
    /// The store or the broker does not allow it.
    Forbidden = 8,
}

impl Code {
    /// All of them, in the order of their numbers.
    pub const ALL: [Code; 8] = [
        Code::Unsupported,
        Code::Invalid,
        Code::Stale,
        Code::Full,
        Code::Unavailable,
        Code::NotFound,
        Code::Conflict,
        Code::Forbidden,
    ];

    /// The number in the adapter protocol.
    #[must_use]
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The code with this number.
    #[must_use]
    pub fn of_number(number: i64) -> Option<Code> {
        Code::ALL.into_iter().find(|code| code.number() == number)
    }

    /// Its name in the adapter protocol.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::Unsupported => "unsupported",
            Code::Invalid => "invalid",
            Code::Stale => "stale",
            Code::Full => "full",
            Code::Unavailable => "unavailable",
            Code::NotFound => "not_found",
            Code::Conflict => "conflict",
            Code::Forbidden => "forbidden",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An operation that was refused, or whose fate is not known. [`is_refused`](BrokerError::is_refused)
/// and [`is_indefinite`](BrokerError::is_indefinite) are each other's opposite: after the one nothing
/// has changed, after the other it may have.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokerError(Box<Why>);

#[derive(Debug, Clone, PartialEq)]
struct Why {
    code: Code,
    message: String,
    data: Option<Value>,
}

/// The most characters of a caller's text that an error repeats.
const SHOWN: usize = 120;

impl BrokerError {
    /// An error with its code, and its reason in words.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        BrokerError(Box::new(Why { code, message: message.into(), data: None }))
    }

    /// The same with more about it, for programs.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.0.data = Some(data);
        self
    }

    /// Something that the broker does not claim to do.
    #[must_use]
    pub fn unsupported(what: impl fmt::Display) -> Self {
        Self::new(Code::Unsupported, format!("{what} is not claimed by this broker"))
    }

    /// Something that is not what it must be.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::Invalid, message)
    }

    /// The same, in the one form of all such errors: where, what was expected, what was found.
    #[must_use]
    pub fn expected(place: &str, expected: &str, found: impl fmt::Debug) -> Self {
        let found = format!("{found:?}");
        let mut cut: String = found.chars().take(SHOWN).collect();
        if cut.len() < found.len() {
            cut.push('…');
        }
        Self::invalid(format!("{place}: expected {expected}, found {cut}"))
    }

    /// A tag that is good for nothing.
    #[must_use]
    pub fn stale() -> Self {
        Self::new(
            Code::Stale,
            "the tag is stale: it was settled, its lease ended, it is of another connection, or it never was",
        )
    }

    /// A queue that has no room.
    #[must_use]
    pub fn full(message: impl Into<String>) -> Self {
        Self::new(Code::Full, message)
    }

    /// Nobody knows whether it happened.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, message)
    }

    /// What was named is not there.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// A queue that was never declared.
    #[must_use]
    pub fn no_queue(queue: impl fmt::Display) -> Self {
        Self::not_found(format!("queue {queue} is not declared"))
    }

    /// It contradicts what is there.
    #[must_use]
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Code::Conflict, message)
    }

    /// It is not allowed.
    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Code::Forbidden, message)
    }

    /// What kind of error it is.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Why, in words.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// More about it, where the broker said more.
    #[must_use]
    pub fn data(&self) -> Option<&Value> {
        self.0.data.as_ref()
    }

    /// Nothing happened, and nothing will.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        !self.is_indefinite()
    }

    /// It may have happened, and may still.
    #[must_use]
    pub fn is_indefinite(&self) -> bool {
        self.0.code == Code::Unavailable
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl std::error::Error for BrokerError {}
