//! Whether a server accepts, by its own first bytes: a connection alone says nothing of who is there.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long one look may take.
const LOOK: Duration = Duration::from_secs(2);

/// Tells from what was heard so far.
pub(super) type Judge = Box<dyn Fn(&[u8]) -> Answered + Send + Sync>;

/// What is said to a server at a port, and how its answer is known: from that of a stranger too, where it can be.
pub(super) struct SignOfLife {
    pub(super) port: u16,
    pub(super) said: Vec<u8>,
    pub(super) judge: Judge,
}

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    /// It accepts.
    Ready,
    /// There is more to come.
    More,
    /// It does not accept yet.
    NotYet,
}

/// Whether it accepts in this moment.
pub(super) async fn look(sign: &SignOfLife) -> bool {
    timeout(LOOK, answer(sign)).await.unwrap_or(None).is_some()
}

async fn answer(sign: &SignOfLife) -> Option<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, sign.port)).await.ok()?;
    stream.write_all(&sign.said).await.ok()?;
    let mut heard = Vec::new();
    loop {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).await.ok()?;
        heard.extend_from_slice(&bytes[..count]);
        match (sign.judge)(&heard) {
            Answered::Ready => return Some(()),
            Answered::More if count > 0 => {}
            Answered::More | Answered::NotYet => return None,
        }
    }
}

/// An answer that has to begin like this.
pub(super) fn begins(with: &'static [u8]) -> Judge {
    Box::new(move |heard| match heard.len() {
        length if length >= with.len() && heard.starts_with(with) => Answered::Ready,
        length if with.starts_with(&heard[..length.min(with.len())]) => Answered::More,
        _ => Answered::NotYet,
    })
}

/// Whether one text is in another.
pub(super) fn has(heard: &[u8], text: &str) -> bool {
    heard.windows(text.len()).any(|window| window == text.as_bytes())
}
