//! What an adapter did that the protocol does not allow.

use std::fmt;

/// The kinds of misbehaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingKind {
    /// A line that is not JSON.
    NotJson,
    /// An answer to no request.
    NoRequest,
    /// An answer to a request that was answered before.
    SecondAnswer,
    /// JSON that is no answer, or a result that is not its method's.
    WrongShape,
    /// An error with a number that means nothing.
    UnknownCode,
    /// No answer in time.
    Silence,
    /// A line of more than 16 MiB.
    LongLine,
    /// It ended, or closed its input or output, before it was told to.
    EarlyExit,
    /// Told to end, it did not, or not with 0.
    BadExit,
    /// It left a process behind.
    LeftBehind,
}

impl FindingKind {
    /// All of them.
    pub const ALL: [FindingKind; 10] = [
        FindingKind::NotJson,
        FindingKind::NoRequest,
        FindingKind::SecondAnswer,
        FindingKind::WrongShape,
        FindingKind::UnknownCode,
        FindingKind::Silence,
        FindingKind::LongLine,
        FindingKind::EarlyExit,
        FindingKind::BadExit,
        FindingKind::LeftBehind,
    ];

    /// Its name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            FindingKind::NotJson => "not_json",
            FindingKind::NoRequest => "no_request",
            FindingKind::SecondAnswer => "second_answer",
            FindingKind::WrongShape => "wrong_shape",
            FindingKind::UnknownCode => "unknown_code",
            FindingKind::Silence => "silence",
            FindingKind::LongLine => "long_line",
            FindingKind::EarlyExit => "early_exit",
            FindingKind::BadExit => "bad_exit",
            FindingKind::LeftBehind => "left_behind",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A misbehaviour, and where it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which kind.
    pub kind: FindingKind,
    /// The line of the adapter's output that shows it, from 1; nothing where no line does.
    pub line: Option<u64>,
    /// How that line begins, without control characters; of an early end, how the log ends.
    pub excerpt: String,
    /// What was expected, and what was found.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.kind)?;
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.message)?;
        if !self.excerpt.is_empty() {
            write!(f, ": {}", self.excerpt)?;
        }
        Ok(())
    }
}

/// The findings of a run. An adapter that does nothing but misbehave fills no memory with them.
#[derive(Debug, Default)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    total: u64,
}

impl Findings {
    /// How many are kept.
    const MOST: usize = 1_000;

    pub(super) fn add(&mut self, finding: Finding) {
        self.total += 1;
        if self.kept.len() < Self::MOST {
            self.kept.push(finding);
        }
    }

    pub(super) fn kept(&self) -> &[Finding] {
        &self.kept
    }

    pub(super) const fn total(&self) -> u64 {
        self.total
    }
}

/// The most characters of a line that a finding shows.
const EXCERPT: usize = 200;

/// The most characters of an adapter's own words that are kept in a message.
const WORDS: usize = 1_000;

/// How a line begins, fit to be shown.
pub(super) fn excerpt(line: &[u8]) -> String {
    // A character takes up to four bytes; some more may be control characters.
    let start = &line[..line.len().min(8 * EXCERPT)];
    cut(&shown(&String::from_utf8_lossy(start)), EXCERPT)
}

/// How a text ends, fit to be shown.
pub(super) fn last(text: &str) -> String {
    let text = shown(text.trim_end());
    let skip = text.chars().count().saturating_sub(EXCERPT);
    text.chars().skip(skip).collect()
}

/// An adapter's own words, fit to stand in a message.
pub(super) fn words(text: &str) -> String {
    cut(&shown(text), WORDS)
}

/// A text without what steers a terminal or turns the direction of writing.
pub(super) fn shown(text: &str) -> String {
    let steers = |c: &char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| !steers(c)).collect()
}

fn cut(text: &str, most: usize) -> String {
    let mut cut: String = text.chars().take(most).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}
