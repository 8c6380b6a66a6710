//! What can be typed behind `workwire`.

mod mend;
mod proof;
mod run;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use workwire::{DocumentKind, Limits, MAX_BYTES_CEILING};

use crate::exit;
pub(crate) use mend::{As, DeadLetters, Inspect, Place, Receive, Replay, Send};
pub(crate) use proof::{Completions, Judge, Matrix, Selftest, Verify};
pub(crate) use run::{Role, Run};

/// Judge a broker, check messages against the wire protocol for work between agents, look into a
/// queue and mend it.
///
/// Without a subcommand it is `workwire run sqlite:`: the suite judges the embedded broker.
#[derive(Debug, Parser)]
#[command(name = "workwire", version, about, after_help = exit::HELP, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Arguments {
    /// What was asked for.
    pub(crate) fn command(self) -> Command {
        self.command.unwrap_or_else(|| Command::Run(Box::new(Run::embedded())))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Box<Run>),
    List(List),
    Explain(Explain),
    Selftest(Selftest),
    Judge(Judge),
    Verify(Verify),
    Matrix(Matrix),
    Schema(Schema),
    Validate(Validate),
    Adapter(Adapter),
    Send(Send),
    Receive(Receive),
    Inspect(Inspect),
    DeadLetters(DeadLetters),
    Replay(Replay),
    Completions(Completions),
}

/// Read one message and say everything that is wrong with it.
///
/// Prints the violations, one a line, or `accepted` and the warnings. Exits with 0 if the message is
/// accepted, 1 if it is refused.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Validate {
    /// The file that holds the message; standard input where it is `-` or left out.
    pub(crate) file: Option<PathBuf>,

    /// What the message is read as. Left out, it is told by its fields: one with `event_id` is an
    /// event, one with `id` and `from_agent` a channel message, any other an envelope.
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,

    /// Drop unknown fields and take event types in any case, as a lenient reader does.
    #[arg(long)]
    pub(crate) lenient: bool,

    /// Print one JSON object: `accepted`, and `canonical` (the message as a writer makes it) or
    /// `violations`; `warnings` where there are any, `total` where not all violations are shown.
    #[arg(long)]
    pub(crate) json: bool,

    /// The largest message to take, in bytes; at most 67108864, which is 64 MiB.
    #[arg(long, value_name = "N", value_parser = max_bytes, default_value_t = Limits::default().max_bytes())]
    pub(crate) max_bytes: usize,
}

/// A kind of document that travels by itself.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// A task message between an orchestrator and its agents.
    Envelope,
    /// A message between agents on a named channel.
    Channel,
    /// An event of a tenant.
    Event,
}

impl From<Kind> for DocumentKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Envelope => DocumentKind::Envelope,
            Kind::Channel => DocumentKind::Channel,
            Kind::Event => DocumentKind::Event,
        }
    }
}

fn max_bytes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes) if (1..=MAX_BYTES_CEILING).contains(&bytes) => Ok(bytes),
        _ => Err(format!("expected a number from 1 to {MAX_BYTES_CEILING}")),
    }
}

/// Print a clause of the specification, or a case of the suite: what it demands, how it is tested,
/// who is known to break it.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Explain {
    /// The id of a clause, for example WRS-4, or of a case, for example `ack/done_never_comes_back`.
    pub(crate) id: String,
}

/// List the clauses of the specification, the cases of the suite, its saboteurs, and what a broker
/// can claim and be named by.
#[derive(Debug, Clone, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct List {
    /// List this alone.
    #[arg(value_enum)]
    pub(crate) what: Option<Listed>,

    /// Print one JSON object with everything, whatever is named.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listed {
    /// What is demanded.
    Clauses,
    /// How it is tested.
    Cases,
    /// Brokers with one defect each, which prove that the cases can fail.
    Saboteurs,
    /// What a broker can claim.
    Capabilities,
    /// Sets of capabilities that stand for a kind of system.
    Profiles,
    /// How a broker is named.
    Targets,
}

/// Write the schemas and the index of the vectors, or check whether they are current.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Schema {
    /// The folder to write to; made if it is not there. Left out, it is the folder `schemas` in the
    /// current one, which has to be there.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Write nothing; say which files in the folder `schemas` are stale, missing or unexpected, and
    /// exit with 1 if there are any.
    #[arg(long, conflicts_with = "out")]
    pub(crate) check: bool,
}

/// Serve a built-in broker over the adapter protocol, on standard input and output.
///
/// One JSON-RPC request a line, one answer a line. Ends with `shutdown`, or with the input.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct Adapter {
    /// The broker: `memory:` is empty at the start and gone at the end, and so is `sqlite:`;
    /// `sqlite:PATH` is kept in a file (`?durability=full|normal`, `&busy_timeout_ms=5000`,
    /// `&keep_done=1h`); `exec:COMMAND` is another adapter.
    pub(crate) target: String,
}
