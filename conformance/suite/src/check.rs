//! The whole of it in one call, for the tests of a broker that is written in Rust.

use std::fmt;

use tokio::sync::mpsc;
use workwire_broker::OpenError;

use crate::cases;
use crate::event::{Ended, Event};
use crate::runner::{Options, run};
use crate::subject::Subject;
use crate::verdict::Verdict;

/// What every case came to.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// In the order in which they ended.
    pub cases: Vec<Ended>,
    /// What could not be cleaned away.
    pub left_behind: Vec<String>,
}

/// Judges a broker by every case that its options want.
///
/// ```
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use workwire_broker::MemoryBroker;
/// use workwire_conformance::plan::Filter;
/// use workwire_conformance::runner::Options;
/// use workwire_conformance::subject::Subject;
///
/// // `Subject::shared` is for a broker that is reached over a connection.
/// let mine = Subject::on_paused_time("mine", || Arc::new(MemoryBroker::default()));
/// let filter = Filter { only: vec!["ACK".to_owned()], ..Filter::default() };
/// let checked = workwire_conformance::check(&mine, &Options { filter, ..Options::default() }).await?;
/// assert!(checked.holds(), "{checked}");
/// # Ok::<(), workwire_broker::OpenError>(()) }).unwrap();
/// ```
///
/// # Errors
/// Where the broker cannot be reached.
pub async fn check(subject: &Subject, options: &Options) -> Result<Checked, OpenError> {
    let (events, mut told) = mpsc::unbounded_channel();
    let cases = cases::all();
    let listen = async {
        let mut checked = Checked::default();
        while let Some(event) = told.recv().await {
            match event {
                Event::CaseEnded(ended) => checked.cases.push(*ended),
                Event::LeftBehind { what } => checked.left_behind.push(what),
                _ => {}
            }
        }
        checked
    };
    let (ran, checked) = tokio::join!(run(&cases, subject, options, events), listen);
    ran.map(|()| checked)
}

impl Checked {
    /// How many cases came to this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.cases.iter().filter(|ended| ended.verdict == verdict).count()
    }

    /// Whether everything that is a MUST and was run holds, and something was. What could not be told
    /// does not hold.
    #[must_use]
    pub fn holds(&self) -> bool {
        let is_in_the_way = |ended: &&Ended| {
            ended.verdict == Verdict::Unknown
                || ended.verdict == Verdict::SetupFailed
                || (ended.verdict == Verdict::Fail && ended.must)
        };
        self.count(Verdict::Pass) > 0 && !self.cases.iter().any(|ended| is_in_the_way(&ended))
    }
}

/// The verdicts that are no passes, and the counts.
impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ended in self.cases.iter().filter(|ended| !matches!(ended.verdict, Verdict::Pass | Verdict::Skipped)) {
            writeln!(f, "{}: {}: {}", ended.verdict.as_str(), ended.id, ended.reason)?;
        }
        for what in &self.left_behind {
            writeln!(f, "left behind: {what}")?;
        }
        let counts: Vec<String> =
            Verdict::ALL.iter().map(|verdict| format!("{} {}", self.count(*verdict), verdict.as_str())).collect();
        f.write_str(&counts.join(", "))
    }
}
