//! The one error of the crate.

use std::fmt;

use crate::catalogue::ErrorCode;
use crate::rule::Rule;
use crate::violation::{Violation, Violations};

/// Why a message, or a value for one, was refused. Everything in this crate that can fail fails
/// with it; [`violations`](ProtocolError::violations) says what is wrong, and the predicates sort
/// the cases that call for different answers.
///
/// ```
/// use workwire::MessageEnvelope;
/// let error = MessageEnvelope::from_json("{\"priority\": 3").unwrap_err();
/// assert!(error.is_not_json());
/// assert_eq!(error.error_code(), workwire::ErrorCode::MALFORMED_JSON);
/// assert_eq!(error.to_string(), "line 1, column 15 (byte 14): expected ',' or '}', found the end (JSN-1)");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ProtocolError(Box<Why>);

#[derive(Debug, Clone, PartialEq)]
enum Why {
    Refused(Violations),
    Content(String),
}

impl ProtocolError {
    pub(crate) fn refused(violations: Violations) -> Self {
        ProtocolError(Box::new(Why::Refused(violations)))
    }

    pub(crate) fn value(rule: Rule, expected: impl Into<std::borrow::Cow<'static, str>>, found: &str) -> Self {
        Self::refused(Violations::one(Violation::new(String::new(), rule, expected, Some(found))))
    }

    pub(crate) fn content(reason: impl fmt::Display) -> Self {
        ProtocolError(Box::new(Why::Content(reason.to_string())))
    }

    /// What is wrong, in the order of the places. Empty only for an [`is_content`](Self::is_content) error.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        match &*self.0 {
            Why::Refused(violations) => violations,
            Why::Content(_) => &[],
        }
    }

    pub(crate) fn into_violations(self) -> Violations {
        match *self.0 {
            Why::Refused(violations) => violations,
            Why::Content(_) => Violations::default(),
        }
    }

    /// How many violations there are, those beyond the first hundred included.
    #[must_use]
    pub fn total(&self) -> usize {
        match &*self.0 {
            Why::Refused(violations) => violations.total(),
            Why::Content(_) => 0,
        }
    }

    fn any(&self, test: impl Fn(Rule) -> bool) -> bool {
        self.violations().iter().any(|violation| test(violation.rule()))
    }

    /// The bytes are no strict JSON: syntax, encoding, a repeated key, depth, a number without bounds.
    #[must_use]
    pub fn is_not_json(&self) -> bool {
        self.any(|rule| {
            matches!(
                rule,
                Rule::Jsn1
                    | Rule::Jsn2
                    | Rule::Jsn3
                    | Rule::Jsn4
                    | Rule::Jsn5
                    | Rule::Jsn6
                    | Rule::Jsn7
                    | Rule::Jsn8
                    | Rule::Jsn11
            )
        })
    }

    /// The document is larger than the reader's limit.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.any(|rule| rule == Rule::Jsn9)
    }

    /// The document is of another major version.
    #[must_use]
    pub fn is_unsupported_version(&self) -> bool {
        self.any(|rule| rule == Rule::Ver2)
    }

    /// The document is JSON of a known version, and breaks rules of the protocol.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        matches!(&*self.0, Why::Refused(_))
            && !self.is_not_json()
            && !self.is_too_large()
            && !self.is_unsupported_version()
    }

    /// Free content could not be read into, or made from, a type of the caller's.
    #[must_use]
    pub fn is_content(&self) -> bool {
        matches!(&*self.0, Why::Content(_))
    }

    /// The code with which to answer the sender.
    #[must_use]
    pub fn error_code(&self) -> ErrorCode {
        if self.is_too_large() {
            ErrorCode::TOO_LARGE
        } else if self.is_not_json() {
            ErrorCode::MALFORMED_JSON
        } else if self.is_unsupported_version() {
            ErrorCode::UNSUPPORTED_VERSION
        } else {
            ErrorCode::INVALID_MESSAGE
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Why::Refused(violations) => violations.fmt(f),
            Why::Content(reason) => write!(f, "free content does not fit the type: {reason}"),
        }
    }
}

impl std::error::Error for ProtocolError {}
