//! What a run prints: how far it is, what it comes to, and what the command knows besides.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use workwire_conformance::event::Event;
use workwire_conformance::reports::{Progress, RunReport, run_ending};

use super::tally::{Counted, Tally};
use crate::output::{Output, quoted};

pub(super) struct Lines {
    progress: Progress,
    /// What is said at the end, beside what the report says.
    besides: Vec<String>,
}

impl Lines {
    /// One bar where somebody looks at it, else a line for each case.
    pub(super) fn new() -> Self {
        let is_watched = io::stdout().is_terminal() && io::stderr().is_terminal();
        Lines { progress: if is_watched { Progress::bar() } else { Progress::lines() }, besides: Vec::new() }
    }

    pub(super) fn hear(
        &mut self,
        event: &Event,
        counted: Option<Counted>,
        saved: Option<&Path>,
        out: &mut Output,
    ) -> io::Result<()> {
        write!(out, "{}", self.progress.take(event))?;
        if let (Event::CaseEnded(ended), Some(counted)) = (event, counted) {
            match counted {
                Counted::KnownFailure(reason) => self.besides.push(format!("known failure {}: {reason}", ended.id)),
                Counted::UnexpectedPass(reason) => {
                    self.besides.push(format!("UNEXPECTED PASS {}: it was known to fail: {reason}", ended.id));
                }
                _ => {}
            }
            if let Some(path) = saved {
                self.besides.push(format!("the history of {} is in {}", ended.id, quoted(path)));
            }
        }
        // What has happened is shown when it has happened.
        out.flush()
    }

    pub(super) fn end(self, report: Option<&RunReport>, tally: &Tally, out: &mut Output) -> io::Result<()> {
        if let Some(report) = report {
            let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            write!(out, "{}", run_ending(report, colours))?;
        }
        for line in &self.besides {
            writeln!(out, "{line}")?;
        }
        for line in tally.stale() {
            writeln!(out, "stale: {line}")?;
        }
        match tally.besides() {
            Some(besides) => writeln!(out, "{besides}"),
            None => Ok(()),
        }
    }
}
