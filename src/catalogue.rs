//! The error catalogue: codes, who uses them, and whether to try again.

use std::fmt;

use serde_json::{Value, json};

use crate::error::ProtocolError;
use crate::field::{Field, IntegerRange, Refusal, impl_json_schema, read_integer, refusal};
use crate::json::{Out, Reader, Walk};
use crate::number::{AnyInteger, integer_from_text};
use crate::rule::Rule;
use crate::schema::Form;
use crate::violation::Path;

/// Whose errors a range of codes holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// 1000 to 1999: what was sent is no message of the protocol, or not allowed.
    Protocol,
    /// 2000 to 2999: an agent cannot do it.
    Agent,
    /// 3000 to 3999: the orchestrator, its broker or its store cannot do it.
    Orchestrator,
    /// 4000 to 9999: the application's own.
    Application,
}

/// An error code, 1000 to 9999.
///
/// ```
/// use workwire::{Category, ErrorCode};
/// let code = ErrorCode::new(2003)?;
/// assert_eq!(code, ErrorCode::DEADLINE_EXCEEDED);
/// assert_eq!(code.category(), Category::Agent);
/// assert_eq!(code.name(), Some("deadline exceeded"));
/// assert_eq!(code.may_retry(), Some(true));
/// assert_eq!(ErrorCode::new(4711)?.name(), None);
/// assert!(ErrorCode::new(999).is_err());
/// # Ok::<(), workwire::ProtocolError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode(u16);

macro_rules! catalogue {
    ($($code:literal $Name:ident $name:literal $retry:literal)*) => {
        impl ErrorCode {
            $(#[doc = concat!($code, ": ", $name, ".")] pub const $Name: ErrorCode = ErrorCode($code);)*

            /// The codes that the protocol names.
            pub const CATALOGUE: &'static [ErrorCode] = &[$(ErrorCode::$Name,)*];

            /// What the catalogue calls it; nothing for a code that it does not hold.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 { $($code => Some($name),)* _ => None }
            }

            /// Whether the same request may do better later; nothing for a code outside of the catalogue.
            #[must_use]
            pub const fn may_retry(self) -> Option<bool> {
                match self.0 { $($code => Some($retry),)* _ => None }
            }
        }
    };
}

catalogue! {
    1000 MALFORMED_JSON "malformed JSON" false
    1001 UNKNOWN_WORK_TYPE "unknown work type or no agent type for it" false
    1002 INVALID_MESSAGE "invalid message" false
    1003 UNSUPPORTED_VERSION "unsupported protocol version" false
    1004 NOT_AUTHENTICATED "not authenticated" false
    1005 NOT_ALLOWED "not allowed" false
    1006 TOO_LARGE "too large" false
    1007 RATE_LIMITED "rate limit exceeded" true
    2001 TASK_NOT_FOUND "task not found" false
    2002 WRONG_TASK_STATE "task is in a state that does not allow this" false
    2003 DEADLINE_EXCEEDED "deadline exceeded" true
    2004 AGENT_UNAVAILABLE "agent unavailable" true
    2005 AGENT_OVERLOADED "agent resource limit exceeded" true
    2006 WORK_FAILED "work failed" false
    3000 INTERNAL "internal error" true
    3001 BROKER_UNAVAILABLE "broker unavailable" true
    3002 STORE_UNAVAILABLE "store unavailable" true
    3003 QUEUE_FULL "queue full" true
    3004 REQUEST_ID_REUSED "request id was used for a different request" false
}

const BROKEN: Refusal = refusal(Rule::Err2, "an integer from 1000 to 9999");
const RANGE: IntegerRange = IntegerRange { min: 1000, max: 9999, below: BROKEN, above: BROKEN };

impl ErrorCode {
    /// Checks the range.
    ///
    /// # Errors
    /// Refuses numbers below 1000 and above 9999.
    pub fn new(code: u16) -> Result<Self, ProtocolError> {
        ErrorCode::from_wide(i64::from(code))
    }

    fn from_wide(code: i64) -> Result<Self, ProtocolError> {
        match u16::try_from(code) {
            Ok(narrow @ 1000..=9999) => Ok(ErrorCode(narrow)),
            _ => Err(ProtocolError::value(BROKEN.rule, BROKEN.expected, &code.to_string())),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whose error it is.
    #[must_use]
    pub const fn category(self) -> Category {
        match self.0 {
            ..=1999 => Category::Protocol,
            2000..=2999 => Category::Agent,
            3000..=3999 => Category::Orchestrator,
            4000.. => Category::Application,
        }
    }
}

impl TryFrom<u16> for ErrorCode {
    type Error = ProtocolError;

    fn try_from(code: u16) -> Result<Self, Self::Error> {
        ErrorCode::new(code)
    }
}

impl From<ErrorCode> for u16 {
    fn from(code: ErrorCode) -> u16 {
        code.0
    }
}

impl std::str::FromStr for ErrorCode {
    type Err = ProtocolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ErrorCode::from_wide(integer_from_text(text)?)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl serde::Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for ErrorCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ErrorCode::from_wide(deserializer.deserialize_any(AnyInteger)?).map_err(serde::de::Error::custom)
    }
}

impl_json_schema!(ErrorCode);

impl Field for ErrorCode {
    fn read(reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<Option<Self>> {
        let code = read_integer(reader, at, &RANGE)?;
        Ok(code.and_then(|code| u16::try_from(code).ok()).map(ErrorCode))
    }

    fn write(&self, out: &mut Out) {
        out.integer(i64::from(self.0));
    }

    fn schema(_: Form) -> Value {
        json!({
            "type": "integer", "minimum": RANGE.min, "maximum": RANGE.max,
            "description": "1000–1999 protocol, 2000–2999 agent, 3000–3999 orchestrator, 4000–9999 the application's own.",
            "examples": [2006]
        })
    }
}
