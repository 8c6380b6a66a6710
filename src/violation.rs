//! What is wrong with a message: where, by which rule, what was expected and what was found.

use std::borrow::Cow;
use std::fmt;

use crate::rule::Rule;

/// So many violations of one message are kept; of the others only the number is.
pub const MAX_VIOLATIONS: usize = 100;

/// What was found, and a pointer in a sentence, are shown up to so many characters.
const SHOWN_CHARS: usize = 120;

/// Pointers of one report take up to so many bytes together, so that many violations below one
/// enormous key cannot multiply its size.
const POINTER_BYTES: usize = 1 << 20;

/// A place in the bytes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// Bytes before the place.
    pub offset: usize,
}

impl Position {
    pub(crate) fn of(bytes: &[u8], offset: usize) -> Self {
        let before = &bytes[..offset.min(bytes.len())];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        Position {
            line: before.split(|&b| b == b'\n').count(),
            // Continuation bytes do not begin a character.
            column: 1 + before[line_start..].iter().filter(|&&b| b & 0xC0 != 0x80).count(),
            offset,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {} (byte {})", self.line, self.column, self.offset)
    }
}

/// One thing that is wrong with a message.
///
/// ```
/// use workwire::WorkResult;
/// let text = r#"{"task_id": "0190a3c4-0000-7000-8000-000000000001", "status": "failed",
///     "exit_code": 1, "duration_ms": 5, "agent_id": "0190a3c4-0000-7000-8000-000000000002"}"#;
/// let error = WorkResult::from_json(text).unwrap_err();
/// let violation = &error.violations()[0];
/// assert_eq!(violation.to_string(), r#"/error_message: required when status is "failed" (WRS-4)"#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pointer: String,
    rule: Rule,
    expected: Cow<'static, str>,
    found: Option<String>,
    position: Option<Position>,
}

impl Violation {
    pub(crate) fn new(
        pointer: String,
        rule: Rule,
        expected: impl Into<Cow<'static, str>>,
        found: Option<&str>,
    ) -> Self {
        Violation { pointer, rule, expected: expected.into(), found: found.map(cut), position: None }
    }

    pub(crate) fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    pub(crate) fn below(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }

    /// The place, as a JSON Pointer (RFC 6901); of a missing field, where it should stand.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The rule that is broken.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// What the rule asks for at this place.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What stands there, cut to 120 characters; nothing where something is missing, or where it has
    /// no business to be.
    #[must_use]
    pub fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }

    /// Line, column and byte of a place that is not JSON.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// The sentence for a person, without pointer and rule.
    #[must_use]
    pub fn message(&self) -> String {
        match &self.found {
            Some(found) => format!("expected {}, found {found}", self.expected),
            None => self.expected.clone().into_owned(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.pointer, self.position) {
            ("", Some(position)) => write!(f, "{position}")?,
            // A value by itself has no place.
            ("", None) if !matches!(self.rule, Rule::Jsn9 | Rule::Jsn10) => {
                return write!(f, "{} ({})", self.message(), self.rule);
            }
            ("", None) => f.write_str("document")?,
            (pointer, Some(position)) => write!(f, "{} at {position}", cut(pointer))?,
            (pointer, None) => f.write_str(&cut(pointer))?,
        }
        write!(f, ": {} ({})", self.message(), self.rule)
    }
}

/// Cuts what a stranger sent, and takes from it what could steer a terminal.
fn cut(text: &str) -> String {
    let mut chars = text.chars();
    let mut text: String = chars.by_ref().take(SHOWN_CHARS).collect();
    if chars.next().is_some() {
        text.pop();
        text.push('…');
    }
    plain(&text).into_owned()
}

fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
    } else {
        Cow::Borrowed(text)
    }
}

/// Everything that is wrong with one message, in the order of the places: at most
/// [`MAX_VIOLATIONS`] of them, and how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Violations {
    kept: Vec<Violation>,
    total: usize,
}

impl Violations {
    pub(crate) fn one(violation: Violation) -> Self {
        Violations { kept: vec![violation], total: 1 }
    }

    pub(crate) fn below(mut self, prefix: &str) -> Self {
        self.kept = self.kept.into_iter().map(|violation| violation.below(prefix)).collect();
        self
    }

    /// How many there are in all, those beyond the kept ones included.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }
}

impl std::ops::Deref for Violations {
    type Target = [Violation];

    fn deref(&self) -> &[Violation] {
        &self.kept
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.kept.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.kept.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            violation.fmt(f)?;
        }
        match self.total - self.kept.len() {
            0 => Ok(()),
            more => write!(f, "\n… and {more} more"),
        }
    }
}

