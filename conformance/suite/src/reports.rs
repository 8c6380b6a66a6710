//! What people and scripts read of a run. Reports are made from events, or from a [`RunReport`] that was;
//! they know nothing of the runner.
//!
//! ```
//! use workwire_conformance::reports::{Collector, Progress, run_ending};
//! # fn example(events: Vec<workwire_conformance::event::Event>) -> Option<()> {
//! let (mut collector, mut progress) = (Collector::default(), Progress::lines());
//! for event in &events {
//!     collector.take(event);
//!     print!("{}", progress.take(event));
//! }
//! let report = collector.report()?;
//! print!("{}", run_ending(&report, false));
//! # Some(()) }
//! ```

mod badge;
mod collect;
pub mod digest;
mod facts;
mod file;
pub mod hostile;
mod html;
mod junit;
mod markdown;
mod matrix;
mod picture;
mod proof;
mod run;
mod schema;
mod settings;
mod shown;
mod terminal;
mod verify;

pub use badge::badge;
pub use collect::Collector;
pub use file::{ReportError, write};
pub use html::run_html;
pub use junit::run_junit;
pub use markdown::run_markdown;
pub use matrix::{Clause, Side, SideBySide, Told};
pub use proof::{NotPassed, ProofReport, ProofResult, ProvenCase, ProvenHonest, ProvenSaboteur, ProvenTrivial};
pub use run::{CaseReport, FORMAT, Level, LittlePicture, RunReport, SpecificationDigest, SuiteDigest, Summary};
pub use schema::schemas;
pub use settings::{KnownFailing, Role, Settings};
pub use shown::{Came, Names, Shown};
pub use terminal::{Progress, run_ending};
pub use verify::{Discrepancy, verify, verify_against};
