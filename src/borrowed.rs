//! A result read without copying its output, which may be most of the message.

use std::borrow::Cow;

use crate::codec::Decoder;
use crate::envelope::MessageEnvelope;
use crate::error::ProtocolError;
use crate::free::FreeObject;
use crate::id::{AgentId, MessageId, RequestId, TaskId, TraceId};
use crate::measures::ResourcesUsed;
use crate::name::AgentType;
use crate::number::{DurationMs, ExitCode, Priority};
use crate::payload::Payload;
use crate::time::Timestamp;
use crate::version::Version;
use crate::work::{Outcome, WorkResult};

/// An envelope with a work result whose `output` is still in the bytes that it was read from, as
/// far as it has no escapes. Every check of [`MessageEnvelope::from_slice`] has been made.
///
/// ```
/// use workwire::{BorrowedResult, Decoder, MessageEnvelope};
/// # let bytes = br#"{"message_id":"01890a5d-ac96-774b-bcce-b302099a8057","from_agent":"infra","to_agent":"orchestrator",
/// #   "timestamp":"2026-03-01T09:30:00Z","trace_id":"4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
/// #   "request_id":"01890a5d-ac96-774b-bcce-b302099a8058","type":"work_result","payload":{
/// #   "task_id":"01890a5d-ac96-774b-bcce-b302099a8057","status":"completed","exit_code":0,"output":"done",
/// #   "duration_ms":5,"agent_id":"01890a5d-ac96-774b-bcce-b302099a8057"}}"#;
/// let result = Decoder::strict().borrow_result(bytes)?.expect("a work result");
/// assert_eq!(result.output(), "done");
/// assert!(result.is_borrowed());
/// assert_eq!(result.into_owned(), MessageEnvelope::from_slice(bytes)?);
/// # Ok::<(), workwire::ProtocolError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BorrowedResult<'a> {
    /// Only what is around the payload is used of it.
    envelope: MessageEnvelope,
    /// Without the output.
    result: WorkResult,
    output: Cow<'a, str>,
}

impl Decoder {
    /// Reads an envelope and, if it is a work result, leaves its output where it is. Nothing for a
    /// valid envelope of another type.
    ///
    /// # Errors
    /// Says everything that is wrong with it.
    pub fn borrow_result<'a>(&self, bytes: &'a [u8]) -> Result<Option<BorrowedResult<'a>>, ProtocolError> {
        let (envelope, lent) = self.decode_lending(bytes)?;
        let Payload::WorkResult(result) = envelope.payload() else { return Ok(None) };
        let result = result.clone();
        Ok(Some(BorrowedResult { envelope, result, output: lent.unwrap_or_default() }))
    }
}

macro_rules! of_envelope {
    ($($(#[doc = $doc:literal])+ $name:ident -> $Type:ty;)+) => {
        $($(#[doc = $doc])+
        #[must_use]
        pub fn $name(&self) -> $Type {
            self.envelope.$name()
        })+
    };
}

macro_rules! of_result {
    ($($(#[doc = $doc:literal])+ $name:ident -> $Type:ty;)+) => {
        $($(#[doc = $doc])+
        #[must_use]
        pub fn $name(&self) -> &$Type {
            self.result.$name()
        })+
    };
}

impl BorrowedResult<'_> {
    of_envelope! {
        /// The version of the protocol.
        protocol_version -> Version;
        /// Unique to this message.
        message_id -> MessageId;
        /// Who sends it.
        from_agent -> AgentType;
        /// Who is to receive it.
        to_agent -> AgentType;
        /// When it was made.
        timestamp -> Timestamp;
        /// The flow that it belongs to.
        trace_id -> TraceId;
        /// The request that it answers.
        request_id -> RequestId;
        /// How urgent it is.
        priority -> Priority;
        /// The sender's own extensions.
        x_custom_fields -> &FreeObject;
    }

    of_result! {
        /// The task.
        task_id -> TaskId;
        /// How it ended.
        status -> Outcome;
        /// What its program ended with; 0 means success.
        exit_code -> ExitCode;
        /// How long it took.
        duration_ms -> DurationMs;
        /// Who did it.
        agent_id -> AgentId;
        /// What it took.
        resources_used -> ResourcesUsed;
    }

    /// Why it failed.
    #[must_use]
    pub fn error_message(&self) -> Option<&str> {
        self.result.error_message().map(String::as_str)
    }

    /// What it printed.
    #[must_use]
    pub fn output(&self) -> &str {
        &self.output
    }

    /// Whether the output is still in the bytes; one with escapes had to be copied.
    #[must_use]
    pub fn is_borrowed(&self) -> bool {
        matches!(self.output, Cow::Borrowed(_))
    }

    /// The envelope by itself.
    #[must_use]
    pub fn into_owned(self) -> MessageEnvelope {
        self.envelope.with_payload(self.result.with_output(self.output.into_owned()))
    }
}
