//! Enormous strings and free content.

use workwire::MessageEnvelope;

use super::inputs::with_content;
use crate::{at_two_sizes, finishes, read, refused};

#[test]
fn lone_surrogates_are_refused_at_the_first() {
    finishes(|| {
        for escape in [r"\ud800", r"\udc00", r"\ud83d\ud83d"] {
            let text = with_content(&format!("\"{}\"", escape.repeat((8 << 20) / escape.len())));
            refused(&text, "JSN-4", 1);
            refused(&escape.repeat((8 << 20) / escape.len()), "JSN-1", 1);
        }
    });
}

#[test]
fn escapes_are_read_and_written_shorter() {
    at_two_sizes(16 << 20, |size| {
        for (escape, raw) in [(r"\ud83d\ude00", "😀"), (r"\u0061", "a"), (r"\/", "/")] {
            let times = size / escape.len();
            let message = read(&with_content(&format!("\"{}\"", escape.repeat(times)))).unwrap();
            let text = message.to_json();
            assert!(text.contains(raw) && text.len() < times * raw.len() + 1000, "{} bytes", text.len());
        }
    });
}

#[test]
fn control_characters_are_written_longer() {
    at_two_sizes(8 << 20, |size| {
        let message = read(&with_content(&format!("\"{}\"", r"\u0001".repeat(size / 6)))).unwrap();
        assert_eq!(MessageEnvelope::from_json(&message.to_json()).is_ok(), message.to_json().len() <= 1 << 20);
        assert!(message.to_json().len() > size - 6);
    });
}

#[test]
fn plain_strings_are_passed() {
    at_two_sizes(60 << 20, |size| {
        assert!(read(&with_content(&format!("\"{}\"", "x".repeat(size)))).is_ok());
        refused(&with_content(&format!("\"{}", "é".repeat(size / 2))), "JSN-1", 1);
    });
}

#[test]
fn small_values_are_passed() {
    at_two_sizes(16 << 20, |size| {
        for value in ["1,", "[],", "{},", "\"\",", r#"{"a":1},"#, "true,", "-0.5e1,"] {
            assert!(read(&with_content(&format!("[{}1]", value.repeat(size / value.len())))).is_ok());
        }
    });
}
