//! What is proved of the suite itself, and what is checked of its reports and histories.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::values::some;
use crate::exit;

/// Prove that every case can fail: each against brokers with one defect, and against honest ones.
#[derive(Debug, Args)]
#[command(after_help = exit::with_examples!("workwire selftest --only pri\n", "  workwire selftest --report matrix.html"))]
pub(crate) struct Selftest {
    /// Only the cases that match, as in `workwire run`, and the saboteurs that break a clause of theirs.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) only: Vec<String>,

    /// Write the matrix: its ending says how, .json, .html or .txt. May be given again.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Vec<PathBuf>,

    /// With the same seed, cases do the same.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// How many cases run side by side; as many as there are processors where it is left out.
    #[arg(long, value_name = "N", value_parser = some)]
    pub(crate) jobs: Option<usize>,
}

/// Judge recorded histories again, by their demands and by every checker.
///
/// The verdict is the one of the run that recorded it; exits as `workwire run` does.
#[derive(Debug, Args)]
#[command(after_help = exit::with_examples!("workwire judge ack-done_never_comes_back.history.jsonl"))]
pub(crate) struct Judge {
    /// The histories.
    #[arg(required = true)]
    pub(crate) file: Vec<PathBuf>,

    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Recompute a report's summary and profiles from its cases, and say where they differ.
///
/// Also whether it is of this suite and this specification, tells every case that its settings ask
/// for, and carries a selftest of this suite, where it carries one.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Verify {
    /// The report, as `workwire run --report x.json` wrote it.
    pub(crate) report: PathBuf,
}

/// Put reports side by side: clauses down, brokers across.
#[derive(Debug, Args)]
#[command(after_help = exit::with_examples!("workwire matrix sqlite.json rabbitmq.json -o matrix.html"))]
pub(crate) struct Matrix {
    /// The reports, as `workwire run --report x.json` wrote them.
    #[arg(required = true)]
    pub(crate) report: Vec<PathBuf>,

    /// Where to: its ending says how, .html, .md or .txt. Left out, text is printed.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Print the completions of a shell.
#[derive(Debug, Args)]
#[command(after_help = exit::with_examples!("workwire completions bash > /etc/bash_completion.d/workwire"))]
pub(crate) struct Completions {
    /// The shell.
    pub(crate) shell: Shell,
}
