//! A result whose output stays in the bytes that it was read from.

use serde_json::json;
use workwire::{Decoder, MessageEnvelope};

use crate::bodies::{Body, envelopes, places, result};

fn with_output(output: &str) -> Body<MessageEnvelope> {
    result().with("/payload/output", output)
}

#[test]
fn borrowed_result_is_the_same_result() {
    for body in [result(), with_output("deployed"), with_output("line\n\u{1}\"é"), result().with("/payload/output", ())]
    {
        let text = body.text();
        let borrowed = Decoder::strict().borrow_result(text.as_bytes()).unwrap().unwrap();
        let owned = body.read();
        assert_eq!(borrowed.message_id(), owned.message_id());
        assert_eq!(borrowed.trace_id(), owned.trace_id());
        assert_eq!(borrowed.request_id(), owned.request_id());
        let workwire::Payload::WorkResult(work) = owned.payload() else { panic!("{text}") };
        assert_eq!(borrowed.output(), work.output());
        assert_eq!(borrowed.task_id(), work.task_id());
        assert_eq!(borrowed.status(), work.status());
        assert_eq!(borrowed.into_owned(), owned);
    }
}

#[test]
fn borrowed_result_copies_only_what_has_escapes() {
    let borrows = |output: &str| {
        let text = with_output(output).text();
        let borrowed = Decoder::strict().borrow_result(text.as_bytes()).unwrap().unwrap();
        assert_eq!(borrowed.output(), output);
        borrowed.is_borrowed()
    };
    assert!(borrows("deployed, é"));
    assert!(borrows(""));
    assert!(!borrows("deployed\n"));
}

#[test]
fn borrowed_result_of_another_message_type_is_none() {
    for body in envelopes() {
        let is_result = matches!(body.read().payload(), workwire::Payload::WorkResult(_));
        let borrowed = Decoder::strict().borrow_result(body.text().as_bytes()).unwrap().is_some();
        assert_eq!(borrowed, is_result, "{}", body.text());
    }
}

#[test]
fn borrowed_result_is_checked_like_any_other() {
    let broken = [
        result().with("/payload/status", "failed"),
        result().with("/payload/output", 7),
        result().with("/payload/output", json!(["x"])),
        result().with("/priority", 9).with("/payload/colour", "red"),
        result().without("/payload/agent_id"),
    ];
    for body in broken {
        let error = Decoder::strict().borrow_result(body.text().as_bytes()).unwrap_err();
        assert_eq!(places(&error), places(&body.error()), "{}", body.text());
    }
    let twice = with_output("a").text().replace(r#""output":"a""#, r#""output":"a","output":"b""#);
    let error = Decoder::strict().borrow_result(twice.as_bytes()).unwrap_err();
    assert_eq!(places(&error), [("/payload/output", "JSN-5")]);
}

#[test]
fn borrowed_result_keeps_fields_of_a_later_minor_version() {
    let later = with_output("x").with("/protocol_version", "1.7").with("/new", 1).with("/payload/colour", "red");
    let text = later.text();
    let borrowed = Decoder::strict().borrow_result(text.as_bytes()).unwrap().unwrap();
    assert_eq!(borrowed.into_owned(), later.read());
}

#[test]
fn borrowed_result_says_why_it_failed() {
    let failed = result().with("/payload/status", "failed").with("/payload/error_message", "no room").text();
    let borrowed = Decoder::strict().borrow_result(failed.as_bytes()).unwrap().unwrap();
    assert_eq!(borrowed.error_message(), Some("no room"));
    let text = result().text();
    assert_eq!(Decoder::strict().borrow_result(text.as_bytes()).unwrap().unwrap().error_message(), None);
}
