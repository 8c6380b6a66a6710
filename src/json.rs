//! Strict JSON: from bytes to values, in one pass that checks and reads together.
//!
//! [`scan`] knows bytes: where a string or a number ends. [`reader`] walks a document and hands out
//! keys and values ([`fields`], [`strings`]), [`free`](mod@free) checks what no type describes,
//! [`ahead`] looks for what comes later, and [`text`] writes strings back. Whatever is no JSON ends the walk at once, as [`Broken`]; whatever is JSON but not allowed
//! is put into the reader's report, and the walk goes on.

mod ahead;
mod fields;
mod free;
mod keys;
mod reader;
mod scan;
mod strings;
mod text;

pub(crate) use fields::{Cursor, Fields, Key};
pub(crate) use free::REPEATED;
pub(crate) use keys::Frame;
pub(crate) use reader::{Kind, Mode, Reader};
pub(crate) use scan::{Number, Whole};
pub(crate) use text::{Out, canonical_value, levels};

use std::borrow::Cow;

use crate::error::ProtocolError;
use crate::rule::Rule;
use crate::violation::{Position, Violation, Violations};

/// The largest limit that can be set: 64 MiB.
pub const MAX_BYTES_CEILING: usize = 64 << 20;

/// Objects and arrays nest so deep; the root is level 1.
pub(crate) const MAX_DEPTH: u32 = 64;

/// What a reader takes at most.
///
/// ```
/// use workwire::Limits;
/// assert_eq!(Limits::default().max_bytes(), 1_048_576);
/// assert_eq!(Limits::default().with_max_bytes(usize::MAX).max_bytes(), 64 << 20);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    max_bytes: usize,
    max_depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_bytes: 1 << 20, max_depth: MAX_DEPTH }
    }
}

impl Limits {
    /// The same limits with another size of document; more than 64 MiB becomes 64 MiB.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes.min(MAX_BYTES_CEILING);
        self
    }

    /// The same limits with another depth; more than 64 becomes 64.
    #[must_use]
    pub fn with_max_depth(mut self, depth: u32) -> Self {
        self.max_depth = depth.min(MAX_DEPTH);
        self
    }

    /// The largest document, in bytes.
    #[must_use]
    pub fn max_bytes(self) -> usize {
        self.max_bytes
    }

    /// The deepest nesting; the root is level 1.
    #[must_use]
    pub fn max_depth(self) -> u32 {
        self.max_depth
    }
}

/// Why the bytes are no JSON, and where.
#[derive(Debug)]
struct Syntax {
    rule: Rule,
    offset: usize,
    expected: Cow<'static, str>,
    found: Option<String>,
}

/// The end of a walk: the bytes are no JSON. Boxed, since it travels with every result and is rare.
#[derive(Debug)]
pub(crate) struct Broken(Box<Syntax>);

pub(crate) type Walk<T> = Result<T, Broken>;

impl Broken {
    pub(crate) fn into_violation(self, bytes: &[u8]) -> Violation {
        let syntax = *self.0;
        let found = syntax.found.unwrap_or_else(|| what_stands_at(bytes, syntax.offset));
        Violation::new(String::new(), syntax.rule, syntax.expected, Some(&found)).at(Position::of(bytes, syntax.offset))
    }

    pub(crate) fn into_error(self, bytes: &[u8]) -> ProtocolError {
        ProtocolError::refused(Violations::one(self.into_violation(bytes)))
    }
}

fn what_stands_at(bytes: &[u8], offset: usize) -> String {
    let rest = &bytes[offset.min(bytes.len())..];
    let some = &rest[..rest.len().min(8)];
    let first = match std::str::from_utf8(some) {
        Ok(text) => text.chars().next(),
        Err(error) => std::str::from_utf8(&some[..error.valid_up_to()]).ok().and_then(|text| text.chars().next()),
    };
    match first {
        Some(c) if c.is_control() => format!("the character U+{:04X}", u32::from(c)),
        Some(c) => format!("'{c}'"),
        None => match rest.first() {
            Some(byte) => format!("the byte 0x{byte:02X}"),
            None => "the end".to_owned(),
        },
    }
}

#[cold]
pub(crate) fn broken(rule: Rule, offset: usize, expected: &'static str) -> Broken {
    Broken(Box::new(Syntax { rule, offset, expected: expected.into(), found: None }))
}

#[cold]
fn broken_with(rule: Rule, offset: usize, expected: impl Into<Cow<'static, str>>, found: String) -> Broken {
    Broken(Box::new(Syntax { rule, offset, expected: expected.into(), found: Some(found) }))
}

/// The checks on the whole of the bytes that come before the first value is read.
pub(crate) fn open(bytes: &[u8], limits: Limits) -> Result<&str, ProtocolError> {
    let refuse = |syntax: Broken| syntax.into_error(bytes);
    if bytes.len() > limits.max_bytes {
        return Err(too_large(bytes.len(), limits));
    }
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        let found = "a byte-order mark".to_owned();
        return Err(refuse(broken_with(Rule::Jsn2, 0, "JSON from the first byte", found)));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let found = format!("the byte 0x{:02X}", bytes[at]);
        refuse(broken_with(Rule::Jsn3, at, "well-formed UTF-8", found))
    })
}

pub(crate) fn too_large(bytes: usize, limits: Limits) -> ProtocolError {
    let limit = format!("at most {} bytes", limits.max_bytes);
    let violation = Violation::new(String::new(), Rule::Jsn9, limit, Some(&format!("{bytes} bytes")));
    ProtocolError::refused(Violations::one(violation))
}
