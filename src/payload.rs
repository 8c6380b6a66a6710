//! What may be in an envelope: one message of five types.

use serde_json::Value;

use crate::error_message::ErrorMessage;
use crate::field::Field;
use crate::json::{Out, Reader, Walk};
use crate::name::MessageType;
use crate::schema::Form;
use crate::status::StatusUpdate;
use crate::violation::Path;
use crate::work::{WorkRequest, WorkResult, WorkStatus};

/// What a task message says.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// Work to be done.
    WorkRequest(WorkRequest),
    /// Progress of a running task.
    WorkStatus(WorkStatus),
    /// The end of a task.
    WorkResult(WorkResult),
    /// An agent's heartbeat.
    StatusUpdate(StatusUpdate),
    /// Something went wrong outside of a task's own work.
    Error(ErrorMessage),
}

macro_rules! payloads {
    ($($Variant:ident $Type:ident)*) => {
        $(impl From<$Type> for Payload {
            fn from(payload: $Type) -> Self {
                Payload::$Variant(payload)
            }
        })*

        impl Payload {
            /// The message type that says which it is.
            #[must_use]
            pub const fn message_type(&self) -> MessageType {
                match self { $(Payload::$Variant(_) => MessageType::$Variant,)* }
            }

            pub(crate) fn read(message_type: MessageType, reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<Option<Self>> {
                Ok(match message_type {
                    $(MessageType::$Variant => $Type::read(reader, at)?.map(Payload::$Variant),)*
                })
            }

            /// The same without the fields of a later minor version, for an envelope of this one.
            pub(crate) fn without_extra(self) -> Self {
                let payload = match self {
                    $(Payload::$Variant(payload) => Payload::$Variant(payload.without_extra()),)*
                };
                match payload {
                    Payload::WorkStatus(status) => Payload::WorkStatus(status.with_known_step()),
                    other => other,
                }
            }

            pub(crate) fn write(&self, out: &mut Out) {
                match self { $(Payload::$Variant(payload) => payload.write(out),)* }
            }

            pub(crate) fn room(&self) -> usize {
                match self { $(Payload::$Variant(payload) => payload.room(),)* }
            }
        }

        /// The schema of each type's payload.
        pub(crate) fn payload_schemas(form: Form) -> Vec<(MessageType, &'static str, Value)> {
            vec![$((MessageType::$Variant, stringify!($Type), $Type::schema(form)),)*]
        }
    };
}

payloads! {
    WorkRequest WorkRequest
    WorkStatus WorkStatus
    WorkResult WorkResult
    StatusUpdate StatusUpdate
    Error ErrorMessage
}
