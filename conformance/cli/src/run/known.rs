//! Cases that are known to fail, each with its reason.

use std::fs;
use std::path::Path;

use workwire_conformance::plan;
use workwire_conformance::reports::KnownFailing;

use super::order::CaseName;
use crate::exit::Failure;
use crate::output::quoted;
use crate::text::plain;

/// The lines of a file of known failures.
#[derive(Debug, Default)]
pub(super) struct Known {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    place: String,
    pattern: String,
    reason: String,
    /// Whether a case that it matches was wanted, and whether one ran.
    is_wanted: bool,
    has_run: bool,
}

impl Known {
    /// Reads it. A line that matches no case of the suite is a typing error, or says nothing any more.
    pub(super) fn read(path: &Path, cases: &[CaseName]) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| Failure::file("read", path, error))?;
        // Some editors begin a file with a mark that nobody sees.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut lines = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("{}:{}", quoted(path), number + 1);
            let (pattern, reason) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            if reason.trim().is_empty() {
                let found = plain(pattern);
                return Err(Failure::new(format!("{place}: expected a pattern and the reason, found {found:?} alone")));
            }
            if !cases.iter().any(|case| plan::means(pattern, case.id, case.clauses)) {
                return Err(Failure::new(format!("{place}: no case matches {:?}", plain(pattern))));
            }
            let (pattern, reason) = (pattern.to_owned(), plain(reason.trim()));
            lines.push(Line { place, pattern, reason, is_wanted: false, has_run: false });
        }
        Ok(Known { lines })
    }

    /// The lines, as a report tells them.
    pub(super) fn told(&self) -> Vec<KnownFailing> {
        let told = |line: &Line| KnownFailing { pattern: plain(&line.pattern), reason: line.reason.clone() };
        self.lines.iter().map(told).collect()
    }

    /// Why a case is known to fail; keeps in mind whether it ran.
    pub(super) fn reason(&mut self, case: CaseName, has_run: bool) -> Option<&str> {
        let mut reason = None;
        let of_it = |line: &&mut Line| plan::means(&line.pattern, case.id, case.clauses);
        for line in self.lines.iter_mut().filter(of_it) {
            line.is_wanted = true;
            line.has_run |= has_run;
            reason.get_or_insert(&*line.reason);
        }
        reason
    }

    /// Whether a case is known to fail.
    pub(super) fn is_known(&self, case: CaseName) -> bool {
        self.lines.iter().any(|line| plan::means(&line.pattern, case.id, case.clauses))
    }

    /// The lines that are stale: of the cases that they match, some were wanted, and none could run.
    /// A line whose cases were left out by the command itself is not.
    pub(super) fn stale(&self) -> impl Iterator<Item = String> {
        let stale = self.lines.iter().filter(|line| line.is_wanted && !line.has_run);
        stale.map(|line| format!("{}: {:?} matches no case that this broker can be put to", line.place, line.pattern))
    }
}
