//! Where in the bytes something is no JSON.

use serde_json::json;
use workwire::{Decoder, ErrorCode, MessageEnvelope, Position, ProtocolError, WorkResult};

use crate::bodies::work_result;

fn refused(bytes: &[u8]) -> ProtocolError {
    MessageEnvelope::from_slice(bytes).unwrap_err()
}

#[track_caller]
fn at(bytes: &[u8], rule: &str, line: usize, column: usize, offset: usize) {
    let error = refused(bytes);
    let violation = &error.violations()[0];
    assert_eq!((violation.rule().id(), violation.pointer(), error.total()), (rule, "", 1), "{error}");
    assert_eq!(violation.position(), Some(Position { line, column, offset }), "{error}");
    assert_eq!(error.error_code(), ErrorCode::MALFORMED_JSON);
}

#[test]
fn position_counts_lines_and_columns_from_1_and_bytes_from_0() {
    at(b"", "JSN-1", 1, 1, 0);
    at(b"x", "JSN-1", 1, 1, 0);
    at(b"{\"a\": 1,\n  \"b\": tru}", "JSN-1", 2, 8, 16);
    at(b"{\"a\":1\r\n\r\n x", "JSN-1", 3, 2, 11);
}

#[test]
fn position_counts_characters_and_not_bytes() {
    at("{\"äö😀\": ?}".as_bytes(), "JSN-1", 1, 9, 13);
    at("{\"\u{2028}\":\n\"é\"?".as_bytes(), "JSN-1", 2, 4, 12);
}

#[test]
fn position_of_each_kind_of_broken_bytes() {
    at(b"\xEF\xBB\xBF{}", "JSN-2", 1, 1, 0);
    at(b"{\"a\":\"\xC3\xA4\xFF\"}", "JSN-3", 1, 8, 8);
    at(br#"{"a":"x\ud800y"}"#, "JSN-4", 1, 8, 7);
    at(br#"{"a":"\udc00"}"#, "JSN-4", 1, 7, 6);
    at(br#"{"a":-Infinity}"#, "JSN-6", 1, 6, 5);
    at(br#"{"a":-Inf}"#, "JSN-1", 1, 7, 6);
    at(b"{\"a\":{}}{", "JSN-7", 1, 9, 8);
    at(format!("{}{}", r#"{"a":"#.repeat(64), "[").as_bytes(), "JSN-8", 1, 321, 320);
    at(b"{\"a\":\"\n\"}", "JSN-1", 1, 7, 6);
    at(br#"{"a":"\x"}"#, "JSN-1", 1, 8, 7);
    at(br#"{"a":"\u12g4"}"#, "JSN-1", 1, 11, 10);
    at(b"{\"a\":01}", "JSN-1", 1, 7, 6);
    at(b"{\"a\":1.}", "JSN-1", 1, 8, 7);
    at(b"{\"a\":1", "JSN-1", 1, 7, 6);
}

#[test]
fn position_of_a_word_that_only_begins_like_null() {
    let written = work_result().with("/error_message", "WORD").with("/resources_used", json!({"cpu_time_ms": "WORD"}));
    for field in ["error_message", "cpu_time_ms"] {
        let begun = written.text().replace(&format!(r#""{field}":"WORD""#), &format!(r#""{field}":nulx"#));
        let text = begun.replace(r#""WORD""#, "null");
        let error = WorkResult::from_json(&text).unwrap_err();
        assert_eq!(error.violations()[0].position().map(|at| at.offset), text.find("nulx"), "{text}: {error}");
        WorkResult::from_json(&text.replace("nulx", "null")).unwrap();
    }
}

#[test]
fn position_is_told_in_words() {
    let texts = [
        (&b"{\"a\":1"[..], "line 1, column 7 (byte 6): expected ',' or '}', found the end (JSN-1)"),
        (
            b"{\"a\":\"\t\"}",
            "line 1, column 7 (byte 6): expected no raw control character in a string, found the character U+0009 (JSN-1)",
        ),
        (b"\xFE\xFF", "line 1, column 1 (byte 0): expected well-formed UTF-8, found the byte 0xFE (JSN-3)"),
        ("{😀".as_bytes(), "line 1, column 2 (byte 1): expected a key or '}', found '😀' (JSN-1)"),
    ];
    for (bytes, text) in texts {
        assert_eq!(refused(bytes).to_string(), text);
    }
    assert_eq!(Position { line: 2, column: 3, offset: 9 }.to_string(), "line 2, column 3 (byte 9)");
}

#[test]
fn position_belongs_to_what_is_no_json_alone() {
    let error = refused(br#"{"priority": 9}"#);
    assert!(error.violations().iter().all(|violation| violation.position().is_none()), "{error}");
    let broken = br#"{"priority": 9, "priority": 8, "a": }"#;
    assert_eq!(refused(broken).total(), 1, "nothing else is said beside a syntax error");
    assert!(Decoder::lenient().decode::<MessageEnvelope>(broken).is_err());
}
