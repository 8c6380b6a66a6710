//! From what was typed to a broker that can be judged.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use workwire_broker::adapter::{AdapterBroker, AdapterOptions, StartError};
use workwire_broker::{OpenError, RestartCommand, Target};
use workwire_conformance::host::ProcessHost;
use workwire_conformance::selftest;
use workwire_conformance::subject::{Reached, Subject};

use crate::text::plain;

/// How long a connection may take that nothing lies between.
const CONNECT: Duration = Duration::from_secs(5);

/// What is judged, and the folder in which stores of its kind are made; gone when it is dropped.
pub(crate) struct Named {
    pub(crate) subject: Subject,
    pub(crate) folder: Option<TempDir>,
}

/// What is judged, where it was named by a target. The broker in memory is judged on paused time.
/// A server may be restarted by a command; a private instance may be without, and another one is soon started.
pub(crate) fn subject(target: &Target, timeout: Duration, restart: Option<&RestartCommand>) -> io::Result<Named> {
    if target.is_memory() {
        return Ok(Named { subject: selftest::honest(), folder: None });
    }
    if let Some(options) = target.to_string().strip_prefix("sqlite:") {
        return in_files(target.clone(), options);
    }
    let (options, started, restart) = (options(timeout), target.clone(), restart.cloned());
    let subject = Subject::shared(target.to_string(), move || {
        let (target, options, restart) = (started.clone(), options.clone(), restart.clone());
        Box::pin(async move {
            if let Some(command) = restart {
                return Ok(Reached::bare(target.open_restarted_by(&command).await?));
            }
            let Some(command) = target.command() else { return Ok(Reached::bare(target.open().await?)) };
            let started = AdapterBroker::start(command, &options).await;
            started.map(|adapter| Reached::behind(Arc::new(adapter))).map_err(|error| not_started(&target, &error))
        })
    });
    let subject = if target.is_temporary() { subject.with_more_servers() } else { subject };
    Ok(Named { subject, folder: None })
}

/// A broker in a file, and processes of this program that serve others of its kind, for clauses that
/// need several of them, a small disk, or a store that was damaged.
fn in_files(target: Target, written: &str) -> io::Result<Named> {
    let folder = tempfile::Builder::new().prefix("workwire-").tempdir()?;
    let options = written.rsplit_once('?').map_or(String::new(), |(_, options)| format!("?{options}"));
    let program = std::env::current_exe()?.to_string_lossy().into_owned();
    let command = vec![program, "adapter".to_owned(), format!("sqlite:{{store}}{options}")];
    let host = ProcessHost::new(folder.path().to_owned(), command);
    let subject = Subject::shared(target.to_string(), move || {
        let target = target.clone();
        Box::pin(async move { Ok(Reached::bare(target.open().await?)) })
    });
    Ok(Named { subject: subject.on_host(Arc::new(host)), folder: Some(folder) })
}

/// What is judged, where somebody started it by hand.
pub(crate) fn attached(address: SocketAddr, timeout: Duration) -> Subject {
    let options = options(timeout);
    Subject::shared(format!("attached:{address}"), move || {
        let options = options.clone();
        Box::pin(async move {
            let setup = |why: String| OpenError::setup(format!("{address}: {why}"));
            let connected = tokio::time::timeout(CONNECT, TcpStream::connect(address)).await;
            let connected = connected.map_err(|_| setup(format!("no connection within {CONNECT:?}")))?;
            let stream = connected.map_err(|error| setup(format!("nobody can be reached: {error}")))?;
            // One line is one request: it must not wait for more.
            let _ = stream.set_nodelay(true);
            let (output, input) = stream.into_split();
            let over = AdapterBroker::over(output, input, &options).await;
            over.map(|adapter| Reached::behind(Arc::new(adapter))).map_err(|error| not_started(&address, &error))
        })
    })
}

/// An adapter that does not answer must be found out before the case is over.
fn options(timeout: Duration) -> AdapterOptions {
    let defaults = AdapterOptions::default();
    AdapterOptions { limit: defaults.limit.min(timeout / 2), ..defaults }
}

/// Why, or better what it did, and how its log ends.
fn not_started(what: &impl std::fmt::Display, error: &StartError) -> OpenError {
    const LINES: usize = 5;
    let findings: Vec<String> = error.findings().iter().map(|finding| plain(&finding.to_string())).collect();
    let why = if findings.is_empty() { plain(error.error().message()) } else { findings.join("; ") };
    let mut text = format!("{what}: {why}");
    let log: Vec<&str> = error.log().lines().filter(|line| !line.trim().is_empty()).collect();
    if !log.is_empty() && !text.contains("its log ends") {
        text.push_str("; its log ends: ");
        text.push_str(&plain(&log[log.len().saturating_sub(LINES)..].join(" | ")));
    }
    OpenError::setup(text)
}
