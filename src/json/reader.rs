//! The walk over a document: keys and values in order, each byte looked at once.

use std::borrow::Cow;

use super::keys::Keys;
use super::scan::{self, Number};
use super::{MAX_DEPTH, Walk, broken};
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

/// The fields of a document in their order: their names, and as they are written, with quotes and colon.
pub(crate) struct Fields {
    pub(crate) names: &'static [&'static str],
    pub(crate) quoted: &'static [&'static str],
}

impl Fields {
    /// The index of a name, for tables in code.
    pub(crate) const fn index(&self, name: &str) -> usize {
        let mut index = 0;
        while index < self.names.len() {
            if same(self.names[index], name) {
                return index;
            }
            index += 1;
        }
        usize::MAX
    }
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// A key of an object whose fields are known.
pub(crate) enum Key<'a> {
    /// The field of this index in the table.
    Field(usize),
    /// No field of the table.
    Other(Cow<'a, str>),
}

/// How far the walk over a table's fields is.
pub(crate) struct Cursor {
    first: bool,
    next: usize,
}

impl Cursor {
    pub(crate) const START: Cursor = Cursor { first: true, next: 0 };
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
    later: Option<bool>,
    /// Where the last key began.
    key_at: usize,
    /// Keeps a text instead of copying it into its document, for a caller that asked for that.
    lent: Lent<'a>,
    scratch: String,
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
            return Err(broken(Rule::Jsn8, self.at, "no object or array deeper than the limit"));
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

    /// The next key of the open object as a field of a table, or as itself. Senders mostly write
    /// the fields in their order, so the next of the table are tried first, with quotes and colon.
    #[inline]
    pub(crate) fn next_field(&mut self, table: &Fields, cursor: &mut Cursor) -> Walk<Option<Key<'a>>> {
        self.skip_space();
        let comma = usize::from(!cursor.first);
        if cursor.first || self.byte() == Some(b',') {
            let rest = self.text.as_bytes().get(self.at + comma..).unwrap_or_default();
            for (ahead, quoted) in table.quoted.iter().enumerate().skip(cursor.next) {
                if rest.starts_with(quoted.as_bytes()) {
                    self.key_at = self.at + comma;
                    self.at += comma + quoted.len();
                    *cursor = Cursor { first: false, next: ahead + 1 };
                    return Ok(Some(Key::Field(ahead)));
                }
            }
        }
        let Some(key) = self.next_key(&mut cursor.first)? else { return Ok(None) };
        Ok(Some(match table.names.iter().position(|name| *name == key) {
            Some(index) => {
                cursor.next = index + 1;
                Key::Field(index)
            }
            None => Key::Other(key),
        }))
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

    /// The string that comes next; borrowed where it has no escapes.
    #[inline]
    pub(crate) fn string(&mut self) -> Walk<Cow<'a, str>> {
        let start = self.at + 1;
        let end = scan::plain_run(self.text.as_bytes(), start);
        if self.text.as_bytes().get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Cow::Borrowed(&self.text[start..end]));
        }
        self.string_with_escapes(start, end).map(Cow::Owned)
    }

    /// The 36 characters of a UUID as a string of their own, if that is what comes next.
    #[inline]
    pub(crate) fn uuid(&mut self) -> Option<uuid::Uuid> {
        let bytes = self.text.as_bytes().get(self.at..self.at + 38)?;
        if bytes[0] != b'"' || bytes[37] != b'"' {
            return None;
        }
        // Of the forms that are parsed, only the hyphenated one has 36 bytes; none has an escape.
        let uuid = uuid::Uuid::try_parse_ascii(&bytes[1..37]).ok()?;
        self.at += 38;
        Some(uuid)
    }

    fn string_with_escapes(&mut self, start: usize, first_run: usize) -> Walk<String> {
        let bytes = self.text.as_bytes();
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.push_str(&self.text[start..first_run]);
        let mut at = first_run;
        loop {
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    let next = if let Some(c) = super::text::simple_escape(bytes, at) {
                        scratch.push(c);
                        at + 2
                    } else {
                        let (c, next, shortest) = super::text::escape(self.text, at)?;
                        self.untidy |= !shortest;
                        scratch.push(c);
                        next
                    };
                    let run = scan::plain_run(bytes, next);
                    scratch.push_str(&self.text[next..run]);
                    at = run;
                }
                Some(_) => return Err(broken(Rule::Jsn1, at, "no raw control character in a string")),
                None => return Err(broken(Rule::Jsn1, at, "'\"' at the end of the string")),
            }
        }
        self.at = at + 1;
        let value = scratch.clone();
        self.scratch = scratch;
        Ok(value)
    }

    /// Steps over the string that comes next, and checks it.
    pub(super) fn pass_string(&mut self) -> Walk<()> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        loop {
            at = scan::plain_run(bytes, at);
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') if super::text::simple_escape(bytes, at).is_some() => at += 2,
                Some(b'\\') => {
                    let (_, next, shortest) = super::text::escape(self.text, at)?;
                    self.untidy |= !shortest;
                    at = next;
                }
                Some(_) => return Err(broken(Rule::Jsn1, at, "no raw control character in a string")),
                None => return Err(broken(Rule::Jsn1, at, "'\"' at the end of the string")),
            }
        }
        self.at = at + 1;
        Ok(())
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

    /// Where the value of a key begins in the object at `object`; the end of the object where it is
    /// not there. For what is checked once the object has been passed.
    #[cold]
    pub(crate) fn place_of(text: &str, object: usize, key: &str) -> usize {
        let mut reader = Reader::new(text, Mode::default());
        reader.at = object;
        let mut find = || {
            reader.open_object().ok()?;
            let mut first = true;
            while let Some(name) = reader.next_key(&mut first).ok()? {
                reader.kind().ok()?;
                if name == key {
                    return Some(reader.at);
                }
                reader.pass(&Path::Root).ok()?;
            }
            Some(reader.at - 1)
        };
        find().unwrap_or(object)
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

    /// Whether the document is of a later minor version, for which unknown fields are no mistake.
    /// Looks ahead for the version where it has not come yet.
    pub(crate) fn is_later(&mut self) -> bool {
        if let Some(later) = self.later {
            return later;
        }
        let version = self.mode.version_field.and_then(|field| self.look_ahead(field));
        let later = version.is_some_and(|text| crate::version::is_later_minor(&text));
        self.later = Some(later);
        later
    }

    /// The text of a field of the root, wherever it stands. What is wrong with the document is not
    /// said here: the walk itself will come to it.
    pub(crate) fn look_ahead(&self, field: &str) -> Option<Cow<'a, str>> {
        let mut ahead = Reader::new(self.text, self.mode);
        if ahead.kind().ok()? != Kind::Object {
            return None;
        }
        ahead.open_object().ok()?;
        let mut first = true;
        while let Some(key) = ahead.next_key(&mut first).ok()? {
            let kind = ahead.kind().ok()?;
            if key == field {
                return if kind == Kind::String { ahead.string().ok() } else { None };
            }
            ahead.pass(&Path::Root).ok()?;
        }
        None
    }
}