/// Where something stands in a message, as a chain on the stack: it costs nothing until a
/// violation needs its pointer.
#[derive(Clone, Copy)]
pub(crate) enum Path<'p> {
    Root,
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl<'p> Path<'p> {
    pub(crate) fn key(&'p self, key: &'p str) -> Path<'p> {
        Path::Key(self, key)
    }

    pub(crate) fn index(&'p self, index: usize) -> Path<'p> {
        Path::Index(self, index)
    }

    pub(crate) fn pointer(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        match *self {
            Path::Root => {}
            Path::Key(parent, key) => {
                parent.write(out);
                out.push('/');
                if key.contains(['~', '/']) {
                    out.push_str(&key.replace('~', "~0").replace('/', "~1"));
                } else {
                    out.push_str(key);
                }
            }
            Path::Index(parent, index) => {
                parent.write(out);
                out.push('/');
                out.push_str(&index.to_string());
            }
        }
    }
}

/// Where a violation stands among others: by its place in the bytes, and of several fields that are
/// missing at one place by their order in the document's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Place {
    offset: usize,
    rank: usize,
}

impl From<usize> for Place {
    fn from(offset: usize) -> Self {
        Place { offset, rank: 0 }
    }
}

impl Place {
    /// Of a field that is missing in an object that ends at `offset`.
    pub(crate) fn missing(offset: usize, rank: usize) -> Self {
        Place { offset, rank: rank + 1 }
    }
}

/// Collects violations while a message is read or built, and puts them in order.
#[derive(Default)]
pub(crate) struct Report {
    /// What is no strict JSON.
    json: Bounded,
    /// What breaks the rules of a version that is known.
    rules: Bounded,
    /// That the version is of another major: then only what is no strict JSON is said beside it.
    foreign: Option<(Place, Violation)>,
}

/// The first hundred of many violations, and how many there are.
#[derive(Default)]
struct Bounded {
    kept: Vec<(Place, Violation)>,
    total: usize,
    last: Place,
    pointer_bytes: usize,
}

impl Bounded {
    fn put(&mut self, place: Place, violation: impl FnOnce() -> Violation) {
        self.total += 1;
        let is_behind = self.kept.len() >= MAX_VIOLATIONS && self.last <= place;
        // Asked before the pointer is made: below an enormous key each would cost as much again.
        if is_behind || self.pointer_bytes > POINTER_BYTES {
            return;
        }
        let violation = violation();
        self.pointer_bytes += violation.pointer.len();
        self.last = self.last.max(place);
        self.kept.push((place, violation));
        if self.kept.len() > 2 * MAX_VIOLATIONS {
            self.order();
        }
    }

    fn order(&mut self) {
        self.kept.sort_by_key(|(place, _)| *place);
        self.kept.truncate(MAX_VIOLATIONS);
        self.last = self.kept.last().map_or(Place::default(), |(place, _)| *place);
    }

    fn merge(&mut self, other: Bounded, at: Option<usize>) {
        self.total += other.total - other.kept.len();
        for (place, violation) in other.kept {
            self.put(at.map_or(place, Place::from), || violation);
        }
    }
}

impl Report {
    /// By `place` the violations are ordered at the end.
    #[cold]
    pub(crate) fn add(
        &mut self,
        place: impl Into<Place>,
        at: &Path<'_>,
        rule: Rule,
        expected: impl Into<Cow<'static, str>>,
        found: Option<&str>,
    ) {
        self.put(place.into(), rule, || Violation::new(at.pointer(), rule, expected, found));
    }

    fn put(&mut self, place: Place, rule: Rule, violation: impl FnOnce() -> Violation) {
        match rule {
            Rule::Ver2 => self.foreign = Some((place, violation())),
            Rule::Jsn5 | Rule::Jsn11 => self.json.put(place, violation),
            _ => self.rules.put(place, violation),
        }
    }

    /// Takes over what a report of the same bytes holds; of a report of other bytes, all of it at
    /// one place.
    pub(crate) fn merge(&mut self, other: Report, at: Option<usize>) {
        self.json.merge(other.json, at);
        self.rules.merge(other.rules, at);
        let foreign = other.foreign.map(|(place, violation)| (at.map_or(place, Place::from), violation));
        self.foreign = self.foreign.take().or(foreign);
    }

    /// Takes over violations that were finished elsewhere, all of them at one place.
    pub(crate) fn take_all(&mut self, violations: Violations, place: usize) {
        let more = violations.total - violations.kept.len();
        let is_foreign = violations.iter().any(|violation| violation.rule == Rule::Ver2);
        if is_foreign {
            self.json.total += more;
        } else {
            self.rules.total += more;
        }
        for (rank, violation) in violations.kept.into_iter().enumerate() {
            self.put(Place { offset: place, rank }, violation.rule, || violation);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.json.total == 0 && self.rules.total == 0 && self.foreign.is_none()
    }

    pub(crate) fn finish(self) -> Violations {
        let mut all = self.json;
        if let Some(foreign) = self.foreign {
            // Whatever else there is, this is told.
            all.order();
            all.kept.truncate(MAX_VIOLATIONS - 1);
            all.kept.push(foreign);
            all.total += 1;
        } else {
            all.total += self.rules.total;
            all.kept.extend(self.rules.kept);
        }
        all.order();
        Violations { kept: all.kept.into_iter().map(|(_, violation)| violation).collect(), total: all.total }
    }
}
