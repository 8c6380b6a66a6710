//! What can be stopped and started again: an instance of our own, or somebody's server by a command of theirs.

use std::future::Future;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::time::{sleep, timeout};

use super::engines;
use super::instance::Instance;
use crate::contract::{Broker, RestartMode};
use crate::open_error::OpenError;

/// How long a command may take, and after it the server until it accepts.
const COMMAND: Duration = Duration::from_mins(2);
const ACCEPTS: Duration = Duration::from_mins(1);
/// How often it is tried.
const LOOK: Duration = Duration::from_millis(100);
/// So much of the end of what a command says is shown.
const LINES: usize = 5;

/// Opens a server that was opened before.
pub(super) type Opens = Box<dyn Fn() -> Opening + Send + Sync>;

/// A server's broker, some time.
pub(crate) type Opening = Pin<Box<dyn Future<Output = Result<Arc<dyn Broker>, OpenError>> + Send>>;

pub(super) enum Machine {
    Own(Box<Instance>),
    Commanded(RestartCommand, Opens),
}

impl Machine {
    /// Brings the server down; a command brings it up again as well.
    pub(super) async fn down(&mut self, mode: RestartMode) -> Result<(), OpenError> {
        match (self, mode) {
            (Machine::Own(instance), RestartMode::Graceful) => instance.stop().await,
            (Machine::Own(instance), RestartMode::Kill) => instance.kill().await,
            (Machine::Commanded(command, _), mode) => command.run(mode).await,
        }
    }

    /// Has it up, and opens its broker.
    pub(super) async fn up(&mut self) -> Result<Arc<dyn Broker>, OpenError> {
        match self {
            Machine::Own(instance) => {
                instance.start_again().await?;
                engines::open(instance.engine(), &instance.address()).await
            }
            Machine::Commanded(_, opens) => {
                let began = Instant::now();
                loop {
                    match opens().await {
                        Err(error) if error.is_wrong_use() || began.elapsed() >= ACCEPTS => return Err(error),
                        Err(_) => sleep(LOOK).await,
                        opened => return opened,
                    }
                }
            }
        }
    }

    /// Whether what it confirms survives its sudden death, as far as we set it up.
    pub(super) fn is_safe(&self) -> bool {
        match self {
            Machine::Own(instance) => instance.is_safe(),
            Machine::Commanded(..) => true,
        }
    }
}

/// A command that restarts a server which somebody else started. It is run with `graceful` or `kill` as its last word,
/// and has ended when the server was brought down and told to come up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartCommand(Vec<String>);

impl RestartCommand {
    /// Reads a command in words, as behind `exec:`; no shell is between.
    ///
    /// # Errors
    /// Says why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = shell_words::split(text).map_err(|broken| format!("expected a command in words: {broken}"))?;
        if words.is_empty() { Err("expected a command".to_owned()) } else { Ok(RestartCommand(words)) }
    }

    async fn run(&self, mode: RestartMode) -> Result<(), OpenError> {
        let Some((program, words)) = self.0.split_first() else { return Ok(()) };
        let failed = |how: String| OpenError::setup(format!("the restart command {program}: {how}"));
        let mut command = Command::new(program);
        command.args(words).arg(word(mode)).stdin(Stdio::null()).kill_on_drop(true);
        let output = timeout(COMMAND, command.output()).await;
        let output = output.map_err(|_| failed(format!("does not end within {COMMAND:?}")))?;
        let output = output.map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Err(failed(format!("ended with {}: {}", output.status, lines[lines.len().saturating_sub(LINES)..].join(" | "))))
    }
}

const fn word(mode: RestartMode) -> &'static str {
    match mode {
        RestartMode::Graceful => "graceful",
        RestartMode::Kill => "kill",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_is_told_how_and_says_why_not() {
        let says = RestartCommand::parse("sh -c 'test $0 = kill || { echo >&2 only kill; exit 3; }'").unwrap();
        says.run(RestartMode::Kill).await.unwrap();
        let error = says.run(RestartMode::Graceful).await.unwrap_err().to_string();
        assert!(error.contains("exit status: 3: only kill"), "{error}");
        assert!(RestartCommand::parse(" ").is_err() && RestartCommand::parse("'open").is_err());
    }
}
