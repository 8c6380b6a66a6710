//! The report of a run: one JSON object that others script against. Members may be added to it; none
//! is renamed.

use std::fmt::Write as _;

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::digest;
use super::file::{self, ReportError};
use super::proof::ProofResult;
use super::settings::{Role, Settings};
use super::shown::{Names, Shown};
use crate::case::Case;
use crate::event::Judged;
use crate::profiles::ProfileReport;
use crate::verdict::{Broken, Verdict};

/// The version of the report's form.
pub const FORMAT: u32 = 1;

/// The most bytes of a report that are read.
const MOST_BYTES: u64 = 512 * 1_048_576;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunReport {
    /// The version of this form: 1.
    pub format: u32,
    /// The suite that judged.
    pub suite: SuiteDigest,
    /// The clauses that it judged by.
    pub specification: SpecificationDigest,
    /// What was judged.
    pub target: Judged,
    /// How the run was told to be done, where somebody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
    /// What the suite's proof of itself came to; null where none was given to the run.
    #[serde(default, skip_serializing_if = "never")]
    pub selftest: Option<ProofResult>,
    /// With which the run can be repeated.
    pub seed: u64,
    /// When it began, as RFC 3339.
    pub started_at: String,
    /// How long it took.
    pub duration_ms: u64,
    /// What each case came to, in the order of the specification.
    pub cases: Vec<CaseReport>,
    /// What the broker is to each profile.
    pub profiles: Vec<ProfileReport>,
    /// How many cases came to what.
    pub summary: Summary,
    /// What could not be removed from the broker.
    #[serde(default)]
    pub left_behind: Vec<String>,
    /// What an adapter did that its protocol does not allow.
    #[serde(default)]
    pub misbehaved: Vec<String>,
    /// Whether the run was recorded to its end: true, or it is no report.
    pub complete: bool,
}

/// That nothing is told is told too, and not every report has the member.
fn never<T>(_: &T) -> bool {
    false
}

/// A suite, and which one exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteDigest {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its cases: their ids, their clauses, what they need, and what looks at them.
    pub digest: String,
}

impl SuiteDigest {
    /// This suite, with these cases.
    #[must_use]
    pub fn of(cases: &[&'static Case]) -> Self {
        SuiteDigest {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            digest: digest::suite(cases),
        }
    }
}

/// Which clauses exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpecificationDigest {
    /// SHA-256 of their ids, levels, roles, capabilities and words.
    pub digest: String,
}

impl SpecificationDigest {
    /// Those of this suite.
    #[must_use]
    pub fn here() -> Self {
        SpecificationDigest { digest: digest::specification() }
    }
}

/// How binding what a case demands is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A broker that breaks it does not conform.
    Must,
    /// Breaking it is a warning.
    Should,
}

impl Level {
    /// Its name in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Must => "must",
            Level::Should => "should",
        }
    }
}

/// What a case came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseReport {
    /// The case.
    pub id: String,
    /// The clauses that it is about, the main one first.
    pub clauses: Vec<String>,
    /// How binding they are.
    pub level: Level,
    /// What a broker has to claim for it, besides `core`.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What it came to.
    pub verdict: Verdict,
    /// How long it took.
    pub duration_ms: u64,
    /// Why it is no pass, in words; empty for a pass.
    pub reason: String,
    /// What should have been, where it fails.
    pub expected: Option<String>,
    /// What was, where it fails.
    pub found: Option<String>,
    /// The few operations that show it.
    pub operations: Vec<Shown>,
    /// Everything that is wrong, each with its clause and the numbers of the operations that show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<Broken>,
    /// What happened around that, where it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<LittlePicture>,
    /// The end of what an adapter wrote to its log meanwhile.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub log: String,
    /// The protocol's own time with which it ran too, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<String>,
}

/// A history as far as a report shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LittlePicture {
    /// Its operations, or those around what is wrong.
    pub operations: Vec<Shown>,
    /// How many others there are.
    pub left_out: usize,
    /// The longest time for which the runner itself stood still, in milliseconds.
    pub stall_ms: u64,
}

impl CaseReport {
    /// Its area, `pri` for example.
    #[must_use]
    pub fn area(&self) -> &str {
        self.id.split_once('/').map_or(self.id.as_str(), |(area, _)| area)
    }

    /// The clauses under which it fails, each once.
    #[must_use]
    pub fn broken_clauses(&self) -> Vec<String> {
        let mut clauses: Vec<String> = Vec::new();
        for broken in &self.broken {
            if !broken.clause.is_empty() && !clauses.contains(&broken.clause) {
                clauses.push(broken.clause.clone());
            }
        }
        clauses
    }

    /// What is to be seen of its history, and the short names of the messages in that.
    #[must_use]
    pub fn names(&self) -> Names {
        let whole = self.history.as_ref().map(|history| &history.operations);
        Names::of(whole.unwrap_or(&self.operations))
    }
}

