//! The adapter's side: any broker, served over the protocol.

mod plan;
mod session;

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufWriter};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use self::session::Session;
use super::lines::Lines;
use crate::contract::Broker;

/// Serves a broker until it is told to shut down, or until the input ends; either way the broker is
/// shut down.
///
/// Requests are worked on side by side, and answered as they are done. They are begun in the order
/// in which they came, so that a fetch finds what was published before it; and what comes behind an
/// `open` or a `close` of the same client waits for that to be done. Of more than 1 024 at a time,
/// the later ones are not read before earlier ones are answered.
///
/// ```no_run
/// # async fn example(broker: std::sync::Arc<dyn workwire_broker::Broker>) -> std::io::Result<()> {
/// let (input, output) = tokio::net::TcpListener::bind("127.0.0.1:7000").await?.accept().await?.0.into_split();
/// workwire_broker::adapter::serve(broker, input, output).await
/// # }
/// ```
///
/// # Errors
/// Where the input cannot be read or the output cannot be written.
pub async fn serve(broker: Arc<dyn Broker>, input: impl AsyncRead, output: impl AsyncWrite) -> io::Result<()> {
    let (answers, unwritten) = unbounded_channel();
    let serving = Session::of(Arc::clone(&broker), answers).run(Lines::of(Box::pin(input)));
    let mut serving = Box::pin(serving);
    let mut writing = Box::pin(write(unwritten, BufWriter::new(Box::pin(output))));
    let unread = tokio::select! {
        served = &mut serving => {
            writing.await?;
            return served;
        }
        // Nobody reads any more.
        written = &mut writing => written,
    };
    drop(serving);
    // There is nobody to tell how this went.
    let _ = broker.shutdown().await;
    unread
}

/// A line to write, and its place among the requests that are worked on.
type Unwritten = (Vec<u8>, OwnedSemaphorePermit);

async fn write(
    mut lines: UnboundedReceiver<Unwritten>,
    mut output: BufWriter<impl AsyncWrite + Unpin>,
) -> io::Result<()> {
    while let Some((line, place)) = lines.recv().await {
        output.write_all(&line).await?;
        if lines.is_empty() {
            output.flush().await?;
        }
        drop(place);
    }
    output.flush().await
}
