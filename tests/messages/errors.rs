//! Errors as messages, and messages that are refused.

use serde_json::json;
use workwire::{ErrorCode, ErrorMessage, FreeObject, MessageEnvelope, Reason, WorkRequest};

use crate::bodies::{error_message, places, request, requires, work_request};

#[test]
fn error_requires_error_code() {
    requires(error_message, "/error_code", "ERR-1");
}

#[test]
fn error_requires_error_message() {
    requires(error_message, "/error_message", "ERR-1");
    error_message().with("/error_message", "").breaks(&[("/error_message", "ERR-3")]);
}

#[test]
fn error_code_must_be_1000_to_9999() {
    for code in [1000, 1001, 4711, 9999] {
        assert_eq!(error_message().with("/error_code", code).read().error_code().get(), code);
        assert_eq!(ErrorCode::new(code).unwrap().get(), code);
    }
    for code in [0, 999, 10_000, 65_535] {
        error_message().with("/error_code", code).breaks(&[("/error_code", "ERR-2")]);
        assert_eq!(places(&ErrorCode::new(code).unwrap_err()), [("", "ERR-2")]);
    }
    error_message().with("/error_code", 70_000).breaks(&[("/error_code", "ERR-2")]);
    error_message().with("/error_code", "2004").breaks(&[("/error_code", "FLD-1")]);
}

#[test]
fn error_context_optional() {
    assert!(error_message().read().context().is_empty());
    assert!(error_message().with("/context", ()).read().context().is_empty());
    let given = error_message().with("/context", json!({"affected_queue": "work_queue.infra"})).read();
    assert_eq!(given.context().get("affected_queue").unwrap().as_text().unwrap(), "work_queue.infra");
}

