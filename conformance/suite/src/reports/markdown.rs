//! A run as Markdown, for a comment or a wiki.

use std::fmt::Write as _;

use workwire::spec;

use super::hostile;
use super::run::{CaseReport, Level, RunReport};
use crate::verdict::Verdict;

/// The most operations of one case.
const MOST_OPERATIONS: usize = 12;

/// As Markdown.
#[must_use]
pub fn run_markdown(report: &RunReport) -> String {
    let mut page = String::new();
    let target = &report.target;
    // Writing to a string cannot fail.
    let _ = writeln!(page, "# {} {}\n", escaped(&target.name), escaped(&target.version));
    let _ = writeln!(page, "**{}.**\n", report.summary.words());
    let _ = writeln!(page, "| | |\n|---|---|");
    for (name, value) in [("target", target.address.clone()), ("claims", target.capabilities.join(" "))]
        .into_iter()
        .chain(report.facts())
    {
        let _ = writeln!(page, "| {name} | {} |", code(&value));
    }
    told(&mut page, "What the adapter did that its protocol does not allow", &report.misbehaved);
    told(&mut page, "Left behind on the broker", &report.left_behind);
    if !report.profiles.is_empty() {
        let _ = writeln!(page, "\n## Profiles\n\n| profile | | why |\n|---|---|---|");
    }
    for profile in &report.profiles {
        let _ = writeln!(
            page,
            "| {} | **{}** | {} |",
            escaped(&profile.name),
            profile.standing.words(),
            escaped(&profile.why())
        );
    }
    let of = |verdict: Verdict, level: Level| {
        report.cases.iter().filter(move |case| case.verdict == verdict && case.level == level)
    };
    section(&mut page, "Fails", of(Verdict::Fail, Level::Must), failure);
    section(&mut page, "Warnings", of(Verdict::Fail, Level::Should), failure);
    let untold = report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Unknown | Verdict::SetupFailed));
    section(&mut page, "Could not be told", untold, reason);
    let skipped = report.cases.iter().filter(|case| case.verdict == Verdict::Skipped);
    section(&mut page, "Skipped", skipped, reason);
    let passed = report.cases.iter().filter(|case| case.verdict == Verdict::Pass);
    section(&mut page, "Passes", passed, |page, case| {
        let _ = writeln!(page, "- {} ({})", code(&case.id), escaped(&case.clauses.join(", ")));
    });
    page
}

fn section<'a>(
    page: &mut String,
    heading: &str,
    cases: impl Iterator<Item = &'a CaseReport>,
    write: impl Fn(&mut String, &CaseReport),
) {
    let mut cases = cases.peekable();
    if cases.peek().is_some() {
        let _ = writeln!(page, "\n## {heading}\n");
        cases.for_each(|case| write(page, case));
    }
}

fn told(page: &mut String, heading: &str, lines: &[String]) {
    if !lines.is_empty() {
        let _ = writeln!(page, "\n## {heading}\n");
    }
    for line in lines {
        let _ = writeln!(page, "- {}", escaped(line));
    }
}

fn reason(page: &mut String, case: &CaseReport) {
    let reason = case.names().within(&case.reason);
    let _ = writeln!(page, "- {} ({}): {}", code(&case.id), escaped(&case.clauses.join(", ")), escaped(&reason));
}

fn failure(page: &mut String, case: &CaseReport) {
    let _ = writeln!(page, "### {}\n", code(&case.id));
    let broken = case.broken_clauses();
    for id in if broken.is_empty() { &case.clauses } else { &broken } {
        let text = spec::explain(id).map_or("no clause of this suite", spec::Clause::text);
        let _ = writeln!(page, "> **{}** {}\n", escaped(id), text);
    }
    let names = case.names();
    let mut block = String::new();
    for (name, text) in [("expected", &case.expected), ("found", &case.found)] {
        if let Some(text) = text {
            let _ = writeln!(block, "{name:9} {}", names.within(text));
        }
    }
    for operation in case.operations.iter().take(MOST_OPERATIONS) {
        let _ = writeln!(block, "  {}", operation.words(&names));
    }
    let block = hostile::lines(&block, 20_000);
    let fence = fence(&block, 3);
    let _ = writeln!(page, "{fence}text\n{}\n{fence}\n", block.trim_end());
}

/// So many backticks as no text within has one behind the other.
fn fence(text: &str, least: usize) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(least.max(longest + 1))
}

/// A text as code in a line or in a table.
pub(super) fn code(text: &str) -> String {
    let text = hostile::line(text, 2 * hostile::MOST_CHARACTERS).replace('|', "\\|");
    let fence = fence(&text, 1);
    if text.is_empty() {
        String::new()
    } else if fence.len() > 1 {
        format!("{fence} {text} {fence}")
    } else {
        format!("`{text}`")
    }
}

/// A text in which nothing is Markdown or HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in hostile::line(text, 2 * hostile::MOST_CHARACTERS).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // Names are mentioned in comments: who is named so need not be told.
            '@' => escaped.push_str("&#64;"),
            c if c.is_ascii_punctuation()
                && !matches!(c, '.' | ',' | ':' | ';' | '(' | ')' | '-' | '/' | '=' | '%') =>
            {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}
