//! What a run tells on a terminal, or in lines where there is none.

mod ending;

use std::fmt::Write as _;

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::hostile;
use crate::event::{Ended, Event, Figures};
use crate::verdict::Verdict;

pub use ending::run_ending;

/// How many of the running cases are named.
const NAMED: usize = 3;

/// What is told while a run goes on: one bar with the running cases, or a line for each that is judged.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    running: Vec<&'static str>,
    failed: usize,
}

impl Progress {
    /// One bar, on standard error.
    #[must_use]
    pub fn bar() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(12));
        Progress::over(bar)
    }

    fn over(bar: ProgressBar) -> Self {
        // The template is fixed; were it wrong, the bar would have the plain one.
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed} {msg}") {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Progress { bar: Some(bar), ..Progress::lines() }
    }

    /// A line for each case.
    #[must_use]
    pub const fn lines() -> Self {
        Progress { bar: None, running: Vec::new(), failed: 0 }
    }

    /// Takes what a run tells next, and says what is to be printed of it.
    pub fn take(&mut self, event: &Event) -> String {
        match event {
            Event::Began(beginning) => {
                if let Some(bar) = &self.bar {
                    bar.set_length(u64::try_from(beginning.cases).unwrap_or(u64::MAX));
                    bar.enable_steady_tick(Duration::from_millis(200));
                }
                let target = &beginning.target;
                let (name, version) = (hostile::line(&target.name, 200), hostile::line(&target.version, 200));
                let address = hostile::line(&target.address, 200);
                let (cases, seed) = (beginning.cases, beginning.seed);
                let began = self.line(format!("{name} {version} at {address}: {cases} cases, seed {seed}"));
                began + &figures(beginning.figures).map_or_else(String::new, |line| self.line(line))
            }
            Event::CaseBegan { id } => {
                self.running.push(id);
                self.redrawn()
            }
            Event::CaseAgain { id } => self.line(format!("again    {id}, alone and with more time")),
            Event::CaseEnded(ended) => self.ended(ended),
            Event::LeftBehind { what } => self.line(format!("left     {}", hostile::line(what, 500))),
            Event::Misbehaved(finding) => self.line(format!("adapter  {}", hostile::line(&finding.to_string(), 500))),
            Event::Ended { broken_off, .. } => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
                if *broken_off { "the run was broken off\n".to_owned() } else { String::new() }
            }
        }
    }

    fn ended(&mut self, ended: &Ended) -> String {
        self.running.retain(|id| *id != ended.id);
        if ended.verdict == Verdict::Fail {
            self.failed += 1;
        }
        if let Some(bar) = &self.bar {
            bar.inc(1);
            return self.redrawn();
        }
        let reason = if ended.verdict == Verdict::Pass {
            String::new()
        } else {
            format!(": {}", hostile::line(&ended.reason, 300))
        };
        let clauses = ended.clauses.join(" ");
        format!("{:8} {} ({clauses}, {} ms){reason}\n", word(ended.verdict, ended.must), ended.id, ended.duration_ms)
    }

    /// A line beside the bar, or by itself.
    fn line(&self, line: String) -> String {
        match &self.bar {
            Some(bar) => {
                bar.println(line);
                String::new()
            }
            None => line + "\n",
        }
    }

    fn redrawn(&self) -> String {
        if let Some(bar) = &self.bar {
            let mut message = self.running.iter().take(NAMED).copied().collect::<Vec<_>>().join("  ");
            if self.running.len() > NAMED {
                let _ = write!(message, "  and {} more", self.running.len() - NAMED);
            }
            if self.failed > 0 {
                message = format!("{} failed  {message}", self.failed);
            }
            bar.set_message(message);
        }
        String::new()
    }
}

/// What takes long, said before it does.
fn figures(Figures { cases, wait_ms }: Figures) -> Option<String> {
    let minutes = wait_ms.div_ceil(60_000);
    (cases > 0).then(|| match minutes {
        0 => format!("{cases} of them run with the protocol's own times too"),
        1 => format!("{cases} of them run with the protocol's own times too: that takes a minute more"),
        _ => format!("{cases} of them run with the protocol's own times too: that takes about {minutes} minutes more"),
    })
}

/// A verdict in a word.
const fn word(verdict: Verdict, must: bool) -> &'static str {
    match (verdict, must) {
        (Verdict::Pass, _) => "pass",
        (Verdict::Fail, true) => "FAIL",
        (Verdict::Fail, false) => "warning",
        (Verdict::Unknown, _) => "unknown",
        (Verdict::Skipped, _) => "skipped",
        (Verdict::SetupFailed, _) => "NO SETUP",
    }
}

/// Paint for a terminal that has colours, or none.
#[derive(Debug, Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn with(self, style: Style, text: &str) -> String {
        if self.0 { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    fn faint(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }

    fn red(self, text: &str) -> String {
        self.with(AnsiColor::Red.on_default().bold(), text)
    }

    fn green(self, text: &str) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    fn yellow(self, text: &str) -> String {
        self.with(AnsiColor::Yellow.on_default(), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn began(id: &'static str) -> Event {
        Event::CaseBegan { id }
    }

    fn ended(id: &'static str, verdict: Verdict) -> Event {
        let (reason, broken, history, log) = (String::new(), Vec::new(), None, String::new());
        let clauses = &["ACK-1"];
        Event::CaseEnded(Box::new(Ended {
            id,
            clauses,
            must: true,
            verdict,
            reason,
            broken,
            duration_ms: 1,
            history,
            log,
            figure: None,
        }))
    }

    #[test]
    fn a_bar_names_some_of_the_running_cases() {
        let mut progress = Progress::over(ProgressBar::hidden());
        let message = |progress: &Progress| progress.bar.as_ref().map(ProgressBar::message).unwrap_or_default();
        for id in ["a/one", "a/two", "a/three", "a/four", "a/five"] {
            assert_eq!(progress.take(&began(id)), "", "the bar says it");
        }
        assert_eq!(message(&progress), "a/one  a/two  a/three  and 2 more");
        progress.take(&ended("a/two", Verdict::Pass));
        progress.take(&ended("a/one", Verdict::Fail));
        assert_eq!(message(&progress), "1 failed  a/three  a/four  a/five");
        assert_eq!(progress.bar.as_ref().map(ProgressBar::position), Some(2));
        assert_eq!(progress.take(&Event::Ended { duration_ms: 1, broken_off: false }), "");
        assert!(progress.bar.is_some_and(|bar| bar.is_finished()));
    }
}