#[test]
fn error_is_built_and_read_back() {
    let error = ErrorMessage::builder()
        .error_code(ErrorCode::QUEUE_FULL)
        .error_message(Reason::new("no room").unwrap())
        .context(FreeObject::new().with("depth", &10_000).unwrap())
        .build()
        .unwrap();
    assert_eq!(error.to_json(), r#"{"error_code":3003,"error_message":"no room","context":{"depth":10000}}"#);
    assert_eq!(ErrorMessage::from_json(&error.to_json()).unwrap(), error);
}

#[test]
fn invalid_json_refused() {
    for text in ["", "not json", "{", r#"{"a":}"#, r#"{"a":1,}"#, "{'a':1}", "{} {}"] {
        let error = MessageEnvelope::from_json(text).unwrap_err();
        assert!(error.is_not_json(), "{text}: {error}");
        assert!(!error.is_invalid() && !error.is_too_large() && !error.is_unsupported_version(), "{text}: {error}");
        assert_eq!(error.error_code(), ErrorCode::MALFORMED_JSON, "{text}");
        assert_eq!(error.total(), 1, "{text}");
        assert!(error.violations()[0].position().is_some(), "{text}");
    }
}

#[test]
fn missing_required_field_refused() {
    let error = request().without("/payload/task_id").error();
    assert_eq!(error.to_string(), "/payload/task_id: required (WRQ-1)");
    assert!(error.is_invalid() && !error.is_not_json());
    assert_eq!(error.error_code(), ErrorCode::INVALID_MESSAGE);
}

#[test]
fn type_mismatch_refused() {
    request().with("/priority", "high").breaks(&[("/priority", "FLD-1")]);
    request().with("/payload/work_type", json!(["echo"])).breaks(&[("/payload/work_type", "FLD-1")]);
    request().with("/trace_id", 5).breaks(&[("/trace_id", "FLD-1")]);
    request().with("/payload", "{}").breaks(&[("/payload", "FLD-1")]);
    request().with("/x_custom_fields", json!([])).breaks(&[("/x_custom_fields", "FLD-1")]);
    request().with("/timestamp", false).breaks(&[("/timestamp", "FLD-1")]);
    assert_eq!(places(&MessageEnvelope::from_json("[]").unwrap_err()), [("", "JSN-10")]);
}

#[test]
fn refusals_are_sorted_by_what_to_answer() {
    let refused = |text: &str| MessageEnvelope::from_json(text).unwrap_err();
    let large = refused(&format!("{}{{}}", " ".repeat(1 << 20)));
    assert!(large.is_too_large() && !large.is_not_json() && !large.is_invalid());
    assert_eq!(large.error_code(), ErrorCode::TOO_LARGE);
    let foreign = refused(r#"{"protocol_version":"2.0"}"#);
    assert!(foreign.is_unsupported_version() && !foreign.is_invalid());
    assert_eq!(foreign.error_code(), ErrorCode::UNSUPPORTED_VERSION);
    let content = work_request().read().parameters().read::<Vec<u8>>().unwrap_err();
    assert!(content.is_content() && !content.is_invalid() && content.violations().is_empty());
    assert_eq!(content.total(), 0);
    assert!(content.to_string().starts_with("free content does not fit the type: "), "{content}");
}

#[test]
fn error_message_answers_a_refusal() {
    let error = request().with("/priority", 9).with("/payload/work_type", "").error();
    let answer = ErrorMessage::from(&error);
    assert_eq!(*answer.error_code(), ErrorCode::INVALID_MESSAGE);
    let words = r#"/payload/work_type: expected 1 to 128 characters, found "" (WRQ-2)"#;
    assert_eq!(answer.error_message().as_str(), words);
    let context = r#"{"pointer":"/payload/work_type","rule":"WRQ-2","violations":2}"#;
    assert_eq!(answer.context().as_str(), context);
    assert_eq!(ErrorMessage::from_json(&answer.to_json()).unwrap(), answer);
    assert_eq!(ErrorMessage::from(error), answer);
}

#[test]
fn error_message_answers_every_kind_of_refusal() {
    let not_json = ErrorMessage::from(WorkRequest::from_json("{").unwrap_err());
    assert_eq!(*not_json.error_code(), ErrorCode::MALFORMED_JSON);
    assert_eq!(not_json.context().as_str(), r#"{"pointer":"","rule":"JSN-1","violations":1}"#);
    let content = ErrorMessage::from(FreeObject::new().read::<Vec<u8>>().unwrap_err());
    assert_eq!(*content.error_code(), ErrorCode::INVALID_MESSAGE);
    assert!(content.context().is_empty() && !content.error_message().as_str().is_empty());
}

#[test]
fn error_message_stays_one_that_can_be_read_whatever_was_refused() {
    for body in [request().with("/a\u{1b}\"~1\n", 1), request().with("/payload/\u{0}", 1)] {
        let answer = ErrorMessage::from(body.error());
        assert_eq!(ErrorMessage::from_json(&answer.to_json()).unwrap(), answer);
        assert!(!answer.error_message().as_str().chars().any(char::is_control), "{answer:?}");
    }
}

#[test]
fn error_message_is_small_enough_to_be_sent() {
    let error = request().with(&format!("/{}", "k".repeat(1_000_000)), 1).error();
    let answer = ErrorMessage::from(&error).to_json();
    assert!(ErrorMessage::from_json(&answer).is_ok(), "{} bytes", answer.len());
}

/// The answer to content that does not fit a type, and what is to be said of it in so many bytes.
fn answered(bytes: usize) -> (ErrorMessage, String) {
    #[derive(Debug, serde::Deserialize)]
    enum Colour {
        Red,
    }
    let of_word = |word: usize| {
        let content = FreeObject::new().with("colour", &"k".repeat(word)).unwrap();
        content.get("colour").unwrap().read::<Colour>().unwrap_err()
    };
    assert!(matches!(FreeObject::new().with("c", &"Red").unwrap().get("c").unwrap().read(), Ok(Colour::Red)));
    // The words hold a column too, which grows with the word.
    let error = (bytes - 200..bytes).map(of_word).find(|error| error.to_string().len() == bytes).unwrap();
    (ErrorMessage::from(&error), error.to_string())
}

#[test]
fn error_message_repeats_a_stranger_up_to_two_kibibytes() {
    let (whole, words) = answered(2_048);
    assert_eq!(whole.error_message().as_str(), words);
    let (cut, words) = answered(2_049);
    assert_eq!(cut.error_message().as_str(), format!("{}…", &words[..2_048]));
    let (cut, words) = answered(9_000);
    assert_eq!(cut.error_message().as_str(), format!("{}…", &words[..2_048]));
}
