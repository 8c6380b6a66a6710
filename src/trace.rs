//! W3C Trace Context: the trace id of a message as a `traceparent`.

use std::fmt;

use uuid::Uuid;

use crate::envelope::MessageEnvelope;
use crate::error::ProtocolError;
use crate::id::TraceId;
use crate::rule::Rule;

/// A `traceparent`: the trace, the span that is its parent, and flags.
///
/// ```
/// use workwire::TraceParent;
/// let parent: TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse()?;
/// assert_eq!(parent.trace_id().to_string(), "4bf92f35-77b3-4da6-a3ce-929d0e0e4736");
/// assert!(parent.is_sampled());
/// assert!("00-00000000000000000000000000000000-00f067aa0ba902b7-01".parse::<TraceParent>().is_err());
/// # Ok::<(), workwire::ProtocolError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: u128,
    parent_id: u64,
    flags: u8,
}

impl TraceParent {
    /// Joins a trace and a span. Nothing where either is zero, which says that there is none.
    #[must_use]
    pub fn new(trace_id: TraceId, parent_id: u64, sampled: bool) -> Option<Self> {
        let trace_id = trace_id.as_uuid().as_u128();
        (trace_id != 0 && parent_id != 0).then_some(TraceParent { trace_id, parent_id, flags: u8::from(sampled) })
    }

    /// The trace of a message, with the last eight bytes of the message's id as the span.
    #[must_use]
    pub fn of_message(message: &MessageEnvelope) -> Option<Self> {
        let (_, span) = message.message_id().as_uuid().as_u64_pair();
        TraceParent::new(message.trace_id(), span, true)
    }

    /// The trace as the id of a message's flow.
    #[must_use]
    pub fn trace_id(self) -> TraceId {
        TraceId::from_uuid(Uuid::from_u128(self.trace_id))
    }

    /// The span.
    #[must_use]
    pub fn parent_id(self) -> u64 {
        self.parent_id
    }

    /// Whether the caller records the trace.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self.flags & 1 == 1
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.parent_id, self.flags)
    }
}

/// A field of exactly so many lower-case hexadecimal digits.
fn hex(text: Option<&str>, digits: usize) -> Option<u128> {
    let text = text.filter(|text| text.len() == digits)?;
    let lower = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if lower { u128::from_str_radix(text, 16).ok() } else { None }
}

fn parse(text: &str) -> Option<TraceParent> {
    let mut fields = text.split('-');
    let version = hex(fields.next(), 2).filter(|version| *version != 0xFF)?;
    let trace_id = hex(fields.next(), 32).filter(|id| *id != 0)?;
    let parent_id = u64::try_from(hex(fields.next(), 16)?).ok().filter(|id| *id != 0)?;
    let flags = u8::try_from(hex(fields.next(), 2)?).ok()?;
    if version == 0 && fields.next().is_some() {
        return None;
    }
    Some(TraceParent { trace_id, parent_id, flags })
}

impl std::str::FromStr for TraceParent {
    type Err = ProtocolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "a traceparent: 00-TRACE-PARENT-FLAGS in lower-case hexadecimal digits, no id all zero";
        parse(text).ok_or_else(|| ProtocolError::value(Rule::Trc2, expected, &format!("{text:?}")))
    }
}
