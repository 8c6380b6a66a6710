//! Adapters in this process: a broker that is served over pipes, with somebody between who may
//! change what is said; or somebody who answers by himself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, Lines, duplex, split};
use tokio::sync::mpsc;
use workwire_broker::adapter::{AdapterBroker, AdapterOptions, serve};
use workwire_broker::{Broker, OpenError};

use crate::subject::{Reached, Reaching};

/// Who stands between a runner and an adapter, and hears every line.
pub(crate) trait Between: Send + 'static {
    /// What the adapter hears for a request, and how much later.
    fn asked(&mut self, line: String) -> (Duration, String) {
        (Duration::ZERO, line)
    }

    /// What the runner hears for an answer.
    fn answered(&mut self, line: String) -> Vec<Said> {
        vec![Said::Line(line.into_bytes())]
    }
}

/// What the runner hears.
pub(crate) enum Said {
    /// A line, now.
    Line(Vec<u8>),
    /// A line, after a while.
    Later(Duration, Vec<u8>),
    /// Nothing ever again.
    End,
}

/// How much a pipe holds.
const PIPE: usize = 64 * 1024;

/// How long an adapter that answers by itself takes.
const IDLE: Duration = Duration::from_millis(25);

/// A broker behind the adapter protocol.
pub(crate) fn served(broker: Arc<dyn Broker>) -> Reaching {
    let (near, far) = duplex(PIPE);
    Box::pin(async move {
        let (input, output) = split(far);
        tokio::spawn(serve(broker, input, output));
        reach(near).await
    })
}

/// The same, with somebody between.
pub(crate) fn served_through(broker: Arc<dyn Broker>, between: impl Between) -> Reaching {
    let (runner, near) = duplex(PIPE);
    let (far, adapter) = duplex(PIPE);
    Box::pin(async move {
        let (input, output) = split(adapter);
        tokio::spawn(serve(broker, input, output));
        let between = Arc::new(Mutex::new(between));
        let ((from_runner, to_runner), (from_adapter, to_adapter)) = (split(near), split(far));
        let (ask_line, asked) = mpsc::unbounded_channel();
        tokio::spawn(ask(BufReader::new(from_runner).lines(), ask_line, Arc::clone(&between)));
        tokio::spawn(write(asked, to_adapter));
        let (say, said) = mpsc::unbounded_channel();
        tokio::spawn(answer(BufReader::new(from_adapter).lines(), say, between));
        tokio::spawn(write(said, to_runner));
        reach(runner).await
    })
}

/// An adapter that answers each request by this, or not at all: with the result or the error.
pub(crate) fn answering(result_of: fn(&str, &Value) -> Option<Result<Value, Value>>) -> Reaching {
    let (runner, near) = duplex(PIPE);
    Box::pin(async move {
        let (input, mut output) = split(near);
        tokio::spawn(async move {
            let mut lines = BufReader::new(input).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let request: Value = serde_json::from_str(&line).unwrap_or_default();
                let method = request["method"].as_str().unwrap_or_default();
                let answer = match result_of(method, &request["params"]) {
                    Some(Ok(result)) => json!({"jsonrpc": "2.0", "id": request["id"], "result": result}),
                    Some(Err(error)) => json!({"jsonrpc": "2.0", "id": request["id"], "error": error}),
                    None => continue,
                };
                // Who does nothing has time, and is asked less often.
                tokio::time::sleep(IDLE).await;
                if output.write_all(format!("{answer}\n").as_bytes()).await.is_err() {
                    return;
                }
            }
        });
        reach(runner).await
    })
}

async fn reach(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Result<Reached, OpenError> {
    let (output, input) = split(stream);
    let adapter = AdapterBroker::over(output, input, &AdapterOptions::default()).await;
    let adapter = adapter.map_err(|error| OpenError::setup(error.to_string()))?;
    Ok(Reached::behind(Arc::new(adapter)))
}

async fn ask<R: AsyncRead + Unpin>(
    mut lines: Lines<BufReader<R>>,
    ask: mpsc::UnboundedSender<Vec<u8>>,
    between: Arc<Mutex<impl Between>>,
) {
    while let Ok(Some(line)) = lines.next_line().await {
        let (late, line) = between.lock().unwrap_or_else(PoisonError::into_inner).asked(line);
        send(&ask, late, line.into_bytes());
    }
}

async fn answer<R: AsyncRead + Unpin>(
    mut lines: Lines<BufReader<R>>,
    say: mpsc::UnboundedSender<Vec<u8>>,
    between: Arc<Mutex<impl Between>>,
) {
    while let Ok(Some(line)) = lines.next_line().await {
        let said = between.lock().unwrap_or_else(PoisonError::into_inner).answered(line);
        for said in said {
            match said {
                Said::Line(line) => send(&say, Duration::ZERO, line),
                Said::Later(late, line) => send(&say, late, line),
                Said::End => return,
            }
        }
    }
}

/// Who does not hear any more misses nothing.
fn send(to: &mpsc::UnboundedSender<Vec<u8>>, late: Duration, line: Vec<u8>) {
    if late.is_zero() {
        let _ = to.send(line);
        return;
    }
    let to = to.clone();
    tokio::spawn(async move {
        tokio::time::sleep(late).await;
        let _ = to.send(line);
    });
}

/// Writes until nobody has anything to say, and hangs up.
async fn write(mut lines: mpsc::UnboundedReceiver<Vec<u8>>, mut to: impl AsyncWrite + Unpin) {
    while let Some(mut line) = lines.recv().await {
        line.push(b'\n');
        if to.write_all(&line).await.is_err() {
            return;
        }
    }
    // Who does not hear any more needs no goodbye.
    let _ = to.shutdown().await;
}
