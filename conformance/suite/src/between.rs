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
    /// What the adapter hears for a request.
    fn asked(&mut self, line: String) -> String {
        line
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
        tokio::spawn(ask(BufReader::new(from_runner).lines(), to_adapter, Arc::clone(&between)));
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
    mut adapter: impl AsyncWrite + Unpin,
    between: Arc<Mutex<impl Between>>,
) {
    while let Ok(Some(line)) = lines.next_line().await {
        let mut line = between.lock().unwrap_or_else(PoisonError::into_inner).asked(line);
        line.push('\n');
        if adapter.write_all(line.as_bytes()).await.is_err() {
            return;
        }
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
                Said::Line(line) => drop(say.send(line)),
                Said::Later(time, line) => {
                    let say = say.clone();
                    tokio::spawn(async move {
                        tokio::time::sleep(time).await;
                        let _ = say.send(line);
                    });
                }
                Said::End => return,
            }
        }
    }
}

/// Writes until nobody has anything to say, and hangs up.
async fn write(mut said: mpsc::UnboundedReceiver<Vec<u8>>, mut runner: impl AsyncWrite + Unpin) {
    while let Some(mut line) = said.recv().await {
        line.push(b'\n');
        if runner.write_all(&line).await.is_err() {
            return;
        }
    }
    // Who does not hear any more needs no goodbye.
    let _ = runner.shutdown().await;
}
