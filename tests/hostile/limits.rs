//! Sizes and depths, at the limits that a reader sets.

use workwire::{Decoder, DocumentKind, MAX_BYTES_CEILING, MessageEnvelope};

use super::inputs::with_content;
use crate::{at_two_sizes, finishes, read, refused, widest};

const DEFAULT: usize = 1 << 20;

#[test]
fn brackets_are_refused_by_depth() {
    finishes(|| {
        for open in ["[", r#"{"a":"#, "[[", r#"[{"":"#, "[ "] {
            refused(&open.repeat(MAX_BYTES_CEILING / open.len()), "JSN-8", 1);
        }
        refused(&with_content(&"[".repeat(32 << 20)), "JSN-8", 1);
    });
}

#[test]
fn documents_over_the_limit_are_refused_unread() {
    finishes(|| {
        for byte in [b'[', b' ', 0xFF, b'"'] {
            let bytes = vec![byte; MAX_BYTES_CEILING + 1];
            let error = widest().decode::<MessageEnvelope>(&bytes).unwrap_err();
            assert!(error.is_too_large() && error.total() == 1, "{error}");
            for kind in DocumentKind::ALL {
                let error = kind.decode(&Decoder::strict(), &bytes[..=DEFAULT]).unwrap_err();
                assert!(error.is_too_large(), "{error}");
                let error = kind.decode(&Decoder::strict(), &bytes[..DEFAULT]).unwrap_err();
                assert!(error.is_not_json(), "{error}");
            }
        }
    });
}

#[test]
fn documents_at_the_limit_are_read() {
    finishes(|| {
        let message = with_content("1");
        let filled = |limit: usize| format!("{message}{}", " ".repeat(limit - message.len()));
        assert!(Decoder::strict().decode::<MessageEnvelope>(filled(DEFAULT).as_bytes()).is_ok());
        assert!(read(&filled(MAX_BYTES_CEILING)).is_ok());
    });
}

#[test]
fn the_deepest_nesting_is_read_again_and_again() {
    at_two_sizes(16 << 20, |size| {
        let deep = format!("{}1{},", "[".repeat(60), "]".repeat(60));
        let many = deep.repeat(size / deep.len());
        assert!(read(&with_content(&format!("[{many}0]"))).is_ok());
    });
}

#[test]
fn white_space_is_passed() {
    at_two_sizes(48 << 20, |size| {
        let text = with_content(&format!("[{}1{}]", "\n".repeat(size / 2), "\t \r\n".repeat(size / 8)));
        assert_eq!(read(&text).unwrap(), read(&with_content("[1]")).unwrap());
    });
}
