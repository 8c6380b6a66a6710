//! `workwire run`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use workwire_broker::RestartCommand;

use super::values::{loopback, some, some_time};
use crate::exit;

/// Judge a broker: run the cases of the suite and say which clauses it breaks, and why.
///
/// Each case has queues of its own under a random prefix, touches nothing else, and cleans up after
/// itself, also when it is broken off. A SHOULD that fails is a warning.
#[derive(Debug, Args)]
#[command(after_help = exit::with_examples!(
    "workwire run sqlite:work.db\n",
    "  workwire run 'exec:python3 my_adapter.py' --only pri --only 'dlq/*replay*'\n",
    "  workwire run memory: --profile channels --report report.json --report report.html\n",
    "  workwire run 'managed:rabbitmq?queue=quorum'\n",
    "  workwire run postgres://me@db/work --restart-cmd ./restart-db.sh\n",
    "  workwire run sqlite: --known-failing known.txt --strict\n",
    "  workwire run saboteur:loses_one_in_a_hundred --report failing.html\n",
    "\nKnown failures: one a line, a pattern and the reason; # begins a comment:\n",
    "  ord/fifo_after_retry   a retried message goes to the end, since 2.1"
))]
pub(crate) struct Run {
    /// The broker: `memory:`, `sqlite:` (temporary), `sqlite:PATH`; a server's address, `amqp://`,
    /// `redis://`, `nats://` or `postgres://`; `managed:rabbitmq`, `redis`, `nats` or `postgres`, a private
    /// instance for this run; or `exec:COMMAND`, an adapter that is started with this command, without a
    /// shell. `workwire list targets` has their options. `saboteur:NAME` is one of the brokers with a
    /// defect that prove the suite, so that you see how a failure is told.
    #[arg(default_value = "sqlite:")]
    pub(crate) target: String,

    /// What the target is judged as.
    #[arg(long, value_enum, default_value_t = Role::Broker)]
    pub(crate) role: Role,

    /// Only the cases that need no more than this profile claims: work-bus, channels or events.
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// Only the cases that match: a part of a case's id (`*` for anything in between), the id of a
    /// clause, or an area such as `pri`. May be given again.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) only: Vec<String>,

    /// None of the cases that match. May be given again.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) skip: Vec<String>,

    /// Cases that are known to fail, each with its reason. They do not count; one that passes does.
    #[arg(long, value_name = "FILE")]
    pub(crate) known_failing: Option<PathBuf>,

    /// Write a report: its ending says which, .json, .xml for `JUnit`, .html or .md. May be given again.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Vec<PathBuf>,

    /// Save the history of each case that fails in this folder, made if it is not there. Left out, it
    /// is the folder of the first report; without a report none is saved.
    #[arg(long, value_name = "DIR")]
    pub(crate) histories: Option<PathBuf>,

    /// With the same seed, cases do the same. Left out, it is random, and printed.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// How many cases run side by side.
    #[arg(long, value_name = "N", value_parser = some, default_value_t = 16)]
    pub(crate) jobs: usize,

    /// How long one case may take. An adapter has half of it for one answer, and at most 30s.
    #[arg(long, value_name = "TIME", value_parser = some_time, default_value = "60s")]
    pub(crate) timeout: Duration,

    /// Run cases with the protocol's own times too: 300 s, 180 s, 60 s, rests of 1, 4 and 16 s. Takes
    /// minutes, but on `memory:`.
    #[arg(long)]
    pub(crate) full: bool,

    /// The suite's proof of itself, as `workwire selftest --report proof.json` wrote it: reports then
    /// carry what it came to.
    #[arg(long, value_name = "FILE")]
    pub(crate) proof: Option<PathBuf>,

    /// Have a SHOULD that fails count like a MUST.
    #[arg(long)]
    pub(crate) strict: bool,

    /// What restarts a server that is reached by its address: run with `graceful` or `kill` as its last
    /// word, without a shell. It has ended once the server is down and told to come up again.
    #[arg(long, value_name = "CMD", value_parser = RestartCommand::parse, conflicts_with = "attach")]
    pub(crate) restart_cmd: Option<RestartCommand>,

    /// Speak to an adapter that was started by hand, in a debugger for example, and listens here.
    /// Loopback addresses only.
    #[arg(long, value_name = "HOST:PORT", value_parser = loopback, conflicts_with = "target")]
    pub(crate) attach: Option<SocketAddr>,
}

impl Run {
    /// What it is without arguments.
    pub(crate) fn embedded() -> Self {
        /// Clap alone knows what stands for what was left out.
        #[derive(Debug, clap::Parser)]
        struct Alone {
            #[command(flatten)]
            run: Run,
        }

        use clap::Parser as _;
        Alone::parse_from(["run"]).run
    }
}

/// What a target can be judged as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// It stores and delivers messages.
    Broker,
    /// It reads and writes messages.
    Codec,
    /// It takes work and answers with results.
    Agent,
    /// It takes dispatches over HTTP and talks to agents.
    Orchestrator,
}
