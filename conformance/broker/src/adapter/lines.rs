//! Bytes to lines, of which none is kept that is too long.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use super::wire::MAX_LINE;

/// What a stream held up to the end of a line, or up to its own end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line without its end.
    Whole(Vec<u8>),
    /// One that was too long: how it began, and how many bytes it had.
    TooLong { start: Vec<u8>, bytes: u64 },
}

/// The lines of a stream.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    /// How many bytes of this line are not kept.
    dropped: u64,
}

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// How much is kept of a line that is too long.
const START: usize = 1024;

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn of(reader: R) -> Self {
        Lines { reader: BufReader::with_capacity(CHUNK, reader), line: Vec::new(), dropped: 0 }
    }

    /// The next line; nothing at the end. Nothing is lost where it is dropped before it answers.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let chunk = self.reader.fill_buf().await?;
            if chunk.is_empty() {
                return Ok((!self.line.is_empty() || self.dropped > 0).then(|| self.take()));
            }
            let end = memchr::memchr(b'\n', chunk);
            let content = &chunk[..end.unwrap_or(chunk.len())];
            if self.dropped > 0 || self.line.len() + content.len() > MAX_LINE {
                self.dropped += (self.line.len().saturating_sub(START) + content.len()) as u64;
                self.line.truncate(START);
                self.line.shrink_to(CHUNK);
            } else {
                self.line.extend_from_slice(content);
            }
            let used = content.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(self.take()));
            }
        }
    }

    fn take(&mut self) -> Line {
        let line = std::mem::take(&mut self.line);
        match std::mem::take(&mut self.dropped) {
            0 => Line::Whole(line),
            dropped => Line::TooLong { bytes: line.len() as u64 + dropped, start: line },
        }
    }
}
