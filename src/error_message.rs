//! Errors as messages.

use crate::catalogue::ErrorCode;
use crate::document::{Whole, document};
use crate::error::ProtocolError;
use crate::free::{Extra, FreeObject};
use crate::name::Reason;

document! {
    /// Something went wrong outside of a task's own work.
    ErrorMessage, builder: ErrorMessageBuilder, parts: ErrorMessageParts, missing: Err1,
    {
        /// Its code.
        error_code "error_code": ErrorCode = required;
        /// What went wrong, in words.
        error_message "error_message": Reason = required;
        /// What else helps, for example `original_message_id` or `affected_queue`; free.
        context "context": FreeObject = default(FreeObject::new()), example r#"{"affected_queue": "work_queue.infra"}"#;
    }
}

impl Whole for ErrorMessage {
    type Parts = ErrorMessageParts;

    const LEVEL: u32 = 2;
}

/// What a stranger sent comes back in an answer, so it comes back short. A pointer that is longer
/// is left out: one that is cut points elsewhere.
const MOST_BYTES: usize = 2048;

fn shortened(mut words: String) -> String {
    if words.len() > MOST_BYTES {
        words.truncate(words.floor_char_boundary(MOST_BYTES));
        words.push('…');
    }
    words
}

impl From<&ProtocolError> for ErrorMessage {
    /// The answer to somebody whose message was refused: the code, the first violation in words,
    /// and in `context` where it stands, its rule, and how many there are.
    fn from(error: &ProtocolError) -> Self {
        let first = error.violations().first();
        let words = first.map_or_else(|| error.to_string(), ToString::to_string);
        let context = first.map_or_else(FreeObject::new, |violation| {
            let mut out = crate::json::Out::with_capacity(64);
            out.raw("{");
            if violation.pointer().len() <= MOST_BYTES {
                out.key("\"pointer\":");
                out.string(violation.pointer());
            }
            out.key("\"rule\":");
            out.string(violation.rule().id());
            out.key("\"violations\":");
            out.integer(i64::try_from(error.total()).unwrap_or(i64::MAX));
            out.raw("}");
            FreeObject::from_canonical(out.into_text())
        });
        ErrorMessage {
            error_code: error.error_code(),
            error_message: Reason::of_words(shortened(words)),
            context,
            extra: Extra::default(),
        }
    }
}

impl From<ProtocolError> for ErrorMessage {
    fn from(error: ProtocolError) -> Self {
        ErrorMessage::from(&error)
    }
}
