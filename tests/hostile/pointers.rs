//! Enormous keys, with much that is wrong below them.

use workwire::MessageEnvelope;

use super::inputs::{with_content, with_fields};
use crate::{at_two_sizes, finishes, read, refused};

/// Below a key of so many bytes, so many numbers that no double holds.
fn below(key: &str, times: usize) -> String {
    with_content(&format!(r#"{{"{key}":[{}1]}}"#, "1e400,".repeat(times)))
}

#[test]
fn violations_below_an_enormous_key_are_counted() {
    at_two_sizes(32 << 20, |size| {
        let error = refused(&below(&"k".repeat(size), size / 16), "JSN-11", size / 16);
        assert!(error.violations()[0].pointer().len() > size);
        refused(&below(&"~/".repeat(size / 2), size / 16), "JSN-11", size / 16);
    });
}

#[test]
fn violations_below_a_key_within_the_default_limit_are_counted() {
    finishes(|| {
        let text = below(&"k".repeat(400_000), 90_000);
        let error = MessageEnvelope::from_json(&text).unwrap_err();
        assert_eq!(error.total(), 90_000);
    });
}

#[test]
fn violations_below_enormous_keys_at_every_level_are_counted() {
    at_two_sizes(16 << 20, |size| {
        let key = "k".repeat(size / 64);
        let (open, close) = (format!(r#"{{"{key}":"#).repeat(50), "}".repeat(50));
        refused(&with_content(&format!("{open}[{}1]{close}", "1e400,".repeat(size / 8))), "JSN-11", size / 8);
    });
}

#[test]
fn enormous_keys_that_come_twice_are_told() {
    at_two_sizes(24 << 20, |size| {
        let key = "k".repeat(size);
        refused(&with_content(&format!(r#"{{"{key}":1,"{key}":2}}"#)), "JSN-5", 1);
        let error = refused(&with_fields(&format!(r#","{key}":1,"{key}":2"#)), "FLD-2", 2);
        assert!(!error.violations().is_empty());
    });
}

#[test]
fn enormous_keys_that_differ_in_their_last_character_are_told_apart() {
    at_two_sizes(40 << 20, |size| {
        let key = "k".repeat(size / 20);
        let members: Vec<String> = ('a'..='t').map(|last| format!(r#""{key}{last}":1"#)).collect();
        assert!(read(&with_content(&format!("{{{}}}", members.join(",")))).is_ok());
    });
}
