//! The walk over a document: keys and values in order, each byte looked at once.

use std::borrow::Cow;

use super::keys::Keys;
use super::scan::{self, Number};
use super::{MAX_DEPTH, Walk, broken, broken_with};
use crate::rule::Rule;
use crate::violation::{Path, Report};

/// What kind of value comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
}

/// How a document is to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mode {
    pub(crate) lenient: bool,
    pub(crate) max_depth: u32,
    /// The root's field that holds the version, in documents that have one.
    pub(crate) version_field: Option<&'static str>,
}

impl Default for Mode {
    fn default() -> Self {
        Mode { lenient: false, max_depth: MAX_DEPTH, version_field: None }
    }
}

/// A text that is left in the bytes.
enum Lent<'a> {
    No,
    Asked,
    Kept(Cow<'a, str>),
}

/// Walks one document. Typed values and free content share its position, depth and report.
pub(crate) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) depth: u32,
    /// Set when something was passed that its canonical form would write otherwise.
    pub(super) untidy: bool,
    pub(crate) keys: Keys<'a>,
    pub(crate) mode: Mode,
    pub(crate) report: Report,
    /// Whether the document is of a later minor version, once that is known.
    pub(super) later: Option<bool>,
    /// Where the last key began.
    pub(super) key_at: usize,
    /// Keeps a text instead of copying it into its document, for a caller that asked for that.
    lent: Lent<'a>,
    pub(super) scratch: String,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str, mode: Mode) -> Self {
        Reader {
            text,
            at: 0,
            depth: 0,
            untidy: false,
            keys: Keys::default(),
            mode,
            report: Report::default(),
            later: None,
            key_at: 0,
            lent: Lent::No,
            scratch: String::new(),
        }
    }

    /// The offset of the next byte to be read.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// The offset of the last key.
    pub(crate) fn key_offset(&self) -> usize {
        self.key_at
    }

    /// The whole text.
    pub(crate) fn source(&self) -> &'a str {
        self.text
    }

    /// Asks to keep the text of a `lent` field.
    pub(crate) fn ask_to_lend(&mut self) {
        self.lent = Lent::Asked;
    }

    pub(crate) fn lends(&self) -> bool {
        !matches!(self.lent, Lent::No)
    }

    pub(crate) fn lend(&mut self, text: Cow<'a, str>) {
        self.lent = Lent::Kept(text);
    }

    /// The text that was kept.
    pub(crate) fn take_lent(&mut self) -> Option<Cow<'a, str>> {
        match std::mem::replace(&mut self.lent, Lent::No) {
            Lent::Kept(text) => Some(text),
            Lent::No | Lent::Asked => None,
        }
    }

    /// The text of the document between two offsets that tokens began or ended at.
    pub(crate) fn between(&self, start: usize, end: usize) -> &'a str {
        &self.text[start..end]
    }

    #[inline]
    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    pub(super) fn skip_space(&mut self) {
        if let Some(byte) = self.byte()
            && byte <= b' '
        {
            self.skip_long_space();
        }
    }

    fn skip_long_space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.untidy |= space > 0;
        self.at += space;
    }

    /// Moves to the next value and says of what kind it is.
    #[inline]
    pub(crate) fn kind(&mut self) -> Walk<Kind> {
        self.skip_space();
        match self.byte() {
            Some(b'"') => Ok(Kind::String),
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') if self.rest().starts_with("null") => Ok(Kind::Null),
            _ => Err(self.no_value()),
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[cold]
    fn no_value(&self) -> super::Broken {
        let rest = self.rest();
        if ["NaN", "Infinity"].iter().any(|word| rest.starts_with(word)) {
            return scan::not_a_number(self.at);
        }
        broken(Rule::Jsn1, self.at, "a value")
    }

    /// Behind the root: nothing but white space.
    pub(crate) fn end(&mut self) -> Walk<()> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(broken(Rule::Jsn7, self.at, "the end of the document")) }
    }

    fn enter(&mut self) -> Walk<()> {
        if self.depth == self.mode.max_depth {
            let expected = format!("at most {} levels of objects and arrays", self.mode.max_depth);
            return Err(broken_with(Rule::Jsn8, self.at, expected, "one more".to_owned()));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Steps into the object that comes next.
    pub(crate) fn open_object(&mut self) -> Walk<()> {
        self.enter()
    }

    /// The next key of the open object, or nothing at its end, which is stepped over.
    #[inline]
    pub(crate) fn next_key(&mut self, first: &mut bool) -> Walk<Option<Cow<'a, str>>> {
        self.skip_space();
        let is_first = std::mem::replace(first, false);
        match self.byte() {
            Some(b'}') => {
                self.at += 1;
                self.depth -= 1;
                return Ok(None);
            }
            Some(b',') if !is_first => {
                self.at += 1;
                self.skip_space();
            }
            _ if is_first => {}
            _ => return Err(broken(Rule::Jsn1, self.at, "',' or '}'")),
        }
        if self.byte() != Some(b'"') {
            return Err(broken(Rule::Jsn1, self.at, if is_first { "a key or '}'" } else { "a key" }));
        }
        self.key_at = self.at;
        let key = self.string()?;
        self.skip_space();
        if self.byte() != Some(b':') {
            return Err(broken(Rule::Jsn1, self.at, "':'"));
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Whether the object that comes next has no members.
    pub(crate) fn is_empty_object(&self) -> bool {
        let inside = self.text.as_bytes().get(self.at + 1..).unwrap_or_default();
        inside.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) == Some(&b'}')
    }

    /// Steps into the array that comes next.
    pub(crate) fn open_array(&mut self) -> Walk<()> {
        self.enter()
    }

    /// Moves to the next item of the open array; false at its end, which is stepped over.
    pub(crate) fn next_item(&mut self, first: &mut bool) -> Walk<bool> {
        self.skip_space();
        let is_first = std::mem::replace(first, false);
        match self.byte() {
            Some(b']') => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            Some(b',') if !is_first => {
                self.at += 1;
                Ok(true)
            }
            _ if is_first => Ok(true),
            _ => Err(broken(Rule::Jsn1, self.at, "',' or ']'")),
        }
    }

    /// The number that comes next.
    pub(crate) fn number(&mut self) -> Walk<Number<'a>> {
        let (number, end) = scan::number(self.text, self.at)?;
        self.at = end;
        Ok(number)
    }

    /// Steps over `true`, `false` or `null`.
    pub(super) fn word(&mut self) -> Walk<()> {
        let rest = self.rest();
        let Some(word) = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word)) else {
            return Err(self.no_value());
        };
        self.at += word.len();
        Ok(())
    }

    /// Steps over `null` if that comes next.
    #[inline]
    pub(crate) fn null(&mut self) -> bool {
        self.skip_space();
        if self.byte() == Some(b'n') && self.rest().starts_with("null") {
            self.at += 4;
            return true;
        }
        false
    }

    /// Reports what stood between `start` and here.
    #[cold]
    pub(crate) fn refuse(&mut self, start: usize, at: &Path<'_>, rule: Rule, expected: impl Into<Cow<'static, str>>) {
        let found = &self.text[start..self.at];
        self.report.add(start, at, rule, expected, Some(found));
    }

    /// Passes the value that comes next, which has the wrong type, and says so.
    #[cold]
    pub(crate) fn mismatch(&mut self, at: &Path<'_>, expected: &'static str) -> Walk<()> {
        let start = self.at;
        if self.kind()? == Kind::Number {
            let number = self.number()?;
            // A number that no double can hold is said to be that, and nothing more.
            if !self.check_finite(start, number, at) {
                return Ok(());
            }
        } else {
            self.pass(at)?;
        }
        self.refuse(start, at, Rule::Fld1, expected);
        Ok(())
    }
}
