//! From what was typed to a broker that can be judged.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use workwire_broker::adapter::{AdapterBroker, AdapterOptions, StartError};
use workwire_broker::{MemoryBroker, OpenError, Target};
use workwire_conformance::subject::{Reached, Subject};

use crate::text::plain;

/// How long a connection may take that nothing lies between.
const CONNECT: Duration = Duration::from_secs(5);

/// What is judged, where it was named by a target. The broker in memory is judged on paused time.
pub(crate) fn subject(target: Target, timeout: Duration) -> Subject {
    if target.is_memory() {
        return Subject::on_paused_time("memory:", || Arc::new(MemoryBroker::default()));
    }
    let options = options(timeout);
    Subject::shared(target.to_string(), move || {
        let (target, options) = (target.clone(), options.clone());
        Box::pin(async move {
            let Some(command) = target.command() else { return Ok(Reached::bare(target.open().await?)) };
            let started = AdapterBroker::start(command, &options).await;
            started.map(|adapter| Reached::behind(Arc::new(adapter))).map_err(|error| not_started(&target, &error))
        })
    })
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
        text.push_str(&format!("; its log ends: {}", plain(&log[log.len().saturating_sub(LINES)..].join(" | "))));
    }
    OpenError::setup(text)
}
