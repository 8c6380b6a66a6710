//! The wire protocol for work between agents: typed documents, strict JSON, exact errors.
//!
//! Three documents travel: a [`MessageEnvelope`] between an orchestrator and its agents, a
//! [`ChannelMessage`] between agents, an [`AgentEvent`] of a tenant. Each is read whole or refused
//! with everything that is wrong with it:
//!
//! ```
//! use workwire::MessageEnvelope;
//! let error = MessageEnvelope::from_json(r#"{"priority": 9, "type": "work"}"#).unwrap_err();
//! assert_eq!(error.violations()[0].to_string(), "/priority: expected an integer from 1 to 5, found 9 (ENV-4)");
//! assert_eq!(error.violations()[1].pointer(), "/type");
//! assert_eq!(error.total(), 9); // and seven fields are missing
//! ```
//!
//! What is demanded, and under which id, is the [specification](spec).
//!
//! Not here: anything that moves a message. This crate has no async, no I/O and no clock but in
//! constructors.

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod borrowed;
mod catalogue;
mod channel;
mod cloudevent;
mod codec;
mod document;
mod envelope;
mod error;
mod error_message;
mod event;
mod field;
mod free;
mod id;
mod json;
mod measures;
mod name;
mod number;
mod payload;
mod rule;
mod schema;
pub mod spec;
mod status;
mod time;
mod trace;
mod version;
mod violation;
mod work;

pub use borrowed::BorrowedResult;
pub use catalogue::{Category, ErrorCode};
pub use channel::{ChannelMessage, ChannelMessageBuilder};
pub use codec::{AnyDocument, Decoder, Document, DocumentKind, UnknownKind};
pub use envelope::{Envelope, MessageEnvelope};
pub use error::ProtocolError;
pub use error_message::{ErrorMessage, ErrorMessageBuilder};
pub use event::{AgentEvent, AgentEventBuilder, CallChain, EventPriority, EventType};
pub use free::{FreeObject, FreeValue};
pub use id::{AgentId, EventId, MessageId, RequestId, TaskId, TraceId};
pub use json::{Limits, MAX_BYTES_CEILING};
pub use measures::{Hints, Resources, ResourcesUsed};
pub use name::{
    AgentType, ArtifactPath, ChannelType, CorrelationId, MessageType, Name, Reason, Reference, StepName, TenantId,
    WorkType,
};
pub use number::{ChannelPriority, DurationMs, ExitCode, Percent, Priority, StepNumber};
pub use payload::Payload;
pub use rule::{Rule, Scope, UnknownRule};
pub use schema::{SchemaFile, not_in_generating_form, schemas};
pub use status::{AgentStatus, StatusUpdate, StatusUpdateBuilder};
pub use time::Timestamp;
pub use trace::TraceParent;
pub use version::Version;
pub use violation::{MAX_VIOLATIONS, Position, Violation, Violations};
pub use work::{
    Outcome, OutputChunk, Progress, Step, StepBuilder, WorkRequest, WorkRequestBuilder, WorkResult, WorkResultBuilder,
    WorkStatus, WorkStatusBuilder,
};
