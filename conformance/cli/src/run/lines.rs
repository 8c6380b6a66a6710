//! What a run prints: a line for each case that is no pass, and what it comes to.

use std::io::{self, Write};
use std::path::Path;

use workwire_conformance::event::{Beginning, Ended, Event};

use super::tally::{Counted, Tally};
use crate::output::Output;
use crate::text::{lines, plain};

#[derive(Default)]
pub(super) struct Lines {
    seed: u64,
    seconds: f64,
}

impl Lines {
    pub(super) fn hear(
        &mut self,
        event: &Event,
        counted: Option<Counted>,
        saved: Option<&Path>,
        out: &mut Output,
    ) -> io::Result<()> {
        match event {
            Event::Began(beginning) => {
                self.seed = beginning.seed;
                began(beginning, out)?;
            }
            Event::CaseEnded(ended) => {
                if let Some(counted) = counted {
                    self::ended(ended, &counted, saved, out)?;
                }
            }
            Event::LeftBehind { what } => writeln!(out, "left behind: {}", plain(what))?,
            Event::Misbehaved(finding) => writeln!(out, "ADAPTER {}", plain(&finding.to_string()))?,
            #[allow(clippy::cast_precision_loss, reason = "shown to a tenth of a second")]
            Event::Ended { duration_ms, .. } => self.seconds = *duration_ms as f64 / 1_000.0,
            Event::CaseBegan { .. } | Event::CaseAgain { .. } => {}
        }
        // What has happened is shown when it has happened.
        out.flush()
    }

    pub(super) fn end(&self, tally: &Tally, out: &mut Output) -> io::Result<()> {
        for line in tally.stale() {
            writeln!(out, "stale: {line}")?;
        }
        let broken_off = if tally.is_complete() { "" } else { "broken off: " };
        writeln!(out, "{broken_off}{} (seed {}, {:.1} s)", tally.summary(), self.seed, self.seconds)
    }
}

fn began(beginning: &Beginning, out: &mut Output) -> io::Result<()> {
    let target = &beginning.target;
    let (name, version, address) = (plain(&target.name), plain(&target.version), plain(&target.address));
    writeln!(out, "{name} {version} at {address}: {} cases, seed {}", beginning.cases, beginning.seed)
}

fn ended(ended: &Ended, counted: &Counted, saved: Option<&Path>, out: &mut Output) -> io::Result<()> {
    const LOG: usize = 5;
    if matches!(counted, Counted::Pass | Counted::Skipped) {
        return Ok(());
    }
    let known = match counted {
        Counted::KnownFailure(reason) => format!("; known: {reason}"),
        Counted::UnexpectedPass(reason) => format!("it was known to fail: {reason}"),
        _ => String::new(),
    };
    let clauses = ended.clauses.join(" ");
    writeln!(out, "{}: {} ({clauses}): {}{known}", counted.word(), ended.id, plain(&ended.reason))?;
    for line in lines(&ended.log).iter().rev().take(LOG).rev() {
        writeln!(out, "  its log: {line}")?;
    }
    if let Some(path) = saved {
        writeln!(out, "  its history: {}", crate::output::quoted(path))?;
    }
    Ok(())
}
