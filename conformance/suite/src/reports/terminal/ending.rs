//! What stands at the end of a run: what fails, what could not be told, the profiles, one line.

use std::fmt::Write as _;

use workwire::spec;

use super::{Paint, word};
use crate::profiles::{ProfileReport, Standing};
use crate::reports::hostile;
use crate::reports::run::{CaseReport, Level, RunReport};
use crate::verdict::Verdict;

/// The most operations of one case that are printed.
const MOST_OPERATIONS: usize = 12;

/// The most lines of an adapter's log that are printed.
const MOST_LOG_LINES: usize = 20;

/// The most characters of one text; the other reports have more of it.
const MOST: usize = 1_000;

/// What stands at the end of a run, with colours where the terminal has them.
#[must_use]
pub fn run_ending(report: &RunReport, colours: bool) -> String {
    let mut ending = Ending { text: String::new(), paint: Paint(colours) };
    let of = |verdict: Verdict| report.cases.iter().filter(move |case| case.verdict == verdict);
    for case in of(Verdict::Fail).filter(|case| case.level == Level::Must) {
        ending.failure(case);
    }
    for case in of(Verdict::Fail).filter(|case| case.level == Level::Should) {
        ending.failure(case);
    }
    for case in of(Verdict::SetupFailed).chain(of(Verdict::Unknown)) {
        ending.untold(case);
    }
    for what in &report.left_behind {
        let line = format!("left behind: {}", clean(what));
        ending.line(&line);
    }
    for what in &report.misbehaved {
        let line = format!("the adapter's breach of its protocol: {}", clean(what));
        ending.line(&line);
    }
    ending.profiles(&report.profiles);
    ending.summary(report);
    ending.text
}

struct Ending {
    text: String,
    paint: Paint,
}

impl Ending {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn heading(&mut self, case: &CaseReport) {
        let is_must = case.level == Level::Must;
        let word = word(case.verdict, is_must);
        let word = if case.verdict == Verdict::Fail && is_must || case.verdict == Verdict::SetupFailed {
            self.paint.red(word)
        } else {
            self.paint.yellow(word)
        };
        let id = self.paint.bold(&clean(&case.id));
        self.line(&format!("\n{word} {id}"));
        let broken = case.broken_clauses();
        let clauses = if broken.is_empty() { &case.clauses } else { &broken };
        for id in clauses {
            let text = spec::explain(id).map_or("no clause of this suite", spec::Clause::text);
            self.line(&format!("  {} {text}", self.paint.bold(&clean(id))));
        }
    }

    fn failure(&mut self, case: &CaseReport) {
        self.heading(case);
        let names = case.names();
        for (name, text) in [("expected", &case.expected), ("found", &case.found)] {
            if let Some(text) = text {
                let text = names.within(&clean(text));
                self.line(&format!("  {} {text}", self.paint.bold(&format!("{name:9}"))));
            }
        }
        for operation in case.operations.iter().take(MOST_OPERATIONS) {
            self.line(&format!("    {}", clean(&operation.words(&names))));
        }
        self.left_out(case.operations.len(), MOST_OPERATIONS, "operations");
        let shown: String = case.operations.iter().take(MOST_OPERATIONS).map(|shown| shown.words(&names)).collect();
        for (name, id) in names.iter().filter(|(name, _)| mentions(&shown, name)).take(MOST_OPERATIONS) {
            let legend = self.paint.faint(&format!("    {name} = {id}"));
            self.line(&legend);
        }
        if case.broken.len() > 1 {
            let more = format!("  and {} more of the same case; the JSON report has them all", case.broken.len() - 1);
            self.line(&self.paint.faint(&more));
        }
        if !case.log.is_empty() {
            self.line("  the adapter's log:");
            let lines: Vec<&str> = case.log.lines().collect();
            for line in &lines[lines.len().saturating_sub(MOST_LOG_LINES)..] {
                self.line(&format!("    | {}", clean(line)));
            }
        }
    }

    fn untold(&mut self, case: &CaseReport) {
        self.heading(case);
        self.line(&format!("  {}", case.names().within(&clean(&case.reason))));
    }

    fn left_out(&mut self, all: usize, most: usize, what: &str) {
        if all > most {
            self.line(&self.paint.faint(&format!("    and {} {what} more", all - most)));
        }
    }

    fn profiles(&mut self, profiles: &[ProfileReport]) {
        if profiles.is_empty() {
            return;
        }
        self.line("");
        let width = profiles.iter().map(|profile| profile.name.chars().count()).max().unwrap_or(0);
        for profile in profiles {
            let standing = format!("{:11}", profile.standing.words());
            let standing = match profile.standing {
                Standing::Holds => self.paint.green(&standing),
                Standing::FallsShort => self.paint.red(&standing),
                Standing::Unknown => self.paint.yellow(&standing),
                Standing::NotClaimed => self.paint.faint(&standing),
            };
            let line = format!("{:width$}  {standing}  {}", clean(&profile.name), clean(&profile.why()));
            self.line(line.trim_end());
        }
    }

    fn summary(&mut self, report: &RunReport) {
        let summary = &report.summary;
        let seconds = format!("{}.{:03} s", report.duration_ms / 1_000, report.duration_ms % 1_000);
        let words = format!("{} in {seconds}, seed {}", summary.words(), report.seed);
        let words = if summary.must_fail() > 0 || summary.setup_failed > 0 {
            self.paint.red(&words)
        } else if summary.warnings > 0 || summary.unknown > 0 || summary.pass == 0 {
            self.paint.yellow(&words)
        } else {
            self.paint.green(&words)
        };
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "\n{words}");
        if !report.complete {
            self.line("the run did not end by itself: its report is not complete");
        }
    }
}

fn clean(text: &str) -> String {
    hostile::line(text, MOST)
}

/// Whether a text names a message: `m1` is not in `m12`.
fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| !text[at + name.len()..].starts_with(|c: char| c.is_ascii_digit()))
}
