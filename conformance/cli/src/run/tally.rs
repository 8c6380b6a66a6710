//! Counts what a run comes to, and says how the command ends.

use std::collections::BTreeMap;

use workwire_broker::adapter::FindingKind;
use workwire_conformance::cases;
use workwire_conformance::event::{Ended, Event};
use workwire_conformance::verdict::Verdict;

use super::known::Known;
use super::order::CaseName;
use crate::exit::Exit;

/// What a case counts as.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Counted {
    /// It holds.
    Pass,
    /// A clause is broken.
    Fail,
    /// A SHOULD is not followed.
    Warning,
    /// It fails, and was known to, for this reason.
    KnownFailure(String),
    /// It was known to fail, for this reason, and passes.
    UnexpectedPass(String),
    /// Nobody can tell.
    Unknown,
    /// It was not run.
    Skipped,
    /// The broker could not be reached.
    SetupFailed,
}

impl Counted {
    /// The word that stands before a case.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Counted::Pass => "pass",
            Counted::Fail => "FAIL",
            Counted::Warning => "warning",
            Counted::KnownFailure(_) => "known failure",
            Counted::UnexpectedPass(_) => "UNEXPECTED PASS",
            Counted::Unknown => "unknown",
            Counted::Skipped => "skipped",
            Counted::SetupFailed => "SETUP FAILED",
        }
    }
}

/// The clause that an adapter breaks; none for what it does once no case looks any more.
fn clause(kind: FindingKind) -> Option<&'static str> {
    Some(match kind {
        FindingKind::NotJson => "RPC-1",
        FindingKind::LongLine => "RPC-2",
        FindingKind::NoRequest => "RPC-3",
        FindingKind::SecondAnswer => "RPC-4",
        FindingKind::Silence => "RPC-5",
        FindingKind::WrongShape => "RPC-6",
        FindingKind::UnknownCode => "RPC-7",
        FindingKind::EarlyExit => "RPC-8",
        FindingKind::BadExit | FindingKind::LeftBehind => return None,
    })
}

pub(super) struct Tally {
    known: Known,
    strict: bool,
    counts: BTreeMap<&'static str, usize>,
    /// Unknown verdicts that stand in the way: those of a MUST, and of a SHOULD where it counts.
    unknown: usize,
    misbehaviour: usize,
    is_complete: bool,
}

impl Tally {
    pub(super) fn new(known: Known, strict: bool) -> Self {
        Tally { known, strict, counts: BTreeMap::new(), unknown: 0, misbehaviour: 0, is_complete: false }
    }

    /// Counts, and says what a case that ended counts as.
    pub(super) fn hear(&mut self, event: &Event) -> Option<Counted> {
        match event {
            Event::CaseEnded(ended) => {
                let counted = self.counted(ended);
                *self.counts.entry(counted.word()).or_default() += 1;
                if counted == Counted::Unknown && (ended.must || self.strict) {
                    self.unknown += 1;
                }
                return Some(counted);
            }
            Event::Misbehaved(finding) if !self.is_known(finding.kind) => self.misbehaviour += 1,
            Event::Ended { broken_off, .. } => self.is_complete = !broken_off,
            _ => {}
        }
        None
    }

    /// Whether a case is known to fail that looks for it.
    fn is_known(&self, kind: FindingKind) -> bool {
        let Some(clause) = clause(kind) else { return false };
        let cases = cases::all().into_iter().filter(|case| case.clauses.contains(&clause));
        cases.map(CaseName::from).any(|case| self.known.is_known(case))
    }

    fn counted(&mut self, ended: &Ended) -> Counted {
        let has_run = !matches!(ended.verdict, Verdict::Skipped | Verdict::SetupFailed);
        let case = CaseName { id: ended.id, clauses: ended.clauses };
        let known = self.known.reason(case, has_run).map(str::to_owned);
        match (ended.verdict, known) {
            (Verdict::Pass, Some(reason)) => Counted::UnexpectedPass(reason),
            (Verdict::Pass, None) => Counted::Pass,
            (Verdict::Fail, Some(reason)) => Counted::KnownFailure(reason),
            (Verdict::Fail, None) if ended.must || self.strict => Counted::Fail,
            (Verdict::Fail, None) => Counted::Warning,
            (Verdict::Unknown, _) => Counted::Unknown,
            (Verdict::Skipped, _) => Counted::Skipped,
            (Verdict::SetupFailed, _) => Counted::SetupFailed,
        }
    }

    fn count(&self, counted: &Counted) -> usize {
        self.counts.get(counted.word()).copied().unwrap_or(0)
    }

    /// How many cases were judged.
    fn ran(&self) -> usize {
        self.counts.values().sum::<usize>() - self.count(&Counted::Skipped) - self.count(&Counted::SetupFailed)
    }

    /// Lines of the known failures that say nothing any more.
    pub(super) fn stale(&self) -> Vec<String> {
        if self.is_complete { self.known.stale().collect() } else { Vec::new() }
    }

    /// What the report does not say, in one line.
    pub(super) fn besides(&self) -> Option<String> {
        if !self.is_complete {
            return Some(format!("broken off: {} cases were judged, the others were not", self.ran()));
        }
        if self.ran() == 0 {
            return Some("nothing ran: this broker can be put to no case that is wanted".to_owned());
        }
        let known = self.count(&Counted::KnownFailure(String::new()));
        let unexpected = self.count(&Counted::UnexpectedPass(String::new()));
        (known + unexpected > 0).then(|| format!("known failures: {known} fail as known, {unexpected} pass"))
    }

    pub(super) fn exit(&self) -> Exit {
        let fails =
            self.count(&Counted::Fail) + self.count(&Counted::UnexpectedPass(String::new())) + self.misbehaviour;
        if fails > 0 {
            Exit::Fails
        } else if self.count(&Counted::SetupFailed) > 0 {
            Exit::NotSetUp
        } else if self.ran() == 0 {
            Exit::NothingRan
        } else if !self.stale().is_empty() {
            Exit::WrongUse
        } else if self.unknown > 0 {
            Exit::Unknown
        } else {
            Exit::Holds
        }
    }
}
