//! What looks into a queue, and mends it by hand.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use uuid::Uuid;

use super::values::time;
use crate::exit;

/// A queue of a broker.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The broker: `sqlite:PATH` or `exec:COMMAND`. One that is gone with the command is refused.
    pub(crate) target: String,

    /// The queue.
    pub(crate) queue: String,

    /// The tenant whose queue it is.
    #[arg(long)]
    pub(crate) tenant: Option<String>,

    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Publish one message.
#[derive(Debug, Args)]
#[command(after_help = exit::with_examples!(
    "echo to do | workwire send sqlite:work.db tasks --declare\n",
    "  workwire send sqlite:work.db tasks --body 'to do' --priority 5 --delay 10s"
))]
pub(crate) struct Send {
    #[command(flatten)]
    pub(crate) place: Place,

    /// The file that holds the body; standard input where it is `-` or left out.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// The body itself.
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    pub(crate) body: Option<String>,

    /// How urgent it is; the middle of the queue's range where it is left out.
    #[arg(long, value_name = "N")]
    pub(crate) priority: Option<i64>,

    /// For how long it can be delivered.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) ttl: Option<Duration>,

    /// How long it rests first.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) delay: Option<Duration>,

    /// For whom it is; for whoever comes first where nobody is named.
    #[arg(long, value_name = "RECIPIENT")]
    pub(crate) to: Option<String>,

    /// Its id; a new one where it is left out.
    #[arg(long, value_name = "UUID")]
    pub(crate) id: Option<Uuid>,

    /// Make the queue with the default policy if it is not there. Without it, a queue that is not
    /// declared is an error.
    #[arg(long)]
    pub(crate) declare: bool,
}

/// Take messages, print them, and give them back, or settle them.
#[derive(Debug, Args)]
#[command(after_help = exit::with_examples!(
    "workwire receive sqlite:work.db tasks --max 10\n",
    "  workwire receive sqlite:work.db tasks --wait 1m --done\n",
    "  workwire receive sqlite:work.db tasks --as dead --reason 'made by mistake'"
))]
pub(crate) struct Receive {
    #[command(flatten)]
    pub(crate) place: Place,

    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) max: u32,

    /// How long to wait for the first.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) wait: Option<Duration>,

    /// For which group; a group is made by the first that asks for it.
    #[arg(long)]
    pub(crate) group: Option<String>,

    /// For whom: its own messages and those for nobody.
    #[arg(long)]
    pub(crate) recipient: Option<String>,

    /// This message or nothing, where the broker can browse.
    #[arg(long, value_name = "UUID")]
    pub(crate) id: Option<Uuid>,

    /// What becomes of each once it is printed. Left out, it is given back as it was.
    #[arg(long = "as", value_enum, value_name = "HOW")]
    pub(crate) verdict: Option<As>,

    /// The same as --as done: what was printed is gone.
    #[arg(long, conflicts_with = "verdict")]
    pub(crate) done: bool,

    /// The reason that --as retry and --as dead give.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum As {
    /// Gone.
    Done,
    /// Back to its queue, with one attempt used up.
    Retry,
    /// To the dead letters.
    Dead,
    /// It is looked at without being taken.
    Peek,
}

/// Count the messages of a queue, and show the first of them without taking them.
#[derive(Debug, Args)]
#[command(after_help = exit::with_examples!("workwire inspect sqlite:work.db tasks --max 3"))]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) place: Place,

    /// How many to show at most; none are shown by a broker that cannot browse.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub(crate) max: u32,

    /// Of which group.
    #[arg(long)]
    pub(crate) group: Option<String>,

    /// As whom.
    #[arg(long)]
    pub(crate) recipient: Option<String>,
}

/// Show the dead letters of a queue, the oldest first.
#[derive(Debug, Args)]
#[command(after_help = exit::with_examples!("workwire dead-letters sqlite:work.db tasks"))]
pub(crate) struct DeadLetters {
    #[command(flatten)]
    pub(crate) place: Place,

    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) max: u32,

    /// Of which group; of all where it is left out.
    #[arg(long)]
    pub(crate) group: Option<String>,
}

/// Send dead letters back to their queue, as new.
#[derive(Debug, Args)]
#[command(after_help = exit::with_examples!("workwire replay sqlite:work.db tasks --all"))]
#[command(group = clap::ArgGroup::new("which").required(true).args(["id", "all"]))]
pub(crate) struct Replay {
    #[command(flatten)]
    pub(crate) place: Place,

    /// Which one.
    pub(crate) id: Option<Uuid>,

    /// All that are there when the command begins.
    #[arg(long)]
    pub(crate) all: bool,

    /// Of which group; of all where it is left out.
    #[arg(long)]
    pub(crate) group: Option<String>,
}