/// How many cases came to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// All of them.
    pub total: usize,
    /// What they demand holds.
    pub pass: usize,
    /// It does not: those that demand a MUST, and those that demand a SHOULD.
    pub fail: usize,
    /// Of those that fail, the ones that demand a SHOULD.
    pub warnings: usize,
    /// It could not be told.
    pub unknown: usize,
    /// They were not run.
    pub skipped: usize,
    /// The broker could not be reached.
    pub setup_failed: usize,
}

impl Summary {
    /// Counts.
    #[must_use]
    pub fn of(cases: &[CaseReport]) -> Self {
        let mut summary = Summary { total: cases.len(), ..Summary::default() };
        for case in cases {
            *summary.of_verdict_mut(case.verdict) += 1;
            if case.verdict == Verdict::Fail && case.level == Level::Should {
                summary.warnings += 1;
            }
        }
        summary
    }

    /// How many came to this.
    #[must_use]
    pub const fn of_verdict(&self, verdict: Verdict) -> usize {
        match verdict {
            Verdict::Pass => self.pass,
            Verdict::Fail => self.fail,
            Verdict::Unknown => self.unknown,
            Verdict::Skipped => self.skipped,
            Verdict::SetupFailed => self.setup_failed,
        }
    }

    fn of_verdict_mut(&mut self, verdict: Verdict) -> &mut usize {
        match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Unknown => &mut self.unknown,
            Verdict::Skipped => &mut self.skipped,
            Verdict::SetupFailed => &mut self.setup_failed,
        }
    }

    /// How many cases that demand a MUST fail.
    #[must_use]
    pub const fn must_fail(&self) -> usize {
        self.fail.saturating_sub(self.warnings)
    }

    /// How many cases said anything of the broker.
    #[must_use]
    pub const fn ran(&self) -> usize {
        self.total.saturating_sub(self.skipped)
    }

    /// In one sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = format!("{} of {} cases pass", self.pass, self.total);
        for (number, what) in [
            (self.must_fail(), "fail"),
            (self.warnings, "warn"),
            (self.unknown, "unknown"),
            (self.skipped, "skipped"),
            (self.setup_failed, "could not be set up"),
        ] {
            if number > 0 {
                let _ = write!(words, ", {number} {what}");
            }
        }
        words
    }
}

impl RunReport {
    /// As JSON.
    ///
    /// # Errors
    /// Where it cannot be put into words of JSON, which no report is known for.
    pub fn json(&self) -> Result<String, ReportError> {
        file::json(self)
    }

    /// Reads one from a file.
    ///
    /// # Errors
    /// Says where, what was expected and what was found: of a file that cannot be read, is no JSON, has
    /// another form or format, or is not complete.
    pub fn read(path: &Path) -> Result<RunReport, ReportError> {
        RunReport::parse(&file::text(path, MOST_BYTES)?).map_err(|error| error.of(path))
    }

    /// Reads one from its text.
    ///
    /// # Errors
    /// As [`RunReport::read`].
    pub fn parse(text: &str) -> Result<RunReport, ReportError> {
        let value = complete_of_format(text, "the run did not end")?;
        let report: RunReport = serde_json::from_value(value)
            .map_err(|error| ReportError::new(format!("expected a report of format {FORMAT}: {error}")))?;
        Ok(report)
    }

    /// What the target was judged as: as the settings say, or as its cases show.
    #[must_use]
    pub fn role(&self) -> Role {
        let shown = || if self.cases.iter().any(|case| case.area() == "codec") { Role::Codec } else { Role::Broker };
        self.settings.as_ref().map_or_else(shown, |settings| settings.role)
    }

    /// The suite's proof of itself in words: what it came to, or that there is none.
    #[must_use]
    pub fn selftest_words(&self) -> String {
        self.selftest.as_ref().map_or_else(|| "none was given to this run".to_owned(), ProofResult::words)
    }
}

/// A report of this format that was written to its end, as JSON.
pub(super) fn complete_of_format(text: &str, otherwise: &str) -> Result<Value, ReportError> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| ReportError::new(format!("expected a report as JSON, found none: {error}")))?;
    // Another format has another form, so this is asked before the form.
    match value.get("format") {
        Some(format) if format.as_u64() == Some(FORMAT.into()) => {}
        Some(other) => {
            return Err(ReportError::new(format!("/format: expected {FORMAT}, found {}", short(other))));
        }
        None => return Err(ReportError::new(format!("/format: expected {FORMAT}, found no such member"))),
    }
    match value.get("complete") {
        Some(Value::Bool(true)) => Ok(value),
        other => {
            let found = other.map_or_else(|| "no such member".to_owned(), short);
            Err(ReportError::new(format!("/complete: expected true, found {found}: {otherwise}")))
        }
    }
}

fn short(value: &Value) -> String {
    super::hostile::line(&value.to_string(), 60)
}
